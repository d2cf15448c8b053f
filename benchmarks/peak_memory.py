#!/usr/bin/env python3
"""Run a command and print its peak memory and its time.

    benchmarks/make_llama_onnx.py llama-1b.onnx
    quant-translate --import-onnx llama-1b.onnx -o llama-1b.mlir
    benchmarks/peak_memory.py quant-opt llama-1b.mlir --quantize-rtn -o llama-1b-int4.mlir
    benchmarks/peak_memory.py quant-opt llama-1b.mlir --gptq="include=layers\\.0/ calibration=calib.npy" -o out.mlir

Weights are mapped from files. Pages of a mapped file count as resident but can
be dropped at any time, so two figures are given: the peak of anonymous memory
(what the process itself has allocated; sampled every 10 ms), and the peak
resident set (mapped files included; from the kernel). Children of the command
count towards the second only.
"""

import argparse
import re
import resource
import subprocess
import sys
import time

import report

SAMPLE_SECONDS = 0.01


def anonymous_kib(pid):
    """The anonymous resident memory of a process in KiB, or 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            match = re.search(r"^RssAnon:\s+(\d+) kB", file.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(match.group(1)) if match else 0


def measure(command, **options):
    """Runs the command, with options of subprocess.Popen; returns its exit status, peaks in MiB and seconds."""
    start = time.monotonic()
    try:
        process = subprocess.Popen(command, **options)
    except OSError as error:
        report.fail(f"cannot run {command[0]}: {error.strerror}")
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous_kib(process.pid))
        time.sleep(SAMPLE_SECONDS)
    seconds = time.monotonic() - start
    resident = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"command": command, "status": process.returncode, "peak_anonymous_mib": round(peak / 1024, 1),
            "peak_resident_mib": round(resident / 1024, 1), "seconds": round(seconds, 2)}


def main():
    parser = argparse.ArgumentParser(description="Print the peak memory and the time of a command.")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to a file")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    options = parser.parse_args()
    if not options.command:
        parser.error("no command is given")
    result = measure(options.command)
    print(f"peak anonymous memory {result['peak_anonymous_mib']:,.1f} MiB, "
          f"peak resident set {result['peak_resident_mib']:,.1f} MiB, {result['seconds']:.2f} s", file=sys.stderr)
    if options.json:
        report.write_json(options.json, result)
    if result["status"] != 0:
        report.fail(f"{options.command[0]} ended with status {result['status']}")


if __name__ == "__main__":
    main()
