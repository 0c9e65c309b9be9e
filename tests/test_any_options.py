"""Any options together, against the reference: values and gradients in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings

import runs
from any_case import any_case
from cases import Case, make_problem, run_reference
from tolerances import NORM_GAIN, assert_close, tolerance

pytestmark = pytest.mark.isa
LARGEST = 1e6  # of what is compared


# float64: among so many numbers some lie within float32's error of a kink
@settings(max_examples=200)
@given(case=any_case(dtypes=("float64",)))
def test_any_options(case: Case) -> None:
    # A norm of two units is 1 and -1 whatever they were, one of few that are all clipped divides by
    # next to no deviation: what comes out is what rounding left.
    assume(not case.layer_norm or case.H > (16 if case.cell_clip else 2))
    problem = make_problem(case)
    rnn = runs.make_rnn(case, problem)
    # Where gates have no bounds, numbers may explode within some steps, and overflow in the
    # gradients: the few draws from which a tolerance comes then tell little of the largest error.
    with np.errstate(all="ignore"):
        expected = run_reference(case, problem)
    assume(all(np.abs(array).max(initial=0.0) < LARGEST for array in expected.values()))
    # The few draws from which a tolerance comes miss the worst of so many problems; and the core
    # takes slopes from values, 1 - y², so that those of saturated units err by eps of 1, or
    # that times a norm.
    rest = 4.0 * np.finfo(np.float64).eps * (NORM_GAIN if case.layer_norm else 1.0)
    allowed = {name: 8.0 * bound + rest for name, bound in tolerance(case, "float64").items()}
    assert_close(runs.run(rnn, problem), expected, allowed)
    if case.is_random:
        still = run_reference(case, problem, step=0)
        assert_close(runs.forward(rnn, problem), still, allowed)
        assert_close(runs.run(rnn, problem, draw=False), still, allowed)
