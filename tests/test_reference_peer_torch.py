"""The reference against a live `torch.nn.LSTM` in float64: every result and every gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast._layouts import PARAMETERS
from lstmfast.reference import CellOptions
from stack_problem import Arrays, B, H, I, StackProblem, T
from tolerances import assert_close

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.peer

KINDS = {each.torch: each.core for each in PARAMETERS}
LENGTHS = np.array([4, 1, 6, 2])


def run_torch(problem: StackProblem, numbers: Arrays) -> Arrays:
    D = problem.directions
    engine = torch.nn.LSTM(
        I,
        H,
        problem.layers,
        batch_first=True,
        bidirectional=D == 2,
        proj_size=problem.options.proj_size,
        dtype=torch.float64,
    )
    names = {}
    for name, _ in engine.named_parameters():
        kind, _, where = name.rpartition("_l")
        layer, _, reverse = where.partition("_")
        names[name] = f"{int(layer) * D + bool(reverse)}.{KINDS[kind]}"
    with torch.no_grad():
        for name, parameter in engine.named_parameters():
            value = torch.tensor(numbers[names[name]].T)
            # one bias here, two there
            parameter.copy_(0.0 * value if name.startswith("bias_hh") else value)
    x, h0, c0 = (torch.tensor(numbers[n], requires_grad=True) for n in ("x", "h0", "c0"))
    given, lengths = x, problem.call.get("lengths")
    if lengths is not None:
        given = torch.nn.utils.rnn.pack_padded_sequence(
            x, torch.tensor(lengths), batch_first=True, enforce_sorted=False
        )
    y, (h, c) = engine(given, (h0, c0))
    if lengths is not None:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=T)
    torch.autograd.backward([y, h, c], [torch.tensor(numbers[n]) for n in ("dy", "dh_n", "dc_n")])
    found = {"y": y, "h_n": h, "c_n": c, "dx": x.grad, "dh0": h0.grad, "dc0": c0.grad}
    results = {name: value.detach().numpy() for name, value in found.items()}
    gradients = {names[name]: p.grad.numpy().T for name, p in engine.named_parameters()}
    return results | {f"d{name}": value for name, value in gradients.items()}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("proj_size", [0, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_stacks(layers: int, bidirectional: bool, proj_size: int, packed: bool) -> None:
    call: dict[str, Any] = {"bidirectional": bidirectional}
    if packed:
        call["lengths"] = LENGTHS[:B]
    problem = StackProblem(layers, CellOptions(proj_size=proj_size), call)
    numbers = problem.numbers()
    expected = run_torch(problem, numbers)
    found = problem.run(numbers)
    assert found.keys() == expected.keys()
    assert_close(found, expected, problem.allowed(numbers))


@pytest.mark.parametrize("k", [1, 2, 4])
def test_truncated_bptt_is_detach(k: int) -> None:
    """torch's way: run k steps, detach the state, go on; one backward over all of it."""
    problem = StackProblem(call={"bptt_steps": k})
    numbers = problem.numbers()
    engine = torch.nn.LSTM(I, H, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        engine.weight_ih_l0.copy_(torch.tensor(numbers["0.kernel"].T))
        engine.weight_hh_l0.copy_(torch.tensor(numbers["0.recurrent_kernel"].T))
        engine.bias_ih_l0.copy_(torch.tensor(numbers["0.bias"]))
        engine.bias_hh_l0.zero_()
    x, h0, c0 = (torch.tensor(numbers[n], requires_grad=True) for n in ("x", "h0", "c0"))
    state, outputs = (h0, c0), []
    for t in range(0, T, k):
        if t:
            state = state[0].detach(), state[1].detach()
        y, state = engine(x[:, t : t + k], state)
        outputs.append(y)
    pulled = [torch.tensor(numbers[n]) for n in ("dy", "dh_n", "dc_n")]
    torch.autograd.backward([torch.cat(outputs, 1), *state], pulled)
    expected = {
        "dx": x.grad,
        "dh0": h0.grad,
        "dc0": c0.grad,
        "d0.kernel": engine.weight_ih_l0.grad.T,
        "d0.recurrent_kernel": engine.weight_hh_l0.grad.T,
        "d0.bias": engine.bias_ih_l0.grad,
    }
    found = problem.run(numbers)
    allowed = problem.allowed(numbers)
    assert_close(
        {name: found[name] for name in expected},
        {name: value.numpy() for name, value in expected.items()},
        allowed,
    )
