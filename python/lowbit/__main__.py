"""`python -m lowbit COMMAND ...`: what Lowbit's Python package does from the command line.

A command is a module of `lowbit.commands` with a docstring, whose first line is its help,
`add_arguments(parser)`, and `run(options)`, which returns an exit status or None and may raise
CommandError. To add one, write the module and add its name to COMMANDS.
"""

import argparse
import importlib
import sys

from lowbit.commands import CommandError
from lowbit.tools import ToolError

COMMANDS = (
    "report",
    "tokenize",
)


def main(arguments=None):
    """Runs a command; returns the exit status. Whatever goes wrong is one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m lowbit", description="Lowbit, the quantization compiler, from Python.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"lowbit.commands.{name}")
        summary = module.__doc__.splitlines()[0]
        command = commands.add_parser(name, help=summary, description=module.__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        return options.run(options) or 0
    except (CommandError, ToolError, OSError) as error:
        print(f"lowbit: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nlowbit: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
