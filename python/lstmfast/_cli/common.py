"""What subcommands share: errors, kinds of argument, output files."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["UserError", "check_outputs", "whole_number", "write_file"]


class UserError(Exception):
    """Something that the user can put right; the message becomes one line on standard error."""


def whole_number(least: int) -> Callable[[str], int]:
    """Return a kind of argument: whole numbers from `least` on."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number from {least} on")
        return value

    return parse


def check_outputs(outputs: list[Path], inputs: list[Path]) -> None:
    """Refuse output files that cannot be written, before any work is done.

    Raises
    ------
    UserError
        Where a folder is missing or closed, or where one file would replace another in use.
    """
    seen = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in seen:
            raise UserError(f"{path}: is used twice; expected another file for the output")
        seen.add(path.resolve())
        if path.is_dir():
            raise UserError(f"{path}: is a folder; expected the name of a file")
        folder = path.parent
        if not folder.is_dir():
            raise UserError(f"{path}: the folder {folder} does not exist")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UserError(f"{path}: no permission to write into the folder {folder}")


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: to a temporary name, synced, renamed."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes files private; give the file the rights of any other new one
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
