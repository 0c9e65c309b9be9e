"""Models: layers in a row, trained and served by the core, with Keras's methods and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmfast._keras_names import module_getattr
from lstmfast.models._sequential import Sequential
from lstmfast.models.saving import load_model, save_model

__all__ = ["Sequential", "load_model", "save_model"]

if not TYPE_CHECKING:  # or every name would be there for type checkers
    __getattr__ = module_getattr(__name__)
