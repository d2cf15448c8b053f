#!/usr/bin/env python3
"""Plot how near linear layers come to the limits of the machine, from the figures of matmul.py.

    benchmarks/matmul.py --cold --tokens 1 8 64 512 --json cold.json
    benchmarks/plot_roofline.py cold.json --layer 4096x4096 -o roofline.png

One point for each implementation and number of tokens: the operations (a multiply-add is two) that it does
in a second, over those that it does for each byte of codes. The roof is what the same run measured: the
bandwidth of reading the codes, and arithmetic on registers alone.
"""

import argparse
import json
import pathlib

import report

MEMORY, ARITHMETIC = "reading the weight", "arithmetic alone"


def read_figures(paths, layer, threads):
    """The figures of one layer of all files."""
    figures = []
    for path in paths:
        try:
            figures += json.loads(path.read_text(encoding="utf-8"))["figures"]
        except (OSError, ValueError, KeyError) as error:
            report.fail(f"{path}: not the figures of matmul.py: {error}")
    layer = layer or (figures[0]["layer"] if figures else None)
    chosen = [f for f in figures if f["layer"] == layer and f["threads"] == threads]
    if not {MEMORY, ARITHMETIC} <= {f["peer"] for f in chosen}:
        report.fail(f"no figures of {layer} with {threads} threads that include both limits")
    return layer, chosen


def rate(figure):
    """Giga-operations per second."""
    return figure["operations"] / figure["median_us"] / 1e3


def intensity(figure):
    """Operations for each byte of codes."""
    return figure["operations"] / figure["code_bytes"]


def plot(layer, figures, output):
    report.need("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    bandwidth = max(f["code_bytes"] / f["median_us"] / 1e3 for f in figures if f["peer"] == MEMORY)
    peak = max(rate(f) for f in figures if f["peer"] == ARITHMETIC)
    points = [f for f in figures if f["peer"] not in (MEMORY, ARITHMETIC)]
    left, right = min(map(intensity, points)) / 1.6, max(map(intensity, points)) * 1.6

    axes = plt.figure(figsize=(7.5, 4.6), layout="constrained").subplots()
    ridge = peak / bandwidth
    axes.plot([left, ridge, right], [left * bandwidth, peak, peak], color="black", linewidth=1.2,
              label=f"limit: {bandwidth:.1f} GB/s, {peak:.0f} GOP/s")
    for peer, marker in zip(dict.fromkeys(f["peer"] for f in points), "os^vDPX*<>"):
        mine = sorted((f for f in points if f["peer"] == peer), key=intensity)
        axes.plot([intensity(f) for f in mine], [rate(f) for f in mine], marker=marker, label=peer,
                  linewidth=1.6 if peer == "Lowbit" else 0.6, zorder=3 if peer == "Lowbit" else 2)
    ticks = {intensity(f): f["tokens"] for f in points}
    axes.set(xscale="log", yscale="log", xlim=(left, right), xlabel="operations for each byte of codes (tokens)",
             ylabel="GOP/s")
    axes.set_xticks(list(ticks), [f"{x:.0f} ({tokens})" for x, tokens in ticks.items()])
    low, high = axes.get_ylim()
    rates = [m * 10**e for e in range(7) for m in (1, 2, 5) if low <= m * 10**e <= high]
    axes.set_yticks(rates, map(str, rates))
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    first = points[0]
    axes.set_title(f"{layer}, {first['bits']} bits, groups of {first['group_size']}, {first['activations']} activations, "
                   f"{first['threads']} thread{'s' if first['threads'] > 1 else ''}", fontsize=10)
    temporary = output.with_name(output.name + ".tmp")
    axes.figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})
    temporary.replace(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=pathlib.Path, nargs="+", help="JSON files of matmul.py")
    parser.add_argument("--layer", help="such as 4096x4096 (default: the first)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="the PNG file")
    options = parser.parse_args()
    plot(*read_figures(options.figures, options.layer, options.threads), options.output)


if __name__ == "__main__":
    main()
