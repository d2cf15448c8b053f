"""Runs a command with a terminal as its standard error and prints what it shows there.

Lines that are written over each other come out one below the other; colors go.
"""

import os
import pty
import re
import subprocess
import sys

terminal, end = pty.openpty()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=end)
os.close(end)
shown = b""
try:
    while part := os.read(terminal, 4096):
        shown += part
except OSError:  # the other end is closed
    pass
text = shown.decode().replace("\r\033[K", "\n").replace("\r\n", "\n")
print(re.sub(r"\033\[[0-9;]*m", "", text))
sys.exit(process.wait())
