"""Fits and forecasts that are killed leave whole files, and nothing that the next save leaves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import killed_runs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")


def test_fits_go_on_where_they_were_killed(tmp_path: Path) -> None:
    found = killed_runs.killed_fits(tmp_path, 3)
    assert found["resumed to the same bits"] == 3
    assert found["loaded"] > 0


def test_forecasts_leave_whole_outputs(tmp_path: Path) -> None:
    found = killed_runs.killed_forecasts(tmp_path, 2)
    assert found["repeated to the same text"] == 2
