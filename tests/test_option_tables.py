"""Signatures against the core's tables of options, and what the tables refuse."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import pytest

import lstmfast as lf
from lstmfast import _core, activations
from lstmfast._activation import activation_text
from lstmfast.constraints import CONSTRAINTS
from lstmfast.layers import LAYERS, LSTM, Bidirectional, Dense, Dropout, Layer
from lstmfast.layers._operations import KINDS as OPERATIONS
from lstmfast.losses import LOSSES
from lstmfast.metrics import METRICS
from lstmfast.models import Model
from lstmfast.optimizers import OPTIMIZERS, Optimizer
from lstmfast.optimizers.schedules import SCHEDULES, ExponentialDecay
from lstmfast.regularizers import REGULARIZERS

Row = dict[str, Any]

# what Python alone knows of each family: arguments that are no options of the core
_NAMES = ("kernel", "recurrent", "bias", "embeddings", "gamma", "beta", "alpha")
_WEIGHTS = {f"{w}_initializer" for w in (*_NAMES, "moving_mean", "moving_variance")}
_RULES = {f"{w}_{r}" for w in (*_NAMES, "activity") for r in ("regularizer", "constraint")}
_LAYER = {"name", "input_shape", "batch_input_shape", *_WEIGHTS, *_RULES}
_SEEN_BY_CALLS = {"return_state", "return_cell_states"}
_FORGET = {"unit_forget_bias", "forget_bias"}
ALONE: dict[str, set[str]] = {
    "loss": {"name", "dtype", "axis"},
    "metric": {"name", "dtype", "axis"},
    "optimizer": {"name"},
    "schedule": {"name"},
    "regularizer": set(),
    "constraint": set(),
    "layer": _LAYER | _SEEN_BY_CALLS | _FORGET | {"layer", "weights", "backward_layer"},
    "rnn": {"batch_first", "forget_bias", "dtype", "seed"},
}
# and of single components
OWN = {
    "flatten": {"data_format"},  # Keras's, without a meaning for what the core does
    "warm_up": {"decay_schedule_fn"},
    "embedding": {"input_length"},  # an older name of input_shape
    # Keras's, of which the core has one form alone
    "conv1d": {"data_format", "groups"},
    "conv2d": {"data_format", "groups"},
    **{f"conv_lstm{axes}d": {"data_format"} for axes in (1, 2)},
    **{
        f"{kind}_pooling{axes}d": {"data_format"}
        for kind in ("max", "average", "global_max", "global_average")
        for axes in (1, 2)
    },
    "activity_regularization": {"l1", "l2"},  # of its activity_regularizer
    "multi_head_attention": {"attention_axes", "flash_attention", "use_gate"},
    "up_sampling2d": {"interpolation"},  # Keras's, at its default
    "graph": {"inputs", "outputs", "trainable", "seed"},  # tensors, and what training takes
}
# the names of options that the core has in another form
TWINS = {
    ("orthogonal_regularizer", "columns"): ("mode", "rows"),
    ("zero_padding1d", "padding"): ("padding", 1),
    ("zero_padding2d", "padding"): ("padding", (1, 1)),
    ("cropping1d", "cropping"): ("cropping", (1, 1)),
    ("cropping2d", "cropping"): ("cropping", ((0, 0), (0, 0))),
    ("up_sampling2d", "size"): ("size", (2, 2)),
    ("p_re_lu", "shared_axes"): ("shared_axes", None),
    ("multi_head_attention", "output_shape"): ("output_shape", None),  # an attribute of all layers
}
# options that are one item of an argument, with the item's place
ITEMS = {("dot", "axes.0"): ("axes", 0), ("dot", "axes.1"): ("axes", 1)}

# layers that the core has as graphs, or not at all
NO_KINDS = {
    "input_layer", "model", "sequential", "encoder_decoder", "lambda", "operation",
    "text_vectorization",
}  # fmt: skip

CLASSES: dict[tuple[str, str], Callable[..., Any]] = {
    (family, kind): classes[kind]
    for family, classes in {
        "loss": LOSSES.classes,
        "metric": {k.replace("log_cosh_error", "log_cosh"): c for k, c in METRICS.classes.items()},
        "optimizer": OPTIMIZERS.classes,
        "schedule": SCHEDULES.classes,
        "regularizer": {k.replace("l1l2", "l1_l2"): c for k, c in REGULARIZERS.classes.items()},
        "constraint": CONSTRAINTS.classes,
        "layer": {k: c for k, c in LAYERS.classes.items() if k not in NO_KINDS} | {"graph": Model},
        "rnn": {"lstm": lf.LSTM},
    }.items()
    for kind in classes
}


def arguments(cls: Any) -> dict[str, inspect.Parameter]:
    """Return the arguments of a class by name, those that it hands on to its base among them."""
    if getattr(cls, "__init__", None) is Layer.__init__:  # none but what all layers have
        return {}
    found = dict(inspect.signature(cls).parameters)
    if isinstance(cls, type) and issubclass(cls, Optimizer):
        found = {**inspect.signature(Optimizer).parameters, **found}
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {name: each for name, each in found.items() if each.kind not in kinds}


def test_every_component_has_a_class() -> None:
    # a mean over elements is a loss and a metric; Keras may have a class for one of them only
    both = set(_core.kinds("loss")) & set(_core.kinds("metric"))
    either = {kind for family, kind in CLASSES if family in ("loss", "metric")}
    for family in {family for family, _ in CLASSES}:
        lacking = set(_core.kinds(family)) ^ {k for f, k in CLASSES if f == family}
        lacking -= {"equality"}  # what class Accuracy is; "accuracy" chooses
        lacking -= set(OPERATIONS)  # what operators make
        assert lacking <= (both & either if family in ("loss", "metric") else set())
    assert set(_core.families()) == {f for f, _ in CLASSES} | {"activation", "cell"}


@pytest.mark.parametrize(("family", "kind"), CLASSES)
def test_signature(family: str, kind: str) -> None:
    given = arguments(CLASSES[family, kind])
    expected = {}
    for row in _core.describe(family, kind):
        place = (kind, row["name"])
        name, default = TWINS.get(place, (row["name"], row["default"]))
        name, _ = ITEMS.get(place, (name, 0))
        expected[name] = inspect.Parameter.empty if row["required"] else default
    alone = ALONE[family] | OWN.get(kind, set())
    found = {name: each.default for name, each in given.items() if name not in alone}
    for name, default in found.items():
        optional = default is not inspect.Parameter.empty
        if optional and "activation" in name and name != "output_activation":
            found[name] = activation_text(default, "test", rows=True)
    assert found == expected
    for name, default in found.items():
        assert type(default) is type(expected[name]), name


def test_functions_of_one_layer_take_the_options_of_lf_lstm() -> None:
    of_cell = _core.describe("cell", "lstm")
    of_rnn = _core.describe("rnn", "lstm")
    assert [row for row in of_rnn if row in of_cell] == of_cell


@pytest.mark.parametrize("kind", _core.kinds("activation"))
def test_activation(kind: str) -> None:
    rows = _core.describe("activation", kind)
    made = getattr(activations, kind)
    if isinstance(made, activations.Activation):
        made = activations.Activation(kind)
    else:
        named = inspect.signature(made).parameters.values()
        defaults = [each.default for each in named if each.default is not inspect.Parameter.empty]
        made = made(*defaults) if len(defaults) == len(named) else made(0.0, 0.0)
    assert made.parameters == tuple(row["default"] for row in rows) or kind == "gelu"


# -- what is refused ---------------------------------------------------------------------------

NEEDED: dict[tuple[str, str], dict[str, Any]] = {
    ("rnn", "lstm"): {"input_size": 2, "hidden_size": 3},
    ("layer", "lstm"): {"units": 2},
    ("layer", "gru"): {"units": 2},
    ("layer", "simple_rnn"): {"units": 2},
    ("layer", "dense"): {"units": 2},
    **{("layer", kind): {"rate": 0.5} for kind in _core.kinds("layer") if "dropout" in kind},
    ("layer", "gaussian_noise"): {"stddev": 0.5},
    ("layer", "mixture_density"): {"components": 2},
    ("loss", "mixture_negative_log_likelihood"): {"components": 2},
    ("layer", "bidirectional"): {"layer": LSTM(2)},
    ("layer", "multi_head_attention"): {"num_heads": 2, "key_dim": 3},
    ("layer", "embedding"): {"input_dim": 2, "output_dim": 3},
    ("layer", "dot"): {"axes": 1},
    **{
        ("layer", f"conv{of}{axes}d"): {"filters": 2, "kernel_size": 3}
        for of in ("", "_lstm")
        for axes in (1, 2)
    },
    **{("layer", f"average_pooling{axes}d"): {"pool_size": 2} for axes in (1, 2)},
    ("schedule", "warm_up"): {
        "initial_learning_rate": 0.1,
        "warmup_steps": 3,
        "decay_schedule_fn": ExponentialDecay(0.1, 3, 0.5),
    },
}
_RATE = {"initial_learning_rate": 0.1, "decay_steps": 3}
for _kind in ("exponential_decay", "inverse_time_decay"):
    NEEDED["schedule", _kind] = _RATE | {"decay_rate": 0.5}
for _kind in ("polynomial_decay", "cosine_decay"):
    NEEDED["schedule", _kind] = _RATE
NEEDED["schedule", "cosine_decay_restarts"] = {"initial_learning_rate": 0.1, "first_decay_steps": 3}
# options that go with no other value alone
WITH: dict[tuple[str, str], dict[str, Any]] = {
    ("rnn", "proj_clip"): {"proj_size": 2},
    ("rnn", "dropout"): {"num_layers": 2},
    ("layer", "proj_clip"): {"proj_size": 2},
    ("metric", "num_labels"): {"multi_label": True},
    ("layer", "dimensions"): {"components": 1},
}
ROWS = [
    (family, kind, row)
    for family, kind in CLASSES
    for row in _core.describe(family, kind)
    if (kind, row["name"]) not in TWINS and row["takes"] != ["numbers"]  # in test_schedules.py
]


def made(family: str, kind: str, name: str, value: Any) -> Any:
    needed = NEEDED.get((family, kind), {}) | WITH.get((family, name), {})
    argument, place = ITEMS.get((kind, name), (name, None))
    if place is None:
        kept = getattr(CLASSES[family, kind](**needed | {name: value}), name)
        if isinstance(kept, tuple) and kept == (value,) * len(kept):  # a size for each axis
            return value
        return "none" if name == "merge_mode" and kept is None else kept
    items = [1, 1]
    items[place] = value
    return getattr(CLASSES[family, kind](**needed | {argument: items}), argument)[place]


def bounds(row: Row) -> tuple[list[Any], list[Any]]:
    """Return values that are just within the range of an option, and just outside."""
    good: list[Any] = []
    bad: list[Any] = []
    low, high = row["low"], row["high"]
    if "integer" in row["takes"]:
        good += [low, high]
        bad += [low - 1, high + 1, 10**400]
    if row["takes"] == ["extents"]:
        good += [(low,)]
        bad += [(), (low - 1,), (high + 1,)]
        bad += [(None, None)] if row["name"] != "noise_shape" else []
    if "numbers" in row["takes"]:
        ends = [0.5 if end is None else end for end in (low, high)]
        (bad if "above" in row["expected"] else good).append((*ends, 0.25))
        bad += [(), (0.5, math.nan), (math.nextafter(ends[0], -math.inf), 0.5)]
    if "number" in row["takes"]:
        bad += [math.nan, math.inf, -math.inf]
        if low is not None:
            (bad if "above" in row["expected"] else good).append(low)
            bad.append(math.nextafter(low, -math.inf))
        if high is not None:
            (bad if "below" in row["expected"] else good).append(high)
            bad.append(math.nextafter(high, math.inf))
    if row["choices"]:
        good += row["choices"]
        bad.append("none of them")
    return good, bad


@pytest.mark.parametrize(
    ("family", "kind", "row"), ROWS, ids=[f"{f}-{k}-{row['name']}" for f, k, row in ROWS]
)
def test_range(family: str, kind: str, row: Row) -> None:
    name = row["name"]
    good, bad = bounds(row)
    many = {"input_size", "hidden_size", "units", "num_layers", "proj_size"}
    for value in good:
        if family == "rnn" and name in many and value > 10:
            continue  # so many weights would be made
        assert made(family, kind, name, value) == value
    for value in bad:
        with pytest.raises(ValueError, match=rf"^\[[\w.]+\] {name} is .*; expected ") as caught:
            made(family, kind, name, value)
        assert str(caught.value).endswith(row["expected"])
    wrong: list[Any] = [object(), dict, [1.5, None], b"1", 1j]
    if "activation" not in name:
        wrong += ["1"] if "text" not in row["takes"] else [1.5]
        wrong += [1] if row["takes"] == ["flag"] else [True]
        wrong += [2.0] if row["takes"] == ["integer"] else []
        wrong += [None] if row["default"] is not None or row["required"] else []
    in_python = name in ("merge_mode", "reduction", "class_aggregation")
    if in_python or (family == "constraint" and name == "axis"):
        wrong.remove(None)  # has a meaning of its own in Python
    if "numbers" in row["takes"]:
        wrong += [["1"], [True, 0.5], (None,)]
    if family == "constraint" and name == "axis":
        wrong.remove(b"1")  # a list of numbers
    for value in wrong:
        with pytest.raises(TypeError, match=rf"{name} is .*; expected "):
            made(family, kind, name, value)


def test_normal_values() -> None:
    checked = _core.check("optimizer", "sgd", {"momentum": 1, "learning_rate": 1}, "T")
    assert checked["momentum"] == 1.0
    assert isinstance(checked["momentum"], float)
    assert checked["nesterov"] is False
    assert checked["clipnorm"] is None
    with pytest.raises(ValueError, match=r"^\[T\] unknown key momentun; .*did you mean momentum\?"):
        _core.check("optimizer", "sgd", {"momentun": 1}, "T")
    with pytest.raises(ValueError, match=r"^\[optimizer\] kind is \"sdg\"; expected one of"):
        _core.check("optimizer", "sdg", {}, "T")
    with pytest.raises(ValueError, match=r"family is \"optimiser\"; expected one of"):
        _core.kinds("optimiser")


def test_halves_are_checked_as_one() -> None:
    for options, message in (
        ({"forward.units": 2}, "backward.units is missing"),
        (
            {"forward.units": 2, "backward.units": 2, "backward.go_backwards": 1},
            "backward.go_backwards is of type int; expected True or False",
        ),
        (
            {"forward.units": 2, "backward.units": 2},
            "backward.go_backwards is missing; expected the opposite of forward.go_backwards",
        ),
    ):
        kinds = {"forward.kind": "lstm", "backward.kind": "lstm"}
        with pytest.raises((ValueError, TypeError), match=message):
            _core.check("layer", "bidirectional", kinds | options, "T")


def test_two_layers_share_no_attributes_of_options() -> None:
    both = Bidirectional(LSTM(3, peephole=True), backward_layer=LSTM(2, go_backwards=True))
    assert (both.forward_layer.peephole, both.backward_layer.peephole) == (True, False)
    assert Bidirectional(LSTM(3), "none").merge_mode is None  # the core's text for None
    assert (Dense(2).units, Dropout(0.25, seed=7).seed) == (2, 7)
