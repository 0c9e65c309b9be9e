"""The interface of data that come batch by batch, and their way to the core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lstmfast._warnings import warn
from lstmfast.models.data import Samples

_PARTS = "x, (x, y) or (x, y, sample_weight)"


def unpacked(batch: Any, where: str) -> tuple[Any, Any, Any]:
    """Return x, y and the weights of a batch, as Keras takes it: a tuple or list, or x alone."""
    if not isinstance(batch, tuple | list):
        return batch, None, None
    if not 1 <= len(batch) <= 3:
        raise ValueError(f"[{where}] it has {len(batch)} items; expected {_PARTS}")
    x, y, weights = (*batch, None, None)[:3]
    return x, y, weights


class Batches:
    """Batches in passes. An adapter says what a pass is; this counts steps, and what is left.

    Parameters
    ----------
    steps : int, optional
        Batches of an epoch; epochs then go on where the one before ended. None: an epoch is one
        pass.
    """

    length: int | None = None  # batches in a pass, where that is known
    renews = True  # whether there is more than one pass
    uses_order = False  # whether passes have an order that the core draws

    def __init__(self, where: str, steps: int | None) -> None:
        self.where = where
        self.steps = steps
        self.order: Callable[[int], Any] | None = None  # the order of so many things, if random
        self.restarts = False  # whether each epoch begins anew, whatever `steps` left
        self.number = 0  # of batches that this epoch took
        self.ended_early = False
        self._iterator: Iterator[Any] | None = None
        self._is_fresh = False  # no epoch took a batch of the iterator yet
        self._first: Any = None
        self._waiting: list[Any] = []

    def new_pass(self) -> Iterator[Any]:
        """Return an iterator over the batches of a pass."""
        raise NotImplementedError

    def peek(self) -> Any:
        """Return a batch like the first one, which stays; until an epoch begins, the same one."""
        if self._first is None:
            self._first = self.first()
        return self._first

    def first(self) -> Any:
        """Return a batch like the first one, which stays."""
        self._is_fresh |= self._iterator is None
        if self._more():
            return self._waiting[0]
        raise ValueError(f"[{self.where}] x gives no batches; expected at least one")

    def _more(self) -> bool:
        """Tell whether the pass has a batch left."""
        if self._iterator is None:
            self._iterator = self.new_pass()
        if not self._waiting:
            for batch in self._iterator:
                self._waiting.append(batch)
                break
        return bool(self._waiting)

    @property
    def batches(self) -> int | None:
        """Batches of an epoch, where that is known."""
        return self.steps or self.length

    def begin(self) -> None:
        """Begin an epoch."""
        self.number, self.ended_early, self._first = 0, False, None
        goes_on = self.steps is not None and self._iterator is not None and not self.restarts
        if self.renews and not self._is_fresh and not (goes_on and self._more()):
            self._iterator = None
            self._waiting.clear()
        self._is_fresh = False
        self._iterator = self._iterator or self.new_pass()

    def next(self) -> Any:
        """Return the epoch's next batch; None where it ends."""
        if self.number == self.steps:
            return None
        if self._more():
            self.number += 1
            return self._waiting.pop()
        self._iterator = None if self.renews else self._iterator
        if not self.number:
            raise ValueError(f"[{self.where}] x gives no batches in this epoch; expected some")
        if self.steps:
            self.warn_of_end()
        return None

    def end(self) -> None:
        """End an epoch."""

    def lasts(self) -> bool:
        """Tell whether another epoch would have a batch."""
        return self.renews or self._more()

    def warn_of_end(self) -> None:
        """Warn that data end too early, once an epoch."""
        if self.ended_early:
            return
        self.ended_early = True
        wanted = f"; expected {self.steps} an epoch" if self.steps else ""
        warn(
            f"[{self.where}] the input ran out of data after {self.number} batches of this "
            f"epoch{wanted}: a data set or generator must give steps_per_epoch * epochs batches, "
            "which .repeat() of a data set does"
        )


class Source:
    """Batches in the core's form.

    Parameters
    ----------
    given : Batches
        What the user has.
    convert : callable(x, y, weights, where)
        Returns the samples of a batch; `where` is how errors call the operation.
    """

    def __init__(self, given: Batches, convert: Callable[[Any, Any, Any, str], Samples]) -> None:
        self.given = given
        self.convert = convert
        self.begin, self.end = given.begin, given.end

    @property
    def batches(self) -> int | None:
        """Batches of an epoch, where that is known."""
        return self.given.batches

    def mapped(self, change: Callable[[Samples], Samples]) -> Source:
        """Return the same batches, of which `change` makes others."""

        def convert(x: Any, y: Any, weights: Any, where: str) -> Samples:
            return change(self.convert(x, y, weights, where))

        return Source(self.given, convert)

    def _core(self, batch: Any) -> tuple[Any, Any, Any]:
        where = f"{self.given.where}, batch {max(1, self.given.number)}"
        data = self.convert(*unpacked(batch, where), where)
        return data.x, data.y, data.weights

    def first(self) -> tuple[Any, Any, Any]:
        """Return the first batch, which stays."""
        return self._core(self.given.peek())

    def next(self) -> tuple[Any, Any, Any] | None:
        """Return the epoch's next batch; None where it ends."""
        batch = self.given.next()
        return None if batch is None else self._core(batch)
