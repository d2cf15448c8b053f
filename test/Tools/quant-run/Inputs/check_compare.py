"""Figures of compare.mlir: the first layer in 2 bits, beside numpy's."""

import json
import sys

import numpy as np

x = np.linspace(-1, 1, 24).reshape(6, 4).astype("f")
w0 = np.array([[0.1, -0.5, 0.3, 0.9], [0.7, 0.2, -0.8, 0.4], [-0.6, 0.5, 0.1, 0.2], [0.3, -0.1, 0.8, -0.9]], "f")
w1 = np.array([[0.2, 0.4, -0.3, 0.6], [-0.7, 0.1, 0.5, 0.4], [0.9, -0.2, 0.3, 0.1], [0.5, 0.8, -0.4, 0.7]], "f")

# Round to nearest in 2 bits, one row for each output.
low, high = np.minimum(w0.min(0), 0), np.maximum(w0.max(0), 0)
scale = np.float16((high - low) / 3).astype("f")
zero = np.clip(np.round(-low / scale), 0, 3)
q0 = scale * (np.clip(np.round(w0 / scale) + zero, 0, 3) - zero)


def check(entry, reference, other):
    reference, other = reference.astype("d"), other.astype("d")
    difference = other - reference
    error = np.linalg.norm(difference) / np.linalg.norm(reference)
    expected = {"error": error, "max": abs(difference).max(), "mean": abs(difference).mean(),
                "cosine": (reference * other).sum() / np.linalg.norm(reference) / np.linalg.norm(other)}
    for name, value in expected.items():
        assert np.isclose(entry[name], value, rtol=1e-4, atol=1e-7), (name, entry, value)
    assert error == 0 and entry["snr_db"] is None or np.isclose(entry["snr_db"], -20 * np.log10(error), rtol=1e-4)
    histogram = entry["histogram"]
    bounds = min(reference.min(), other.min()), max(reference.max(), other.max())
    assert np.allclose((histogram["low"], histogram["high"]), bounds, atol=1e-6)
    for values, counts in ((reference, histogram["counts"]), (other, histogram["other_counts"])):
        # A value at the border of two bins may lie in either.
        assert sum(counts) == values.size
        assert abs(np.histogram(values, 5, bounds)[0] - counts).max() <= 1, (values, counts)


entries = json.load(open(sys.argv[1]))
by_name = {entry["name"]: entry for entry in entries}
assert list(by_name) == ["first", "second", "y"] or list(by_name) == ["second", "first", "y"], list(by_name)
assert [entry["error"] for entry in entries[:2]] == sorted((entry["error"] for entry in entries[:2]), reverse=True)
assert [entry["kind"] for entry in entries] == ["layer", "layer", "output"]
first, second = x @ w0, np.maximum(x @ w0, 0) @ w1
other_first, other_second = x @ q0, np.maximum(x @ q0, 0) @ w1
check(by_name["first"], first, other_first)
check(by_name["second"], second, other_second)
check(by_name["y"], second, other_second)
check(by_name["first"]["weight"], w0.T, q0.T)
check(by_name["second"]["weight"], w1.T, w1.T)
assert by_name["first"]["weight"]["format"] == "u2 [1, *] f16", by_name["first"]
assert by_name["first"]["weight"]["bits_per_weight"] == (8 + 16 + 8) / 4, by_name["first"]
assert by_name["second"]["weight"]["bits_per_weight"] == 32
