"""Runs a command whose last argument is the path of a pipe, and prints what comes out of it."""

import os
import stat
import subprocess
import sys

path = sys.argv[-1]
os.mkfifo(path)
process = subprocess.Popen(sys.argv[1:])
with open(path) as pipe:
    print(pipe.read())
if process.wait() != 0 or not stat.S_ISFIFO(os.stat(path).st_mode):
    sys.exit(f"the command failed, or '{path}' is no pipe any more")
