"""Pickles of our objects, each with the version that wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lstmfast._core import __version__
from lstmfast._warnings import warn

_KEY = "lstmfast_version"


def marked(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``__getstate__`` returns, with the version."""
    return {**state, _KEY: __version__}


@contextmanager
def restoring(state: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Yield what ``__setstate__`` was given, without the version.

    A pickle holds the attributes of one version. Reading one of another version warns; where it
    fails, the error names both versions.
    """
    state = dict(state)
    version = state.pop(_KEY, None)
    versions = (
        f"[{name}] the pickle is of lstmfast {version or 'before pickles had a version'}, this is "
        f"lstmfast {__version__}"
    )
    try:
        yield state
    except Exception as error:
        if version == __version__:
            raise
        raise ValueError(
            f"{versions}, which cannot read it ({type(error).__name__}: {error}); read it with "
            "that version and keep models by save, weights by state_dict or get_weights"
        ) from error
    if version != __version__:
        warn(f"{versions}: it may not mean the same")
