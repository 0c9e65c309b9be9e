"""ConvLSTM1D and ConvLSTM2D against the reference.

Long, because values, gradients, states and masks are tried on the same cases.
"""

from __future__ import annotations

import warnings
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

import runs
from lstmfast import layers, reference
from lstmfast.models import Model, Sequential, load_model
from lstmfast.optimizers import SGD
from tolerances import allowed_errors, assert_close

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
B, T = 3, 4
MASK = np.array([[True, True, False, True], [False, True, True, False], [False] * 4])


class Case(NamedTuple):
    """Options of a layer, and the shape of one step of a sample."""

    shape: tuple[int, ...]
    filters: int
    kernel_size: Any
    options: Any = MappingProxyType({})
    masked: bool = False
    state: bool = False

    def make(self, of: Any = layers, **more: Any) -> Any:
        kind = getattr(of, f"ConvLSTM{len(self.shape) - 1}D")
        return kind(self.filters, self.kernel_size, **{**self.options, **more})

    @property
    def of_axes(self) -> list[Array]:
        n = len(self.shape) - 1
        sizes = [
            k if isinstance(k, tuple) else (k,) * n
            for k in (
                self.kernel_size,
                self.options.get("strides", 1),
                self.options.get("dilation_rate", 1),
            )
        ]
        padding = self.options.get("padding", "valid")
        return [
            reference.window_positions(*axis, padding)
            for axis in zip(self.shape, *sizes, strict=False)
        ]

    @property
    def cells(self) -> tuple[int, ...]:
        return (*map(len, self.of_axes), self.filters)

    def numbers(self) -> Arrays:
        """Inputs, states, targets and weights."""
        rng = np.random.default_rng(7)
        x = rng.standard_normal((B, T, *self.shape))
        if self.masked:
            x[~MASK] = 0.0
        size = (self.kernel_size,) * (len(self.shape) - 1)
        taps = self.kernel_size if isinstance(self.kernel_size, tuple) else size
        gates = 4 * self.filters
        ends = (T,) if self.options.get("return_sequences") else ()
        numbers = {"x": x}
        if self.state:
            numbers |= {name: rng.uniform(-1, 1, (B, *self.cells)) for name in ("h0", "c0")}
        numbers |= {
            "ty": rng.standard_normal((B, *ends, *self.cells)).reshape(B, -1),
            "th": rng.standard_normal((B, *self.cells)),
            "tc": rng.standard_normal((B, *self.cells)),
            "kernel": rng.uniform(-0.5, 0.5, (*taps, self.shape[-1], gates)),
            "recurrent_kernel": rng.uniform(-0.5, 0.5, (*taps, self.filters, gates)),
        }
        if self.options.get("use_bias", True):
            numbers["bias"] = rng.uniform(-0.5, 0.5, gates)
        return numbers

    def run(self, numbers: Arrays, masks: reference.Masks | None = None) -> Arrays:
        """Outputs, and the gradients of a mean squared error of each, summed."""
        o = self.options
        reverse = o.get("go_backwards", False)
        params = {k: v for k, v in numbers.items() if "kernel" in k or k == "bias"}
        state = (numbers["h0"], numbers["c0"]) if self.state else None
        y, (h, c), cache = reference.conv_lstm_forward(
            numbers["x"],
            params,
            self.of_axes,
            state,
            activation=o.get("activation", "tanh"),
            recurrent_activation=o.get("recurrent_activation", "sigmoid"),
            mask=MASK if self.masked else None,
            zero_output_for_mask=o.get("zero_output_for_mask", False),
            masks=masks,
            reverse=reverse,
        )
        turn = slice(None, None, -1 if reverse else 1)
        shown = y[:, turn] if o.get("return_sequences") else y[:, turn][:, -1]
        ends = {"y": shown.reshape(B, -1), "h": h, "c": c}
        d = {k: 2.0 * (v - numbers[f"t{k}"]) / v.size for k, v in ends.items()}
        dy = np.zeros_like(y)
        if o.get("return_sequences"):
            dy[:, turn] = d["y"].reshape(shown.shape)
        else:
            dy[:, turn][:, -1] = d["y"].reshape(shown.shape)
        dx, states, grads = reference.conv_lstm_backward(dy, d["h"], d["c"], cache)
        out = ends | {f"d{k}": v for k, v in grads.items()}
        inner = {"x": dx} | dict(zip(("h0", "c0"), states, strict=True))
        for name in ("x", "h0", "c0"):
            if name in numbers:
                out[f"d{name}"] = np.tensordot(
                    numbers[name].reshape(-1, numbers[name].shape[-1]).T,
                    inner[name].reshape(-1, numbers[name].shape[-1]),
                    1,
                )
        return out

    def allowed(self, numbers: Arrays, dtype: str, **run: Any) -> dict[str, float]:
        longest = max(numbers["kernel"][..., 0].size + numbers["recurrent_kernel"][..., 0].size,
                      4 * numbers["recurrent_kernel"][..., 0].size,
                      B * T * max(int(np.prod(self.cells)), int(np.prod(self.shape))))  # fmt: skip
        return allowed_errors(lambda n: self.run(n, **run), numbers, longest=longest, dtype=dtype)

    def model(self, dtype: str) -> tuple[Any, Any, list[str]]:
        """The layer between Dense layers whose gradients show dx, dh0 and dc0; its outputs."""
        one = {"use_bias": False, "kernel_initializer": "identity"}
        names = ["x", "h0", "c0"] if self.state else ["x"]
        inputs = [layers.Input((T, *self.shape), dtype=dtype)]
        inputs += [layers.Input(self.cells, dtype=dtype) for _ in names[1:]]
        first = layers.Masking()(inputs[0]) if self.masked else inputs[0]
        before = [
            layers.Dense(t.shape[-1], name=n, **one) for n, t in zip(names, inputs, strict=True)
        ]
        x, *state = (each(t) for each, t in zip(before, [first, *inputs[1:]], strict=True))
        layer = self.make(return_state=True)
        y, h, c = layer(x, initial_state=state or None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the mask ends at Flatten
            model = Model(inputs, [layers.Flatten()(y), h, c])
        return model, layer, names


ALL: dict[str, Any] = {"return_sequences": True}
CASES = {
    "last": Case((6, 2), 3, 3),
    "all": Case((6, 2), 5, 3, ALL),
    "same": Case((5, 3), 4, 2, {"padding": "same", **ALL}, state=True),
    "strided": Case((7, 2), 3, 3, {"strides": 2, "padding": "same", "go_backwards": True}),
    "dilated": Case((9, 2), 3, 3, {"dilation_rate": 2, "use_bias": False}, state=True),
    "masked": Case((6, 2), 3, 3, ALL, masked=True),
    "masked_state": Case((6, 2), 3, 3, {"go_backwards": True, **ALL}, True, True),
    "masked_last": Case((6, 2), 3, 3, masked=True, state=True),
    "masked_zero": Case((6, 2), 3, 3, {"zero_output_for_mask": True, **ALL}, True, True),
    "masked_zero_last": Case((5, 2), 3, 2, {"zero_output_for_mask": True}, masked=True),
    "wide": Case((5, 3), 18, 3, {"padding": "same", **ALL}, state=True),
    "panel": Case((4, 2), 16, 3, {"padding": "same"}),
    "activations": Case(
        (5, 2), 3, 3, {"activation": "gelu", "recurrent_activation": "hard_sigmoid"}
    ),
    "softplus": Case((5, 2), 3, 3, {"activation": "softplus", **ALL}, state=True),
    "one_position": Case((1, 2), 3, 1, ALL),
    "images": Case((4, 5, 2), 3, 3, ALL, state=True),
    "images_same": Case((4, 3, 2), 5, (2, 3), {"padding": "same", **ALL}, masked=True),
    "images_strided": Case((5, 6, 2), 3, (3, 2), {"strides": (2, 1), "padding": "same"}),
    "images_dilated": Case((5, 6, 1), 3, 2, {"dilation_rate": (1, 2)}, state=True),
}


@pytest.mark.isa
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str) -> None:
    case = CASES[name]
    numbers = case.numbers()
    model, layer, names = case.model("float64")
    weights = [n for n in numbers if "kernel" in n or n == "bias"]
    layer.set_weights([numbers[n] for n in weights])
    model.compile(SGD(1.0), "mse")
    inputs, targets = [numbers[n] for n in names], [numbers[f"t{k}"] for k in "yhc"]
    found = dict(zip("yhc", model.predict(inputs), strict=True))
    model.train_on_batch(inputs, targets)
    for before in names:
        kernel = model.get_layer(before).kernel.numpy()
        found[f"d{before}"] = np.eye(len(kernel)) - kernel
    found |= {f"d{n}": numbers[n] - w for n, w in zip(weights, layer.get_weights(), strict=True)}
    allowed = case.allowed(numbers, "float64")
    for key in allowed:
        if key.startswith("d"):  # of taking the difference
            start = numbers[key[1:]] if key[1:] in weights else np.ones(1)
            allowed[key] += 2.0 * np.finfo(float).eps * float(np.abs(start).max())
    assert_close(found, case.run(numbers), allowed)


@pytest.mark.isa
@pytest.mark.parametrize("name", CASES)
def test_values_in_float32(name: str) -> None:
    case = CASES[name]
    numbers = {k: v.astype(np.float32) for k, v in case.numbers().items()}
    layer = case.make(return_state=True)
    mask = MASK if case.masked else None
    state = [numbers["h0"], numbers["c0"]] if case.state else None
    layer(numbers["x"])
    layer.set_weights([v for k, v in numbers.items() if "kernel" in k or k == "bias"])
    y, h, c = layer(numbers["x"], initial_state=state, mask=mask)
    wide = {k: v.astype(np.float64) for k, v in numbers.items()}
    found = {"y": y.reshape(B, -1), "h": h, "c": c}
    assert y.dtype == np.float32
    assert_close(found, case.run(wide), case.allowed(wide, "float32"))


@pytest.mark.parametrize("name", ["all", "masked", "images_same"])
def test_reference_gradients(name: str) -> None:
    """Of the reference, by central differences of the summed errors."""
    case = CASES[name]
    numbers = case.numbers()

    def loss(moved: Arrays) -> float:
        out = case.run(moved)
        return sum(float(np.mean((out[k] - moved[f"t{k}"]) ** 2)) for k in "yhc")

    exact = case.run(numbers)
    rng = np.random.default_rng(0)
    for key in ("kernel", "recurrent_kernel", "bias"):
        way = rng.standard_normal(numbers[key].shape)
        step = 1e-5
        ends = [loss(numbers | {key: numbers[key] + s * step * way}) for s in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * step)
        # the error of a central difference: step² of the third derivative, and rounding by step
        assert slope == pytest.approx(float(np.sum(exact[f"d{key}"] * way)), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["all", "images_same", "masked_state"])
def test_dropout(name: str) -> None:
    """One mask of x and one of h for all steps, seen in a training call of the identity."""
    case = CASES[name]
    rates = {"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 3}
    numbers = case.numbers()
    dropped, plain = (
        case._replace(options=case.options | more).make(return_state=True) for more in (rates, {})
    )
    for layer in (dropped, plain):
        layer(numbers["x"])
        layer.set_weights([v for k, v in numbers.items() if "kernel" in k or k == "bias"])
    mask = MASK if case.masked else None
    np.testing.assert_array_equal(
        dropped(numbers["x"], mask=mask)[0], plain(numbers["x"], mask=mask)[0]
    )
    once, again = (dropped(numbers["x"], mask=mask, training=True)[0] for _ in range(2))
    assert not np.array_equal(once, again)  # a mask for each step of training
    assert not np.array_equal(once, plain(numbers["x"], mask=mask)[0])


def test_masks_of_dropout() -> None:
    """What x and h are multiplied with follows from outputs that are linear in them."""
    linear = {"activation": "linear", "recurrent_activation": "affine:0:1", "use_bias": False}
    # every gate is 1: c = c + x ∗ W_g + h ∗ R_g and h = c
    layer = layers.ConvLSTM1D(1, 1, dropout=0.5, return_sequences=True, seed=1, **linear)
    x = np.random.default_rng(0).uniform(1, 2, (40, 3, 6, 1)).astype(np.float32)
    layer(x)
    layer.set_weights([np.full((1, 1, 4), 1.0), np.zeros((1, 1, 4))])
    y = layer(x, training=True)
    factor = np.diff(y, axis=1, prepend=0.0) / x
    assert np.abs(factor - factor[:, :1]).max() < 1e-5  # the same at all steps
    kept = np.abs(factor[:, 0] - 2.0) < 1e-5
    assert np.all(kept | (np.abs(factor[:, 0]) < 1e-5))
    assert 0.3 < kept.mean() < 0.7  # 240 draws
    layer = layers.ConvLSTM1D(1, 1, recurrent_dropout=0.5, return_sequences=True, seed=1, **linear)
    layer(x)
    layer.set_weights([np.full((1, 1, 4), 1.0)] * 2)
    y = layer(x, training=True)
    factor = (y[:, 1:] - y[:, :-1] - x[:, 1:]) / y[:, :-1]
    assert np.abs(factor - factor[:, :1]).max() < 1e-4
    kept = np.abs(factor[:, 0] - 2.0) < 1e-4
    assert np.all(kept | (np.abs(factor[:, 0]) < 1e-4))
    assert 0.3 < kept.mean() < 0.7


@pytest.mark.isa
def test_gradients_with_dropout() -> None:
    """A training step is one of the same model with the masks in x and h: by differences."""
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 2))
    target = np.random.default_rng(1).standard_normal((2, 4, 3))

    def model() -> Any:
        layer = layers.ConvLSTM1D(3, 3, padding="same", dropout=0.4, recurrent_dropout=0.4, seed=5)
        return Sequential([layers.Input((3, 4, 2), dtype="float64"), layers.Dense(2), layer])

    first = model()
    start = first.get_weights()

    def loss(weights: list[Array]) -> float:
        each = model()
        each.set_weights(weights)
        each.compile(SGD(0.0), "mse")
        return float(each.train_on_batch(x, target))

    first.compile(SGD(1.0), "mse")
    first.train_on_batch(x, target)
    for k, end in enumerate(first.get_weights()):
        way = np.random.default_rng(k).standard_normal(end.shape)
        moved = [[*start[:k], start[k] + s * 1e-5 * way, *start[k + 1 :]] for s in (1, -1)]
        slope = (loss(moved[0]) - loss(moved[1])) / 2e-5
        # as in test_reference_gradients
        assert slope == pytest.approx(float(np.sum((start[k] - end) * way)), rel=1e-6, abs=1e-9)


SHARED = {
    "lines": ((40, 8), lambda: layers.ConvLSTM1D(24, 5, padding="same", return_sequences=True)),
    "images": ((12, 11, 4), lambda: layers.ConvLSTM2D(16, 3, padding="same")),
    "valid": ((20, 17, 3), lambda: layers.ConvLSTM2D(20, 3, strides=2, go_backwards=True)),
    "dropped": ((40, 8), lambda: layers.ConvLSTM1D(24, 5, dropout=0.2, recurrent_dropout=0.2)),
}


@pytest.mark.isa
@pytest.mark.parametrize("name", SHARED)
def test_same_bits(name: str) -> None:
    """Of a row alone, on any number of threads; and of a step of training on these."""
    shape, make = SHARED[name]
    x = np.random.default_rng(0).standard_normal((7, 4, *shape), dtype=np.float32)
    rows, trained = [], []
    for threads in (1, 2, 3):
        with runs.threads(threads):
            model = Sequential([layers.Input((4, *shape)), layers.Dense(shape[-1]), make()], seed=4)
            rows.append(model.predict(x))
            model.compile("sgd", "mse")
            model.train_on_batch(x, np.ones_like(rows[0]))
            trained.append(model.get_weights())
            alone = [model.predict(x[k : k + 1]) for k in (0, 6)]
            np.testing.assert_array_equal(np.concatenate(alone), model.predict(x)[[0, 6]])
    for found, weights in zip(rows[1:], trained[1:], strict=True):
        np.testing.assert_array_equal(found, rows[0])
        for one, other in zip(weights, trained[0], strict=True):
            np.testing.assert_array_equal(one, other)


def test_stateful() -> None:
    """Two halves with a carried state are the whole; zeros begin anew."""
    x = np.random.default_rng(0).standard_normal((2, 6, 5, 2), dtype=np.float32)
    layer = layers.ConvLSTM1D(3, 3, stateful=True, return_sequences=True)
    whole = layer(x)
    layer.reset_states()
    halves = [layer(x[:, :2]), layer(x[:, 2:])]
    np.testing.assert_array_equal(np.concatenate(halves, axis=1), whole)
    layer.reset_states()
    model = Sequential([layers.Input(batch_shape=(2, None, 5, 2)), layer])
    halves = [model.predict(x[:, :3]), model.predict(x[:, 3:])]
    np.testing.assert_array_equal(np.concatenate(halves, axis=1), whole)
    with pytest.raises(ValueError, match="as many elements as the state that the layer carries"):
        layer(x[:, :, :4])
    with pytest.raises(ValueError, match="expected known sizes with stateful=True"):
        Sequential([layers.Input((None, None, 2)), layers.ConvLSTM1D(3, 3, stateful=True)])


def test_any_number_of_steps() -> None:
    layer = layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True)
    model = Sequential([layers.Input((None, None, 4, 2)), layer])
    assert model.output_shape == (None, None, None, 4, 3)
    for steps, lines in ((2, 5), (5, 3), (1, 1)):
        x = np.random.default_rng(steps).standard_normal((2, steps, lines, 4, 2), dtype=np.float32)
        np.testing.assert_array_equal(model.predict(x), layer(x))
    assert model.predict(np.zeros((0, 2, 3, 4, 2))).shape == (0, 2, 3, 4, 3)
    assert layer(np.zeros((2, 0, 3, 4, 2))).shape == (2, 0, 3, 4, 3)


def test_masked_steps_are_not_read() -> None:
    """NaN there reaches neither outputs nor gradients."""
    case = CASES["masked"]
    x = case.numbers()["x"]
    layer = case.make(dtype="float64")
    expected = layer(x, mask=MASK)
    x[~MASK] = np.nan
    np.testing.assert_array_equal(layer(x, mask=MASK), expected)
    np.testing.assert_array_equal(layer.compute_mask(x, MASK), MASK)
    assert layers.ConvLSTM1D(2, 1).compute_mask(x, MASK) is None


def test_first_weights() -> None:
    layer = layers.ConvLSTM2D(2, (2, 3), bias_initializer="zeros")
    layer(np.zeros((1, 1, 3, 3, 4)))
    assert [w.shape for w in layer.get_weights()] == [(2, 3, 4, 8), (2, 3, 2, 8), (8,)]
    np.testing.assert_array_equal(layer.bias.numpy(), [0, 0, 1, 1, 0, 0, 0, 0])
    flat = layer.recurrent_kernel.numpy().reshape(-1, 8)
    # columns of an orthogonal matrix; as rounded as a product of 12 terms
    assert np.abs(flat.T @ flat - np.eye(8)).max() < 20 * np.finfo(np.float32).eps
    other = layers.ConvLSTM1D(2, 1, unit_forget_bias=False, bias_initializer="ones")
    other(np.zeros((1, 1, 3, 4)))
    np.testing.assert_array_equal(other.bias.numpy(), np.ones(8))


def test_in_a_model(tmp_path: Any) -> None:
    """As tutorials have it: frames in, a frame out; and from a file."""
    model = Sequential(
        [
            layers.Input((None, 8, 6, 1)),
            layers.ConvLSTM2D(4, (3, 3), padding="same", return_sequences=True),
            layers.BatchNormalization(),
            layers.ConvLSTM2D(3, 3, padding="same", kernel_regularizer="l2",
                              recurrent_constraint="non_neg", bias_constraint="max_norm"),
            layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
        ],
        seed=1,
    )  # fmt: skip
    x = np.random.default_rng(0).uniform(0, 1, (6, 5, 8, 6, 1)).astype(np.float32)
    model.compile("adam", "binary_crossentropy")
    losses = model.fit(x[:, :4], x[:, 4], epochs=3, batch_size=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(str(tmp_path / "model.safetensors"))
    again = load_model(str(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
