"""What may be wrong with the options of the cell, said alike by all that take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lstmfast as lf

B, T, I, H, P = 2, 3, 4, 5, 2

BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    **{
        f"{name} {value}": (
            {name: value},
            ValueError,
            rf"{name} is {value:g}; expected a number from 0 to below 1$",
        )
        for name in ("input_dropout", "recurrent_dropout", "weight_drop")
        for value in (-0.1, 1.0, float("nan"))
    },
    **{
        f"{name} {value}": (
            {name: value},
            ValueError,
            rf"{name} is {value}; expected a number from 0 to 1$",
        )
        for name in ("zoneout_h", "zoneout_c")
        for value in (-0.1, 1.5, float("nan"))
    },
    **{
        f"{name} {value}": (
            {name: value},
            ValueError,
            rf"{name} is {value:g}; expected a number above 0, or None$",
        )
        for name in ("preact_clip", "cell_clip", "proj_clip")
        for value in (0.0, -1.0, float("inf"), float("nan"))
    },
    "clip kind": ({"cell_clip": "1"}, TypeError, "cell_clip is of type str; expected a number"),
    "proj_clip alone": (
        {"proj_clip": 1.0},
        ValueError,
        "proj_clip is 1; expected None without proj_size",
    ),
    "coupled, no input gate": (
        {"coupled": True, "input_gate": False},
        ValueError,
        "coupled is True; expected False with input_gate=False: it ties i to 1 - f",
    ),
    "coupled, no forget gate": (
        {"coupled": True, "forget_gate": False},
        ValueError,
        "coupled is True; expected False with forget_gate=False: it ties i to 1 - f",
    ),
    "gate kind": (
        {"output_gate": 0},
        TypeError,
        "output_gate is of type int; expected True or False",
    ),
    "kind of recurrent dropout": (
        {"recurrent_dropout_kind": "time"},
        ValueError,
        'recurrent_dropout_kind is "time"; expected one of "sequence", "step"$',
    ),
    "bptt_steps": (
        {"bptt_steps": 0},
        ValueError,
        "bptt_steps is 0; expected an integer from 1 to 2147483647, or None$",
    ),
    "bptt_steps kind": ({"bptt_steps": 2.0}, TypeError, "bptt_steps is of type float"),
    "recompute_every": (
        {"recompute_every": 0},
        ValueError,
        'recompute_every is 0; expected an integer from 1 to 2147483647, or "sqrt", or None$',
    ),
    "recompute_every text": (
        {"recompute_every": "root"},
        ValueError,
        'recompute_every is "root"; expected an integer from 1 to 2147483647, or "sqrt", or None$',
    ),
    "cell states": (
        {"return_cell_states": 1},
        TypeError,
        "return_cell_states is of type int; expected True or False",
    ),
    "output_activation": ({"output_activation": "softmax"}, ValueError, "softmax"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_option(name: str) -> None:
    options, kind, message = BAD[name]
    with pytest.raises(kind, match=rf"^\[LSTM\] .*{message}"):
        lf.LSTM(I, H, **options)
    weights = np.zeros((4 * H, I)), np.zeros((4 * H, H))
    with pytest.raises(kind, match=rf"^\[functional.pack\] .*{message}"):
        lf.functional.pack(*weights, **options)


def rnn(**options: Any) -> lf.LSTM:
    return lf.LSTM(I, H, **options)


def backward(rnn: lf.LSTM, *gradients: Any) -> Any:
    rnn(np.zeros((B, T, I)), training=True)
    return rnn.backward(*gradients)


X = np.zeros((B, T, I))
CALLS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "h0 of a projection": (
        lambda: rnn(proj_size=P)(X, (np.zeros((1, B, H)), np.zeros((1, B, H)))),
        ValueError,
        rf"h0 has shape \(1, {B}, {H}\); expected \(L=1, B={B}, P={P}\)",
    ),
    "c0 of a projection": (
        lambda: rnn(proj_size=P)(X, (np.zeros((1, B, P)), np.zeros((1, B, P)))),
        ValueError,
        rf"c0 has shape \(1, {B}, {P}\); expected \(L=1, B={B}, H={H}\)",
    ),
    "state of one direction": (
        lambda: rnn(bidirectional=True)(X, (np.zeros((1, B, H)), np.zeros((1, B, H)))),
        ValueError,
        rf"h0 has shape \(1, {B}, {H}\); expected \(2\*L=2, B={B}, H={H}\)",
    ),
    "dy of one direction": (
        lambda: backward(rnn(bidirectional=True), np.zeros((B, T, H))),
        ValueError,
        rf"dy has shape \({B}, {T}, {H}\); expected \({B}, {T}, {2 * H}\)",
    ),
    "dcells without cells": (
        lambda: backward(rnn(), None, None, np.zeros((B, T, H))),
        ValueError,
        "dcells is given; expected None without return_cell_states",
    ),
    "dcells": (
        lambda: backward(rnn(return_cell_states=True), None, None, np.zeros((B, T))),
        ValueError,
        rf"dcells has shape \({B}, {T}\); expected \({B}, {T}, {H}\)",
    ),
    "out of one direction": (
        lambda: rnn(bidirectional=True)(X, out=np.zeros((B, T, H), np.float32)),
        ValueError,
        rf"out has shape \({B}, {T}, {H}\); expected \({B}, {T}, {2 * H}\)",
    ),
    "names of the second direction": (
        lambda: rnn(bidirectional=True).load_state_dict(rnn().state_dict()),
        ValueError,
        "misses weight_ih_l0_reverse",
    ),
    "trace": (
        lambda: rnn().trace(np.zeros((B, T, I + 1))),
        ValueError,
        rf"\[lstm.trace\] x has shape .*expected I={I}",
    ),
    "an option, afterwards": (
        lambda: setattr(rnn(), "zoneout_h", 0.5),
        AttributeError,
        r"\[LSTM\] zoneout_h cannot be set; make a new LSTM",
    ),
    "an option that there is not": (
        lambda: rnn(zoneout=0.5),
        TypeError,
        "zoneout",
    ),
    "that of pack": (
        lambda: lf.functional.pack(np.zeros((4 * H, I)), np.zeros((4 * H, H)), proj_size=3),
        TypeError,
        r"\[functional.pack\] got an unexpected keyword argument 'proj_size'",
    ),
    "w_hh with a projection": (
        lambda: lf.functional.pack(
            np.zeros((4 * H, I)), np.zeros((4 * H + 1, P)), w_hr=np.zeros((P, H))
        ),
        ValueError,
        rf"w_hh has shape \({4 * H + 1}, {P}\); expected \(4\*H, P\)",
    ),
    "w_hr": (
        lambda: lf.functional.pack(
            np.zeros((4 * H, I)), np.zeros((4 * H, P)), w_hr=np.zeros((P, H + 1))
        ),
        ValueError,
        rf"w_hr has shape \({P}, {H + 1}\); expected \({P}, {H}\)",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_bad_call(name: str) -> None:
    call, kind, message = CALLS[name]
    with pytest.raises(kind, match=message):
        call()
