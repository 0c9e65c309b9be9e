"""What holds for every test: threads take part and are as before, Hypothesis keeps no clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

import lstmfast as lf
from lstmfast import _core

# the machine may be busy, and how long an example takes says nothing about it being right
settings.register_profile("lstmfast", deadline=None)
settings.load_profile("lstmfast")

# Work is shared with sleeping threads however little it is: which calls are worth waking them is a
# matter of the machine, and the tests shall see shared work on all of them.
_core.testing.assume_wake_seconds(0.0)


@pytest.fixture(autouse=True)
def _same_threads_afterwards() -> Iterator[None]:
    before = lf.get_num_threads()
    yield
    lf.set_num_threads(before)
