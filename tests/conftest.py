"""What holds for every test: threads are as they were before, Hypothesis keeps no clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

import lstmfast as lf

# the machine may be busy, and how long an example takes says nothing about it being right
settings.register_profile("lstmfast", deadline=None)
settings.load_profile("lstmfast")


@pytest.fixture(autouse=True)
def _same_threads_afterwards() -> Iterator[None]:
    before = lf.get_num_threads()
    yield
    lf.set_num_threads(before)
