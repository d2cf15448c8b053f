"""Imports each model of a folder and expects the error that it announces.

    expect_errors.py FOLDER ENCODER TRANSLATOR

A model is a .textproto file whose first line is `# ERROR: <part of the line>`.
"""

import pathlib
import subprocess
import sys

folder, encoder, translator = pathlib.Path(sys.argv[1]), *sys.argv[2:]
failed = False
cases = sorted(folder.glob("*.textproto"))
for case in cases:
    text = case.read_text()
    expected = text.split("\n", 1)[0].removeprefix("# ERROR: ")
    model, output = case.with_suffix(".onnx"), case.with_suffix(".mlir")
    model.write_bytes(subprocess.run(encoder, shell=True, check=True,
                                     input=text.encode(),
                                     stdout=subprocess.PIPE).stdout)
    run = subprocess.run([translator, "--import-onnx", model, "-o", output],
                         capture_output=True, text=True)
    problems = []
    if run.returncode != 1:
        problems.append(f"exit status {run.returncode}, expected 1")
    if run.stderr.count("\n") != 1 or expected not in run.stderr:
        problems.append(f"expected one line with: {expected}\n"
                        f"  got: {run.stderr}")
    if str(model) not in run.stderr:
        problems.append(f"the error does not name the file: {run.stderr}")
    if output.exists() or list(folder.glob("*.safetensors*")):
        problems.append("there is an output file")
    for problem in problems:
        failed = True
        print(f"{case.name}: {problem}")
print(f"{len(cases)} models")
sys.exit(failed or not cases)
