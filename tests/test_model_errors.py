"""Messages of models: what goes wrong is said in the user's words, with what was expected."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from lstmfast import losses, metrics, optimizers
from lstmfast.layers import LSTM, Dense, Dropout, Input
from lstmfast.models import Sequential

X = np.zeros((15, 3, 1))
Y = np.zeros((15, 2))


def compiled() -> Sequential:
    model = Sequential([Input((3, 1)), LSTM(5), Dense(2)])
    model.compile("adam", "mse")
    return model


def own() -> Sequential:
    model = compiled()
    model.compile("adam", lambda y, p: (0.0, p))
    return model


class Callless(losses.Loss):
    pass


class ForeignMetric:
    """A metric as other libraries have them."""

    def __call__(self, y_true: Any, y_pred: Any) -> float:
        return 0.0

    def update_state(self, y_true: Any, y_pred: Any) -> None: ...

    def result(self) -> float:
        return 0.0


class ForeignLoss:
    """A loss as other libraries have them."""

    def __call__(self, y_true: Any, y_pred: Any) -> float:
        return self.call(y_true, y_pred)

    def call(self, y_true: Any, y_pred: Any) -> float:
        return 0.0


class MeanSquaredError:
    """Of a library that is known by its name."""

    def __call__(self, y_true: Any, y_pred: Any) -> float:
        return 0.0


MeanSquaredError.__module__ = "keras.src.losses"


# what is called, the kind of error, and a pattern that its message must match
CALLS: dict[str, tuple[Any, type[Exception], str]] = {
    # -- layers and models
    "units": (
        lambda: LSTM(0),
        ValueError,
        r"\[layers.LSTM\] units is 0; expected an integer from 1",
    ),
    "units kind": (lambda: Dense("3"), TypeError, r"\[layers.Dense\] units is of type str"),
    "activation kind": (
        lambda: Dense(3, activation=abs),
        TypeError,
        "activation is of type builtin_func",
    ),
    "activation name": (
        lambda: Sequential([Dense(3, activation="rleu", input_shape=(2,))]),
        ValueError,
        r"activation.*rleu.*relu",
    ),
    "rate": (
        lambda: Dropout(2),
        ValueError,
        r"\[layers.Dropout\] rate is 2; expected a number from 0 to 1",
    ),
    "unknown argument": (
        lambda: LSTM(3, stateless=1),
        TypeError,
        "unexpected keyword argument 'sta",
    ),
    "unavailable argument": (
        lambda: LSTM(3, dtype="float16"),
        ValueError,
        r"\[layers.LSTM\] dtype is float16; expected float32 or float64",
    ),
    "input shape": (
        lambda: Input((3, None)),
        ValueError,
        r"shape is \(3, \?\); expected \(steps, ",
    ),
    "input shape kind": (
        lambda: Input(3),
        TypeError,
        r"\[layers.Input\] shape is of type int; expected a tup",
    ),
    "not a layer": (lambda: Sequential(["lstm"]), TypeError, "layer is of type str"),
    "late input": (lambda: Sequential([Dense(1), Input((3,))]), ValueError, "must come first"),
    "not built": (lambda: Sequential([LSTM(3)]).count_params(), ValueError, "no weights yet"),
    "not built layer": (
        lambda: LSTM(3).count_params(),
        ValueError,
        r"\[layers.LSTM\] LSTM has no w",
    ),
    "no layers": (
        lambda: Sequential().predict(X),
        ValueError,
        r"\[predict\] the model has no layers",
    ),
    "not compiled": (
        lambda: Sequential([Dense(1)]).fit(X, Y),
        ValueError,
        r"\[fit\] the model is not compiled; call compile\(loss=...\) first",
    ),
    "layer's place": (
        lambda: compiled().get_layer(index=7),
        ValueError,
        r"\[Sequential.get_layer\] index is 7; there are 2 layers",
    ),
    "layer's place's kind": (
        lambda: compiled().get_layer(index="dense"),
        TypeError,
        r"\[Sequential.get_layer\] index is of type str; expected an integer",
    ),
    # -- compile
    "optimizer": (
        lambda: compiled().compile("adma", "mse"),
        ValueError,
        r"unknown optimizer 'adma'; known: .*adam, .*sgd",
    ),
    "optimizer kind": (
        lambda: compiled().compile(3, "mse"),
        TypeError,
        "optimizer is of type int; expected",
    ),
    "optimizer of another model": (
        lambda: [m.compile(o, "mse") for o in [optimizers.SGD()] for m in (compiled(), compiled())],
        ValueError,
        "belongs to another model",
    ),
    "loss": (lambda: compiled().compile("adam", "msee"), ValueError, r"msee.*mean_squared_error"),
    "loss kind": (lambda: compiled().compile("adam", 3), TypeError, "loss is of type int; expe"),
    "loss of another class": (
        lambda: compiled().compile("adam", dict),
        TypeError,
        "is the class dict",
    ),
    "metric": (
        lambda: compiled().compile("adam", "mse", metrics=["mea"]),
        ValueError,
        r"mea.*mean_absolute_error",
    ),
    "loss without call": (
        lambda: compiled().compile("adam", Callless()),
        TypeError,
        r"\[Callless\] the loss lacks call\(y_true, y_pred\)$",
    ),
    "class of a loss without call": (
        lambda: compiled().compile("adam", Callless),
        TypeError,
        r"\[Callless\] the loss lacks call",
    ),
    "metric without methods": (
        lambda: compiled().compile("adam", "mse", metrics=[type("Empty", (metrics.Metric,), {})]),
        TypeError,
        r"\[Empty\] the metric lacks update_state, result and reset_state",
    ),
    "metric as a loss": (
        lambda: compiled().compile("adam", metrics.MeanSquaredError()),
        TypeError,
        r"loss is of type lstmfast.metrics[.\w]*.MeanSquaredError; expected a name or an object",
    ),
    "metric called loss": (
        lambda: compiled().compile("adam", "mse", metrics=[metrics.MeanAbsoluteError("loss")]),
        ValueError,
        "two values would be called 'loss'",
    ),
    "learning rate": (
        lambda: optimizers.Adam(-1),
        ValueError,
        r"\[Adam\] learning_rate is -1; expected a number of at least 0",
    ),
    "clips": (
        lambda: optimizers.Adam(clipnorm=1, clipvalue=1),
        ValueError,
        r"\[Adam\] clipvalue is 1; expected None next to clipnorm",
    ),
    "loss scale": (
        lambda: optimizers.SGD(loss_scale_factor=2.0),
        ValueError,
        "loss_scale_factor=2.0 is not",
    ),
    "delta": (
        lambda: losses.Huber(-1.0),
        ValueError,
        r"\[Huber\] delta is -1; expected a number above 0",
    ),
    "smoothing": (
        lambda: losses.BinaryCrossentropy(label_smoothing=2),
        ValueError,
        r"\[BinaryCrossentropy\] label_smoothing is 2; expected a number from 0 to 1",
    ),
    "smoothing below 0": (
        lambda: losses.CategoricalCrossentropy(label_smoothing=-0.1),
        ValueError,
        r"\[CategoricalCrossentropy\] label_smoothing is -0.1; expected a number from",
    ),
    "reduction": (
        lambda: losses.MeanSquaredError(reduction="product"),
        ValueError,
        r'\[MeanSquaredError\] reduction is "product"; expected one of "sum_over_batch_size", "me',
    ),
    "dtype of a loss": (
        lambda: losses.Huber(dtype="float16"),
        ValueError,
        r"\[Huber\] dtype='float16' is not available",
    ),
    "name of a loss": (
        lambda: losses.Huber(name=3),
        TypeError,
        r"\[Huber\] name is of type int; expected a string",
    ),
    "dtype of a metric": (
        lambda: metrics.Accuracy(dtype="float16"),
        ValueError,
        r"\[Accuracy\] dtype='float16' is not available",
    ),
    # -- data
    "fit x": (
        lambda: compiled().fit(np.zeros((10, 3, 2)), Y),
        ValueError,
        r"\[fit\] x has shape \(10, 3, 2\); expected \(N, 3, 1\)",
    ),
    "predict x": (
        lambda: compiled().predict(np.zeros((3, 1))),
        ValueError,
        r"\[predict\] x has shape \(3, 1\); expected \(N, 3, 1\); for one sample pass x\[None\]",
    ),
    "fit a generator": (
        lambda: compiled().fit(row for row in X),
        ValueError,
        r"\[fit, batch 1\] x has shape \(3, 1\); expected \(N, 3, 1\); for one sample pass x\[None",
    ),
    "fit a dictionary": (
        lambda: compiled().fit({"x": X}, Y),
        ValueError,
        r"\[fit\] x lacks 'input_layer'; expected an array, or a dictionary with 'input_layer'",
    ),
    "fit an iterator": (
        lambda: compiled().fit(X, iter(Y)),
        TypeError,
        r"\[fit\] y is of type .*iterator; expected an array",
    ),
    "weights of classes of one's own loss": (
        lambda: own().fit(X, Y, class_weight={0: 1.0}),
        ValueError,
        r"sample_weight is given; expected none with a loss of one's own that returns a gradi",
    ),
    "validation weights of one's own loss": (
        lambda: own().fit(X, Y, validation_data=(X, Y, np.ones(15))),
        ValueError,
        r"sample_weight is given; expected none with a loss of one's own that returns a gradi",
    ),
    "fit without y": (lambda: compiled().fit(X), ValueError, r"\[fit\] y is missing"),
    "fit y": (
        lambda: compiled().fit(X, Y[:12]),
        ValueError,
        r"\[fit\] y has shape \(12, 2\); expected \(15, ...\), for x has 15 samples",
    ),
    "fit y columns": (lambda: compiled().fit(X, np.zeros((15, 3))), ValueError, r"15, 3.*15, 2"),
    "fit nothing": (lambda: compiled().fit(X[:0], Y[:0]), ValueError, "x has no samples"),
    "batch_size": (
        lambda: compiled().fit(X, Y, 0),
        ValueError,
        r"batch_size is 0; expected at least",
    ),
    "batch_size kind": (lambda: compiled().predict(X, 1.5), TypeError, "size is of type float"),
    "epochs": (lambda: compiled().fit(X, Y, epochs=-1), ValueError, r"\[fit\] epochs is -1"),
    "verbose": (
        lambda: compiled().fit(X, Y, verbose=3),
        ValueError,
        "verbose is 3; expected 0, 1, 2",
    ),
    "split": (lambda: compiled().fit(X, Y, validation_split=1.5), ValueError, "split is 1.5"),
    "split of little": (
        lambda: compiled().fit(X[:1], Y[:1], validation_split=0.2),
        ValueError,
        "validation_split=0.2 of 1 samples leaves one part empty",
    ),
    "validation data": (
        lambda: compiled().fit(X, Y, validation_data=X),
        TypeError,
        "expected a pair",
    ),
    "validation x": (
        lambda: compiled().fit(X, Y, validation_data=(X[:, :2], Y)),
        ValueError,
        r"validation_data\[0\] has shape \(15, 2, 1\); expected \(N, 3, 1\)",
    ),
    "weights of classes": (
        lambda: compiled().fit(X, Y, class_weight={"a": 1.0}),
        TypeError,
        r"\[fit\] class_weight's key 'a' is of type str; expected an integer",
    ),
    "on_nonfinite": (
        lambda: compiled().fit(X, Y, on_nonfinite="x"),
        ValueError,
        "on_nonfinite is 'x'",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_message(name: str) -> None:
    call, kind, pattern = CALLS[name]
    with pytest.raises(kind, match=f"(?s){pattern}") as caught:
        call()
    assert type(caught.value) is kind


@pytest.mark.parametrize("what", ["loss", "metric"])
@pytest.mark.parametrize("kind", [ForeignMetric, ForeignLoss, MeanSquaredError])
@pytest.mark.parametrize("is_object", [False, True])
def test_objects_of_other_libraries(what: str, kind: Any, is_object: bool) -> None:
    given = kind() if is_object else kind
    own = "losses.Loss" if what == "loss" else "metrics.Metric"
    name = "'mean_squared_error'" if kind is MeanSquaredError else "'mse'"
    pattern = (
        rf"{what} is of type {kind.__module__}.{kind.__name__}, which is not lstmfast's; expected "
        rf"a name, such as {name}, a function, or a class derived from lstmfast.{own}"
    )
    with pytest.raises(TypeError, match=pattern):
        compiled().compile("sgd", *([given] if what == "loss" else ["mse", None, [given]]))


def test_anything_else_that_can_be_called_is_a_function() -> None:
    class Difference:
        def __call__(self, y_true: Any, y_pred: Any) -> Any:
            return y_pred - y_true

    model = compiled()
    several = [Difference(), Difference().__call__, functools.partial(np.subtract), np.add]
    for one in several:
        model.compile("sgd", "mse", metrics=[one])
        assert np.isfinite(model.evaluate(X, Y, verbose=0)).all()


def test_a_failed_compile_changes_nothing() -> None:
    model = compiled()
    optimizer, loss = model.optimizer, model.loss
    with pytest.raises(ValueError, match="msee"):
        model.compile("sgd", "msee", metrics=["mae"])
    assert (model.optimizer, model.loss, model.metrics) == (optimizer, loss, ())
    assert model.fit(X, Y, verbose=0).epoch == [0]
