"""The figures of a report beside those that the tools print."""

import html
import json
import math
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
figures, layers, compared = (json.loads((folder / name).read_text())
                             for name in ("figures.json", "layers.json", "compare.json"))
page = (folder / "page.html").read_text()
measured, nine, unknown = figures["recipes"]

assert [layer["weight_error"] for layer in measured["layers"]] == [layer["weight_error"] for layer in layers]
bits = sum(layer["bits_per_weight"] for layer in layers) / 2
assert measured["bits"] == bits and f">{bits:.3f}<" in page
by_name = {entry["name"]: entry for entry in compared}
assert len(measured["comparison"]) == len(compared) == 3
for entry in measured["comparison"]:
    # quant-run runs decoded weights here and the kernels of the format there.
    expected = by_name[entry["name"]]
    assert math.isclose(entry["error"], expected["error"], rel_tol=1e-3), (entry, expected)
    assert sum(entry["histogram"]["counts"]) == sum(entry["histogram"]["other_counts"]) == 24
    if entry["kind"] == "layer":
        assert math.isclose(entry["weight"]["error"], expected["weight"]["error"], rel_tol=1e-6), (entry, expected)
        assert f">{entry['error']:.5f}<" in page
assert measured["output_error"] == measured["comparison"][2]["error"]

assert "bits is 9, but must be 1 to 8" in nine["error"] and html.escape("bits is 9, but must be 1 to 8") in page
assert "no-such-pass" in unknown["error"]
for recipe in figures["recipes"]:
    assert html.escape(recipe["name"]) in page
assert 'first &lt;b&gt; &amp; &quot;quoted&quot;' in page and "first <b>" not in page
