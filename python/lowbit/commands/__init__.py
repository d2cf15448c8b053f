"""The commands of `python -m lowbit`, one module each; see `lowbit.__main__`."""


class CommandError(Exception):
    """What the user asked for cannot be done; the text is one line that says why."""
