"""The bits of results stay from version to version: checksums of an earlier build, by ISA."""

from __future__ import annotations

import json

import pytest

from bits_cases import FILE, RUNS, checksum, own_isa

pytestmark = pytest.mark.isa

KNOWN: dict[str, dict[str, str]] = json.loads(FILE.read_text())


def test_file_has_every_run() -> None:
    for isa, found in KNOWN.items():
        assert found.keys() == RUNS.keys(), isa


@pytest.mark.skipif(own_isa() not in KNOWN, reason="no checksums of this ISA yet")
@pytest.mark.parametrize("name", RUNS)
def test_bits_are_those_of_the_earlier_build(name: str) -> None:
    found = RUNS[name]()
    assert checksum(found) == KNOWN[own_isa()][name], sorted(found)
