"""`lstmfast export-c`: a saved model as C source."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .common import Parser, UserError, reason

HELP = "write a saved model as C source, for firmware, plug-ins and other programs"


def add_arguments(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_option("model", "MODEL", "a file of a saved model", Path)
    parser.add_option("-o", "DIR", "the folder to write to", Path, required=True, dest="folder")
    parser.add_option("--name", "NAME", "of the files and in C (default: model)", default="model")
    parser.add_argument(
        "--int8", action="store_true", help="kernels of 8 bits, and what they are multiplied with"
    )
    parser.add_argument("--force", action="store_true", help="replace files of that name")
    parser.epilog = (
        "Writes NAME.h and NAME.c and prints what they take: bytes of flash, RAM and stack, and "
        "the multiply-adds of a step. Code and stack are measured by arm-none-eabi-gcc for "
        "Cortex-M4F, else by the host's compiler."
    )


def run(args: argparse.Namespace) -> int:
    """Export and print the sizes."""
    from lstmfast._export_c import export_c

    from . import data

    model = data.load(args.model)
    try:
        done = export_c(model, args.folder, int8=args.int8, name=args.name, overwrite=args.force)
    except ValueError as error:
        text = reason(error)
        raise UserError(text if text.startswith("name ") else f"{args.model}: {text}") from None
    except OSError as error:
        text = (
            f"{error.filename or args.folder}: {error.strerror}" if error.errno else reason(error)
        )
        raise UserError(text.replace("pass overwrite=True", "use --force")) from None
    print(_report(done))
    return 0


def _report(done: Any) -> str:
    """Return lines of what files take."""
    found = done.measure()
    code = stack = None
    if found is not None:
        code, stack = found.code, found.stack
    lines = [
        ("written", f"{done.header} and {done.source.name}"),
        ("flash, weights", f"{done.weights} bytes"),
        ("flash, code", "unknown" if code is None else f"{code} bytes"),
        ("RAM, state", f"{done.state} bytes"),
        ("stack", "unknown" if stack is None else f"{stack} bytes"),
        ("multiply-adds", f"{done.products} a step"),
        ("compiler", "none was found" if found is None else found.compiler),
    ]
    return "\n".join(f"{name:<15} {text}" for name, text in lines)
