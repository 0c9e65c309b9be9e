"""Against live Keras 3: what models and layers say of themselves, and models over shared layers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_twins import (
    KERAS,
    OURS,
    TRAINED,
    B,
    T,
    compile_both,
    lstm,
    numbers,
    peer,
    same,
    same_fit,
    same_outputs,
    same_training,
    share_weights,
    twins,
    weights_of,
)

pytestmark = peer

X, FLAT = numbers(B, T, 3), numbers(B, 4, seed=1)
TARGET = numbers(B, 2, seed=2)


def branches(of: Any) -> Any:
    """Layers are made in another order than they stand in the graph, some of them at one depth."""
    last = of.layers.Dense(2, name="last")
    short = of.layers.Dense(3, name="short")
    fixed = of.layers.Input((4,), name="fixed")
    sequence = of.layers.Input((T, 3), name="sequence")
    deep = lstm(of, 3, return_sequences=True, name="deep")(sequence)
    deeper = lstm(of, 3, name="deeper")(deep)
    joined = of.layers.Concatenate(name="joined")([short(fixed), deeper])
    return of.models.Model([sequence, fixed], last(joined), name="branches")


def two_heads(of: Any) -> Any:
    x = of.layers.Input((T, 3), name="x")
    h = lstm(of, 4, name="body")(x)
    q = of.layers.Dense(2, name="q")(h)
    p = of.layers.Dense(3, name="p")(of.layers.Dense(4, name="before_p")(h))
    return of.models.Model(x, [p, q], name="two_heads")


@pytest.mark.parametrize("build", [branches, two_heads])
def test_order_of_layers(build: Any) -> None:
    """By distance from the outputs, the farthest first; at one distance, in the order in which a
    depth-first walk from the outputs meets them (keras/src/ops/function.py, `map_graph`)."""
    ours, theirs = twins(build)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    assert ours.count_params() == theirs.count_params()
    assert ours.name == theirs.name


def test_names_by_default() -> None:
    """Layers without names get those of their class, numbered; outputs those of their layers."""
    for of in (OURS, KERAS):
        x = of.layers.Input((T, 3))
        first, second = of.layers.RepeatVector(2), of.layers.TimeDistributed(of.layers.Dense(2))
        model = of.models.Model(x, second(first(lstm(of, 2)(x))))
        names = [layer.name.rstrip("0123456789").rstrip("_") for layer in model.layers]
        assert names == ["input_layer", "lstm", "repeat_vector", "time_distributed"]


def test_what_a_model_says() -> None:
    ours, theirs = twins(branches)
    for key in ("inputs", "outputs"):
        mine, other = getattr(ours, key), getattr(theirs, key)
        assert isinstance(mine, list)
        assert [tuple(t.shape) for t in mine] == [tuple(t.shape) for t in other]
    assert [tuple(t.shape) for t in ours.input] == [tuple(t.shape) for t in theirs.input]
    assert tuple(ours.output.shape) == tuple(theirs.output.shape)
    assert [tuple(s) for s in ours.input_shape] == [tuple(s) for s in theirs.input_shape]
    assert tuple(ours.output_shape) == tuple(theirs.output_shape)
    assert ours.output_names == theirs.output_names
    for model in (ours, theirs):
        assert model.get_layer("deep") is model.layers[[x.name for x in model.layers].index("deep")]
        assert model.get_layer(index=0) is model.layers[0]
        with pytest.raises(ValueError, match="nowhere"):
            model.get_layer("nowhere")


def test_what_a_layer_says() -> None:
    ours, theirs = twins(branches)
    for name in ("deep", "deeper", "short", "joined", "last"):
        mine, other = ours.get_layer(name), theirs.get_layer(name)
        assert tuple(mine.output.shape) == tuple(other.output.shape)
        given, expected = mine.input, other.input
        assert isinstance(given, list) == isinstance(expected, list)
        pairs = zip(given, expected, strict=True) if name == "joined" else [(given, expected)]
        assert all(tuple(a.shape) == tuple(b.shape) for a, b in pairs)
        for key in ("weights", "trainable_weights", "non_trainable_weights"):
            assert [w.name for w in getattr(mine, key)] == [w.name for w in getattr(other, key)]
            shapes = [tuple(w.shape) for w in getattr(other, key)]
            assert [tuple(w.shape) for w in getattr(mine, key)] == shapes
    cell = theirs.get_layer("deep").cell  # Keras keeps an LSTM's weights there
    for name in ("kernel", "recurrent_kernel", "bias"):
        expected = np.asarray(getattr(cell, name).value.detach())
        np.testing.assert_array_equal(np.asarray(getattr(ours.get_layer("deep"), name)), expected)
    for name in ("kernel", "bias"):
        expected = np.asarray(getattr(theirs.get_layer("last"), name).value.detach())
        np.testing.assert_array_equal(np.asarray(getattr(ours.get_layer("last"), name)), expected)


def test_weights_of_a_shared_layer_count_once() -> None:
    def build(of: Any) -> Any:
        x = of.layers.Input((4,))
        layer = of.layers.Dense(4)
        return of.models.Model(x, layer(layer(x)))

    ours, theirs = twins(build)
    for key in ("weights", "trainable_weights"):
        assert len(getattr(ours, key)) == len(getattr(theirs, key)) == 2
    assert ours.count_params() == theirs.count_params() == 20


def in_a_row(of: Any) -> Any:
    first = lstm(of, 4, name="first", return_sequences=True)
    second = lstm(of, 4, name="second", trainable=False)
    rest, last = of.layers.Dropout(0.1, name="rest"), of.layers.Dense(2, name="the_last_one_of_all")
    return of.models.Sequential([of.layers.Input((T, 3)), first, second, rest, last], name="row")


def with_models(of: Any) -> Any:
    """Models in a model, one of them in another one; shared layers; states; a fixed batch."""
    x = of.layers.Input(batch_shape=(B, T, 3), name="x")
    deepest = of.models.Sequential(
        [of.layers.Input((T, 3)), of.layers.Dense(3, name="deepest")], name="inside"
    )
    deep = of.models.Sequential(
        [of.layers.Input((T, 3)), deepest, lstm(of, 4, name="deep", return_sequences=True)],
        name="body",
    )
    y, h, c = lstm(of, 4, name="states", return_sequences=True, return_state=True)(deep(x))
    shared = of.layers.Dense(4, name="shared")
    z = lstm(of, 4, name="given")(y, initial_state=[shared(h), shared(shared(c))])
    return of.models.Model(x, [z, y], name="outer")


@pytest.mark.parametrize(
    "options",
    [
        {}, {"line_length": 120}, {"line_length": 71, "show_trainable": True},
        {"line_length": 41}, {"expand_nested": True, "show_trainable": True, "line_length": 130},
        {"layer_range": []},
        {"positions": [0.3, 0.5, 0.7, 0.9]}, {"positions": [0.4, 0.6, 0.7, 1.0]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("build", [branches, two_heads, in_a_row, with_models])
def test_summary(build: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same text, line by line."""
    monkeypatch.setenv("COLUMNS", "170")  # wider than each table: Keras cuts lines at a terminal's
    if build is in_a_row and "positions" in options:
        options = {"positions": options["positions"][1:]}
    texts: list[list[str]] = [[], []]
    for of, kept in zip((OURS, KERAS), texts, strict=True):
        model = build(of)
        if "layer_range" in options:
            options = {"layer_range": [f"{layer.name}$" for layer in model.layers[2:0:-1]]}
        model.summary(print_fn=lambda text, kept=kept, **_: kept.append(text), **options)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("expand_nested", [False, True])
@pytest.mark.parametrize("build", [branches, two_heads, in_a_row, with_models])
def test_drawings(build: Any, expand_nested: bool) -> None:
    """The same labels, frames and edges as pydot has from Keras."""
    pytest.importorskip("pydot")
    shown: dict[str, Any] = {"show_shapes": True, "show_dtype": True, "show_trainable": True}
    shown |= {"expand_nested": expand_nested, "show_layer_activations": True}
    found = []
    for of in (OURS, KERAS):
        text = str(of.utils.model_to_dot(build(of), **shown))
        boxes = dict(re.findall(r"(\d+) \[label=(<.*?</table>>)", text))
        names = {key: re.findall(r"<b>(\w+)</b>", label)[0] for key, label in boxes.items()}
        pairs = re.findall(r"(\d+) -> (\d+)", text)
        edges = sorted((names[a], names[b]) for a, b in pairs)
        found.append((sorted(boxes.values()), edges, text.count("subgraph"), text.count("dashed")))
    assert found[0] == found[1]


@pytest.mark.parametrize("trained_first", [True, False])
@pytest.mark.parametrize("compiled_first", [True, False])
def test_models_over_the_same_layers(trained_first: bool, compiled_first: bool) -> None:
    """What one trains, the others predict with, whichever was made or compiled first."""
    ours, theirs = twins(branches)

    def rest(of: Any, model: Any) -> list[Any]:
        deep = of.models.Model(model.inputs[0], model.get_layer("deep").output)
        part = of.models.Model(model.inputs, [model.get_layer("joined").output, *model.outputs])
        return [deep, part]

    how: dict[str, Any] = {"loss": "mse", "optimizer": lambda of: of.optimizers.SGD(0.2)}
    if compiled_first:
        compile_both(ours, theirs, **how)
    mine, others = rest(OURS, ours), rest(KERAS, theirs)
    if not compiled_first:
        compile_both(ours, theirs, **how)
    if trained_first:
        same_fit(ours, theirs, [X, FLAT], TARGET)
    same_outputs(mine[0], others[0], X, TRAINED)
    same_outputs(mine[1], others[1], [X, FLAT], TRAINED)
    same_fit(ours, theirs, [X, FLAT], TARGET)
    same_outputs(mine[0], others[0], X, TRAINED)
    same_outputs(mine[1], others[1], [X, FLAT], TRAINED)
    # and the other way: the part trains, the whole predicts
    compile_both(mine[0], others[0], **how)
    before = weights_of(theirs)
    same_fit(mine[0], others[0], X, numbers(B, T, 3, seed=5))
    moved = [not np.array_equal(w, v) for w, v in zip(before, weights_of(theirs), strict=True)]
    assert moved.count(True) == 3  # of `deep`
    same(weights_of(ours), weights_of(theirs), TRAINED)
    same_outputs(ours, theirs, [X, FLAT], TRAINED)
    same_training(ours, theirs, [X, FLAT], TARGET)  # with slots of its own


def test_weights_set_in_one_are_the_other_s() -> None:
    ours, theirs = twins(two_heads)
    mine, other = (
        of.models.Model(model.input, model.get_layer("q").output)
        for of, model in ((OURS, ours), (KERAS, theirs))
    )
    new = [numbers(*w.shape, seed=7) for w in weights_of(other)]
    mine.set_weights(new)
    other.set_weights(new)
    same_outputs(ours, theirs, X)
    body = [numbers(*w.shape, seed=8) for w in theirs.get_layer("body").get_weights()]
    ours.get_layer("body").set_weights(body)
    theirs.get_layer("body").set_weights(body)
    same_outputs(mine, other, X)


@pytest.mark.parametrize("build", [branches, two_heads])
def test_files(build: Any, tmp_path: Path) -> None:
    """A graph that was saved and loaded goes on as Keras's that was not."""
    ours, theirs = twins(build)
    x = [X, FLAT] if build is branches else X
    y = TARGET if build is branches else [numbers(B, 3, seed=3), TARGET]
    adam = {"optimizer": lambda of: of.optimizers.Adam(0.02, epsilon=1e-2), "loss": "mse"}
    compile_both(ours, theirs, **adam)
    same_fit(ours, theirs, x, y)
    suffix = "keras" if OURS is KERAS else "safetensors"
    ours.save(tmp_path / f"model.{suffix}")
    again = OURS.models.load_model(tmp_path / f"model.{suffix}")
    assert [layer.name for layer in again.layers] == [layer.name for layer in theirs.layers]
    same_outputs(again, theirs, x, TRAINED)
    same_fit(again, theirs, x, y)
    same(again.get_weights(), theirs.get_weights(), 2 * TRAINED)


ROWS, ALSO = numbers(B, T, 3, seed=3), numbers(B, T, 3, seed=4)
CALLS: dict[str, tuple[Any, Any]] = {
    "RepeatVector": (lambda of: of.layers.RepeatVector(3), FLAT),
    "TimeDistributed": (lambda of: of.layers.TimeDistributed(of.layers.Dense(2)), X),
    "Flatten": (lambda of: of.layers.Flatten(), X),
    "Reshape": (lambda of: of.layers.Reshape((3, -1)), X),
    "Permute": (lambda of: of.layers.Permute((2, 1)), X),
    "Activation": (lambda of: of.layers.Activation("softmax"), X),
    "Embedding": (lambda of: of.layers.Embedding(5, 2), np.array([[1, 4, 0], [2, 2, 3]])),
    "Dense": (lambda of: of.layers.Dense(2), X),
    "Add": (lambda of: of.layers.Add(), [X, ROWS, ALSO]),
    "Subtract": (lambda of: of.layers.Subtract(), [X, ROWS]),
    "Multiply": (lambda of: of.layers.Multiply(), [X, ROWS, ALSO]),
    "Average": (lambda of: of.layers.Average(), [X, ROWS, ALSO]),
    "Maximum": (lambda of: of.layers.Maximum(), [X, ROWS, ALSO]),
    "Minimum": (lambda of: of.layers.Minimum(), [X, ROWS, ALSO]),
    "Concatenate": (lambda of: of.layers.Concatenate(axis=1), [X, ROWS]),
    "Dot": (lambda of: of.layers.Dot(axes=2), [X, ROWS]),
    "Model": (branches, [X, FLAT]),
    "Sequential": (lambda of: of.models.Sequential([of.layers.Flatten(), of.layers.Dense(2)]), X),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_with_arrays(name: str) -> None:
    """What is called with arrays answers with arrays."""
    build, x = CALLS[name]
    ours, theirs = build(OURS), build(KERAS)
    ours(x)  # builds
    theirs(x)
    share_weights(ours, theirs)
    same(ours(x), theirs(x))
