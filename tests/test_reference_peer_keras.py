"""The reference against live Keras layers: masks, directions, merging, every gradient.

In float32, for Keras multiplies matrices in that type whatever its layers' dtype is.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest

from lstmfast._layouts import KERAS_WEIGHTS
from stack_problem import KINDS, Arrays, H, StackProblem
from tolerances import assert_close

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="takes torch's gradients"),
]

MASKS = {"all": np.ones_like(KINDS), "kinds": KINDS, "none": None}


def run_keras(problem: StackProblem, numbers: Arrays) -> Arrays:
    """Layer upon layer, each called with the mask, as Keras does for layers that hand it on."""
    call, D = problem.call, problem.directions
    x, h0, c0 = (torch.tensor(numbers[n], requires_grad=True) for n in ("x", "h0", "c0"))
    mask = call.get("mask")
    y, states, weights = x, [], []
    for layer in range(problem.layers):
        of = keras.layers.LSTM(
            H,
            return_sequences=layer < problem.layers - 1 or call["return_sequences"],
            return_state=True,
            go_backwards=call.get("go_backwards", False),
            zero_output_for_mask=call.get("zero_output_for_mask", False),
        )
        if D == 2:
            of = keras.layers.Bidirectional(of, merge_mode=call["merge_mode"])
        of.build(tuple(y.shape))
        here = range(layer * D, layer * D + D)
        of.set_weights([numbers[f"{n}.{name}"] for n in here for name in KERAS_WEIGHTS])
        weights += of.trainable_weights
        given = [s[n] for n in here for s in (h0, c0)]
        y, *rest = of(y, initial_state=given, mask=None if mask is None else torch.tensor(mask))
        if len(rest) > 2 * D:  # merge_mode=None: two outputs
            y = (y, rest.pop(0))
        states += rest
    ys = {"y.0": y[0], "y.1": y[1]} if isinstance(y, tuple) else {"y": y}
    found = ys | {"h_n": torch.stack(states[::2]), "c_n": torch.stack(states[1::2])}
    pulls = [torch.tensor(numbers["d" + name]) for name in found]
    torch.autograd.backward(list(found.values()), pulls)
    found |= {"dx": x.grad, "dh0": h0.grad, "dc0": c0.grad}
    for k, weight in enumerate(weights):
        found[f"d{k // 3}.{KERAS_WEIGHTS[k % 3]}"] = weight.value.grad
    return {name: value.detach().numpy() for name, value in found.items()}


def compare(problem: StackProblem) -> None:
    numbers = {name: value.astype(np.float32) for name, value in problem.numbers().items()}
    expected, found = run_keras(problem, numbers), problem.run(numbers)
    assert found.keys() == expected.keys()
    assert_close(found, expected, problem.allowed(numbers, "float32"))


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("layers", [1, 2])
def test_masks(layers: int, mask: str, backwards: bool, sequences: bool, zeros: bool) -> None:
    """Padded right, left, with gaps and fully; both orders; all steps and the last one."""
    call: dict[str, Any] = {
        "mask": MASKS[mask],
        "go_backwards": backwards,
        "return_sequences": sequences,
        "zero_output_for_mask": zeros,
    }
    compare(StackProblem(layers, call=call))


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("mask", MASKS)
def test_bidirectional(mask: str, mode: str | None, sequences: bool) -> None:
    """Bidirectional gives zero at masked steps where it returns sequences, and only there."""
    call: dict[str, Any] = {
        "mask": MASKS[mask],
        "bidirectional": True,
        "merge_mode": mode,
        "return_sequences": sequences,
    }
    compare(StackProblem(1, call=call | {"zero_output_for_mask": sequences}))
    if sequences and mode is not None:
        compare(StackProblem(2, call=call | {"zero_output_for_mask": True}))
