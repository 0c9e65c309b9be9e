"""The interface of a suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lstmfast._bench.contest import Settings
from lstmfast._bench.rows import Row, completed


@dataclass(frozen=True)
class Suite:
    """Measurements of one kind.

    Attributes
    ----------
    run : callable
        Yields the rows of one case and mode after the other, as `make_row` returns them.
    relative : str
        The head of the column for `Row.relative`, where the suite has that figure.
    legend : str
        The meaning of that column; printed above the table.
    takes_shapes : bool
        Whether it can be run for other shapes than its own.
    """

    name: str
    run: Callable[[Settings], Iterator[list[Row]]]
    relative: str = ""
    legend: str = ""
    takes_shapes: bool = True

    @property
    def figure(self) -> str:
        """The field of `Row` that a chart shows."""
        return "relative" if self.relative else "ratio"

    def rows(self, settings: Settings) -> Iterator[list[Row]]:
        """Run it: yield the rows of one case and mode after the other."""
        return (completed(self.name, rows) for rows in self.run(settings))
