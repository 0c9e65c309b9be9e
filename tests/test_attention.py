"""Attention, AdditiveAttention and MultiHeadAttention against the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from attention_cases import CASES, MASKS, NAMES, SHAPES, TQ, TV, Array, B, Case, D
from differences import slope_along
from lstmfast import layers
from lstmfast.models import Model, load_model
from lstmfast.optimizers import SGD
from tolerances import allowed_errors, assert_close


def built(case: Case, dtype: str = "float64") -> Any:
    layer = case.make(layers)
    layer.dtype = dtype
    case.call(layer, case.inputs())
    layer.set_weights(list(case.weights))
    return layer


def numbers_of(case: Case, x: list[Array]) -> dict[str, Array]:
    names = case.order or [f"weight_{place}" for place in range(len(case.weights))]
    numbers = dict(zip(names, case.weights, strict=True))
    return numbers | dict(zip(("x_query", "x_value", "x_key"), x, strict=True))


def with_numbers(case: Case, numbers: dict[str, Array]) -> tuple[Case, list[Array]]:
    *weights, q, v, k = numbers.values()
    return case._replace(weights=tuple(weights)), [q, v, k]


def outputs_close(found: Any, case: Case, dtype: str, x: list[Array] | None = None) -> None:
    """Compare y and scores with the reference, as far apart as rounding explains."""
    # without heads, the scores of a query that sees no key are 1e9 less
    sees = case.heads or case.seen().any(-1)[:, 0, :, None]

    def of_sight(y: Array, scores: Array) -> dict[str, Array]:
        return {"y": y, "scores": np.where(sees, scores, 0.0)}

    def run(numbers: dict[str, Array]) -> dict[str, Array]:
        moved, given = with_numbers(case, numbers)
        return of_sight(*moved.forward(given))

    numbers = numbers_of(case, case.inputs() if x is None else x)
    # the longest sum has 20 terms
    allowed = allowed_errors(run, numbers, longest=20, dtype=dtype)
    assert_close(of_sight(*found), run(numbers), allowed)


@pytest.mark.isa
@pytest.mark.parametrize("name", CASES)
def test_values(name: str) -> None:
    case = CASES[name]
    x = case.inputs()
    y, scores = case.call(built(case), x, case.masks, return_attention_scores=True)
    outputs_close((y, scores), case, "float64")
    # a score that is 1e9 less is rounded to half an ulp of that, in both: a weight w, which is
    # exp(score) by a sum of such, moves by 2 w ulp
    _, expected = case.forward(x)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2 * np.spacing(1e9))
    np.testing.assert_array_equal(case.call(built(case), x, case.masks), y)


@pytest.mark.isa
@pytest.mark.parametrize("name", CASES)
def test_float32(name: str) -> None:
    case = CASES[name]
    x = case.inputs()
    found = case.call(built(case, "float32"), x, return_attention_scores=True)
    assert found[0].dtype == np.float32
    outputs_close(found, case._replace(masked=False), "float32")


def joined(case: Case, wrapped: bool = True) -> tuple[Model, list[Any], Any]:
    """A model of h = x·I for each input, masked by zeros of another, and the layer."""
    inputs = [layers.Input((None, shape[-1]), dtype="float64") for shape in SHAPES]
    dense = [
        layers.Dense(shape[-1], use_bias=False, kernel_initializer="identity") for shape in SHAPES
    ]
    values: list[Any] = [one(x) for one, x in zip(dense, inputs, strict=True)]
    if case.masked:
        marked = [layers.Masking(99.0)(x) for x in inputs]
        values = [one(x) for one, x in zip(dense, marked, strict=True)]
    layer = built(case)
    y, scores = case.call(layer, values, return_attention_scores=True)
    return Model(inputs, [y, scores] if wrapped else y), dense, layer


def marked(case: Case, x: list[Array]) -> list[Array]:
    """Inputs of which Masking masks those of the masks of query and value."""
    if not case.masked:
        return x
    masks = [*MASKS, MASKS[1]]
    return [np.where(mask[..., None], each, 99.0) for mask, each in zip(masks, x, strict=True)]


def counted(case: Case) -> list[Array]:
    """Inputs with zeros where they are masked."""
    masks = [*MASKS, MASKS[1]]
    return [np.where(m[..., None], x, 0) for m, x in zip(masks, case.inputs(), strict=True)]


def step_of_training(case: Case, x: list[Array], target: Array) -> dict[str, Array]:
    """The loss, what a step of size 1 makes of the weights, and of I in h = x·I before them."""
    y = case.forward(x)[0]
    error = y - target
    if case.masked:
        error = error * MASKS[0][..., None]
    size = y.shape[-1] * (MASKS[0].sum() if case.masked else y[..., 0].size)
    inputs, slopes = case.backward(2.0 * error / size, x)
    ends = {f"weight_{k}": w - s for k, (w, s) in enumerate(zip(case.weights, slopes, strict=True))}
    for name, each, dh in zip(NAMES, x, inputs, strict=True):
        width = each.shape[-1]
        ends[name] = np.eye(width) - each.reshape(-1, width).T @ dh.reshape(-1, width)
    return ends | {"loss": np.asarray((error**2).sum() / size)}


@pytest.mark.isa
@pytest.mark.parametrize("name", CASES)
def test_gradients(name: str) -> None:
    """By a step of training; Masking zeroes inputs, and a loss skips masked outputs."""
    case = CASES[name]
    x = counted(case) if case.masked else case.inputs()
    model, dense, layer = joined(case, wrapped=False)
    model.compile(SGD(1.0), "mse")
    target = np.random.default_rng(1).standard_normal(case.forward(x)[0].shape)
    loss = model.train_on_batch(marked(case, x), target)
    found = {f"weight_{k}": w for k, w in enumerate(layer.get_weights())}
    found |= {name: one.get_weights()[0] for name, one in zip(NAMES, dense, strict=True)}
    found["loss"] = np.asarray(loss)

    def run(numbers: dict[str, Array]) -> dict[str, Array]:
        return step_of_training(*with_numbers(case, numbers), target)

    numbers = numbers_of(case, x)
    # the longest sum is that over all pairs and features, for a weight of all scores
    allowed = allowed_errors(run, numbers, longest=B * TQ * TV * D, dtype="float64")
    assert_close(found, run(numbers), allowed)


@pytest.mark.parametrize("name", ["dot_scaled", "concat_scaled", "additive_scaled", "heads"])
def test_gradients_of_scores(name: str) -> None:
    """Against differences of the loss, where both outputs count."""
    case = CASES[name]
    x = case.inputs()
    model, _, layer = joined(case)
    model.compile(SGD(1.0), "mse")
    outputs = case.forward(x)
    targets = [np.random.default_rng(2).standard_normal(o.shape) for o in outputs]
    before = layer.get_weights()
    model.train_on_batch(x, targets)
    steps = [b - a for b, a in zip(before, layer.get_weights(), strict=True)]

    def loss(moved: list[Array]) -> float:
        layer.set_weights(moved)
        found = case.call(layer, x, return_attention_scores=True)
        return sum(float(((f - t) ** 2).mean()) for f, t in zip(found, targets, strict=True))

    for place, expected in enumerate(steps):
        direction = np.random.default_rng(3).standard_normal(expected.shape)

        def along(s: float, place: int = place, way: Array = direction) -> float:
            return loss([w + s * way if k == place else w for k, w in enumerate(before)])

        slope, bound = slope_along(along)
        # that a step shows the gradient by a difference of weights costs half an ulp of each
        rounding = float(np.finfo(np.float64).eps * (abs(before[place]) * abs(direction)).sum())
        assert abs((expected * direction).sum() - slope) <= bound + rounding


def test_masks_travel() -> None:
    """Masks of a graph count as those of calls, and the query's is that of the output."""
    for name in ("dot_scaled_masked_causal", "heads_masked"):
        case = CASES[name]
        x = counted(case)
        model, _, layer = joined(case)
        outputs_close(model.predict(marked(case, x), verbose=0), case, "float64", x)
        assert np.array_equal(layer.compute_mask(x, case.masks), MASKS[0])


def test_value_is_the_key() -> None:
    x = np.random.default_rng(0).standard_normal((B, TQ, 3))
    z = np.random.default_rng(1).standard_normal((B, TV, 3))
    one = layers.Attention()
    np.testing.assert_array_equal(one([x, z]), one([x, z, z]))
    heads = layers.MultiHeadAttention(2, 3)
    np.testing.assert_array_equal(heads(x, z), heads(x, z, z))


def test_attention_mask() -> None:
    pairs = np.random.default_rng(0).random((B, TQ, TV)) < 0.5
    case = CASES["heads"]._replace(pairs=pairs)
    layer, x = built(case), case.inputs()
    found = case.call(layer, x, attention_mask=pairs, return_attention_scores=True)
    outputs_close(found, case, "float64")
    inputs = [layers.Input(each.shape[1:], dtype="float64") for each in (*x, pairs)]
    model = Model(inputs, layer(*inputs[:3], attention_mask=inputs[3]))
    y = model.predict([*x, pairs.astype(float)], verbose=0)
    np.testing.assert_array_equal(y, found[0])


@pytest.mark.parametrize("make", [layers.Attention, layers.AdditiveAttention, None])
def test_dropout(make: Any) -> None:
    """Weights are dropped or grow by 1 / (1 - rate); a seed names the masks; inference has none."""
    layer = (
        layers.MultiHeadAttention(1, 4, dropout=0.5, seed=3)
        if make is None
        else make(dropout=0.5, seed=3)
    )
    x = np.random.default_rng(0).standard_normal((2, 6, 4))
    given: Any = [x, x] if make is None else [[x, x]]
    plain, scores = layer(*given, return_attention_scores=True)
    random, dropped = layer(*given, training=True, return_attention_scores=True)
    assert not np.array_equal(random, plain)
    if make is None:  # as in Keras, scores are those before dropout
        np.testing.assert_array_equal(dropped, scores)
    else:
        kept = dropped != 0
        assert 0 < kept.sum() < kept.size
        np.testing.assert_array_equal(dropped[kept], 2 * scores[kept])
    np.testing.assert_array_equal(layer(*given), plain)


@pytest.mark.isa
@pytest.mark.parametrize("name", ["dot_scaled_masked", "additive_scaled", "heads_masked_causal"])
def test_threads_and_rows_do_not_change_bits(name: str) -> None:
    case = CASES[name]
    rng = np.random.default_rng(0)
    x = [rng.standard_normal((9, 70, shape[-1])) for shape in SHAPES]
    layer = built(case._replace(masked=False))
    whole = case.call(layer, x)
    before = lf.get_num_threads()
    try:
        lf.set_num_threads(1)
        np.testing.assert_array_equal(case.call(layer, x), whole)
    finally:
        lf.set_num_threads(before)
    np.testing.assert_array_equal(case.call(layer, [each[:1] for each in x]), whole[:1])


@pytest.mark.parametrize("name", ["concat_scaled", "additive_scaled_causal", "heads_window"])
def test_files(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    x = case.inputs()
    model, _, _ = joined(case)
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    for found, expected in zip(
        again.predict(x, verbose=0), model.predict(x, verbose=0), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    layer = case.make(layers)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_encoder_and_decoder_learn() -> None:
    """The classic use: fit lowers the loss of echoing the input backwards."""
    lf.utils.set_random_seed(0)
    x, z = layers.Input((None, 1)), layers.Input((None, 1))
    states, h, c = layers.LSTM(16, return_sequences=True, return_state=True)(x)
    y = layers.LSTM(16, return_sequences=True)(z, initial_state=[h, c])
    context = layers.Attention(use_scale=True)([y, states])
    model = Model([x, z], layers.Dense(1)(layers.Concatenate()([y, context])))
    model.compile("adam", "mse")
    data = np.random.default_rng(0).random((64, 6, 1))
    shifted = np.concatenate([np.zeros((64, 1, 1)), data[:, :0:-1]], axis=1)
    losses = model.fit([data, shifted], data[:, ::-1], epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: layers.Attention()(x[:1]), r"got 1 inputs; expected \[query, value\]"),
        (lambda x: layers.Attention()([x[0], x[1]]), "query and key .* equal numbers of features"),
        (lambda x: layers.Attention()([x[0], x[2][:, :4], x[2]]), "equal numbers of steps"),
        (lambda x: layers.Attention(score_mode="sum"), "score_mode"),
        (lambda x: layers.Attention(dropout=2.0), "dropout"),
        (lambda x: layers.Attention()([x[0][:, 0], x[2]]), r"expected \(steps, features\)"),
        (lambda x: layers.MultiHeadAttention(0, 2), "num_heads"),
        (lambda x: layers.MultiHeadAttention(2, 2, attention_axes=2), "attention_axes=2"),
        (lambda x: layers.MultiHeadAttention(2, 2, flash_attention=True), "flash_attention=True"),
        (lambda x: layers.MultiHeadAttention(2, 2, use_gate=True), "use_gate=True"),
        (
            lambda x: layers.MultiHeadAttention(2, 2, activity_regularizer="l2"),
            "activity_regularizer",
        ),
        (
            lambda x: layers.MultiHeadAttention(2, 2)(x[0], x[1], attention_mask=x[0]),
            "attention_mask of a sample has shape",
        ),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(CASES["dot"].inputs())


def test_a_layer_is_causal_in_all_calls_or_in_none() -> None:
    x = np.ones((1, 3, 2))
    layer = layers.Attention()
    layer([x, x], use_causal_mask=True)
    with pytest.raises(ValueError, match="use_causal_mask is False; expected True"):
        layer([x, x])


def test_rules_of_all_kernels() -> None:
    """kernel_regularizer and kernel_constraint are those of each projection."""
    x = layers.Input((3, 2), dtype="float64")
    heads = layers.MultiHeadAttention(
        2, 2, kernel_regularizer="l2", kernel_constraint="non_neg", kernel_initializer="ones"
    )
    model = Model(x, heads(x, x))
    model.compile(SGD(0.0), "mse")
    zeros = np.zeros((1, 3, 2))
    assert model.train_on_batch(zeros, zeros) == pytest.approx(0.01 * 32, rel=1e-12)
    heads.set_weights([-one for one in heads.get_weights()])
    model.train_on_batch(zeros, zeros)
    assert all((one == 0).all() for one in heads.get_weights())
