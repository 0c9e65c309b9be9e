"""`lf.LSTM` against a live `torch.nn.LSTM`: every case of the table that torch can run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
import runs
from cases import CASES, Case, Problem, make_problem
from option_cases import OPTION_CASES
from tolerances import assert_close, tolerance

torch = pytest.importorskip("torch")

Array = npt.NDArray[Any]

pytestmark = [
    pytest.mark.peer,
    # which of its kernels it takes
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]

DTYPES = ("float32", "float64")
TORCHS = {"proj_size", "bidirectional"}
EXTRA = (
    Case(5, 6, 4, 33, layers=2, proj_size=17, state=True),
    Case(5, 7, 4, 33, proj_size=1, lengths=True, state=True),
    Case(2, 3, 5, 50, layers=3, proj_size=40, lengths=True),
    Case(5, 6, 4, 33, bidirectional=True, state=True),
    Case(7, 9, 4, 17, layers=2, bidirectional=True, lengths=True, state=True),
    Case(5, 33, 4, 9, layers=3, bidirectional=True, lengths=True),
    Case(6, 5, 4, 20, layers=2, bidirectional=True, proj_size=3, lengths=True, state=True),
    Case(1, 1, 1, 2, bidirectional=True, proj_size=1),
    Case(6, 3, 40, 130, layers=2, bidirectional=True, proj_size=70, state=True),
)
APPLICABLE = [
    case
    for case in dict.fromkeys(CASES + OPTION_CASES + EXTRA)
    if case.keywords.keys() <= TORCHS and not case.resets and case.proj_size < case.H
]


def two_biases(problem: Problem, directions: int = 1) -> runs.Arrays:
    """torch's parameters; both biases are used, and their sum is the problem's, exactly."""
    named = runs.state_dict(problem.params, directions)
    for n in range(len(problem.params)):
        end = runs.suffix(n, directions)
        bias = named[f"bias_ih_{end}"]
        named[f"bias_ih_{end}"] = 0.75 * bias
        named[f"bias_hh_{end}"] = bias - 0.75 * bias
    return named


def tensor(value: Array, grad: bool = False) -> Any:
    return torch.tensor(np.ascontiguousarray(value), requires_grad=grad)


def make_torch(case: Case, problem: Problem, batch_first: bool = True) -> Any:
    dtype = getattr(torch, problem.x.dtype.name)
    engine = torch.nn.LSTM(
        case.I, case.H, case.layers, batch_first=batch_first, dtype=dtype, **case.keywords
    )
    named = two_biases(problem, case.directions)
    engine.load_state_dict({name: tensor(v) for name, v in named.items()})
    return engine


def run_torch(engine: Any, problem: Problem) -> runs.Arrays:
    """All results under the names of the reference, and every gradient under torch's name."""
    x = tensor(problem.x, grad=True)
    h0 = tensor(0 * problem.dh_n if problem.h0 is None else problem.h0, grad=True)
    c0 = tensor(0 * problem.dc_n if problem.c0 is None else problem.c0, grad=True)
    given = x
    if problem.lengths is not None:
        lengths = torch.tensor(problem.lengths)
        given = torch.nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
    y, (h_n, c_n) = engine(given, (h0, c0))
    if problem.lengths is not None:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(
            y, batch_first=True, total_length=problem.x.shape[1]
        )
    pulled = [tensor(each) for each in (problem.dy, problem.dh_n, problem.dc_n)]
    torch.autograd.backward([y, h_n, c_n], pulled)
    found = {"y": y, "h_n": h_n, "c_n": c_n, "dx": x.grad, "dh0": h0.grad, "dc0": c0.grad}
    found |= {name: parameter.grad for name, parameter in engine.named_parameters()}
    return {name: value.detach().numpy() for name, value in found.items()}


def test_applicable_cases() -> None:
    assert len(APPLICABLE) >= 20
    for option in ("lengths", "state", *TORCHS):
        assert any(getattr(case, option) for case in APPLICABLE), option


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", APPLICABLE, ids=lambda case: case.name)
def test_case(case: Case, dtype: str) -> None:
    """Outputs, states and every gradient, both biases among them."""
    problem = make_problem(case, dtype)
    expected = run_torch(make_torch(case, problem), problem)
    rnn = lf.LSTM(case.I, case.H, case.layers, dtype=dtype, **case.keywords)
    rnn.load_state_dict(two_biases(problem, case.directions))
    actual = runs.run(rnn, problem)
    actual = {name: value for name, value in actual.items() if "." not in name} | rnn.grads()
    assert actual.keys() == expected.keys()
    # both are as far as this from the exact answer
    bounds = tolerance(case, dtype) | runs.by_torchs_names(tolerance(case, dtype), rnn.grads())
    assert_close(actual, expected, {name: 2.0 * bounds[name] for name in expected})


def test_time_major_is_the_default_there() -> None:
    case = Case(5, 6, 4, 33, layers=2)
    problem = make_problem(case)
    engine = make_torch(case, problem, batch_first=False)
    x = np.ascontiguousarray(problem.x.swapaxes(0, 1))
    with torch.no_grad():
        expected, _ = engine(tensor(x))
    rnn = lf.LSTM(case.I, case.H, case.layers, batch_first=False)
    rnn.load_state_dict(two_biases(problem))
    y, _ = rnn(x)
    assert_close({"y": y}, {"y": expected.numpy()}, {"y": 2.0 * tolerance(case, "float32")["y"]})


def test_one_sequence_without_a_batch() -> None:
    case = Case(5, 1, 4, 33, layers=2, state=True)
    problem = make_problem(case)
    engine = make_torch(case, problem)
    assert problem.h0 is not None
    assert problem.c0 is not None
    state = problem.h0[:, 0], problem.c0[:, 0]
    with torch.no_grad():
        y, (h, c) = engine(tensor(problem.x[0]), tuple(tensor(each) for each in state))
    rnn = lf.LSTM(case.I, case.H, case.layers)
    rnn.load_state_dict(two_biases(problem))
    found, (h_n, c_n) = rnn(problem.x[0], state)
    expected = {"y": y.numpy(), "h_n": h.numpy(), "c_n": c.numpy()}
    bounds = {name: 2.0 * tolerance(case, "float32")[name] for name in expected}
    assert_close({"y": found, "h_n": h_n, "c_n": c_n}, expected, bounds)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("more", [{}, {"bidirectional": True, "proj_size": 3}])
def test_state_dict_round_trip(layers: int, bias: bool, dtype: str, more: dict[str, Any]) -> None:
    """There and back: names, order, shapes, dtype and every bit, both biases kept apart."""
    engine = torch.nn.LSTM(5, 7, layers, bias=bias, dtype=getattr(torch, dtype), **more)
    theirs = engine.state_dict()
    rnn = lf.LSTM(5, 7, layers, bias=bias, dtype=dtype, **more)
    ours = rnn.state_dict()
    assert list(ours) == list(theirs)
    assert [v.shape for v in ours.values()] == [tuple(v.shape) for v in theirs.values()]
    rnn.load_state_dict(theirs)
    numbers = {name: value.numpy() for name, value in theirs.items()}
    runs.assert_same_bits(rnn.state_dict(), numbers)
    other = torch.nn.LSTM(5, 7, layers, bias=bias, dtype=getattr(torch, dtype), **more)
    other.load_state_dict({n: torch.from_numpy(v) for n, v in rnn.state_dict().items()})
    for name, value in other.state_dict().items():
        assert torch.equal(value, theirs[name])
    assert list(rnn.grads()) == list(theirs)


def test_first_weights_are_drawn_as_there() -> None:
    """Uniform within ± 1/√H: torch's bounds, and a like spread."""
    torch.manual_seed(0)
    theirs = {n: v.numpy() for n, v in torch.nn.LSTM(40, 64, 2).state_dict().items()}
    ours = lf.LSTM(40, 64, 2, seed=0).state_dict()
    for name, value in ours.items():
        assert np.abs(value).max() <= 64**-0.5
        if value.size > 1000:
            assert abs(value.std() / theirs[name].std() - 1.0) < 0.05
