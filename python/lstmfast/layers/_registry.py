"""The classes of layers by name; the packages in which they stand add theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstmfast._names import Registry
from lstmfast.layers.base import Layer

LAYERS: Registry[Layer] = Registry("layer", Layer, [])
MODELS: dict[str, type[Layer]] = {}
"""What else stands among the layers of models, by class."""


def from_config(config: Mapping[str, Any]) -> Layer:
    """Make a layer, with new weights, from ``{"class_name": ..., "config": ...}``.

    Examples
    --------
    >>> from lstmfast import layers
    >>> layers.from_config({"class_name": "Dense", "config": {"units": 2}}).units
    2
    """
    cls = MODELS.get(config["class_name"]) if "class_name" in config else None
    return LAYERS.get(config) if cls is None else cls.from_config(config["config"])
