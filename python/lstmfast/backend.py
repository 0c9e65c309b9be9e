"""What Keras's scripts ask of its backend: state that this package does not keep."""

from __future__ import annotations

import gc

from lstmfast._keras_names import explain_missing
from lstmfast.metrics.in_core import forget_names

__all__ = ["backend", "clear_session", "epsilon", "floatx", "image_data_format"]

explain_missing(__name__)


def clear_session(free_memory: bool = True) -> None:
    """Collect what is no longer in use, and number metrics without names anew.

    Nothing else is kept between models.

    Parameters
    ----------
    free_memory : bool
        Run Python's garbage collector.

    Examples
    --------
    >>> from lstmfast import backend
    >>> backend.clear_session()
    """
    forget_names()
    if free_memory:
        gc.collect()


def backend() -> str:
    """Return the name of the engine.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.backend.backend()
    'lstmfast'
    """
    return "lstmfast"


def floatx() -> str:
    """Return the dtype that layers have by default.

    Examples
    --------
    >>> from lstmfast import backend
    >>> backend.floatx()
    'float32'
    """
    return "float32"


def epsilon() -> float:
    """Return the small number that Keras keeps from zero: 1e-07.

    Examples
    --------
    >>> from lstmfast import backend
    >>> backend.epsilon()
    1e-07
    """
    return 1e-7


def image_data_format() -> str:
    """Return where channels stand in images.

    Examples
    --------
    >>> from lstmfast import backend
    >>> backend.image_data_format()
    'channels_last'
    """
    return "channels_last"
