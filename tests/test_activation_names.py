"""`lstmfast.activations`: every way of naming one, configurations, files, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import _core, activations, layers
from lstmfast._activation import ELEMENTWISE
from lstmfast.activations import Activation

X = np.linspace(-4.0, 4.0, 101)

# what Keras (3.15) calls its functions, row-wise ones aside
KERAS = (
    "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu "
    "linear log_sigmoid mish relu relu6 selu sigmoid silu soft_shrink softplus softsign "
    "sparse_plus sparse_sigmoid squareplus swish tanh tanh_shrink threshold"
)
ONNX = (
    "Affine Elu HardSigmoid LeakyRelu Relu ScaledTanh Sigmoid Softplus Softsign Tanh "
    "ThresholdedRelu"
)


def test_names_and_defaults_are_the_core_s() -> None:
    assert {*ELEMENTWISE, "softmax"} == set(_core.kinds("activation"))
    for name in ELEMENTWISE:
        whole = ":".join([name, *map(repr, Activation(name).parameters)])
        np.testing.assert_array_equal(
            _core.testing.activate(name, X), _core.testing.activate(whole, X)
        )


def test_names_of_keras_and_onnx() -> None:
    for name in KERAS.split():
        assert hasattr(activations, name)
        assert activations.get(name) == activations.get(activations.get(name))
    for name in ONNX.split():
        assert activations.get(name).name in ELEMENTWISE
    assert activations.get("HardSigmoid").alpha == 0.2
    assert activations.get("HardSigmoid:0.25").parameters == (0.25, 0.5)
    assert activations.get("LeakyRelu") == activations.leaky_relu(0.01)


def test_ways_of_naming_one() -> None:
    wanted = Activation("leaky_relu", 0.2)
    keras = {"module": "keras.activations", "class_name": "function", "config": "leaky_relu"}
    for way in ("leaky_relu", "leaky_relu:0.2", activations.leaky_relu, wanted, keras):
        assert activations.get(way) == wanted
    assert activations.get(wanted.get_config()) == wanted
    assert activations.get({"name": "swish"}) == activations.silu
    assert activations.get({"name": "LeakyRelu"}).alpha == 0.01
    assert activations.get(None) == activations.linear
    assert activations.gelu() == Activation("gelu")
    assert activations.gelu(approximate=True) == activations.gelu_tanh
    assert activations.threshold(1, 2).parameters == (1.0, 2.0)
    assert activations.get("softmax") == activations.softmax


@pytest.mark.parametrize("alpha", [0.1, 1 / 3, 1e-300, 5e-324, 1.7976931348623157e308, 2])
def test_texts_keep_all_bits(alpha: float) -> None:
    one = activations.affine(alpha, -alpha)
    assert activations.get(str(one)) == one
    assert activations.get(activations.serialize(one)) == one
    assert Activation.from_config(one.get_config()) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert eval(repr(one), {"Activation": Activation}) == one


@pytest.mark.parametrize(
    ("identifier", "kind", "message"),
    [
        ("rleu", ValueError, r"\[activations.get\] identifier is 'rleu'; expected one of affine, "),
        ("glu", ValueError, "glu is a function of a whole row and not available in this version"),
        ("elu:x", ValueError, "identifier is 'elu:x': could not convert"),
        ("elu:inf", ValueError, "'elu:inf': alpha is inf; expected a number of at least 0"),
        ("elu:-1", ValueError, "alpha is -1; expected a number of at least 0"),
        ("celu:0", ValueError, "alpha is 0; expected a number above 0"),
        ("relu:1", ValueError, "identifier is 'relu:1'; relu has 0 parameters"),
        ({"alpha": 1.0}, ValueError, "identifier is a dict; expected its keys to be name"),
        (3, TypeError, "identifier is of type int; expected a name such as 'relu'"),
        (np.tanh, TypeError, "expected a name such as 'relu' or an lstmfast activation"),
    ],
)
def test_refused(identifier: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        activations.get(identifier)


def test_refused_parameters() -> None:
    with pytest.raises(ValueError, match=r"\[Activation\] unknown key alpha; expected no keys"):
        Activation("relu", 1)
    with pytest.raises(TypeError, match=r"\[Activation\] alpha is of type str; expected a number"):
        Activation("elu", "1")  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match=r'\[Activation\] name is "swoosh"; expected one of "linear"'
    ):
        Activation("swoosh")


@pytest.mark.parametrize("rows", ["softmax", "log_softmax", "sparsemax", "glu"])
@pytest.mark.parametrize("place", ["activation", "recurrent_activation", "output_activation"])
def test_cells_refuse_functions_of_rows(place: str, rows: str) -> None:
    for make in (lambda **k: lf.LSTM(1, 1, **k), lambda **k: layers.LSTM(1, **k)):
        with pytest.raises(ValueError, match=f"{place} is '{rows}'.*whole row, not of a gate's"):
            make(**{place: rows})
    if rows != "softmax":
        with pytest.raises(ValueError, match=f"activation is '{rows}'.*not available"):
            layers.Dense(2, activation=rows)


def test_layers_keep_parameters(tmp_path: Path) -> None:
    """Through options, configurations and files, to the same bits."""
    stack = [
        lf.Input((4, 3)),
        layers.LSTM(
            5,
            activation=activations.scaled_tanh(1.7159, 2 / 3),
            recurrent_activation="HardSigmoid",
            output_activation=activations.elu(1 / 3),
        ),
        layers.Dense(2, activation=activations.leaky_relu(negative_slope=0.3)),
    ]
    model = lf.Sequential(stack, seed=0)
    lstm, dense = model.layers
    assert dense.activation == "leaky_relu:0.3"
    config = lstm.get_config()
    assert config["recurrent_activation"] == "hard_sigmoid:0.2:0.5"
    again = layers.LSTM.from_config(config)
    assert again.get_config() == config
    model.save(tmp_path / "model.safetensors")
    loaded = lf.models.load_model(tmp_path / "model.safetensors")
    assert [layer.get_config() for layer in loaded.layers] == [
        layer.get_config() for layer in model.layers
    ]
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    changed = lf.Sequential(
        [lf.Input((4, 3)), layers.LSTM.from_config(config | {"activation": "tanh"})]
    )
    changed.set_weights(model.get_weights()[:3])
    plain = lf.Sequential([lf.Input((4, 3)), layers.LSTM.from_config(config)])
    plain.set_weights(model.get_weights()[:3])
    assert np.abs(changed.predict(x, verbose=0) - plain.predict(x, verbose=0)).max() > 1e-3


def test_output_activation_is_activation_by_default() -> None:
    assert layers.LSTM(1, activation="relu").output_activation == "relu"
    rnn = lf.LSTM(2, 3, activation="elu:0.5", seed=0)
    assert rnn.output_activation == "elu:0.5"
    assert repr(rnn) == "LSTM(2, 3, activation='elu:0.5')"
    other = lf.LSTM(2, 3, activation="elu:0.5", output_activation="tanh", seed=0)
    assert repr(other) == "LSTM(2, 3, activation='elu:0.5', output_activation='tanh')"
    x = np.ones((1, 4, 2), np.float32)
    assert not np.array_equal(rnn(x)[0], other(x)[0])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(other))(x)[0], other(x)[0])
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    weights = [other.state_dict()[name] for name in names]
    options = {"activation": activations.elu(0.5), "output_activation": activations.tanh}
    y, _ = lf.functional.lstm(x, *weights, **options)
    np.testing.assert_array_equal(y, other(x)[0])
