"""Plans from LSTMFAST_PLAN: none changes a bit, and a malformed one is an error."""

from __future__ import annotations

import json

import pytest

import runs
from bits_cases import FILE, own_isa

pytestmark = pytest.mark.isa

KNOWN = json.loads(FILE.read_text())

# Each turns what it names to its other side: small caches, all work shared, one panel order, ...
PLANS = (
    "l2=65536,l3=1",
    "l2=1073741824,l3=1073741824",
    "row_panels=2,turns=0",
    "ahead_rows=64,ahead_inputs=1",
    "ahead_rows=0",
    "gflops=1,read_gbs=1,thread_us=1,barrier_ns=0",
    "gflops=1,thread_us=1,barrier_ns=0,thread_rows=1",
    "gflops=1000000,read_gbs=1000000",
)

DIFFERING = """
import json, sys
from bits_cases import FILE, RUNS, checksum, own_isa
from lstmfast._core import config, testing

testing.assume_wake_seconds(0.0)
plan = config()["plan"].split(",")
assert set(sys.argv[1].split(",")) <= set(plan), plan
known = json.loads(FILE.read_text())[own_isa()]
print(*[name for name, run in RUNS.items() if checksum(run()) != known[name]])
"""


@pytest.mark.skipif(own_isa() not in KNOWN, reason="no checksums of this ISA yet")
@pytest.mark.parametrize("plan", PLANS)
def test_no_plan_changes_a_bit(plan: str) -> None:
    found = runs.python(DIFFERING, plan, LSTMFAST_PLAN=plan, LSTMFAST_NUM_THREADS="3")
    assert (found.stderr, found.stdout) == ("", "\n")


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("l2", '[plan] LSTMFAST_PLAN has "l2"; expected l2= a whole number from 0 to 1073741824'),
        ("turns=0, row_panels=5", '"row_panels=5"; expected row_panels= a whole number'),
        ("l2=-1", '"l2=-1"; expected l2= a whole number'),
        ("l4=1", '"l4=1"; expected a number for one of l2, l3, gflops, read_gbs, thread_us,'),
    ],
)
def test_malformed_plans_are_errors(plan: str, message: str) -> None:
    code = "import lstmfast as lf\ntry:\n    lf.LSTM(2, 3)\nexcept ValueError as e:\n    print(e)"
    found = runs.python(code, LSTMFAST_PLAN=plan)
    assert found.stderr == ""
    assert message in found.stdout
