"""Ends a run of GPTQ half way by signals and checks what the next run makes of it.

    resume.py <model> <calibration.npy> <folder>

A named pipe in the place of one layer's state holds the run there: opening it
succeeds when the run has come to it, and not before, so nothing depends on time.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

LAYER = 5

model, calibration = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
work = pathlib.Path(sys.argv[3])


def command(state=None):
    options = f"group-size=32 calibration={calibration}"
    if state:
        options += f" state={state}"
    return ["quant-opt", str(model), f"--gptq={options}", "-o", "q.mlir"]


def start(folder, state):
    """Runs in `folder`, with a place of its own for temporary files."""
    (folder / "tmp").mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str((folder / "tmp").resolve())}
    return subprocess.Popen(
        command(state),
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        # Tests may run in the background, where the shell has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_reader(pipe, process):
    while process.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads yet
            time.sleep(0.01)
    sys.exit(f"the run ended before layer {LAYER}: {process.stderr.read()}")


def outputs(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def check(what, condition, detail=""):
    if not condition:
        sys.exit(f"{what}: {detail}")


def interrupt(number, folder):
    """Leaves the state of a run that the signal has ended; returns how many layers it has done."""
    state = folder / "state"
    state.mkdir(parents=True)
    pipe = state / f"layer-{LAYER}.json"
    os.mkfifo(pipe)
    process = start(folder, "state")
    writer = wait_for_reader(pipe, process)
    process.send_signal(number)
    process.communicate()
    os.close(writer)
    pipe.unlink()
    check("ended by the signal", process.returncode == -number, process.returncode)
    left = outputs(folder)
    check("no output", not any(name in left for name in ("q.mlir", "q.safetensors")), list(left))
    if number != signal.SIGKILL:
        check("nothing left behind", not left and not any((folder / "tmp").iterdir()), list(left))
    done = {path.stem for path in state.glob("*.json")}
    check("each layer has both files", done == {path.stem for path in state.glob("*.safetensors")}, done)
    return len(done)


def resume(folder, done, expected):
    process = start(folder, "state")
    _, messages = process.communicate()
    check("resumed", process.returncode == 0, messages)
    remark = re.search(r"remark: .*resumed from 'state': (\d+) of (\d+) layers are done; going on with '(.+)'", messages)
    check("says so", remark and int(remark[1]) == done, messages)
    made = outputs(folder)
    for name, content in expected.items():
        check(f"{name} is the same", made.get(name) == content)
    return remark


whole = work / "whole"
whole.mkdir(parents=True)
process = start(whole, None)
_, messages = process.communicate()
check("uninterrupted", process.returncode == 0, messages)
check("no progress without a terminal", messages == "", messages)
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
    folder = work / number.name
    remark = resume(folder, interrupt(number, folder), outputs(whole))
    print(f"{number.name}: {remark[1]} of {remark[2]} layers were done; went on with {remark[3]}")
