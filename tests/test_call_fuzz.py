"""Random calls at the size of a test; ``tools/fuzz_calls.py --count N`` makes N."""

from __future__ import annotations

import pytest

from call_fuzz import fuzz

pytestmark = [pytest.mark.fuzz, pytest.mark.isa]


@pytest.mark.parametrize("seed", range(4))
def test_random_calls(seed: int) -> None:
    counts = fuzz(100, seed)
    assert counts.total() >= 100
    assert {"infer", "train", "wrong_forward"} <= counts.keys()
