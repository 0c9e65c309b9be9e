"""Models: graphs of layers, trained and served by the core, with Keras's methods and defaults."""

from __future__ import annotations

from lstmfast._keras_names import explain_missing
from lstmfast.layers.base import LAYERS
from lstmfast.models import _own as _own
from lstmfast.models._encoder_decoder import EncoderDecoder
from lstmfast.models._model import Model
from lstmfast.models._sequential import Sequential
from lstmfast.models.copies import clone_model, model_from_json
from lstmfast.models.loading import load_model
from lstmfast.models.saving import save_model
from lstmfast.models.streaming import Stream

__all__ = [
    "EncoderDecoder",
    "Model",
    "Sequential",
    "Stream",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]

explain_missing(__name__)

LAYERS.add([Model, Sequential, EncoderDecoder])
