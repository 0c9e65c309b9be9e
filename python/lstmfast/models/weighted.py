"""What a stack holds: its weights, and the states that stateful layers carry on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array, as_float, shape_text
from lstmfast._checks import count, items
from lstmfast.models.stack import Stack

BATCH_SIZE = 32


class Weighted(Stack):
    """A stack whose weights and states can be read and written."""

    def get_weights(self) -> list[Array]:
        """Return copies of all weights, layer by layer, in Keras's order and layout.

        There are none before the input shape is known.
        """
        return [] if self._engine is None else list(self._engine.get_weights())

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights: as many arrays as `get_weights` returns, of the same shapes.

        Nothing changes where one of them does not fit.
        """
        engine = self._built_engine()
        weights = items(weights, "weights", "set_weights", "a list of arrays")
        names = engine.weight_names()
        if len(weights) != len(names):
            raise ValueError(
                f"[set_weights] weights has {len(weights)} arrays; expected {len(names)}"
            )
        arrays = []
        for weight, (index, name, shape) in zip(weights, names, strict=True):
            full_name = f"{self._layers[index].name}.{name}"
            array = as_float(weight, self._dtype, "set_weights", full_name)
            if array.shape != tuple(shape):
                raise ValueError(
                    f"[set_weights] {full_name} has shape {shape_text(array.shape)}; expected "
                    f"{shape_text(tuple(shape))}"
                )
            arrays.append(array)
        engine.set_weights(arrays)

    def count_params(self) -> int:
        """Return how many numbers the weights hold."""
        return sum(int(np.prod(shape)) for *_, shape in self._built_engine().weight_names())

    def reset_states(self) -> None:
        """Begin anew: the states that stateful layers carry on become zero.

        Examples
        --------
        >>> import numpy as np
        >>> from lstmfast.layers import LSTM, Input
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([Input((3, 1), batch_size=2), LSTM(4, stateful=True)])
        >>> x = np.ones((2, 3, 1))
        >>> first, second = model.predict(x), model.predict(x)
        >>> model.reset_states()
        >>> bool((model.predict(x) == first).all()), bool((second == first).all())
        (True, False)
        """
        if self._engine is not None:
            self._engine.reset_states()

    reset_state = reset_states

    def release_memory(self) -> None:
        """Give back the memory that calls keep so that later ones need not ask for it.

        The next call takes what it needs anew. Without this, memory goes back once sixteen calls in
        turn have needed less than a quarter of it. Weights, the optimizer's state and what stateful
        layers carry stay.

        Raises
        ------
        RuntimeError
            While the model is being trained.

        Examples
        --------
        >>> import numpy as np
        >>> from lstmfast.layers import LSTM
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([LSTM(4)])
        >>> y = model.predict(np.ones((100, 3, 1)))
        >>> model.release_memory()
        """
        if self._engine is not None:
            self._engine.release_memory()

    def _batch(self, batch_size: int | None, where: str, name: str = "batch_size") -> int:
        """Return the number of samples in a step."""
        if batch_size is not None:
            return count(batch_size, name, where)
        carried = 0 if self._engine is None else self._engine.carried_rows
        return carried or BATCH_SIZE
