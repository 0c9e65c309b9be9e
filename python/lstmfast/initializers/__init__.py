"""Initial weights, by Keras's definitions and names; and `Chrono`, for forget gates.

A function of shape and dtype, or an array, can be given in place of an initializer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._keras_names import explain_missing
from lstmfast._names import Registry, listed
from lstmfast.initializers._chrono import Chrono
from lstmfast.initializers.base import Constant, Given, Identity, Initializer, Ones, Zeros
from lstmfast.initializers.random import *

__all__ = [
    "Chrono",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

explain_missing(__name__)

# Keras's other names
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

INITIALIZERS: Registry[Initializer] = Registry(
    "initializer",
    Initializer,
    listed(globals()),
    aliases={
        "zero": "zeros",
        "one": "ones",
        "uniform": "random_uniform",
        "normal": "random_normal",
        "identity_initializer": "identity",
        "orthogonal_initializer": "orthogonal",
    },
)


def get(identifier: Any) -> Initializer:
    """Return the initializer for a name, a class, an object, a configuration or a function.

    Parameters
    ----------
    identifier : str, type, Initializer, dict, callable or numpy.ndarray
        A function is called with the shape, a tuple, and the dtype's name, and returns an array
        of that shape; an array serves weights of its own shape.

    Raises
    ------
    TypeError, ValueError
        For what is none of them; for an unknown name, with the known ones.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast import initializers
    >>> initializers.get("glorot_uniform")
    GlorotUniform(seed=None)
    >>> initializers.get(lambda shape, dtype: np.full(shape, 2, dtype))((2,))
    array([2., 2.], dtype=float32)
    """
    # a class written for Keras has its own __call__, which takes no generator
    if isinstance(identifier, Initializer):
        foreign = type(identifier).__call__ is not Initializer.__call__
    else:
        foreign = callable(identifier) and not isinstance(identifier, type)
    if foreign or isinstance(identifier, np.ndarray):
        return Given(identifier)
    return INITIALIZERS.get(identifier)


def serialize(initializer: Initializer) -> Any:
    """Return the configuration from which `get` makes an equal initializer.

    A function, an array or an object of a custom class is returned as it is.

    Examples
    --------
    >>> from lstmfast import initializers
    >>> initializers.serialize(initializers.Orthogonal())
    {'class_name': 'Orthogonal', 'config': {'gain': 1.0, 'seed': None}}
    """
    if isinstance(initializer, Given):
        return initializer.source
    if type(initializer) not in INITIALIZERS.classes.values():
        return initializer
    return {"class_name": type(initializer).__name__, "config": initializer.get_config()}


deserialize = get  # Keras's other name, for what `serialize` returned
