"""Names of users' classes in files, as `keras.saving` has them."""

from __future__ import annotations

from lstmfast._keras_names import explain_missing
from lstmfast.models import load_model, save_model
from lstmfast.utils import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "register_keras_serializable",
    "save_model",
]

explain_missing(__name__)
