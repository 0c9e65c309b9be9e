"""Arguments in the forms that Keras takes them in: the values are those of the plain form."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

from lstmfast import initializers, regularizers, utils
from lstmfast.constraints import MaxNorm
from lstmfast.layers import LSTM, Bidirectional, Dense, Dropout, Input, Masking
from lstmfast.models import Sequential
from lstmfast.optimizers import SGD, Adam

RNG = np.random.default_rng(0)
X = RNG.random((8, 3, 2)).astype(np.float32)
Y = RNG.random((8, 1)).astype(np.float32)
W = RNG.random(8).astype(np.float32)


def net(loss: Any = "mse", head: int = 1, **options: Any) -> Sequential:
    model = Sequential([Input((3, 2)), LSTM(4), Dense(head)], seed=0)
    model.compile(SGD(0.1), loss, **options)
    return model


def trained(*arguments: Any, **options: Any) -> list[Any]:
    model = net()
    run = model.fit(*arguments, batch_size=3, epochs=2, verbose=0, **options)
    return [run.history, *model.get_weights()]


def test_lists_of_one_input() -> None:
    model = net()
    want = model.predict(X)
    unbuilt = Sequential([LSTM(4), Dense(1)])
    for x in ([X], (X,), [X.tolist()], [list(X)]):
        np.testing.assert_array_equal(model.predict(x), want)
        np.testing.assert_array_equal(model(x), want)
        np.testing.assert_array_equal(model.predict_on_batch(x), want)
        assert unbuilt.predict(x).shape == (8, 1)
        assert Sequential([LSTM(4), Dense(1)]).predict(x).shape == (8, 1)


def test_a_list_of_one_sample_is_one_sample() -> None:
    model = net()
    want = model.predict(X[:1])
    for x in ([X[0]], X[0][None].tolist(), [X[:1]]):
        np.testing.assert_array_equal(model.predict(x), want)
    assert Sequential([LSTM(4), Dense(1)]).predict([X[0]]).shape == (1, 1)
    flat = Sequential([Dense(2)])
    assert flat.predict([X[:, 0]]).shape == (8, 2)
    assert Sequential([Dense(2)]).predict(X[:1].tolist()).shape == (1, 3, 2)
    assert flat.predict(X[:1, 0].tolist()).shape == (1, 2)


def test_lists_of_one_target_and_of_weights() -> None:
    model = net()
    plain = trained(X, Y, sample_weight=W, validation_data=(X[:4], Y[:4], W[:4]))
    held_out = ([X[:4]], [Y[:4]], [W[:4]])
    for y, w in (([Y], [W]), ((Y[:, 0],), (W,)), ([Y.tolist()], [W.tolist()])):
        got = trained([X], y, sample_weight=w, validation_data=held_out)
        np.testing.assert_equal(got, plain)
        assert model.evaluate([X], y, sample_weight=w, verbose=0) == model.evaluate(
            X, Y, sample_weight=W, verbose=0
        )
        assert model.test_on_batch([X], y, w) == model.test_on_batch(X, Y, W)
    one, other = net(), net()
    assert one.train_on_batch([X], [Y], [W]) == other.train_on_batch(X, Y, W)
    np.testing.assert_equal(one.get_weights(), other.get_weights())


@pytest.mark.parametrize("y", [[[0.1, 0.2]], [np.array([0.1, 0.2])], [np.array([[0.1, 0.2]])]])
def test_one_target(y: Any) -> None:
    model = net(head=2)
    want = model.evaluate(X[:1], np.array([[0.1, 0.2]]), verbose=0)
    assert model.evaluate(X[:1], y, verbose=0) == want


def test_lists_of_one_loss_and_of_its_metrics() -> None:
    plain = net(metrics=["mae", "mse"])
    want = plain.evaluate(X, Y, verbose=0, return_dict=True)
    assert list(want) == plain.metrics_names == ["loss", "mae", "mse"]
    for loss, metrics in (
        ("mse", [["mae"], ["mse"]]),
        (["mse"], [["mae", "mse"]]),
        (("mse",), (("mae", "mse"),)),
        ("mse", [["mae", "mse"]]),
    ):
        model = net(loss, metrics=metrics, weighted_metrics=[])
        assert model.evaluate(X, Y, verbose=0, return_dict=True) == want
    assert net(metrics=[[]]).metrics == net(weighted_metrics=()).metrics == ()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"loss": ["mse", "mae"]},
            r"\[compile\] loss: got 2 items; expected one, for the model ha",
        ),
        ({"loss": []}, r"\[compile\] loss: got 0 items; expected one"),
    ],
)
def test_lists_of_several_outputs(options: dict[str, Any], text: str) -> None:
    model = net()
    with pytest.raises(ValueError, match=text):
        model.compile("adam", **({"loss": "mse"} | options))
    assert model.optimizer is not None
    assert model.optimizer.kind == "sgd"


def masked() -> Sequential:
    layers = [Masking(0.0), Bidirectional(LSTM(3, return_sequences=True)), Dropout(0.5), Dense(1)]
    return Sequential([Input((None, 2)), *layers], seed=1)


def test_calls_of_a_model() -> None:
    model = masked()
    x = X.copy()
    x[2, 1:] = 0
    want = model.predict(x)
    for given in (None, False, np.False_):
        np.testing.assert_array_equal(model(x, training=given), want)
    assert model(x[:0]).shape == model(x[:0], training=True).shape == (0, 3, 1)


def test_calls_of_a_model_in_training() -> None:
    """Dropout of half of the inputs: the mean over many calls is the output without dropout."""
    model = Sequential([Input((4,)), Dropout(0.5), Dense(1, kernel_initializer="ones")])
    utils.set_random_seed(3)
    x = np.ones((2000, 4))
    first, second = model(x, training=True), model(x, training=True)
    assert (first != second).any()
    assert set(np.unique(first)) == {0, 2, 4, 6, 8}
    assert abs(first.mean() - 4) < 5 * 2 / np.sqrt(2000)  # each call's standard deviation is 2
    np.testing.assert_array_equal(model.predict(x), np.full((2000, 1), 4))


def test_calls_of_a_model_with_a_mask() -> None:
    model = Sequential([Input((None, 2)), LSTM(3, return_sequences=True), LSTM(2)], seed=1)
    mask = np.array([[True, True, False]] * 8)
    np.testing.assert_array_equal(model(X, mask=mask), model.predict(X[:, :2]))
    with pytest.raises(TypeError, match=r"\[call\] training is of type str; expected True or Fal"):
        model(X, training="no")  # type: ignore[arg-type]


def test_no_samples() -> None:
    for model in (net(), masked()):
        assert model.predict(X[:0]).shape == model.predict_on_batch(X[:0]).shape
        assert model.predict(X[:0]).shape == (0, *model.predict(X[:1]).shape[1:])


def test_learning_rate_as_a_variable() -> None:
    model = net()
    rate = model.optimizer.learning_rate  # type: ignore[union-attr]
    assert (rate, repr(rate), json.dumps(rate), rate.numpy()) == (0.1, "0.1", "0.1", 0.1)
    rate.assign(0.25)
    assert model.optimizer.learning_rate == 0.25  # type: ignore[union-attr]
    assert rate == 0.1
    twin = net()
    twin.optimizer.learning_rate = np.float64(0.25)  # type: ignore[union-attr]
    for each in (model, twin):
        each.fit(X, Y, verbose=0)
    np.testing.assert_equal(model.get_weights(), twin.get_weights())
    with pytest.raises(
        ValueError, match=r"\[SGD\] learning_rate is -1; expected a number of at least 0"
    ):
        rate.assign(-1)
    for same in (copy.deepcopy(rate), pickle.loads(pickle.dumps(rate)), SGD(rate).learning_rate):
        assert same == 0.1
    assert type(Adam(0.5).get_config()["learning_rate"]) is float


def test_classes_by_whole_numbers_of_any_type() -> None:
    y = np.array([0, 1, 1, 0, 2, 1, 0, 2.0])
    want = trained(X, y, class_weight={0: 0.5, 1: 2, 2: 1.5})
    got = trained(
        X, y, class_weight=dict(zip(np.unique(y), np.float32([0.5, 2, 1.5]), strict=True))
    )
    np.testing.assert_equal(got, want)
    keys = (np.int64(0), np.uint8(1), 2.0)
    got = trained(X, y, class_weight=dict(zip(keys, (0.5, 2, 1.5), strict=True)))
    np.testing.assert_equal(got, want)


def test_numpy_s_scalars_as_arguments() -> None:
    i, f, yes, no = np.int32, np.float32, np.True_, np.False_
    model = Sequential(
        [
            Input((i(3), i(2)), batch_size=None),
            LSTM(i(4), use_bias=yes, dropout=f(0), return_sequences=no, unit_forget_bias=yes),
            Dropout(f(0)),
            Dense(i(1), use_bias=yes),
        ],
        trainable=yes,
        seed=np.int64(0),
    )
    model.compile(SGD(f(0.5), momentum=f(0.0), nesterov=no), "mse")
    plain = Sequential([Input((3, 2)), LSTM(4), Dropout(0.0), Dense(1)], seed=0)
    plain.compile(SGD(0.5), "mse")
    kinds = {"batch_size": i(3), "epochs": i(2), "verbose": i(0), "shuffle": yes}
    more = {"validation_split": f(0.25), "initial_epoch": i(0), "validation_freq": i(1)}
    run = model.fit(X, Y, **kinds, **more)
    want = plain.fit(X, Y, 3, 2, verbose=0, validation_split=0.25)
    assert run.history == want.history
    assert model.predict(X, batch_size=np.uint8(3)).shape == (8, 1)
    assert model.evaluate(X, Y, i(3), i(0), return_dict=yes).keys() == {"loss"}


def test_numpy_s_scalars_in_configurations() -> None:
    """JSON knows none of them."""
    i, f, yes = np.int64, np.float32, np.True_
    things: list[Any] = [
        LSTM(
            i(4), dropout=f(0.5), proj_size=i(2), zoneout_h=f(0.5), recompute_every=i(3), seed=i(1)
        ),
        LSTM(i(4), coupled=yes, forget_bias=("chrono", i(5)), name=np.str_("first")),
        Dense(i(3), use_bias=yes, kernel_initializer=initializers.RandomNormal(f(0), f(1), i(3))),
        Dense(
            i(3), kernel_regularizer=regularizers.L2(f(0.5)), kernel_constraint=MaxNorm(f(2), i(0))
        ),
        Dropout(f(0.5), seed=i(2)),
        Masking(f(1)),
        SGD(f(0.5), f(0.5), yes, clipnorm=f(1)),
        Adam(f(0.5), clipvalue=f(2), name=np.str_("second")),
        Sequential([Input((i(3), i(1)), batch_size=i(3)), LSTM(i(2))], name=np.str_("third")),
    ]
    for thing in things:
        config = json.loads(json.dumps(thing.get_config()))
        again = type(thing).from_config(config).get_config()
        assert json.loads(json.dumps(again)) == config


def test_input_dim() -> None:
    assert Sequential([Dense(1, input_dim=2)]).input_shape == (None, 2)
    assert Sequential([LSTM(1, input_dim=np.int64(2))]).input_shape == (None, None, 2)


def test_batch_size_of_the_first_layer() -> None:
    """As older Keras has it: next to the shape of a sample, for stateful layers."""
    for first in (
        LSTM(2, input_shape=(3, 1), batch_size=4, stateful=True),
        LSTM(2, input_dim=1, batch_size=4, stateful=True),
        LSTM(2, batch_input_shape=(4, 3, 1), stateful=True),
    ):
        model = Sequential([first, Dense(1)])
        assert model.inputs[0].shape[0] == 4
        with pytest.raises(ValueError, match="batch"):
            model.predict(np.zeros((3, 3, 1)))
    for wrong in ({}, {"batch_input_shape": (4, 3, 1)}):
        with pytest.raises(ValueError, match="batch_size is given; expected input_shape with it"):
            LSTM(2, batch_size=4, **wrong)  # type: ignore[arg-type]


def test_optimizers_from_their_configurations() -> None:
    for made in (SGD(0.5, momentum=0.25, clipnorm=1.0), Adam(name="mine", epsilon=1e-3)):
        again = type(made).from_config(made.get_config())
        assert again.get_config() == made.get_config()
