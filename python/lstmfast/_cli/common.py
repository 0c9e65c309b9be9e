"""Common parts of subcommands: errors, kinds of argument, output files, the progress bar."""

from __future__ import annotations

import argparse
import csv
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn


class UserError(Exception):
    """A mistake that the user can correct; the message becomes one line on standard error."""

    code = 2


def number(
    kind: Callable[[str], float], accepts: Callable[[float], bool], expected: str
) -> Callable[[str], float]:
    """Return a kind of argument: numbers that are accepted."""

    def parse(text: str) -> float:
        with suppress(ValueError):
            if accepts(value := kind(text)):
                return value
        raise argparse.ArgumentTypeError(f"{text!r}; expected {expected}")

    return parse


def whole_number(least: int) -> Callable[[str], float]:
    """Return a kind of argument: whole numbers from `least` on."""
    return number(int, lambda value: value >= least, f"a whole number from {least} on")


def names(text: str) -> list[str]:
    """Return names between commas, read as a line of a CSV file."""
    try:
        (names,) = csv.reader([text], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r}; expected names with commas between them, in double quotes where a name "
            "has one"
        ) from None
    return [name.strip() for name in names if name.strip()]


class Parser(argparse.ArgumentParser):
    """A parser with kinds of option that several commands have; its errors are one line.

    Attributes
    ----------
    late : callable or None
        Adds the arguments that depend on what is given, before it is read.
    """

    late: Callable[[Parser, Sequence[str]], None] | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Read arguments; first add those that depend on what is given. Refuse unknown ones."""
        late, self.late = self.late, None
        if late is not None:
            late(self, args)
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def add_number(self, name: str, least: int, text: str, default: int | None = None) -> None:
        """Add an option for a whole number from `least` on; its help tells the default."""
        if default is not None:
            text = f"{text} (default {default})"
        self.add_argument(name, metavar="N", type=whole_number(least), default=default, help=text)

    def add_choice(self, name: str, choices: Sequence[str], text: str) -> None:
        """Add an option with a few values, of which the first is the default."""
        self.add_argument(name, choices=choices, default=choices[0], help=text)

    def add_option(
        self, name: str, metavar: str, text: str, kind: Callable[[str], Any] = str, **more: Any
    ) -> None:
        """Add an option for a value of this kind."""
        self.add_argument(name, metavar=metavar, type=kind, help=text, **more)

    def add_file(self, name: str, metavar: str, text: str) -> None:
        """Add an option for a file."""
        self.add_argument(name, metavar=metavar, type=Path, help=text)

    def error(self, message: str) -> NoReturn:
        """Print one line and exit."""
        self.exit(UserError.code, f"{self.prog}: error: {' '.join(message.split())}\n")


def open_standard_error() -> None:
    """Drop what is written to a standard error that the shell closed.

    `print` would write it to standard output.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  until the process ends


def check_environment() -> None:
    """Refuse environment variables that the core cannot take.

    Raises
    ------
    UserError
        With the variable, its value and what is expected.
    """
    # only the core: some commands set environment variables of NumPy before it is loaded
    from lstmfast._core import get_num_threads, isa

    try:
        isa()
        get_num_threads()
    except ValueError as error:
        raise UserError(reason(error)) from None


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path] = ()) -> None:
    """Refuse output files that cannot be written, before any work is done; None is no output.

    Raises
    ------
    UserError
        Where a folder is missing or not writable, or where one file would replace another in use.
    """
    seen = {os.path.realpath(path) for path in inputs}
    for path in filter(None, outputs):
        if str(path) == "-":
            raise UserError("-: is not the name of a file; expected one, as /dev/stdout")
        # links are followed: the file that they lead to is replaced
        target = Path(os.path.realpath(path))
        try:
            special = _is_special(path)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
        if path.is_dir():
            raise UserError(f"{path}: is a folder; expected the name of a file")
        if not special:
            if str(target) in seen:
                raise UserError(f"{path}: is used twice; expected another file for the output")
            seen.add(str(target))
            folder = target.parent if path.is_symlink() else path.parent
            if not folder.is_dir():
                raise UserError(f"{path}: the folder {folder} does not exist")
            if not os.access(folder, os.W_OK | os.X_OK):
                raise UserError(f"{path}: no permission to write into the folder {folder}")
        if path.exists() and not os.access(path, os.W_OK):
            raise UserError(f"{path}: no permission to write into this file")


def reason(error: Exception) -> str:
    """Return an error's message without the Python function in brackets at its beginning."""
    return re.sub(r"^(\[Errno \d+\] )?\[[\w.]+\] ", "", str(error))


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, as models are written.

    Links are followed, and a file that exists keeps its permissions. Devices and pipes are written
    in place.
    """
    from lstmfast._core import write_file as write

    try:
        write(path, content)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {os.strerror(error.errno or 0)}") from None
    except ValueError as error:  # a block device
        raise UserError(str(error).removeprefix("[save] ")) from None


def save_model(model: Any, path: Path) -> None:
    """Save a model under its final name, so that a killed command leaves no copy elsewhere."""
    try:
        model.save(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {reason(error).removeprefix(f'{path}: ')}") from None


def check_standard_output(out: Path | None) -> None:
    """Refuse a closed standard output where nothing else is to be written to."""
    if out is None and sys.stdout is None:
        raise UserError("standard output is closed; expected it open, or --out F.csv")


def write_text(out: Path | None, text: str) -> None:
    """Write a text to a file, or to standard output."""
    if out is not None:
        write_file(out, text.encode())
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except UnicodeEncodeError as error:
        letter, encoding = error.object[error.start], error.encoding
        raise UserError(
            f"{letter!r} is not in {encoding}, of standard output; expected --out F"
        ) from None


def columns() -> int | None:
    """Return the width of the terminal of standard error; None where that is none."""
    with suppress(OSError, ValueError):
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80  # 0: not known
    return None


@contextmanager
def progress_bar(
    what: str, disable: bool | None, layout: str | None = None
) -> Iterator[Callable[..., None]]:
    """Show a bar on standard error, moved by a function of the epochs done and of all.

    The function may be given a note too, which stands after the bar.

    Parameters
    ----------
    what : str
        The text before the bar.
    disable : bool or None
        None hides the bar where standard error is no terminal.
    layout : str, optional
        A format of tqdm's.
    """
    bar: Any = None

    def advance(done: int, total: int, note: str = "") -> None:
        nonlocal bar
        if bar is None:  # shown once the number of all epochs is known
            from tqdm import tqdm

            # a log file need not hold every update
            interval = 0.1 if sys.stderr.isatty() else 2.0
            bar = tqdm(
                desc=what,
                total=total,
                unit=" epochs",
                file=sys.stderr,
                disable=disable,
                mininterval=interval,
                bar_format=layout,
                ncols=columns(),
                nrows=24,  # any number: that of some terminals is 0, where nothing would be shown
            )
        bar.total = total
        if note:
            bar.set_postfix_str(note, refresh=False)
        bar.update(done - bar.n)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.close()


def _is_special(path: Path) -> bool:
    """Tell whether a path is a device, a pipe or a name of an open file such as /dev/stdout."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if os.path.abspath(path).startswith(("/dev/fd/", "/dev/std", "/proc/")):
        return not stat.S_ISDIR(mode)
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
