"""`lstmfast.models.Model`: configurations, copies, files and summaries of graphs."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph_cases import FLAT, I, T, X, two_branches
from lstmfast import layers
from lstmfast.layers import (
    LSTM,
    Dense,
    Dropout,
    Input,
)
from lstmfast.models import Model, Sequential, load_model
from lstmfast.utils import _seeds


def answers(model: Model) -> Any:
    inputs = {"sequence": X, "fixed": FLAT, "x": X}
    found = model.predict([inputs[name] for name in model.input_names])
    return found if isinstance(found, list) else [found]


def with_states() -> Model:
    """Results that nothing uses; a nested model, a nested row, a shared layer."""
    x = Input((None, I), name="x")
    lstm = LSTM(2, return_sequences=True, return_state=True, forget_bias=0.5, name="lstm")
    y, h, _ = lstm(x)
    each = layers.TimeDistributed(Dense(2, name="each"), name="all")
    z = Input((None, 2))
    inner = Model(z, [each(each(z)), LSTM(2)(z)], name="inner")
    steps, last = inner(y)
    row = Sequential([Dense(3), Dropout(0.5)], name="row")
    return Model(x, {"p": row(h), "q": Dense(1, name="q")(last), "r": steps}, name="states")


MADE = {"branches": two_branches, "states": with_states}


@pytest.mark.parametrize("name", MADE)
def test_configurations(name: str) -> None:
    model = MADE[name]()
    config = json.loads(json.dumps(model.get_config()))
    twin = Model.from_config(config)
    assert json.loads(json.dumps(twin.get_config())) == config
    assert [w.shape for w in twin.get_weights()] == [w.shape for w in model.get_weights()]
    twin.set_weights(model.get_weights())
    for found, expected in zip(_flat(answers(twin)), _flat(answers(model)), strict=True):
        np.testing.assert_array_equal(found, expected)


def _flat(found: list[Any]) -> list[Any]:
    return list(found[0].values()) if isinstance(found[0], dict) else found


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("way", ["copy", "deepcopy", "pickle", "file"])
def test_copies_and_files(name: str, way: str, tmp_path: Path) -> None:
    """They answer alike, keep what calls of their layers return, and train on alike."""
    model = MADE[name]()
    x = {key: {"sequence": X, "fixed": FLAT, "x": X}[key] for key in model.input_names}
    y = [np.ones(found.shape, np.float32) for found in _flat(answers(model))]
    target: Any = y[0] if name == "branches" else dict(zip("pqr", y, strict=True))
    metrics: Any = ["mae"] if name == "branches" else {"q": ["mae", "mse"]}
    model.compile("adam", "mse", metrics=metrics)
    model.fit(x, target, verbose=0)
    drawn = _seeds._package_generator.bit_generator.state
    if way == "file":
        model.save(tmp_path / "model.safetensors")
        twin: Any = load_model(tmp_path / "model.safetensors")
    else:
        twin = {"copy": copy.copy, "deepcopy": copy.deepcopy}.get(
            way, lambda m: pickle.loads(pickle.dumps(m))
        )(model)
        assert _seeds._package_generator.bit_generator.state == drawn
    assert type(twin) is Model
    assert twin.name == model.name
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert [type(layer) for layer in twin.layers] == [type(layer) for layer in model.layers]
    for mine, theirs in zip(_flat(answers(twin)), _flat(answers(model)), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    mine, theirs = (m.fit(x, target, verbose=0, shuffle=False).history for m in (twin, model))
    assert list(mine) == list(theirs)
    np.testing.assert_equal([w.shape for w in twin.get_weights()],
                            [w.shape for w in model.get_weights()])  # fmt: skip
    if name == "states":
        lstm = twin.get_layer("lstm")
        assert len(lstm(Input((None, I)))) == 3
        assert twin.predict(x).keys() == {"p", "q", "r"}
        assert isinstance(twin.get_layer("row"), Sequential)
        assert twin.get_layer("inner").count_params() == model.get_layer("inner").count_params()
    model.set_weights([0 * weight for weight in model.get_weights()])
    assert any(weight.any() for weight in twin.get_weights())  # they are its own


def test_a_graph_goes_with_its_last_reference() -> None:
    model = two_branches()
    layer = weakref.ref(model.get_layer("deep"))
    watched = weakref.ref(model)
    gc.collect()
    gc.disable()
    try:
        del model
        assert watched() is None
        assert layer() is None
    finally:
        gc.enable()


def test_summary() -> None:
    lines: list[str] = []
    model = two_branches()
    model.get_layer("short").trainable = False
    model.summary(150, print_fn=lines.append)
    text = "\n".join(lines)
    for part in (
        'Model: "net"', "sequence (InputLayer)", "Connected to", "short[0][0], deep[0][0]",
        "Total params: 136 (544.00 B)", "Trainable params: 127 (508.00 B)",
        "Non-trainable params: 9 (36.00 B)",
    ):  # fmt: skip
        assert part in text


def test_files_keep_which_models_are_frozen(tmp_path: Path) -> None:
    base = Sequential([LSTM(3, input_shape=(T, I))])
    model = Sequential([base, Dense(1)])
    base.trainable = False
    base.layers[0].trainable = True
    model.save(tmp_path / "a.safetensors")
    loaded = load_model(tmp_path / "a.safetensors")
    inside = loaded.layers[0]
    assert [each.trainable for each in (loaded, inside, *inside.layers)] == [True, False, True]
    model.trainable = False
    model.save(tmp_path / "b.safetensors")
    assert not load_model(tmp_path / "b.safetensors").trainable


def test_weights_of_another_model(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    Sequential([Dense(1, input_shape=(I,))]).save(path)
    model = two_branches()
    before = model.get_weights()
    with pytest.raises(
        ValueError, match=r"^\[load_weights\] .*other.*: weights has 2 arrays; expe"
    ):
        model.load_weights(path)
    assert all(map(np.array_equal, model.get_weights(), before))


def test_summary_of_a_row() -> None:
    """What each layer takes is shown only where that is not the layer above."""

    def text_of(model: Model) -> str:
        lines: list[str] = []
        model.summary(print_fn=lines.append)
        return "\n".join(lines)

    x = Input((T, I))
    layer = LSTM(2, return_sequences=True)
    row = Model(x, Dense(1)(layer(x)))
    assert "Connected to" not in text_of(row)
    assert "Connected to" not in text_of(Model(x, x))
    layer = LSTM(I, return_sequences=True)
    for joined in (layer(layer(x)), layers.add([x, layer(x)])):
        assert "Connected to" in text_of(Model(x, joined))
    assert row.layers[0].input == []
    assert row.layers[1].input == row.layers[0].output == x
