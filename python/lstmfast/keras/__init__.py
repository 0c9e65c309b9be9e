"""lstmfast under the names of Keras's modules: scripts change one line of imports.

``import lstmfast.keras as keras`` and ``from lstmfast.keras.layers import LSTM`` work, and
``import lstmfast as tf`` runs ``tf.keras.Sequential``. Each name is lstmfast's own: `keras.layers`
is `lstmfast.layers`.

Examples
--------
>>> import lstmfast.keras as keras
>>> from lstmfast.keras.layers import LSTM
>>> keras.Sequential([keras.Input((3, 1)), LSTM(2)]).output_shape
(None, 2)
>>> import lstmfast as tf
>>> tf.keras.layers.LSTM is LSTM
True
"""

from __future__ import annotations

import sys
from typing import Any

from lstmfast import (
    activations,
    backend,
    callbacks,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    preprocessing,
    regularizers,
    saving,
    utils,
)
from lstmfast._core import __version__
from lstmfast._keras_names import missing_name
from lstmfast.layers import Input, Layer
from lstmfast.losses import Loss
from lstmfast.metrics import Metric
from lstmfast.models import Model, Sequential
from lstmfast.optimizers import Optimizer

__all__ = [
    "Input",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Sequential",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "regularizers",
    "saving",
    "utils",
]


# where older versions had what stands elsewhere now: our module of it
_OLDER = {
    layers: "engine engine.topology layers.convolutional layers.core layers.embeddings "
    "layers.merge layers.normalization layers.recurrent layers.wrappers",
    optimizers: "optimizers.legacy",
    utils: "utils.np_utils utils.vis_utils",
}


def _register() -> None:
    """Let the modules be imported by their names here, too, as the same objects."""
    for module in [value for value in globals().values() if type(value) is type(sys)]:
        part = module.__name__.partition(".")[2]
        if part not in __all__:
            continue
        inside = [name for name in module.__all__ if type(getattr(module, name)) is type(sys)]
        for name in [part, *(f"{part}.{each}" for each in inside)]:
            sys.modules[f"{__name__}.{name}"] = sys.modules[f"lstmfast.{name}"]
    for module, names in _OLDER.items():
        for name in names.split():
            before, _, last = name.rpartition(".")
            sys.modules[f"{__name__}.{name}"] = module
            if before and before != "engine":  # also as an attribute
                vars(sys.modules[f"lstmfast.{before}"]).setdefault(last, module)


_register()


def __getattr__(name: str) -> Any:
    raise missing_name("lstmfast", name, sys._getframe(1))
