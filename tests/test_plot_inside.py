"""`lf.plot`: what models compute inside, and what all of it refuses."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import plot
from lstmfast.layers import (
    GRU,
    LSTM,
    Add,
    Attention,
    Bidirectional,
    Conv1D,
    Dense,
    Embedding,
    Input,
    Masking,
    MultiHeadAttention,
)
from lstmfast.models import EncoderDecoder, Model, Sequential
from lstmfast.plot._gates import trace_of_model

pytest.importorskip("matplotlib")
RNG = np.random.default_rng(0)


def image_of(axes: Any) -> np.ndarray:
    return np.asarray(axes.images[0].get_array())


def title_of(axes: Any) -> str:
    return str(axes.get_title(loc="left"))


# -- gates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "relu", "use_bias": False},
        {"go_backwards": True, "zoneout_h": 0.2, "zoneout_c": 0.1, "dropout": 0.3},
        {"peephole": True, "layer_norm": True, "cell_clip": 0.5},
        {"coupled": True, "proj_size": 2, "learn_initial_state": True},
        {"output_activation": "linear", "output_gate": False, "recurrent_dropout": 0.2},
    ],
    ids=lambda options: "_".join(options) or "plain",
)
def test_trace_is_what_the_layer_computes(options: dict[str, Any]) -> None:
    layer = LSTM(4, return_sequences=True, return_cell_states=True, **options)
    x = RNG.standard_normal((1, 6, 3)).astype(np.float32)
    layer(x)
    layer.set_weights([RNG.standard_normal(w.shape) / 2 for w in layer.get_weights()])
    h, c = layer(x)
    start = Input((None, 3))
    model = Model(start, layer(start)[0])
    trace, shown, name = trace_of_model(model, x[0], None, "test")
    turn = slice(None, None, -1 if options.get("go_backwards") else 1)
    np.testing.assert_array_equal(trace.h[turn], h[0])
    np.testing.assert_array_equal(trace.c[turn], c[0])
    np.testing.assert_array_equal(shown, x[0])
    assert name == layer.name


def test_gates_of_a_model() -> None:
    model = lf.variants.vanilla(2, units=3, seed=0)
    x = RNG.standard_normal((5, 2)).astype(np.float32)
    figure = plot.gates(model, x, show="fc")
    given, forget, cell = figure.axes[:3]
    assert [title_of(axes) for axes in (given, forget, cell)] == [
        "input x",
        "forget gate f",
        "cell state c",
    ]
    assert [line.get_ydata().tolist() for line in given.lines] == x.T.tolist()
    trace, *_ = trace_of_model(model, x, None, "test")
    order = [trace.c.T.tolist().index(row) for row in image_of(cell).tolist()]
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_array_equal(image_of(forget), trace.f.T[order])
    assert forget.images[0].get_clim() == (0.0, 1.0)
    low, high = cell.images[0].get_clim()
    assert low == -high < 0.0
    assert cell.get_xlim() == given.get_xlim() == (0.5, 5.5)
    assert cell.get_xlabel() == "step"
    assert forget.get_ylabel() == "3 units"


def test_units_that_go_alike_are_neighbours() -> None:
    """Three courses, mixed: each stands together."""
    steps = np.linspace(0, 2 * np.pi, 40)
    courses = np.stack([np.sin(steps), np.cos(steps), -np.sin(steps) - np.cos(steps)])
    kind = RNG.permutation(np.repeat([0, 1, 2], 5))
    cells = courses[kind].T * RNG.uniform(0.5, 2.0, 15)
    ones = np.ones_like(cells)
    trace = lf.rnn.Trace(ones, ones, ones, ones, cells, ones)
    rows = image_of(plot.gates(trace, show="c").axes[0])
    found = [int(np.argmax(courses @ row / np.linalg.norm(courses, axis=1))) for row in rows]
    assert sum(a != b for a, b in pairwise(found)) == 2


def test_units_that_change_most_are_drawn() -> None:
    cells = np.outer(np.sin(np.arange(9.0)), [1.0, 0.0, 4.0, 3.0, 2.0])
    trace = lf.rnn.Trace(cells, cells, cells, cells, cells, cells)
    figure = plot.gates(trace, show="cg", most=3)
    for axes in figure.axes[:2]:
        assert sorted(image_of(axes).tolist()) == sorted(cells.T[2:].tolist())
    assert figure.get_suptitle() == (
        "An LSTM: 5 units, of which the 3 that change most, similar ones side by side"
    )


def test_attention_before_a_padding() -> None:
    weights = np.arange(12.0).reshape(3, 4)
    axes = plot.attention(weights, source="abc", target="de").axes[0]
    np.testing.assert_array_equal(image_of(axes), weights[:2, :3])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize("features", [1, 2, 6])
def test_features_have_names(features: int) -> None:
    names = [*"abcdef"][:features]
    x = np.ones((4, features))
    axes = plot.gates(lf.LSTM(features, 3, seed=0), x, names=names).axes[0]
    drawn = axes.get_yticklabels() if features > 4 else axes.get_legend().get_texts()
    assert [text.get_text() for text in drawn] == names


def test_gates_of_an_lstm() -> None:
    rnn = lf.LSTM(2, 3, 2, bidirectional=True, seed=0)
    x = RNG.standard_normal((4, 2))
    traces = rnn.trace(x)
    for layer, source, given in (
        ("l1_reverse", rnn, x),
        ("l1_reverse", rnn, x[None]),
        (None, traces["l1_reverse"], None),
    ):
        axes = plot.gates(source, given, layer=layer, show="h").axes[given is not None]
        found = sorted(image_of(axes).tolist())
        np.testing.assert_allclose(found, sorted(traces["l1_reverse"].h.T.tolist()), rtol=1e-6)


def test_masked_steps_are_left_out() -> None:
    model = Sequential([Embedding(5, 3, mask_zero=True), Dense(2), LSTM(4)])
    model.build((None, None))
    ids = [1, 2, 0, 3, 0]
    axes = plot.gates(model, ids, show="c").axes[0]
    drawn = image_of(axes)
    assert np.ma.getmaskarray(axes.images[0].get_array()).all(axis=0).tolist() == [
        each == 0 for each in ids
    ]
    without = image_of(plot.gates(model, [1, 2, 3], show="c").axes[0])
    np.testing.assert_array_equal(np.sort(drawn[:, [0, 1, 3]], axis=0), np.sort(without, axis=0))
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == ["1", "2", "0", "3", "0"]


def test_symbols_stand_above_the_steps() -> None:
    model = lf.variants.generative(4, embedding=2, units=(3,))
    axes = plot.gates(model, [0, 1, 2], symbols="abc", show="io").axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "c"]
    assert axes.get_xticks().tolist() == [1, 2, 3]


def test_gates_behind_other_layers() -> None:
    stack = lf.variants.stacked(2, units=(3, 4), seed=0)
    x = RNG.standard_normal((6, 2))
    cell = plot.gates(stack, x, layer="lstm_1", show="c").axes[1]
    assert image_of(cell).shape == (4, 6)
    both = Sequential([Input((None, 2)), Bidirectional(LSTM(3, return_sequences=True))])
    back = plot.gates(both, x, layer="backward_lstm", show="h").axes[1]
    y = both.predict(x[None], verbose=0)[0]
    np.testing.assert_allclose(
        sorted(image_of(back).tolist()), sorted(y[:, 3:].T.tolist()), rtol=1e-6
    )
    signal = Sequential([Input((None, 2)), Conv1D(5, 2, strides=2), LSTM(3)])
    figure = plot.gates(signal, x, show="c")
    assert image_of(figure.axes[0]).shape == (5, 3)  # what the LSTM reads has other steps
    video = lf.variants.cnn_lstm((4, 4, 1), filters=(2,), units=3)
    assert image_of(plot.gates(video, np.ones((5, 4, 4, 1)), show="c").axes[0]).shape == (16, 5)


# -- attention -------------------------------------------------------------------------------


def test_weights_of_attention() -> None:
    """Those of the layer, for the outputs of the layers before it."""
    x, z = Input((None, 3), name="x"), Input((None, 2), name="z")
    steps, asked = Dense(4, name="steps")(x), Dense(4, name="asked")(z)
    model = Model([x, z], Dense(1)(Attention(name="look")([asked, steps])))
    given = [np.random.default_rng(0).standard_normal((2, n, w)) for n, w in ((7, 3), (5, 2))]
    layers = {layer.name: layer for layer in model.layers}
    q, v = layers["asked"](given[1]), layers["steps"](given[0])
    _, expected = layers["look"]([q, v], return_attention_scores=True)
    np.testing.assert_array_equal(plot.attention_weights(model, given, layer="look"), expected)


def encoder_decoder(attention: Any) -> EncoderDecoder:
    layers = [Input((None,)), Embedding(10, 4), LSTM(6, return_sequences=True)]
    return EncoderDecoder(
        Sequential(layers), 6, tokens=11, start_token=10, length=3, attention=attention, seed=0
    )


def test_weights_of_an_encoder_decoder() -> None:
    model = encoder_decoder("bahdanau")
    x = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    weights = plot.attention_weights(model, x)
    assert weights.shape == (2, 3, 4)
    np.testing.assert_allclose(weights.sum(-1), 1.0, rtol=1e-6)
    np.testing.assert_array_equal(plot.attention_weights(model, x, model.predict(x)), weights)
    assert plot.attention_weights(model, x, [[1, 2], [3, 4]]).shape == (2, 2, 4)
    heads = encoder_decoder(MultiHeadAttention(2, 3))
    assert plot.attention_weights(heads, x[:1]).shape == (1, 2, 3, 4)
    with pytest.raises(ValueError, match=r"has no attention called 'no'; expected one"):
        plot.attention_weights(model, x, layer="no")


# -- errors ----------------------------------------------------------------------------------

VANILLA = lf.variants.vanilla(1, units=2)
ONES = np.ones((4, 1))


def summed() -> Model:
    x, z = Input((None, 1)), Input((None, 1))
    return Model([x, z], LSTM(2, name="memory")(Add(name="sum")([x, z])))


def masked() -> Sequential:
    return Sequential([Input((None, 1)), Masking(1.0), LSTM(2)])


T, V = TypeError, ValueError


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plot.gates(3, ONES), T, "source is of type int; expected a model, an"),
        (lambda: plot.gates(VANILLA), T, "x is None; expected an array"),
        (lambda: plot.gates(VANILLA, [1.0]), V, "x has shape (1,); expected (?, 1), one"),
        (
            lambda: plot.gates(VANILLA, np.ones((2, 4, 1))),
            V,
            "x has shape (2, 4, 1); expected (?, 1), one sequence",
        ),
        (lambda: plot.gates(VANILLA, ONES, layer="a"), V, "has no LSTM called 'a'; expected one"),
        (lambda: plot.gates(VANILLA, ONES, show="iz"), V, "show is 'iz'; expected letters"),
        (lambda: plot.gates(VANILLA, ONES, symbols="abc"), V, "symbols has 3 items; expe"),
        (lambda: plot.gates(Sequential([LSTM(2)]), ONES), V, "has no weights yet"),
        (
            lambda: plot.gates(Sequential([Input((None, 1)), GRU(2)]), ONES),
            V,
            "has no LSTM; expected one",
        ),
        (lambda: plot.gates(summed(), ONES), V, "has several inputs or carries states; expe"),
        (lambda: plot.gates(masked(), ONES), V, "a mask leaves out all steps; expected"),
        (
            lambda: plot.gates(lf.LSTM(1, 2), np.ones((3, 4, 1))),
            V,
            "a gate has shape (3, 4, 2); expected (T, H), of one sequence",
        ),
        (lambda: plot.gates(lf.LSTM(1, 2), ONES, layer="l1"), V, "layer is 'l1'; expected"),
        (
            lambda: plot.gates(lf.LSTM(1, 2).trace(ONES)["l0"], ONES[:3]),
            V,
            "x has shape (3, 1); expected (4, features), as the trace has",
        ),
        (lambda: plot.attention_weights(3, ONES), T, "model is of type int; expected a mod"),
        (lambda: plot.attention_weights(VANILLA, ONES), V, "has no attention; expected one"),
        (lambda: plot.attention([1, 2]), V, "weights has shape (2,); expected (T_out, T_in"),
        (lambda: plot.attention(ONES, source="ab"), V, "source has 2 items; expected 1 to 1"),
        (lambda: plot.attention(ONES, target=[]), V, "target has 0 items; expected 1 to 4"),
        (lambda: plot.learning_curves([1.0]), T, "history is of type list; expected a Hist"),
        (lambda: plot.learning_curves({}), V, "history is empty; expected an epoch"),
        (lambda: plot.learning_curves({"loss": 1.0}), V, "loss has shape (); expected (epo"),
        (lambda: plot.forecast([], [1.0]), V, "known has shape (0,); expected (steps,)"),
        (lambda: plot.forecast([1.0], np.eye(2)), V, "mean has shape (2, 2); expected (st"),
        (
            lambda: plot.forecast([1.0], [1.0], [0.0]),
            V,
            "lower and upper differ in levels; expected both",
        ),
        (
            lambda: plot.forecast([1.0], [1.0], {0.8: [0.0]}, {0.9: [2.0]}),
            V,
            "lower and upper differ in levels; expected both",
        ),
        (
            lambda: plot.forecast([1.0], [1.0], [0.0, 0.0], [2.0, 2.0]),
            V,
            "lower has shape (2,); expected (1,)",
        ),
        (
            lambda: plot.forecast([1.0], [1.0], truth=[1.0, 2.0]),
            V,
            "truth has shape (2,); expected at most (1,)",
        ),
        (lambda: plot.forecast([1.0], [1.0], times=3), T, "times is of type int; expected a list"),
        (lambda: plot.forecast([1.0], [1.0], times=["a"]), V, "times has 1 items; expecte"),
        (lambda: plot.confusion([0, 1], [0]), V, "predicted has shape (1,); expected (2,)"),
        (
            lambda: plot.confusion([], []),
            V,
            "predicted has shape (0,); expected (0,), as truth has, and not empty",
        ),
        (lambda: plot.confusion([0, 2], [0, 1], "ab"), T, "labels is of type str; expected"),
        (lambda: plot.confusion([0, 2], [0, 1], ["a", "b"]), V, "a class is 2; expected 0 to 1"),
        (lambda: plot.confusion([-1], [0]), V, "a class is -1; expected 0 to 0"),
        (
            lambda: plot.confusion([10**9], [0]),
            V,
            "a class is 1000000000; expected 0 to 59 (at most",
        ),
        (
            lambda: plot.confusion(["a"], ["c"], ["a", "b"]),
            V,
            "a class is 'c'; expected one of ['a', 'b']",
        ),
        (lambda: plot.gates(VANILLA, np.ones((4, 3))), V, "x has shape (4, 3); expected (?, 1)"),
        (lambda: plot.gates(VANILLA, ONES, names="ab"), V, "names has 2 items; expected 1"),
        (lambda: plot.gates(VANILLA, ONES, most=0), V, "most is 0; expected at least 1"),
        (lambda: plot.confusion(["a"], [0]), T, "truth holds <U1 values; expected real num"),
        (
            lambda: plot.confusion([0], [0], range(99)),
            V,
            "labels has 99 items; expected at most 60",
        ),
        (lambda: plot.confusion([0], [1.5]), V, "predicted[0] is 1.5; expected classes, or"),
        (lambda: plot.strokes(np.ones((3, 4))), V, "points has shape (3, 4); expected (T,"),
        (lambda: plot.strokes([1.0, 2.0]), V, "points has shape (2,); expected 2 axes, or"),
        (lambda: plot.strokes([[0, 0], [1, np.nan]]), V, "points[1, 1] is nan; expected fi"),
        (lambda: plot.strokes(np.eye(2), closed=1), T, "closed is of type int; expected T"),
        (lambda: plot.strokes(np.eye(2), ["a", "b"]), V, "titles has 2 items; expected 1"),
        (lambda: plot.strokes(np.eye(2), columns=-1), V, "columns is -1; expected at least 1"),
        (lambda: plot.frames(ONES), V, "video has shape (4, 1); expected 3 axes, or one"),
        (
            lambda: plot.frames([np.ones((2, 3, 3, 2))]),
            V,
            "video has shape (2, 3, 3, 2); expected (T, height, width), or with 1 or 3 channels",
        ),
        (lambda: plot.frames(np.ones((2, 3, 3)), most=0), V, "most is 0; expected at least"),
    ],
)
def test_bad_input(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=r"^\[(plot\.\w+|Sequential)\] .*" + re.escape(message)):
        call()


def test_one_axes_for_several_panels() -> None:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    with pytest.raises(ValueError, match=r"strokes\] ax is given for 2 panels; expected one"):
        plot.strokes(np.ones((2, 3, 2)), ax=axes)
    assert not axes.lines
