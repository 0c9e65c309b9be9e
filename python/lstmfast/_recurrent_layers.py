"""What `lstmfast.LSTM` does around the recurrent core: calls, and gradients back through them."""

from __future__ import annotations

from typing import Any

from lstmfast._arrays import Array, ArrayLike
from lstmfast._recurrent import State, Trace, checked_inputs, run, run_backward
from lstmfast._state_dict import StateDict


class RecurrentLayers(StateDict):
    """A row of recurrent layers; a subclass makes the core."""

    batch_first: bool

    def __call__(
        self,
        x: ArrayLike,
        state: Any = None,
        *,
        lengths: ArrayLike = None,
        resets: ArrayLike = None,
        training: bool = False,
        out: Array | None = None,
        hx: None = None,
    ) -> Any:
        """Run over whole sequences.

        Parameters
        ----------
        x : array_like
            (B, T, I) or, without `batch_first`, (T, B, I); (T, I) is one sequence.
        state : (h0, c0), optional
            (D·L, B, H) each, or (D·L, H) for one sequence; zeros by default. Layer 0, layer 0
            reverse, layer 1, ...; with `proj_size` h0 has P values in place of H.
        lengths : array_like of int, optional
            (B,): how many steps of each row count. Outputs after them are 0, the final state is
            that of the last one, and the steps after them take no time.
        resets : array_like of bool, optional
            (B, T), or (T, B) without `batch_first`: before which steps the state is set to 0; in a
            reverse direction, after which.
        training : bool
            Apply the random options and keep what `backward` needs. x and the result are referred
            to, not copied: leave them unchanged until then. lengths and resets are copied.
        out : numpy.ndarray, optional
            Where to write y: an array of y's shape and dtype, in C order, aligned, that shares no
            memory with the arguments.
        hx : None
            torch's name of `state`; refused, so that a state is not ignored.

        Returns
        -------
        y : numpy.ndarray
            (B, T, D·H), (T, B, D·H) or (T, D·H), with `proj_size` P for H: the last layer's h after
            every step.
        (h, c) : tuple of numpy.ndarray
            Shaped as `state`: the state after the last step; of a reverse direction, the first.
        cells : numpy.ndarray
            Only with `return_cell_states`: the last layer's c after every step, D·H values, in the
            layout of y; 0 where y is padded.

        Raises
        ------
        TypeError, ValueError
            For arrays of the wrong kind or shape.
        KeyboardInterrupt
            At Ctrl-C, also in the middle of a long call; `out` may then hold a part of y.
        """
        if hx is not None:
            raise TypeError("[lstm.forward] hx is given; expected state, as it is called here")
        result = self._core.call(x, state, lengths, resets, training, out, self.batch_first)
        if result is not None:
            return result
        return run(
            self._core, self._dtype, self.batch_first, x, state, lengths, resets, training, out
        )

    def backward(
        self, dy: ArrayLike, dstate: Any = None, dcells: ArrayLike = None
    ) -> tuple[Array, State]:
        """Propagate gradients back through the latest call with ``training=True``.

        Gradients of the parameters are added to `grads`. Each such call allows one `backward`.

        Parameters
        ----------
        dy : array_like or None
            Gradient for y; None is 0.
        dstate : (dh_n, dc_n), optional
            Gradients for the final h and c; either may be None.
        dcells : array_like, optional
            Gradient for the cells of a call with `return_cell_states`.

        Returns
        -------
        dx : numpy.ndarray
            Gradient for x.
        (dh0, dc0) : tuple of numpy.ndarray
            Gradients for the initial state.

        Raises
        ------
        KeyboardInterrupt
            At Ctrl-C; the gradients are then those before the call, and it takes another call
            with ``training=True`` to try again.
        """
        result = self._core.call_backward(dy, dstate, dcells)
        if result is not None:
            return result
        return run_backward(self._core, self._dtype, dy, dstate, dcells)

    def trace(
        self,
        x: ArrayLike,
        state: Any = None,
        *,
        lengths: ArrayLike = None,
        resets: ArrayLike = None,
    ) -> dict[str, Trace]:
        """Return all gates and states of every step, as a call without training computes them.

        Parameters
        ----------
        x, state, lengths, resets
            As for a call.

        Returns
        -------
        dict of str to Trace
            Under ``"l0"``, ``"l0_reverse"``, ``"l1"``, ...: a layer in one direction. Arrays are in
            the layout of x, and 0 where it is padded.

        Examples
        --------
        >>> import numpy as np
        >>> import lstmfast as lf
        >>> inside = lf.LSTM(2, 3, seed=0).trace(np.ones((1, 4, 2)))["l0"]
        >>> inside.f.shape, bool((inside.c[:, 0] == inside.i[:, 0] * inside.g[:, 0]).all())
        ((1, 4, 3), True)
        """
        inputs = checked_inputs("lstm.trace", self._dtype, x, state, lengths, resets)
        traces = self._core.trace(*inputs, self.batch_first)
        return {end: Trace(*each) for end, each in zip(self._core_shapes, traces, strict=True)}

    def release_memory(self) -> None:
        """Free the memory that calls keep for later ones.

        What the latest call with ``training=True`` kept for `backward` is freed too. The next call
        allocates what it needs. Without this, memory is freed once sixteen calls in a row have
        needed less than a quarter of it.

        Raises
        ------
        RuntimeError
            While another thread trains.

        Examples
        --------
        >>> import numpy as np
        >>> import lstmfast as lf
        >>> rnn = lf.LSTM(3, 4)
        >>> y, state = rnn(np.ones((8, 100, 3), np.float32), training=True)
        >>> dx, dstate = rnn.backward(y)
        >>> rnn.release_memory()
        """
        self._core.release_memory()
