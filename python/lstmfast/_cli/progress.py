"""The bar that shows how far a training is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress_bar(what: str, disable: bool | None) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error, moved by a function of the epochs done and of all.

    Parameters
    ----------
    what : str
        The text before the bar.
    disable : bool or None
        None hides the bar where standard error is no terminal.
    """
    bar: Any = None

    def advance(done: int, total: int) -> None:
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
            )
        bar.total = total
        bar.update(done - bar.n)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.close()
