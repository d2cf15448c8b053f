"""What the benchmark scripts share: statistics, Markdown tables, JSON files, clean exits."""

import json
import os
import pathlib
import platform
import statistics
import sys

# The package is used from the tree, whether it is installed or not.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))


def fail(message):
    """Ends the script with one line on standard error and status 1."""
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: error: {message}")


def need(module):
    """Imports an optional package, or says how to get it."""
    try:
        return __import__(module)
    except ImportError:
        fail(f"the Python package {module} is needed (pip install {module})")


def summary(samples):
    """Median, and half the range between the quartiles, of at least one number."""
    median = statistics.median(samples)
    if len(samples) < 2:
        return median, 0.0
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return median, (high - low) / 2


def table(header, rows):
    """A Markdown table; all columns but the first are right-aligned."""
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 1)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines)


def machine():
    """The processor and the number of CPUs, which every timing depends on."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        pass
    return {"processor": name, "cpus": os.cpu_count()}


def write_json(path, data):
    """Writes `data`, whole or not at all."""
    path = pathlib.Path(path)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
