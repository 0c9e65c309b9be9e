"""Data for models made of series and texts: `sequence` and `text`, with Keras's names."""

from __future__ import annotations

from lstmfast._keras_names import explain_missing
from lstmfast.preprocessing import sequence, text
from lstmfast.utils import timeseries_dataset_from_array

__all__ = ["sequence", "text", "timeseries_dataset_from_array"]

explain_missing(__name__)
