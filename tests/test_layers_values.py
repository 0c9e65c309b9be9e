"""Layers against the reference: outputs, losses and, by a step of SGD, gradients."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import runs
from lstmfast._bench.options import LSTM_OPTIONS
from nets import MASK, Arrays, Net
from tolerances import assert_close

SEQ: dict[str, Any] = {"return_sequences": True}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "backwards": {"go_backwards": True},
    "peephole": {"peephole": True, "go_backwards": True},
    "coupled": {"coupled": True, "peephole": True},
    "norm": {"layer_norm": True},
    "switches": {"input_gate": False, "output_gate": False, "use_bias": False},
    "no forget gate": {"forget_gate": False, "output_activation": "softsign"},
    "clips": {"preact_clip": 0.8, "cell_clip": 0.5},
    "projection": {"proj_size": 4, "proj_clip": 0.3},
    "activations": {"activation": "elu", "recurrent_activation": "hard_sigmoid"},
    "dropout": {"dropout": 0.4, "seed": 5},
    "recurrent dropout": {"recurrent_dropout": 0.4, "seed": 6, "go_backwards": True},
    "by step": {"recurrent_dropout": 0.4, "recurrent_dropout_kind": "step", "seed": 7},
    "zoneout": {"zoneout_h": 0.3, "zoneout_c": 0.2, "seed": 8},
    "weight drop": {"weight_drop": 0.3, "seed": 9},
    "bptt": {"bptt_steps": 2},
    "recompute": {"recompute_every": "sqrt"},
    "learned start": {"learn_initial_state": True},
    "learned start, parts": {
        "learn_initial_state": True,
        "proj_size": 4,
        "recompute_every": 2,
        "go_backwards": True,
        "zero_output_for_mask": True,
    },
    "recompute 2": {"recompute_every": 2, "dropout": 0.3, "seed": 10, "go_backwards": True},
}
# options of the table that none of these has
OPTIONS |= {
    each.name: {**each.needs, each.name: each.value, "seed": 11}
    for each in LSTM_OPTIONS
    if each.name in inspect.signature(lf.layers.LSTM).parameters
    and each.name != "return_cell_states"  # not in a model
    and not any(each.name in options for options in OPTIONS.values())
}
NETS: dict[str, Net] = {}
# of cells other than the LSTM; widths with and without a tail, in panels and tails of their own
UNITS: dict[str, tuple[str, dict[str, Any]]] = {
    "gru": ("gru", {}),
    "gru before": ("gru", {"reset_after": False}),
    "gru elu": ("gru", {"activation": "elu", "recurrent_activation": "hard_sigmoid"}),
    "gru gelu": ("gru", {"activation": "gelu", "recurrent_activation": "scaled_tanh:0.8:0.7"}),
    "gru before gelu": (
        "gru",
        {"activation": "gelu", "recurrent_activation": "scaled_tanh:0.8:0.7", "reset_after": False},
    ),
    "rnn": ("simple_rnn", {}),
    "rnn gelu": ("simple_rnn", {"activation": "gelu"}),
    "rnn relu": ("simple_rnn", {"activation": "relu"}),
}
RUNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "backwards": {"go_backwards": True, "use_bias": False, "learn_initial_state": True},
    "dropout": {"dropout": 0.4, "recurrent_dropout": 0.3, "weight_drop": 0.2, "seed": 5},
    "by step": {
        "recurrent_dropout": 0.4,
        "recurrent_dropout_kind": "step",
        "seed": 7,
        "recompute_every": 2,
    },
    "bptt": {"bptt_steps": 2, "recompute_every": "sqrt", "zero_output_for_mask": True},
}
_HEAD = "dense", {"units": 2}
for _name, (_kind, _unit) in UNITS.items():
    for _n, (_run, _options) in enumerate(RUNS.items()):
        _all = {"units": [3, 8, 13, 17, 25][_n], **SEQ, **_unit, **_options}
        NETS[f"{_name}, {_run}"] = Net(
            [
                (_kind, _all),
                (_kind, {"units": 9 - _n, **_unit, **_options}),
                ("dense", {"units": 2}),
            ],
            masked=_n > 0,
        )
    NETS[f"{_name}, both"] = Net(
        [
            (
                "bidirectional",
                "concat",
                {"units": 5, "cell": _kind, **_unit, **SEQ},
                {"units": 5, "cell": "gru", **SEQ},
            ),
            ("bidirectional", "mul", *[{"units": 4, "cell": _kind, **_unit}] * 2),
            _HEAD,
        ],
        masked=True,
    )
for _name, _options in OPTIONS.items():
    for _masked in (False, True):
        _end = " masked" if _masked else ""
        NETS[f"{_name}, all{_end}"] = Net(
            [("lstm", {"units": 7, **SEQ, **_options}), ("dense", {"units": 2})], masked=_masked
        )
        NETS[f"{_name}, last{_end}"] = Net(
            [("lstm", {"units": 5, **_options}), ("dense", {"units": 2})], masked=_masked
        )
for _merge in ("concat", "sum", "mul", "ave"):
    for _masked in (False, True):
        _end = " masked" if _masked else ""
        NETS[f"{_merge}, all{_end}"] = Net(
            [
                ("bidirectional", _merge, {"units": 5, **SEQ}, {"units": 5, **SEQ}),
                ("bidirectional", _merge, {"units": 4, **SEQ}, {"units": 4, **SEQ}),
            ],
            masked=_masked,
        )
        NETS[f"{_merge}, last{_end}"] = Net(
            [("bidirectional", _merge, {"units": 5}, {"units": 5}), ("dense", {"units": 2})],
            masked=_masked,
        )
NETS["halves that begin somewhere"] = Net(
    [
        (
            "bidirectional",
            "sum",
            {"units": 5, "learn_initial_state": True, **SEQ},
            {"units": 5, "cell": "lstm", **SEQ},
        ),
        (
            "bidirectional",
            "concat",
            {"units": 3, "cell": "gru"},
            {"units": 4, "cell": "gru", "learn_initial_state": True},
        ),
        _HEAD,
    ],
    masked=True,
)
NETS["different halves"] = Net(
    [("bidirectional", "concat", {"units": 5, **SEQ}, {"units": 3, "coupled": True, **SEQ})],
    masked=True,
)
NETS["backwards first"] = Net(
    [("bidirectional", "concat", {"units": 5, "go_backwards": True, **SEQ}, {"units": 3, **SEQ})],
    masked=True,
)
NETS["both random"] = Net(
    [
        (
            "bidirectional",
            "mul",
            {"units": 5, "dropout": 0.4, "seed": 3, **SEQ},
            {"units": 5, "zoneout_h": 0.3, "seed": 4, **SEQ},
        ),
        ("dropout", {"rate": 0.3, "seed": 5}),
        ("lstm", {"units": 4, "recurrent_dropout": 0.3, "seed": 6}),
    ],
    masked=True,
)
NETS["zero masked, last"] = Net(
    [("lstm", {"units": 5, "zero_output_for_mask": True}), ("dense", {"units": 2})], masked=True
)
NETS["deep"] = Net(
    [
        ("lstm", {"units": 4, "go_backwards": True, **SEQ}),
        ("dense", {"units": 3, "activation": "tanh"}),
        ("bidirectional", "ave", {"units": 5, **SEQ}, {"units": 5, "proj_size": 5, **SEQ}),
        ("lstm", {"units": 6, **SEQ}),
        ("dense", {"units": 2}),
    ],
    masked=True,
)


def trained(net: Net, numbers: Arrays, dtype: str = "float64") -> Arrays:
    """y of inference, the loss, and gradients: what a step of SGD takes away."""
    model = net.model(dtype)
    names = [name for name in numbers if name not in ("x", "target")]
    model.set_weights([numbers[name] for name in names])
    model.compile(lf.optimizers.SGD(1.0), "mse")
    found = {"y": model.predict(numbers["x"])}
    found["loss"] = np.array(model.train_on_batch(numbers["x"], numbers["target"]))
    for name, before, after in zip(
        names, (numbers[n] for n in names), model.get_weights(), strict=True
    ):
        found[f"d{name}"] = before - after
    return found


@pytest.mark.parametrize("name", NETS)
def test_values_and_gradients(name: str) -> None:
    net = NETS[name]
    numbers = net.numbers()
    found = trained(net, numbers)
    expected = net.run(numbers, step=0)
    expected["y"] = net.run(numbers)["y"]
    allowed = net.allowed(numbers, "float64", step=0)
    allowed["y"] = net.allowed(numbers, "float64")["y"]
    for key in found:
        if key.startswith("d"):  # of taking the difference
            allowed[key] += 2.0 * np.finfo(float).eps * float(np.abs(numbers[key[1:]]).max())
    assert_close(found, expected, allowed)


@pytest.mark.parametrize("name", NETS)
def test_values_in_float32(name: str) -> None:
    net = NETS[name]
    numbers = {k: v.astype(np.float32) for k, v in net.numbers().items()}
    model = net.model("float32")
    model.set_weights([v for k, v in numbers.items() if k not in ("x", "target")])
    wide = {k: v.astype(np.float64) for k, v in numbers.items()}
    allowed = net.allowed(wide, "float32")
    assert_close({"y": model.predict(numbers["x"])}, {"y": net.run(wide)["y"]}, allowed)


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("merge", ["concat", "sum", "mul", "ave"])
def test_threads_change_no_bits(merge: str, threads: int) -> None:
    # large enough for the directions to run side by side, and for x to come from a layer below
    seq = {"units": 48, **SEQ}
    net = Net(
        [
            ("lstm", {"units": 20, **SEQ}),
            ("bidirectional", merge, seq, seq),
            ("dense", {"units": 2}),
        ],
        B=3,
        T=60,
        I=8,
    )
    numbers = net.numbers()
    with runs.threads(1):
        one = trained(net, numbers, "float32")
    with runs.threads(threads):
        several = trained(net, numbers, "float32")
    for name, value in one.items():
        np.testing.assert_array_equal(several[name], value, err_msg=name)


def test_rows_of_a_batch_do_not_meet() -> None:
    net = NETS["deep"]
    numbers = net.numbers()
    model = net.model()
    model.set_weights([v for k, v in numbers.items() if k not in ("x", "target")])
    whole = model.predict(numbers["x"])
    for row in range(net.B):
        np.testing.assert_array_equal(model.predict(numbers["x"][row : row + 1])[0], whole[row])


def test_masked_steps_do_not_matter() -> None:
    net = NETS["deep"]
    numbers = net.numbers()
    other = {**numbers, "target": numbers["target"].copy()}
    other["target"][~MASK[: net.B]] = np.nan  # in rows that do not count
    assert trained(net, other)["loss"] == trained(net, numbers)["loss"]
    for name, value in trained(net, numbers).items():
        np.testing.assert_array_equal(trained(net, other)[name], value, err_msg=name)
