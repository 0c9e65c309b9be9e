"""Sequences computed step by step as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array, as_float, as_ids, wrong_shape
from lstmfast._checks import count, flag, wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast._core import Model as CoreModel
from lstmfast._core import Stream as CoreStream
from lstmfast.layers._symbolic import one_or_all
from lstmfast.models.generating import Generating

STEP, PROCESS, STATE, RESET = "stream.step", "stream.process", "stream.state", "stream.reset"


class Stream(CoreStream):
    """A sequence, or several side by side, computed step by step as it comes.

    `Model.stream` and `lstmfast.LSTM.stream` make one. It has states of its own; the weights are
    those of the model when the stream was made, or last refreshed, and all streams made of the same
    weights share one copy. All work is done on the calling thread. Each thread may run streams of
    its own; one stream is for one thread at a time. Outputs have the bits of `predict` on the whole
    sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import LSTM, Dense, Input
    >>> from lstmfast.models import Sequential
    >>> layers = [Input((None, 1)), LSTM(4, return_sequences=True), Dense(1)]
    >>> model = Sequential(layers)
    >>> stream = model.stream()
    >>> x = np.random.default_rng(0).normal(size=(1, 20, 1)).astype("float32")
    >>> whole = model.predict(x)
    >>> y = np.empty((1, 1), np.float32)
    >>> for t in range(10):
    ...     assert stream.step(x[:, t], out=y) == whole[:, t]
    >>> np.array_equal(stream.process(x[:, 10:]), whole[:, 10:])
    True
    """

    def __init__(
        self, weights: Callable[[], CoreModel], batch: int = 1, release_gil: bool = False
    ) -> None:
        if hasattr(weights, "predict") or not callable(weights):
            raise wrong_kind("stream", "weights", weights, "a call of model.stream()")
        rows = count(batch, "batch", "stream")
        super().__init__(weights(), rows, flag(release_gil, "release_gil", "stream"))
        self._weights, self._dtype = weights, np.dtype(self.dtype)

    def _converted_step(self, x: Any, out: Any = None) -> Any:
        return self._run(x, out, False, STEP)

    _converted_step.__qualname__ = "Stream.step"  # as errors call it

    def _converted_block(self, block: Any, out: Any = None) -> Any:
        return self._run(block, out, True, PROCESS)

    _converted_block.__qualname__ = "Stream.process"

    def _run(self, x: Any, out: Any, block: bool, where: str) -> Any:
        name = "block" if block else "x"
        if isinstance(x, Mapping):
            raise wrong_kind(where, name, x, "an array, or a list of them in the inputs' order")
        several = len(self._inputs) > 1 and isinstance(x, list | tuple)
        arrays = [
            as_ids(each, ids, where, name) if ids else as_float(each, self._dtype, where, name)
            for each, (_, ids, _) in zip(x if several else [x], self._inputs, strict=False)
        ]
        several = len(self._outputs) > 1 and isinstance(out, list | tuple)
        outs = list(out) if several else [out] * (1 if out is not None else len(self._outputs))
        return one_or_all(self._compute(arrays, outs, block))

    @property
    def batch(self) -> int:
        """How many sequences run side by side."""
        return self._rows

    @property
    def state(self) -> list[Array]:
        """What each layer carries to its next step, as copies: h, and c, of the first layer, ...

        Each is (batch, size); those of rows that begin are 0, or the initial states that a layer
        has learnt. A causal convolution carries its last inputs. What is set continues from there.
        """
        ends = np.cumsum(self._state_sizes, dtype=int).tolist()
        state = self._get_state()
        return [state[:, a:b].copy() for a, b in zip([0, *ends], ends, strict=False)]

    @state.setter
    def state(self, value: Sequence[Any]) -> None:
        sizes = self._state_sizes
        if not isinstance(value, list | tuple) or len(value) != len(sizes):
            got = f"{len(value)} items" if isinstance(value, list | tuple) else type(value).__name__
            raise ValueError(f"[{STATE}] state is {got}; expected a list of {len(sizes)} arrays")
        parts = []
        for place, (each, size) in enumerate(zip(value, sizes, strict=True)):
            name = f"state[{place}]"
            part = as_float(each, self._dtype, STATE, name)
            if part.shape != (self._rows, size):
                raise wrong_shape(STATE, name, part.shape, (self._rows, size))
            parts.append(part)
        if parts:
            self._set_state(np.concatenate(parts, axis=1))

    def reset(self, rows: Iterable[int] | None = None) -> None:
        """Begin new sequences, in some rows or in all.

        Parameters
        ----------
        rows : iterable of int, optional
            Numbers of the rows, or for each row True or False; by default all rows.
        """
        if rows is None:
            self._reset_rows(None)
            return
        given = np.asarray(rows if isinstance(rows, np.ndarray) else list(rows))
        if given.dtype == bool:
            if given.shape != (self._rows,):
                raise wrong_shape(RESET, "rows", given.shape, (self._rows,))
            given = np.flatnonzero(given)
        self._reset_rows(as_ids(given, self._rows, RESET, "rows").ravel().tolist())

    def refresh(self) -> bool:
        """Take the weights that the model has now and keep the state; whether they differ.

        While the model trains, its own callbacks may call this; other threads get a RuntimeError.
        """
        return self._take_weights(self._weights())

    def copy(self) -> Stream:
        """Return a stream that continues on its own from the same state, with the same weights."""
        other = Stream.__new__(Stream)
        other._weights, other._dtype = self._weights, self._dtype
        CoreStream.__init__(other, self)
        return other

    __copy__ = copy

    def __deepcopy__(self, memo: object) -> Stream:
        return self.copy()


class Streaming(Generating):
    """What runs step by step."""

    _built_core: Callable[[], CoreLayer]

    def stream(self, batch: int = 1, *, release_gil: bool = False) -> Stream:
        """Return what computes sequences step by step as they come.

        Parameters
        ----------
        batch : int
            Sequences side by side.
        release_gil : bool
            Let other threads of Python run during each step. Only for steps of a millisecond and
            more: to take the GIL back may take longer than a step.

        Returns
        -------
        Stream
            Its weights are those of now: see `Stream.refresh`.

        Raises
        ------
        ValueError
            Where a layer needs the whole sequence, as `Bidirectional`; where the model has no
            weights yet.

        Examples
        --------
        >>> import numpy as np
        >>> from lstmfast.layers import LSTM, Dense, Input
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([Input((None, 3)), LSTM(8), Dense(2)])
        >>> stream = model.stream(batch=5)
        >>> stream.step(np.ones((5, 3), np.float32)).shape
        (5, 2)
        """
        return Stream(self._stream_weights, batch, release_gil)

    def _stream_weights(self) -> CoreModel:
        self._built_core()
        if self._text is not None:
            raise ValueError("[stream] the model takes texts; expected one that takes numbers")
        assert self._core_model is not None
        return self._core_model
