"""Several inputs and outputs: what is refused, and with which message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lstmfast.models import Model
from two_outputs import A, B, N, P, Q, net


def compiled(**options: Any) -> Model:
    model = net()
    model.compile(**({"optimizer": "sgd", "loss": "mse"} | options))
    return model


ERRORS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "inputs": (
        lambda: compiled().fit([A], [P, Q]),
        ValueError,
        r"\[fit\] x has 1 items; expected a list of 2, or a dictionary: a, b",
    ),
    "inputs' kind": (
        lambda: compiled().predict(A),
        TypeError,
        r"\[predict\] x is of type ndarray; expected a list of 2, or a dictionary: a, b",
    ),
    "input's name": (
        lambda: compiled().fit({"a": A, "c": B}, [P, Q]),
        ValueError,
        r"\[fit\] x lacks 'b'; expected a dictionary with 'a', 'b'",
    ),
    "input's shape": (
        lambda: compiled().fit({"a": A, "b": A}, [P, Q]),
        ValueError,
        r"\[fit\] x\['b'\] has shape \(6, 3\); expected \(N, 2\)",
    ),
    "samples": (
        lambda: compiled().fit([A, B[:3]], [P, Q]),
        ValueError,
        r"\[fit\] x\[1\] has 3 samples; expected 6, as the inputs before it have",
    ),
    "targets": (
        lambda: compiled().fit([A, B], [P]),
        ValueError,
        r"\[fit\] y has 1 items; expected a list of 2, or a dictionary: p, q",
    ),
    "target's name": (
        lambda: compiled().fit([A, B], {"p": P}),
        ValueError,
        r"\[fit\] y lacks 'q'; expected a dictionary with 'p', 'q'",
    ),
    "no target": (
        lambda: compiled().fit([A, B], [P, None]),
        ValueError,
        r"\[fit\] y\[1\] is missing",
    ),
    "target's samples": (
        lambda: compiled().fit([A, B], [P, Q[:5]]),
        ValueError,
        r"\[fit\] y\[1\] has shape \(5, 1\); expected \(6, ...\), for x has 6 samples",
    ),
    "weights' names": (
        lambda: compiled().fit([A, B], [P, Q], sample_weight={"Q": np.ones(N)}),
        ValueError,
        r"\[fit\] sample_weight has the unknown 'Q'; expected a dictionary with 'p', 'q'",
    ),
    "weights of one output": (
        lambda: compiled().evaluate([A, B], [P, Q], sample_weight=[np.ones(N)]),
        ValueError,
        r"\[evaluate\] sample_weight has 1 items; expected a list of 2, or a dictionary: p, q",
    ),
    "weights": (
        lambda: compiled().fit([A, B], [P, Q], sample_weight={"q": -np.ones(N)}),
        ValueError,
        r"\[fit\] sample_weight\['q'\]\[0\] is -1.0; expected finite numbers of at least 0",
    ),
    "validation": (
        lambda: compiled().fit([A, B], [P, Q], validation_data=([A, A], [P, Q])),
        ValueError,
        r"\[fit\] validation_data\[0\]\[1\] has shape \(6, 3\); expected \(N, 2\)",
    ),
    "class weights": (
        lambda: compiled().fit([A, B], [P, Q], class_weight={0: 1.0}),
        ValueError,
        r"\[fit\] class_weight is given; expected a model with one output",
    ),
    "loss of no output": (
        lambda: compiled(loss={"p": "mse", "r": "mse"}),
        ValueError,
        r"\[compile\] loss: there is no output 'r'; the model has p, q",
    ),
    "losses": (
        lambda: compiled(loss=["mse"]),
        ValueError,
        r"\[compile\] loss: got 1 items; expected 2",
    ),
    "metrics": (
        lambda: compiled(metrics=["mae"]),
        ValueError,
        r"\[compile\] metrics: got 1 items; expected 2",
    ),
    "metrics' form": (
        lambda: compiled(metrics="mae"),
        TypeError,
        r"\[compile\] metrics is of type str; expected a list with an item for each output, or a",
    ),
    "weights of too few losses": (
        lambda: compiled(loss_weights=[1.0]),
        ValueError,
        r"\[compile\] loss_weights: got 1 items; expected 2$",
    ),
    "loss weight": (
        lambda: compiled(loss_weights={"p": "much"}),
        TypeError,
        r"\[compile\] loss_weights is of type str; expected a number",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_message(name: str) -> None:
    call, kind, pattern = ERRORS[name]
    with pytest.raises(kind, match=pattern) as caught:
        call()
    assert type(caught.value) is kind


def test_values_that_are_not_finite_are_named() -> None:
    model = compiled()
    bad = B.copy()
    bad[2, 1] = np.nan
    with pytest.warns(RuntimeWarning, match=r"\[evaluate\] loss is nan; x\[1\].*is nan"):
        model.evaluate([A, bad], [P, Q], verbose=0)
