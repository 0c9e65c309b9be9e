"""Against live Keras 3: each of its names is either here or refused as Keras's."""

from __future__ import annotations

import importlib
import os
import warnings

import pytest

from lstmfast import _keras_names

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("part", sorted({"regularizers", "constraints", *_keras_names._NAMES}))
def test_every_name_is_known(part: str) -> None:
    theirs = importlib.import_module(f"keras.{part}".rstrip("."))
    ours = importlib.import_module(f"lstmfast.{part}".rstrip("."))
    names = {name for name in dir(theirs) if not name.startswith("_")} - {"src"}
    assert names <= _keras_names.names_of(part) | {*dir(ours)}
