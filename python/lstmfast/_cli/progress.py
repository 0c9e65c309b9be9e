"""The bar that shows how far a training is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["progress_bar"]


class progress_bar:  # noqa: N801  used as a function
    """A bar on standard error, moved by a function of the epochs done and of all.

    Parameters
    ----------
    what : str
        The text before the bar.
    disable : bool or None
        None hides the bar where standard error is no terminal.
    """

    def __init__(self, what: str, disable: bool | None) -> None:
        self._what = what
        self._disable = disable
        self._bar: Any = None

    def __enter__(self) -> Callable[[int, int], None]:
        return self._advance

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _advance(self, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = self._open(total)
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def _open(self, total: int) -> Any:
        """Show the bar, once the number of all epochs is known."""
        from tqdm import tqdm

        terminal = sys.stderr.isatty()
        return tqdm(
            desc=self._what,
            total=total,
            unit=" epochs",
            file=sys.stderr,
            disable=self._disable,
            mininterval=0.1 if terminal else 2.0,  # a log file need not hold every update
        )
