"""Helpers around models, with Keras's names: data in the form that fit takes, files, seeds."""

from __future__ import annotations

from lstmfast._keras_names import explain_missing
from lstmfast.utils._arrays import normalize, pad_sequences, to_categorical
from lstmfast.utils._dataset import Dataset
from lstmfast.utils._files import get_file
from lstmfast.utils._objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from lstmfast.utils._plotting import Dot, model_to_dot, plot_model
from lstmfast.utils._py_dataset import PyDataset, Sequence
from lstmfast.utils._seeds import Seed, as_generator, draw_seed, set_random_seed
from lstmfast.utils._windows import timeseries_dataset_from_array

__all__ = [
    "CustomObjectScope",
    "Dataset",
    "Dot",
    "PyDataset",
    "Seed",
    "Sequence",
    "as_generator",
    "custom_object_scope",
    "draw_seed",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "model_to_dot",
    "normalize",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "set_random_seed",
    "timeseries_dataset_from_array",
    "to_categorical",
]

explain_missing(__name__)
