"""The name by which TensorFlow's scripts set the seed: ``tf.random.set_seed``."""

from __future__ import annotations

from lstmfast._keras_names import explain_missing
from lstmfast.utils import set_random_seed

__all__ = ["set_seed"]

set_seed = set_random_seed

explain_missing(__name__)
