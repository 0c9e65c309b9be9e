"""Arguments and attributes that would have no effect, or not the one meant, are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import callbacks, functional, layers, losses, models, optimizers

X, Y = np.zeros((15, 3, 1)), np.zeros((15, 2))
X4, W_IH, W_HH = np.zeros((4, 6, 3)), np.zeros((20, 3)), np.zeros((20, 5))
ROWS = np.zeros((4, 5))


def compiled() -> models.Sequential:
    model = models.Sequential([layers.Input((3, 1)), layers.LSTM(5), layers.Dense(2)])
    model.compile("adam", "mse")
    return model


class Unreadable:
    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise RuntimeError("not today")


def set_attribute(value: Any, name: str, to: Any) -> None:
    setattr(value, name, to)


def lstm(**options: Any) -> Any:
    return functional.lstm(X4, W_IH, W_HH, **options)


LAYER_WANTS = r"layers.LSTM\] {} is of type {}; expected"
CALLS: dict[str, tuple[Any, type[Exception], str]] = {
    # -- attributes
    "layer.trainable": (
        lambda: set_attribute(layers.Dense(2), "trainable", 0),
        TypeError,
        r"\[layers.Dense\] trainable is of type int; expected True or False",
    ),
    "model.trainable": (
        lambda: set_attribute(compiled(), "trainable", 0),
        TypeError,
        r"\[Sequential\] trainable is of type int; expected True or False",
    ),
    "layer.stateful": (
        lambda: set_attribute(compiled().layers[0], "stateful", True),
        AttributeError,
        "stateful cannot change once the layer has weights",
    ),
    "sample_weight": (
        lambda: compiled().fit(X, Y, sample_weight=np.ones(3)),
        ValueError,
        r"\[fit\] sample_weight has shape \(3,\); expected \(15,\), or one weight for each step",
    ),
    "sample_weight of steps": (
        lambda: compiled().evaluate(X, Y, sample_weight=np.ones((15, 3))),
        ValueError,
        r"sample_weight has 3 values a sample; expected 1",
    ),
    "sample_weight below 0": (
        lambda: compiled().train_on_batch(X, Y, sample_weight=-np.ones(15)),
        ValueError,
        r"\[train_on_batch\] sample_weight\[0\] is -1.0; expected finite numbers of at least 0",
    ),
    "sample_weight of validation": (
        lambda: compiled().fit(X, Y, validation_data=(X, Y, [1.0])),
        ValueError,
        r"validation_data\[2\] has shape \(1,\)",
    ),
    "class_weight kind": (
        lambda: compiled().fit(X, Y, class_weight=[1.0]),
        TypeError,
        "class_weight is of type list; expected a dictionary from class to weight",
    ),
    "class_weight and sample_weight": (
        lambda: compiled().fit(X, Y, class_weight={0: 1.0}, sample_weight=np.ones(15)),
        ValueError,
        "class_weight is given; expected no sample_weight",
    ),
    "class_weight below 0": (
        lambda: compiled().fit(X, Y, class_weight={0: -1.0}),
        ValueError,
        r"class_weight\[0\] is -1.0; expected a finite number of at least 0",
    ),
    "layer.units": (
        lambda: set_attribute(compiled().layers[0], "units", 9),
        AttributeError,
        "units cannot change once the layer has weights",
    ),
    "optimizer.lr": (
        lambda: set_attribute(optimizers.Adam(), "lr", 0.1),
        AttributeError,
        "set learning_rate",
    ),
    "optimizer.beta_1": (
        lambda: set_attribute(compiled().optimizer, "beta_1", 0.5),
        AttributeError,
        "beta_1 cannot change once",
    ),
    "optimizer.loss_scale_factor": (
        lambda: set_attribute(optimizers.Adam(), "loss_scale_factor", 2.0),
        ValueError,
        "loss_scale_factor=2.0 is not available",
    ),
    "rnn.dropout": (
        lambda: set_attribute(lf.LSTM(1, 2), "dropout", 0.5),
        AttributeError,
        "dropout cannot be set; make a new LSTM",
    ),
    "rnn.weight": (
        lambda: set_attribute(lf.LSTM(1, 2), "weight_hh_l0", 0),
        AttributeError,
        "use load_state_dict",
    ),
    # -- functional: what the user passed, as it was passed
    "h0": (
        lambda: lstm(h0=np.zeros((1, 4, 5)), c0=ROWS),
        ValueError,
        r"\[functional.lstm\] h0 has shape \(1, 4, 5\); expected \(B=4, H=5\)",
    ),
    "c0 of one": (
        lambda: functional.lstm(X4[0], W_IH, W_HH, h0=ROWS[0], c0=ROWS),
        ValueError,
        r"c0 has shape \(4, 5\); expected \(H=5,\)",
    ),
    "w_ih": (
        lambda: functional.lstm(X4, W_IH.T, W_HH),
        ValueError,
        r"\[functional.lstm\] w_ih has shape \(3, 20\); expected \(4\*H=20, I\)",
    ),
    "functional lengths": (
        lambda: lstm(lengths=[1]),
        ValueError,
        r"\[functional.lstm\] lengths has shape",
    ),
    "functional activation": (
        lambda: lstm(activation="rleu"),
        ValueError,
        r"\[functional.lstm\] activation is 'rleu'; expected one of .*relu",
    ),
    "dstate": (
        lambda: functional.lstm_vjp(X4, W_IH, W_HH)[1](None, 3),
        TypeError,
        r"\[functional.lstm_vjp\] dstate is of type int; expected a pair \(dh, dc\)",
    ),
    "dh": (
        lambda: functional.lstm_vjp(X4, W_IH, W_HH)[1](None, (ROWS[:2], None)),
        ValueError,
        r"\[functional.lstm_vjp\] dh has shape \(2, 5\); expected \(B=4, H=5\)",
    ),
    # -- kinds
    "x None": (
        lambda: lf.LSTM(1, 2)(None),
        TypeError,
        r"\[lstm.forward\] x is None; expected an array",
    ),
    "fit x None": (lambda: compiled().fit(None, Y), TypeError, r"\[fit\] x is None; expected"),
    "x unreadable": (lambda: lf.LSTM(1, 2)(Unreadable()), TypeError, "x is of type Unr.*not today"),
    "lengths": (
        lambda: lf.LSTM(1, 2)(X, lengths="abc"),
        TypeError,
        "lengths holds <U3 values; expected integers",
    ),
    "resets": (
        lambda: lf.LSTM(1, 2)(X, resets=np.full((15, 3), 2)),
        ValueError,
        "resets holds other values than 0 and 1",
    ),
    "x range": (
        lambda: compiled().predict(X + 1e300),
        ValueError,
        r"\[predict\] x has values beyond float32's range",
    ),
    "set_weights": (
        lambda: compiled().set_weights(5),
        TypeError,
        r"\[Sequential.set_weights\] weights is of type int; expected a list of arrays",
    ),
    "layer.set_weights": (lambda: compiled().layers[0].set_weights(5), TypeError, "a list of arr"),
    "state_dict": (
        lambda: lf.LSTM(1, 2).load_state_dict(5),
        TypeError,
        r"\[LSTM.load_state_dict\] state_dict is of type int; expected a mapping",
    ),
    "strict": (
        lambda: lf.LSTM(1, 2).load_state_dict({}, strict=False),
        ValueError,
        "strict=False is not available",
    ),
    "layers": (
        lambda: models.Sequential(layers.LSTM(3)),
        TypeError,
        "layers is of type LSTM; expected a list of layers",
    ),
    "learning_rate": (
        lambda: optimizers.Adam(learning_rate="x"),
        TypeError,
        r"\[Adam\] learning_rate is of type str; expected a number",
    ),
    "rate": (lambda: layers.Dropout("a"), TypeError, "rate is of type str; expected a number"),
    "dropout": (lambda: lf.LSTM(1, 2, dropout="a"), TypeError, "dropout is of type str; expected"),
    "save": (lambda: compiled().save(5), TypeError, r"\[save\] filepath is of type int; expected"),
    "load": (lambda: models.load_model(5), TypeError, r"\[load_model\] filepath is of type int"),
    "delta": (lambda: losses.Huber("a"), TypeError, r"\[Huber\] delta is of type str"),
    "patience": (lambda: callbacks.EarlyStopping(patience="a"), TypeError, "patience is of type"),
    "bias": (
        lambda: lf.LSTM(1, 2, bias="no"),
        TypeError,
        r"\[LSTM\] bias is of type str; expected True or False",
    ),
    "return_sequences": (
        lambda: layers.LSTM(2, return_sequences=1),
        TypeError,
        LAYER_WANTS.format("return_sequences", "int"),
    ),
    "hidden_size": (lambda: lf.LSTM(1, True), TypeError, "hidden_size is of type bool; expected"),
    "units bool": (lambda: layers.LSTM(True), TypeError, LAYER_WANTS.format("units", "bool")),
    # -- names
    "loss, unbuilt": (
        lambda: models.Sequential([layers.Dense(1)]).compile("adam", "msee"),
        ValueError,
        "unknown loss 'msee'; known: .*mae.*mean_squared_error.*mse",
    ),
    "metric, unbuilt": (
        lambda: models.Sequential([layers.Dense(1)]).compile("adam", "mse", metrics=["mea"]),
        ValueError,
        "unknown metric 'mea'; known: .*mae.*rmse",
    ),
    "ftrl": (
        lambda: compiled().compile("ftrl", "mse"),
        ValueError,
        "optimizer 'ftrl' is not available in this version; there are .*adam, .*sgd",
    ),
    "Ftrl": (lambda: compiled().compile("Ftrl", "mse"), ValueError, "is not available in"),
    "ctc": (lambda: compiled().compile("adam", "ctc"), ValueError, "'ctc' is not available"),
    "layer activation": (
        lambda: layers.Dense(1, "swoosh"),
        ValueError,
        r"\[layers.Dense\] activation is 'swoosh'; expected one of .*relu.*softmax",
    ),
    "gate activation": (
        lambda: layers.LSTM(1, recurrent_activation="softmax"),
        ValueError,
        "recurrent_activation is 'softmax'; expected one of",
    ),
    # -- shapes
    "two LSTMs": (
        lambda: models.Sequential([layers.Input((10, 3)), layers.LSTM(4), layers.LSTM(4)]),
        ValueError,
        r"lstm_1 needs sequences .* but lstm gives \(4,\); pass return_sequences=True to lstm$",
    ),
    "no sequences": (
        lambda: models.Sequential([layers.LSTM(3)]).predict(X[:, :, 0]),
        ValueError,
        r"lstm needs sequences \(steps, features\), but a sample is \(3,\)",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_message(name: str) -> None:
    call, kind, pattern = CALLS[name]
    if name == "x range" and np.lib.NumpyVersion(np.__version__) < "1.24.0":
        pytest.skip("older NumPy does not tell")
    with pytest.raises(kind, match=f"(?s){pattern}") as caught:
        call()
    assert type(caught.value) is kind


@pytest.mark.parametrize("cls", [layers.LSTM, layers.Dense])
def test_unavailable_layer_arguments_are_refused(cls: type[layers.Layer]) -> None:
    for name in set(cls.unavailable):
        with pytest.raises(ValueError, match=f"{name} is not available"):
            cls(3, **{name: np.ones(2)})  # type: ignore[call-arg]
