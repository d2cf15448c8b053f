"""Checks the table that examples/demo.py prints for 2 bits: `check_demo.py FILE`."""

import pathlib
import sys

table = {}
for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if line.startswith("| ") and cells[0] != "tiny-llama" and set(cells[0]) != {"-"}:
        table[cells[0]] = [float(cell.rstrip(" %").replace(",", "")) for cell in cells[1:]]

floating = table.pop("float32")
assert floating[0] == 32, floating
assert len(table) == 4, table
for stored, perplexity, above, speed in table.values():
    # A scale of 16 bits and a zero point for each group of at most 64.
    assert 2.25 < stored < 2.5, stored
    assert abs(above - 100 * (perplexity / floating[1] - 1)) < 0.01, above
    assert speed > 0, speed

nearest, gptq, compiled, activations = (
    table["2 bits, " + name][1] for name in ("round to nearest", "GPTQ", "GPTQ, compiled",
                                             "GPTQ, int8 activations, compiled"))
assert 1.02 * floating[1] < gptq < 0.99 * nearest, (floating, gptq, nearest)
assert abs(compiled - gptq) < 2e-4, (compiled, gptq)
assert abs(activations / gptq - 1) < 0.02, (activations, gptq)
