"""The core's layers that reshape, embed, merge and normalise, against the reference."""

from __future__ import annotations

import pickle
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import pytest

from graph_layer_cases import CASES, MASKS, MERGES, B, Case
from lstmfast import _core, layers, reference
from lstmfast.models import Model, Sequential
from lstmfast.optimizers import SGD
from tolerances import allowed_errors, assert_close

# float64: a few roundings of sums of at most some forty terms of size 1
ATOL = 64 * float(np.finfo(np.float64).eps)


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=ATOL, atol=ATOL)


def with_weights(layer: Any, given: Any, case: Case) -> None:
    if case.weights:
        layer(given)  # builds it
        layer.set_weights(list(case.weights))


@pytest.mark.isa
@pytest.mark.parametrize("name", CASES)
def test_values(name: str) -> None:
    case = CASES[name]
    x = case.inputs()
    layer = case.make(layers)
    layer.dtype = "float64"
    given: Any = x if layer.takes_list else x[0]
    mask: Any = list(case.masks) or None
    y = case.forward(x)
    with_weights(layer, given, case)
    close(layer(given, mask=mask), y)
    assert layer.output_shape == (None, *y.shape[1:])


@pytest.mark.isa
@pytest.mark.parametrize("name", [name for name in CASES if not CASES[name].masks])
def test_float32(name: str) -> None:
    case = CASES[name]
    x = [each.astype(np.float32) for each in case.inputs()]
    layer = case.make(layers)
    with_weights(layer, x[0], case)
    found = layer(x if layer.takes_list else x[0])
    assert found.dtype == np.float32

    def run(numbers: dict[str, Any]) -> dict[str, Any]:
        return {"y": case.forward(list(numbers.values()))}

    numbers = {f"x{k}": each.astype(np.float64) for k, each in enumerate(x)}
    # the longest sum has 45 terms: all of a window, or of an axis
    allowed = allowed_errors(run, numbers, longest=45, dtype="float32", still=0.0)
    assert_close({"y": found}, run(numbers), allowed)


@pytest.mark.isa
@pytest.mark.parametrize("name", [name for name in CASES if not CASES[name].masks])
def test_gradients(name: str) -> None:
    """By a step of training of what stands before the layer: h = x·I, so that dI = xᵀ·dh."""
    case = CASES[name]
    x = case.inputs()
    inputs = [layers.Input(shape, dtype="float64") for shape in case.shapes]
    dense = [
        layers.Dense(shape[-1], use_bias=False, kernel_initializer="identity")
        for shape in case.shapes
    ]
    values: Any = [layer(one) for layer, one in zip(dense, inputs, strict=True)]
    layer = case.make(layers)
    layer.dtype = "float64"
    with_weights(layer, x[0], case)
    model = Model(inputs, layer(values if layer.takes_list else values[0]))
    model.compile(SGD(1.0), "mse")
    y = case.forward(x)
    target = np.random.default_rng(1).standard_normal(y.shape)
    expected = case.backward(2.0 * (y - target) / y.size, x)
    loss = model.train_on_batch(x, target)
    close(loss, ((y - target) ** 2).mean())
    for one, each, dh in zip(dense, x, expected, strict=True):
        width = each.shape[-1]
        step = each.reshape(-1, width).T @ dh.reshape(-1, width)
        close(one.get_weights()[0], np.eye(width) - step)
    if case.slopes is not None:
        steps = case.slopes(2.0 * (y - target) / y.size, x)
        assert len(steps) == len(case.weights)
        for found, weight, step in zip(layer.get_weights(), case.weights, steps, strict=True):
            close(found, weight - step)


@pytest.mark.parametrize("mask_zero", [False, True])
def test_embedding(mask_zero: bool) -> None:
    """Values, masks, and the gradient by a step of training: rows of absent ids stay."""
    rng = np.random.default_rng(0)
    ids, table = rng.integers(0, 5, (B, 4)), rng.standard_normal((6, 2))
    embedding = layers.Embedding(6, 2, weights=table, mask_zero=mask_zero, dtype="float64")
    close(embedding(ids), reference.embedding_forward(ids, table))
    mask = embedding.compute_mask(ids)
    assert (mask is None) if not mask_zero else np.array_equal(mask, ids != 0)
    ids_in = layers.Input((4,), dtype="float64")
    ends = pytest.warns(UserWarning, match="the mask ends at flatten")
    with ends if mask_zero else nullcontext():
        model = Sequential([ids_in, embedding, layers.Flatten()])
    model.compile(SGD(1.0), "mse")
    y = table[ids].reshape(B, 8)
    dy = 2.0 * y / y.size
    model.train_on_batch(ids, np.zeros((B, 8)))
    gradient = reference.embedding_backward(dy.reshape(B, 4, 2), ids, table)
    close(embedding.embeddings, table - gradient)
    np.testing.assert_array_equal(embedding.embeddings.numpy()[5], table[5])


def test_time_distributed() -> None:
    x = np.random.default_rng(0).standard_normal((B, 4, 2))
    lstm = layers.LSTM(3, dtype="float64")
    lstm(x)
    layer = layers.TimeDistributed(lstm)
    steps = x.reshape(B, 2, 2, 2)
    np.testing.assert_array_equal(layer(steps), reference.time_distributed(lstm, steps))
    assert layer.weights == [] or layer.count_params() == lstm.count_params()
    copy = layers.TimeDistributed.from_config(layer.get_config())
    assert isinstance(copy, layers.TimeDistributed)
    assert isinstance(copy.layer, layers.LSTM)
    assert copy.layer.units == 3


@pytest.mark.parametrize("kind", MERGES)
def test_masks_of_merges(kind: str) -> None:
    x = CASES[kind].inputs()[:2]
    layer = getattr(layers, kind.capitalize())()
    both = [MASKS[0], MASKS[1]]
    np.testing.assert_array_equal(layer.compute_mask(x, both), reference.merge_mask(both))
    assert layer.compute_mask(x, [MASKS[0], None]) is None
    assert layer.compute_mask(x) is None


@pytest.mark.parametrize("axis", [1, 2, -1, -2])
@pytest.mark.parametrize("masks", [[MASKS[0], MASKS[1]], [MASKS[0], None], [None, None]])
def test_masks_of_concatenate(masks: list[Any], axis: int) -> None:
    x = [np.zeros((B, 4, 3))] * 2
    expected = reference.concatenate_mask(x, masks, axis)
    found = layers.Concatenate(axis).compute_mask(x, masks)
    assert (found is None) == (expected is None)
    if expected is not None:
        np.testing.assert_array_equal(found, expected)


def test_masks_that_end() -> None:
    x = np.zeros((B, 4, 3))
    for layer in (layers.Flatten(), layers.Reshape((12,)), layers.Permute((2, 1))):
        assert layer.compute_mask(x, MASKS[0]) is None
    assert layers.Dot(1).compute_mask([x, x], [MASKS[0], MASKS[1]]) is None


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Reshape((-1, -1)), ValueError, "where one may be -1"),
        (lambda: layers.Reshape(()), ValueError, "expected 1 to 5 sizes"),
        (lambda: layers.Reshape(3), TypeError, "target_shape is of type int; expected 1 to 5"),
        (lambda: layers.Permute((1, 3)), ValueError, "expected each axis of a sample once"),
        (lambda: layers.RepeatVector(0), ValueError, "n is 0; expected an integer from 1 to"),
        (lambda: layers.RepeatVector(2.5), TypeError, "n is of type float; expected an integer"),
        (lambda: layers.Flatten("channels_first"), ValueError, "data_format='channels_first'"),
        (lambda: layers.Concatenate(0), ValueError, "from -5 to 5 other than 0, which is the"),
        (lambda: layers.Dot((1, 2, 3)), ValueError, "expected an axis or two"),
        (lambda: layers.Embedding(0, 2), ValueError, "input_dim is 0; expected an integer fro"),
        (lambda: layers.Embedding(3, 2, weights=[np.zeros((2, 2))]), ValueError, "expected (3, 2)"),
        (lambda: layers.TimeDistributed(3), TypeError, "layer is of type int; expected a layer"),
        (
            lambda: layers.TimeDistributed({"class_name": "Dance"}),
            ValueError,
            "layer: unknown layer 'Dance'",
        ),
        (
            lambda: layers.Add()([np.zeros((2, 3)), np.zeros((2, 4))]),
            ValueError,
            "inputs of a sample have shapes (3,) and (4,)",
        ),
        (lambda: layers.Add()([np.zeros((2, 3))]), ValueError, "got 1 inputs; expected 2 or more"),
        (lambda: layers.Reshape((5,))(np.zeros((2, 3))), ValueError, "as many elements as (5,)"),
        (lambda: layers.Embedding(3, 2)([[0, 3]]), ValueError, "whole numbers from 0 to 2"),
        (
            lambda: layers.TimeDistributed(layers.Dense(1))(np.zeros((2, 3))),
            ValueError,
            "expected (steps, ..., features)",
        ),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)
    assert str(caught.value).startswith("[layers.")


MADE: dict[str, Any] = {
    name: partial(case.make, layers) for name, case in CASES.items() if not case.masks
} | {
    "activation": lambda: layers.Activation("elu"),
    "embedding": lambda: layers.Embedding(5, 2, "normal", "l2", "non_neg", mask_zero=True),
    "time_distributed": lambda: layers.TimeDistributed(layers.Dense(2), name="each"),
}


@pytest.mark.parametrize("name", MADE)
def test_configurations(name: str) -> None:
    """A layer made from its configuration, for users or for the core, has the same one."""
    layer = MADE[name]()
    config = layer.get_config()
    copies = [layers.from_config({"class_name": type(layer).__name__, "config": config})]
    copies.append(pickle.loads(pickle.dumps(layer)))
    inside = layer.layers_inside()
    copies.append(type(layer).from_core(layer.config(), inside))
    for copy in copies:
        assert type(copy) is type(layer)
        assert copy.config() == layer.config()
    assert copies[0].get_config() == copies[1].get_config() == config


def test_models_at_each_step() -> None:
    """A model inside reads each step, ids too; its weights are those of TimeDistributed."""
    ids = layers.Input((3,))
    reader = Model(ids, layers.LSTM(4)(layers.Embedding(7, 2)(ids)))
    pages = layers.Input((5, 3))
    model = Model(pages, layers.TimeDistributed(reader)(pages))
    x = np.random.default_rng(0).integers(0, 7, (B, 5, 3))
    steps = np.stack([reader.predict(x[:, t], verbose=0) for t in range(5)], axis=1)
    np.testing.assert_array_equal(model.predict(x, verbose=0), steps)
    assert model.count_params() == reader.count_params()


@pytest.mark.parametrize("kind", ["masking", "activation", "flatten"])
def test_core_refuses_layers_without_inputs(kind: str) -> None:
    layer = _core.Layer(
        {"kind": kind, "activation": "tanh"} if kind == "activation" else {"kind": kind}, "float32"
    )
    with pytest.raises(ValueError, match=f"{kind}] got 0 inputs; expected 1"):
        layer.connect([])


@pytest.mark.parametrize("options", [{"kind": "masking"}, {"kind": "dropout", "rate": 0.5}])
def test_core_refuses_samples_without_axes(options: dict[str, Any]) -> None:
    layer = _core.Layer(options, "float32")
    layer.connect([(3,)])
    with pytest.raises(ValueError, match=r"input \"x\" has samples of shape \(\)"):
        _core.Layer.graph([("x", ())], [(layer, [(0, 0)], None)], [(1, 0)], "float32")
