"""GRU and SimpleRNN beyond `test_layers_values`: states as ports, bits, files, the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import runs
from differences import slope_along
from lstmfast import reference
from lstmfast.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    GRUCell,
    Input,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
)
from lstmfast.models import Model, Sequential
from lstmfast.optimizers import SGD

pytestmark = pytest.mark.isa

B, T, I = 5, 6, 3
MASK = np.random.default_rng(8).random((B, T)) < 0.6
MASK[0] = False
# layer, its options, its name in the reference
UNITS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "gru": (GRU, {}, "gru"),
    "gru before": (GRU, {"reset_after": False}, "gru"),
    "rnn": (SimpleRNN, {}, "simple_rnn"),
}
WRONG: Any = GRU  # with arguments that no type checker lets pass
EPS = float(np.finfo(np.float64).eps)


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def made(unit: str, units: int, dtype: str = "float64", **options: Any) -> Any:
    """A layer with weights of which none is zero."""
    of, own, _ = UNITS[unit]
    layer = of(units, **own, dtype=dtype, **options)
    layer(np.zeros((1, 1, I)))
    parts = layer.weight_parts()
    layer.set_weights([0.4 * numbers(*shape, seed=n) for n, (_, shape) in enumerate(parts)])
    return layer


def params(layer: Any) -> dict[str, Any]:
    names = [name for name, _ in layer.weight_parts()]
    return dict(zip(names, layer.get_weights(), strict=True))


def forward(unit: str, layer: Any, x: Any, h0: Any = None, **run: Any) -> Any:
    _, own, kind = UNITS[unit]
    return getattr(reference, f"{kind}_forward")(x, params(layer), h0, **own, **run)


def backward(unit: str, dy: Any, dh: Any, cache: Any) -> Any:
    return getattr(reference, f"{UNITS[unit][2]}_backward")(dy, dh, cache)


def close(found: Any, expected: Any) -> None:
    # sums of at most some hundred terms of size 1 through T steps that do not grow
    np.testing.assert_allclose(found, expected, rtol=1000 * EPS, atol=1000 * EPS)


@pytest.mark.parametrize("unit", UNITS)
def test_gradients_of_the_reference(unit: str) -> None:
    layer = made(unit, 4)
    values = {"x": numbers(B, T, I), "h0": numbers(B, 4), **params(layer)}
    dy, dh = numbers(B, T, 4, seed=2), numbers(B, 4, seed=3)
    run: dict[str, Any] = {
        "mask": MASK,
        "bptt_steps": None,
        "masks": reference.Masks(
            input=numbers(B, I), recurrent=numbers(B, T, 4), weight=1.0 + numbers(1, 1)
        ),
    }
    _, own, kind = UNITS[unit]

    def loss(moved: dict[str, Any]) -> float:
        given = {k: v for k, v in moved.items() if k not in ("x", "h0")}
        step = getattr(reference, f"{kind}_forward")
        y, h, _ = step(moved["x"], given, moved["h0"], **own, **run)
        return float((y * dy).sum() + (h * dh).sum())

    *_, cache = forward(unit, layer, values["x"], values["h0"], **run)
    dx, dh0, grads = backward(unit, dy, dh, cache)
    for name, gradient in {"x": dx, "h0": dh0, **grads}.items():
        way = numbers(*gradient.shape, seed=9) / gradient.size**0.5

        def along(s: float, name: str = name, way: Any = way) -> float:
            return loss({**values, name: values[name] + s * way})

        numeric, bound = slope_along(along)
        assert abs(float((gradient * way).sum()) - numeric) <= bound < 1e-4


@pytest.mark.parametrize("units", [1, 4, 11, 16, 19])
@pytest.mark.parametrize("unit", UNITS)
def test_calls(unit: str, units: int) -> None:
    x, h0 = numbers(B, T, I), numbers(B, units, seed=1)
    layer = made(unit, units, return_sequences=True, return_state=True)
    for mask in (None, MASK):
        for first in (None, h0):
            y, h, _ = forward(unit, layer, x, first, mask=mask)
            found = layer(x, initial_state=first, mask=mask)
            close(found[0], y)
            close(found[1], h)
    np.testing.assert_array_equal(layer(x, initial_state=[h0])[1], layer(x, initial_state=h0)[1])


@pytest.mark.parametrize("units", [3, 16, 21])
@pytest.mark.parametrize("unit", UNITS)
def test_states_are_ports_with_gradients(unit: str, units: int) -> None:
    """By a step of training of what stands before the layer: v = u·I, so that dI = uᵀ·dv."""
    x, h0 = numbers(B, T, I), numbers(B, units, seed=1)
    layer = made(unit, units, return_sequences=True, return_state=True)
    before = params(layer)
    ahead = [Dense(n, use_bias=False, kernel_initializer="identity") for n in (I, units)]
    inputs = [Input((T, I), dtype="float64"), Input((units,), dtype="float64")]
    y, h = layer(ahead[0](inputs[0]), initial_state=ahead[1](inputs[1]))
    model = Model(inputs, [y, h])
    model.compile(SGD(1.0), "mse")
    targets = [numbers(B, T, units, seed=5), numbers(B, units, seed=6)]
    found_y, found_h, cache = forward(unit, layer, x, h0)
    d = [2.0 * (a - b) / b.size for a, b in zip((found_y, found_h), targets, strict=True)]
    dx, dh0, grads = backward(unit, d[0], d[1], cache)
    model.train_on_batch([x, h0], targets)
    close(ahead[0].get_weights()[0], np.eye(I) - x.reshape(-1, I).T @ dx.reshape(-1, I))
    close(ahead[1].get_weights()[0], np.eye(units) - h0.T @ dh0)
    for name, value in params(layer).items():
        close(value, before[name] - grads[name])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("units", [1, 7, 16, 40])
@pytest.mark.parametrize("unit", UNITS)
def test_rows_and_chunks_change_no_bits(unit: str, units: int, dtype: str) -> None:
    rows = 11
    x, h0 = numbers(rows, T, 20), numbers(rows, units, seed=1)
    of, own, _ = UNITS[unit]
    layer = of(units, **own, return_sequences=True, return_state=True, dtype=dtype)
    whole, last = layer(x, initial_state=h0)
    for n in (1, 2, 5):
        y, h = layer(x[:n], initial_state=h0[:n])
        np.testing.assert_array_equal(y, whole[:n])
        np.testing.assert_array_equal(h, last[:n])
    state: Any = h0
    for begin, end in ((0, 1), (1, 4), (4, T)):
        y, state = layer(x[:, begin:end], initial_state=state)
        np.testing.assert_array_equal(y, whole[:, begin:end])
    np.testing.assert_array_equal(state, last)
    trained = layer(x, initial_state=h0, training=True)
    np.testing.assert_array_equal(trained[0], whole)


def fitted(unit: str, rows: int, units: int) -> list[Any]:
    of, own, _ = UNITS[unit]
    lf.utils.set_random_seed(1)
    x = numbers(rows, 12, 24)
    layers = [Input((12, 24)), of(units, **own, return_sequences=True), of(9, **own)]
    model = Sequential(layers, seed=0)
    model.compile(SGD(0.1), "mse")
    model.train_on_batch(x, numbers(rows, 9, seed=3))
    return [*model.get_weights(), model.predict(x)]


@pytest.mark.parametrize("size", [(40, 64), (2, 300), (5, 270)], ids=["rows", "panels", "few"])
@pytest.mark.parametrize("unit", UNITS)
def test_threads_change_no_bits(unit: str, size: tuple[int, int]) -> None:
    with runs.threads(1):
        one = fitted(unit, *size)
    for threads in (2, 3):
        with runs.threads(threads):
            several = fitted(unit, *size)
        for found, expected in zip(several, one, strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("unit", UNITS)
def test_files_and_copies(unit: str, tmp_path: Path) -> None:
    of, own, _ = UNITS[unit]
    model = Sequential(
        [
            Input((T, I)),
            Bidirectional(of(7, **own, return_sequences=True, dropout=0.1)),
            of(5, **own, activation="relu", bias_constraint="max_norm", bias_regularizer="l2"),
        ]
    )
    model.save(tmp_path / "m.safetensors")
    loaded = lf.models.load_model(tmp_path / "m.safetensors")
    assert [layer.get_config() for layer in loaded.layers] == [
        layer.get_config() for layer in model.layers
    ]
    x = numbers(B, T, I)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_stateful() -> None:
    x = numbers(B, T, I)
    layer = GRU(6, stateful=True, return_sequences=True)
    parts = [layer(x[:, :2]), layer(x[:, 2:])]
    layer.reset_states()
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), layer(x))


def test_rules_of_the_two_biases() -> None:
    """Rows of the bias of a GRU are stored with their gates in two orders; norms are by columns."""
    layer = made("gru", 5, bias_constraint="unit_norm", bias_regularizer="l2")
    bias = layer.get_weights()[2]
    other = GRU(5, bias_constraint=lf.constraints.MaxNorm(0.0, axis=[0, 1]), dtype="float64")
    for each in (layer, other):
        model = Sequential([Input((T, I), dtype="float64"), each])
        model.compile(SGD(0.0), "mse")
        x, y = numbers(B, T, I), numbers(B, 5)
        error = ((model.predict(x) - y) ** 2).mean()
        loss = model.train_on_batch(x, y)
        if each is layer:
            close(loss, error + 0.01 * (bias**2).sum())
    close(layer.get_weights()[2], bias / (1e-7 + np.linalg.norm(bias, axis=0)))
    assert not other.get_weights()[2].any()


@pytest.mark.parametrize(
    ("cell", "layer"),
    [
        (LSTMCell(4, activation="elu", unit_forget_bias=False), LSTM),
        (GRUCell(4, reset_after=False), GRU),
        (SimpleRNNCell(4, use_bias=False, dropout=0.1), SimpleRNN),
    ],
)
def test_a_cell_makes_its_layer(cell: Any, layer: Any) -> None:
    made = RNN(cell, return_sequences=True, go_backwards=True, name="r", input_shape=(T, I))
    assert type(made) is layer
    config = made.get_config()
    assert config == layer(**config).get_config()
    assert config["return_sequences"] is config["go_backwards"] is True
    assert (made.name, made.input_shape) == ("r", (T, I))
    own = cell.get_config()
    assert {"name": "r", **{name: config[name] for name in own}} == own | {"name": "r"}
    assert type(cell).from_config(cell.get_config()).get_config() == cell.get_config()
    assert cell.units == made.units == 4


def test_cells_make_a_row_of_layers() -> None:
    x = numbers(B, T, I)
    row = RNN([LSTMCell(4), GRUCell(3)], input_shape=(T, I), return_sequences=True)
    assert [type(layer) for layer in row.layers] == [LSTM, GRU]
    y = row.predict(x)
    np.testing.assert_array_equal(y, row.layers[1](row.layers[0](x)))
    last = RNN(StackedRNNCells([LSTMCell(4), GRUCell(3)]), input_shape=(T, I))
    last.set_weights(row.get_weights())
    np.testing.assert_array_equal(last.predict(x), y[:, -1])
    inside = Sequential([Input((T, I)), RNN([GRUCell(2), GRUCell(2)]), Dense(1)])
    assert inside.predict(x).shape == (B, 1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: GRU(0), ValueError, "[layers.GRU] units is 0; expected an integer from 1"),
        (lambda: WRONG(2, reset_after=1), TypeError, "[layers.GRU] reset_after is of type int"),
        (lambda: SimpleRNN(2, recurrent_activation="tanh"), TypeError, "recurrent_activation"),
        (lambda: GRU(2, peephole=True), TypeError, "peephole"),
        (
            lambda: GRU(2)(np.zeros((1, 2, 3)), initial_state=[np.zeros((1, 2))] * 2),
            ValueError,
            "[layers.GRU] initial_state has 2 arrays; expected 1",
        ),
        (
            lambda: GRU(2)(np.zeros((1, 2, 3)), initial_state=np.zeros((1, 3))),
            ValueError,
            "initial h of a sample has shape (3,); expected (2,)",
        ),
        (
            lambda: Bidirectional(GRU(2), backward_layer=LSTM(2, go_backwards=True)),
            ValueError,
            "as many states as layer",
        ),
        (lambda: GRUCell(2, stateful=True), TypeError, "[layers.GRUCell] stateful is an argument"),
        (lambda: RNN(3), TypeError, "[layers.RNN] cell is of type int; expected LSTMCell, GRU"),
        (lambda: RNN([GRUCell(2), 3]), TypeError, "cells[1] is of type int; expected a cell"),
        (lambda: RNN([]), ValueError, "[layers.StackedRNNCells] cells is empty; expected one"),
        (
            lambda: RNN([GRUCell(2)], return_state=True),
            ValueError,
            "[layers.RNN] return_state is True for several cells; expected False",
        ),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)
