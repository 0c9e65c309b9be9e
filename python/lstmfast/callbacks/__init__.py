"""Callbacks for ``Sequential.fit``, with Keras's names, hooks and defaults.

Hooks that no callback overrides cost nothing: training then stays in the core for a whole epoch,
or for the whole fit.
"""

from __future__ import annotations

from lstmfast._keras_names import explain_missing
from lstmfast.callbacks._backup import BackupAndRestore
from lstmfast.callbacks._learning_rate import LearningRateScheduler, ReduceLROnPlateau
from lstmfast.callbacks._records import CSVLogger, TensorBoard, WandbCallback
from lstmfast.callbacks._shown import ProgbarLogger
from lstmfast.callbacks.base import Callback, History, LambdaCallback
from lstmfast.callbacks.checkpoint import ModelCheckpoint
from lstmfast.callbacks.stopping import EarlyStopping, TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
    "WandbCallback",
]

explain_missing(__name__)
