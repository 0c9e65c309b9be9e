"""The inputs of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmfast._arrays import as_dtype, dtype_name, shape_text
from lstmfast._checks import count, string
from lstmfast.layers._symbolic import Node, Tensor, sample_shape, split_batch
from lstmfast.layers.base import Layer


class InputLayer(Layer):
    """What stands for an `Input` among the layers of a model; it computes nothing.

    Parameters
    ----------
    shape, batch_size, dtype, name, batch_shape
        As in `Input`.
    input_shape, batch_input_shape
        Keras's older names of `shape` and `batch_shape`.
    """

    kind = "input_layer"

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        name: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        *,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
    ) -> None:
        where = "layers.Input"
        shape = input_shape if shape is None else shape
        batch_shape = batch_input_shape if batch_shape is None else batch_shape
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ValueError(
                    "[layers.Input] batch_shape is given; expected neither shape nor batch_size "
                    "next to it"
                )
            batch_size, shape = split_batch(batch_shape, where)
        super().__init__(None if name is None else string(name, "name", where))
        self.sample = sample_shape(shape, where)
        self.batch_size = None if batch_size is None else count(batch_size, "batch_size", where)
        self._dtype = None if dtype is None else _elements(dtype)

    @property
    def built(self) -> bool:
        """Whether the shape is known: always."""
        return True

    @property
    def output_shape(self) -> Any:
        """The shape, the batch first: None, or the size that was given."""
        return (self.batch_size, *self.sample)

    def weight_parts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return the names and shapes of its weights: there are none."""
        return []

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "name": self.name,
            "batch_shape": (self.batch_size, *self.sample),
            "dtype": self._dtype,
        }


class Input(Tensor):
    """The input of a model: what its layers are called with, or the first item of a `Sequential`.

    Parameters
    ----------
    shape : tuple of int or None
        ``(steps, features)`` for sequences, with None for any number of steps; ``(features,)``;
        ``(steps,)``, of whole numbers for an `Embedding`.
    batch_size : int, optional
        The size of every batch, for stateful layers; otherwise any will do.
    dtype : str, optional
        ``"float32"`` or ``"float64"``: the dtype of the model. That of whole numbers, as
        ``"int32"``, leaves it to the layers. ``"string"``: before a `TextVectorization`.
    name : str, optional
        A name of one's own, by which a model takes data in a dictionary.
    batch_shape : tuple of int or None, optional
        `batch_size` and `shape` in one.

    Examples
    --------
    >>> from lstmfast.layers import LSTM, Dense, Input
    >>> from lstmfast.models import Model
    >>> x = Input((None, 8))
    >>> x.shape
    (None, None, 8)
    >>> model = Model(x, Dense(1)(LSTM(4)(x)))
    >>> model.output_shape
    (None, 1)
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        name: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
    ) -> None:
        self._use(InputLayer(shape, batch_size, dtype, name, batch_shape))

    def _use(self, layer: InputLayer) -> None:
        node = Node(layer, (), (layer.sample,), layer._dtype or "float32", layer.batch_size)
        super().__init__(node)
        layer._add_node(node)

    @classmethod
    def of(cls, layer: InputLayer) -> Input:
        """Return the input that a layer stands for."""
        made = cls.__new__(cls)
        made._use(layer)
        return made

    @property
    def layer(self) -> InputLayer:
        """What stands for it among the layers of a model."""
        layer: InputLayer = self.node.layer
        return layer

    @property
    def batch_size(self) -> int | None:
        """The size of every batch, where it was given."""
        return self.node.batch

    def __repr__(self) -> str:
        return f"<Input shape={shape_text(self.shape)}, name={self.name}>"


def _elements(dtype: Any) -> str:
    """Return the name of a type of whole numbers, string, or float32 or float64."""
    name = dtype_name(dtype)
    if name.strip("'").startswith("str"):
        return "string"
    whole = name.startswith(("int", "uint", "bool"))
    return name if whole else as_dtype(dtype, "layers.Input").name
