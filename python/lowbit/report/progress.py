"""How far a long command has come, on standard error."""

import contextlib
import os
import sys
import time


def format_time(seconds):
    """Such as 59s, 4m05s, 2h07m."""
    seconds = int(seconds)
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    return f"{seconds // 3600}h{seconds // 60 % 60:02}m"


def shorten(text, length):
    """The text with its middle left out, if it is longer than that; 0 or less for no limit."""
    if length <= 0 or len(text) <= length:
        return text
    half = max(0, length - 3) // 2
    return f"{text[:length - 3 - half]}...{text[len(text) - half:]}"[:length]


class Progress:
    """Steps of a known number, with the time since the start and an estimate of what is left.

    On a terminal one line that changes, elsewhere a line for each step. Steps that take no time, because
    an earlier run has done them, say nothing about the time left."""

    def __init__(self, steps, stream=None, clock=time.monotonic):
        self.steps, self.done = steps, 0
        self.stream = stream or sys.stderr
        self.clock = clock
        self.start = clock()
        self.timed, self.spent = 0, 0.0

    @contextlib.contextmanager
    def step(self, name):
        """Shows a step while it runs, and counts it when it is over."""
        self._show(name)
        start = self.clock()
        yield
        seconds = self.clock() - start
        self.done += 1
        if seconds > 0.05:
            self.timed += 1
            self.spent += seconds

    def skip_to(self, done):
        """Counts steps that are not needed, such as those of a refused recipe."""
        self.done = done

    def _show(self, name):
        text = f"[{self.done + 1}/{self.steps}] {name}  {format_time(self.clock() - self.start)} elapsed"
        if self.timed:
            text += f", {format_time(self.spent / self.timed * (self.steps - self.done))} left"
        if self.stream.isatty():
            # A line that went on in the next one could not be cleared.
            columns = os.get_terminal_size(self.stream.fileno()).columns
            print(f"\r\033[K{shorten(text, columns - 1)}", end="", file=self.stream, flush=True)
        else:
            print(text, file=self.stream, flush=True)

    def finish(self):
        """Ends the line on a terminal."""
        if self.stream.isatty():
            print(f"\r\033[K{self.steps} steps in {format_time(self.clock() - self.start)}", file=self.stream)
