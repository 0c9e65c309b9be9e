"""The command `lstmfast`: one module of `lstmfast._cli` for each subcommand.

A module has ``HELP``, one line; ``add_arguments(parser)``; and ``run(args)``, which returns the
exit code, or raises `UserError` for a mistake that the user can correct.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from lstmfast._cli.common import Parser, UserError, check_environment, open_standard_error

__all__ = ["COMMANDS", "main"]

# Each name is a module in lstmfast/_cli, there with _ in place of -.
COMMANDS = (
    "forecast", "demo", "tasks", "run", "predict", "generate", "export-c", "info", "bench",
)  # fmt: skip

_INTERRUPTED = 130


def build_parser() -> Parser:
    """Return the parser of all commands."""
    parser = Parser(prog="lstmfast", description="The LSTM for CPUs.", allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name in COMMANDS:
        module = importlib.import_module(f"lstmfast._cli.{name.replace('-', '_')}")
        command = commands.add_parser(
            name, help=module.HELP, description=module.HELP, allow_abbrev=False
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return the exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.
    """
    open_standard_error()
    parser = build_parser()
    prog = parser.prog
    try:
        args = parser.parse_args(argv)
        if args.version:
            from lstmfast import __version__

            print(f"lstmfast {__version__}")
            return 0
        if args.command is None:
            parser.print_help()
            return UserError.code
        prog = f"lstmfast {args.command}"
        check_environment()
        return int(args.run(args))
    except UserError as error:
        print(f"{prog}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return UserError.code
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except OSError as error:
        # Standard output: its reader has closed it, or the disk is full. Python must not report
        # that again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 0
        print(f"{prog}: error: standard output: {error.strerror or error}", file=sys.stderr)
        return UserError.code


if __name__ == "__main__":
    sys.exit(main())
