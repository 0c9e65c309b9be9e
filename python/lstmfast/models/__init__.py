"""Models: layers in a row, trained and served by the core, with Keras's methods and defaults."""

from __future__ import annotations

from lstmfast.models._sequential import Sequential
from lstmfast.models.saving import load_model, save_model

__all__ = ["Sequential", "load_model", "save_model"]
