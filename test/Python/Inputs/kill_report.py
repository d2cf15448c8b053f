"""Kills a report as soon as something more is in its cache, twice, and lets it end; its figures must be those of a
report that nobody disturbed."""

import json
import pathlib
import subprocess
import sys
import time

model, data, page, undisturbed = sys.argv[1:]
command = [sys.executable, "-m", "lowbit", "report", model, "--inputs", data, "-o", page, "--json", page + ".json",
           "--recipe=--quantize-rtn=bits=4 group-size=-1 head", "--recipe=--quantize-rtn=bits=9", "--recipe=--no-such-pass"]
cache = pathlib.Path(page + ".cache")
kept = 0
for attempt in range(20):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(list(cache.glob("*.json"))) == kept:
        time.sleep(0.01)
    if process.poll() is None and attempt < 2:
        process.kill()
    process.wait()
    assert process.returncode in (0, -9), process.returncode
    before, kept = kept, len(list(cache.glob("*.json")))
    assert kept >= before
    if process.returncode == 0:
        break
    assert not pathlib.Path(page).exists()
assert attempt > 0 and process.returncode == 0, (attempt, process.returncode)


def without_times(path):
    figures = json.loads(pathlib.Path(path).read_text())
    for recipe in figures["recipes"]:
        recipe.pop("seconds", None)
        for layer in recipe.get("layers", ()):
            del layer["seconds"]
        # Names the module that was imported or read.
        recipe.pop("error", None)
    return {**figures, "title": ""}


assert without_times(page + ".json") == without_times(undisturbed)
