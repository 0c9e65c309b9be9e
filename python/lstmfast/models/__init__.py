"""Models: graphs of layers, trained and served by the core, with Keras's methods and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmfast._keras_names import module_getattr
from lstmfast.layers.base import MODELS
from lstmfast.models._model import Model
from lstmfast.models._sequential import Sequential
from lstmfast.models.loading import load_model
from lstmfast.models.saving import save_model

__all__ = ["Model", "Sequential", "load_model", "save_model"]

if not TYPE_CHECKING:  # or every name would be there for type checkers
    __getattr__ = module_getattr(__name__)

MODELS.update({cls.__name__: cls for cls in (Model, Sequential)})
