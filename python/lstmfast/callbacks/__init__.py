"""Callbacks for ``Sequential.fit``, with Keras's names, hooks and defaults.

Hooks that no callback overrides cost nothing: training then stays in the core for a whole epoch,
or for the whole fit.
"""

from __future__ import annotations

from lstmfast._keras_names import explain_missing
from lstmfast.callbacks.base import Callback, History, LambdaCallback
from lstmfast.callbacks.checkpoint import ModelCheckpoint
from lstmfast.callbacks.stopping import EarlyStopping, TerminateOnNaN

__all__ = [
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "ModelCheckpoint",
    "TerminateOnNaN",
]

explain_missing(__name__)
