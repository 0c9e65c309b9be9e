"""Layers of models, with Keras's names, arguments and defaults.

A layer is a description until its input shape is known; then it has weights, which all models in
which it stands share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstmfast._keras_names import module_getattr
from lstmfast._names import Registry
from lstmfast.layers._activation_layer import Activation
from lstmfast.layers._bidirectional import Bidirectional
from lstmfast.layers._dense import Dense
from lstmfast.layers._dropout import Dropout
from lstmfast.layers._embedding import Embedding
from lstmfast.layers._input import Input, InputLayer
from lstmfast.layers._lstm import LSTM
from lstmfast.layers._masking import Masking
from lstmfast.layers._merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from lstmfast.layers._reshaping import Flatten, Permute, RepeatVector, Reshape
from lstmfast.layers._time_distributed import TimeDistributed
from lstmfast.layers.base import Layer

__all__ = [
    "LSTM",
    "Activation",
    "Add",
    "Average",
    "Bidirectional",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "Input",
    "InputLayer",
    "Layer",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "Permute",
    "RepeatVector",
    "Reshape",
    "Subtract",
    "TimeDistributed",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]

if not TYPE_CHECKING:  # or every name would be there for type checkers
    __getattr__ = module_getattr(__name__)

LAYERS: Registry[Layer] = Registry(
    "layer",
    Layer,  # type: ignore[type-abstract]  # asked for kinds alone
    [
        LSTM,
        Bidirectional,
        Dense,
        Dropout,
        Masking,
        Activation,
        Flatten,
        Reshape,
        Permute,
        RepeatVector,
        TimeDistributed,
        Embedding,
        Add,
        Subtract,
        Multiply,
        Average,
        Maximum,
        Minimum,
        Concatenate,
        Dot,
    ],
)


MODELS: dict[str, type[Layer]] = {"InputLayer": InputLayer}
"""What else stands among the layers of models, by class; `lstmfast.models` adds its own."""


def from_config(config: dict[str, Any]) -> Layer:
    """Make a layer, with new weights, from ``{"class_name": ..., "config": ...}``.

    Examples
    --------
    >>> from lstmfast import layers
    >>> layers.from_config({"class_name": "Dense", "config": {"units": 2}}).units
    2
    """
    cls = MODELS.get(config["class_name"]) if "class_name" in config else None
    return LAYERS.get(config) if cls is None else cls.from_config(config["config"])
