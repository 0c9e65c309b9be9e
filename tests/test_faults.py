"""One allocation, file operation or thread of a call fails: an error, nothing changed, all usable.

A sample of the places at which something can fail; `tools/inject_faults.py` tries all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import fault_injection

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs LD_PRELOAD"),
    pytest.mark.skipif(fault_injection.find_compiler() is None, reason="needs a C compiler"),
]

# of all places, by group of cases
SHARES = {
    "lstm.": 0.1,
    "functional": 0.1,
    "model.": 0.02,
    "layers.": 0.01,
    "files.": 0.01,
    "threads": 1.0,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fault_injection.build(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("group", SHARES)
def test_calls_with_faults(group: str, library: Path) -> None:
    done = fault_injection.run_in_process(library, SHARES[group], group)
    assert done.returncode == 0, done.stderr
    *cases, total = done.stdout.splitlines()
    assert len(cases) >= 1
    assert total.startswith("all: ")
    assert total != "all: 0 raised, 0 succeeded", done.stdout
    if "asan" not in os.environ.get("LD_PRELOAD", ""):  # which serves some allocations itself
        assert all(": 0 raised, 0 succeeded" not in case for case in cases), done.stdout
