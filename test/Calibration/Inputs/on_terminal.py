"""Runs a command with a terminal as its standard error and prints what it shows there.

Lines that are written over each other come out one below the other; colors go. With --columns=N before the command
the terminal has so many, and longer lines are an error.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

command, columns = sys.argv[1:], 0
terminal, end = pty.openpty()
if command[0].startswith("--columns="):
    columns = int(command.pop(0).partition("=")[2])
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=end)
os.close(end)
shown = b""
try:
    while part := os.read(terminal, 4096):
        shown += part
except OSError:  # the other end is closed
    pass
text = shown.decode().replace("\r\033[K", "\n").replace("\r\n", "\n")
text = re.sub(r"\033\[[0-9;]*m", "", text)
print(text)
if columns and max(map(len, text.splitlines())) >= columns:
    sys.exit(f"a line is longer than {columns - 1} characters")
sys.exit(process.wait())
