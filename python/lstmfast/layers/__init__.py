"""Layers for `lstmfast.models.Sequential`, with Keras's names, arguments and defaults.

A layer is a description until it is in a model that knows its input shape; then it reads and
writes its part of the model's weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstmfast._keras_names import module_getattr
from lstmfast._names import Registry
from lstmfast.layers._bidirectional import Bidirectional
from lstmfast.layers._dense import Dense
from lstmfast.layers._dropout import Dropout
from lstmfast.layers._input import Input
from lstmfast.layers._lstm import LSTM
from lstmfast.layers._masking import Masking
from lstmfast.layers.base import Layer

__all__ = ["LSTM", "Bidirectional", "Dense", "Dropout", "Input", "Layer", "Masking"]

if not TYPE_CHECKING:  # or every name would be there for type checkers
    __getattr__ = module_getattr(__name__)

LAYERS: Registry[Layer] = Registry(
    "layer",
    Layer,  # type: ignore[type-abstract]  # asked for kinds alone
    [LSTM, Bidirectional, Dense, Dropout, Masking],
)


def from_config(config: dict[str, Any]) -> Layer:
    """Make a layer, with new weights, from ``{"class_name": ..., "config": ...}``.

    Examples
    --------
    >>> from lstmfast import layers
    >>> layers.from_config({"class_name": "Dense", "config": {"units": 2}}).units
    2
    """
    return LAYERS.get(config)
