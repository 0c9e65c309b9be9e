"""Random calls in the middle of fits; see `chaos`."""

from __future__ import annotations

import pytest

import chaos


@pytest.mark.fuzz
def test_fits_with_random_calls() -> None:
    problems: list[str] = []
    found = chaos.run_many(40, report=problems.append)
    assert problems == []
    assert found["fits"] == 40
    # that the calls were made at all
    assert min(found[name] for name in ("predict", "evaluate", "save", "add", "compile")) > 0
    assert found["throw"] > 0
    assert found["reset_states"] > 0
