"""A fork while other threads compute: the child goes on with the same objects."""

from __future__ import annotations

import os

import pytest

import forks

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def test_no_child_hangs() -> None:
    assert forks.beside_threads(100) == {"done": 100}
