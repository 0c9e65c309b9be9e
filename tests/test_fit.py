"""Training with `Sequential`: fit, evaluate, single batches, interrupts."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from lstmfast import losses, metrics, optimizers
from lstmfast.callbacks import History, LambdaCallback
from lstmfast.layers import LSTM, Dense, Dropout, Input
from lstmfast.models import Sequential


def model_and_data(
    samples: int = 15, dropout: float = 0.0, metrics: object = None, optimizer: object = "adam"
) -> tuple[Sequential, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x, y = rng.random((samples, 3, 1)), rng.random((samples, 2))
    model = Sequential([Input((3, 1)), LSTM(5), Dropout(dropout), Dense(2)], seed=0)
    model.compile(optimizer=optimizer, loss="mse", metrics=metrics)
    return model, x, y


def test_history_has_keras_s_form() -> None:
    model, x, y = model_and_data(metrics=["mae"])
    run = model.fit(x, y, epochs=3, batch_size=4, validation_split=0.2, verbose=0)
    assert isinstance(run, History)
    assert model.history is run
    assert run.epoch == [0, 1, 2]
    assert run.params == {"verbose": 0, "epochs": 3, "steps": 3}
    assert list(run.history) == ["loss", "mae", "val_loss", "val_mae"]
    assert all(len(v) == 3 and isinstance(v[0], float) for v in run.history.values())


def test_listening_changes_nothing() -> None:
    runs = []
    for callbacks in ([], [LambdaCallback(on_epoch_end=lambda epoch, logs: None)]):
        model, x, y = model_and_data(metrics=["mae"], dropout=0.2)
        run = model.fit(x, y, epochs=4, validation_split=0.2, verbose=0, callbacks=callbacks)
        runs.append((run.history, run.epoch))
    assert runs[0] == runs[1]


def test_validation_split_takes_the_last_part() -> None:
    split, x, y = model_and_data()
    given, _, _ = model_and_data()
    a = split.fit(x, y, epochs=2, validation_split=0.2, shuffle=False, verbose=0)
    b = given.fit(
        x[:12], y[:12], epochs=2, validation_data=(x[12:], y[12:]), shuffle=False, verbose=0
    )
    assert a.history == b.history
    value = given.evaluate(x[12:], y[12:], verbose=0)
    assert value == pytest.approx(b.history["val_loss"][-1], rel=1e-6)


def test_validation_freq() -> None:
    model, x, y = model_and_data(metrics=["mae"])
    run = model.fit(x, y, epochs=5, validation_split=0.2, validation_freq=2, verbose=0)
    assert [len(run.history[key]) for key in ("loss", "val_loss", "val_mae")] == [5, 2, 2]
    run = model.fit(x, y, epochs=5, validation_split=0.2, validation_freq=[1, 5], verbose=0)
    assert len(run.history["val_loss"]) == 2
    every, x, y = model_and_data(metrics=["mae"])
    seen: list[str] = []
    listener = LambdaCallback(on_test_end=lambda logs: seen.extend(logs))
    by_hand = every.fit(x, y, epochs=3, validation_split=0.2, verbose=0, callbacks=listener)
    every, x, y = model_and_data(metrics=["mae"])
    by_core = every.fit(x, y, epochs=3, validation_split=0.2, verbose=0)
    assert by_hand.history == by_core.history
    assert seen == ["loss", "mae"] * 3


def test_initial_epoch_resumes() -> None:
    whole, x, y = model_and_data()
    parts, _, _ = model_and_data()
    a = whole.fit(x, y, epochs=5, verbose=0)
    b = parts.fit(x, y, epochs=2, verbose=0)
    c = parts.fit(x, y, epochs=5, initial_epoch=2, verbose=0)
    assert c.epoch == [2, 3, 4]
    assert a.history["loss"] == b.history["loss"] + c.history["loss"]
    assert parts.fit(x, y, epochs=2, initial_epoch=2, verbose=0).history.get("loss", []) == []


def test_shuffle_depends_on_the_seed_alone() -> None:
    runs = []
    for shuffle in (True, True, False):
        model, x, y = model_and_data()
        runs.append(model.fit(x, y, epochs=2, batch_size=2, shuffle=shuffle, verbose=0).history)
    assert runs[0] == runs[1] != runs[2]


def test_targets_of_one_output_may_lack_the_axis() -> None:
    runs = []
    for shape in [(15,), (15, 1)]:
        x = np.random.default_rng(0).random((15, 3, 1))
        model = Sequential([LSTM(4), Dense(1)], seed=0)
        model.compile("sgd", "mse", metrics=["mse", "mae"])
        runs.append(model.fit(x, x[:, 0].reshape(shape), epochs=2, verbose=0).history)
    assert runs[0] == runs[1]


def test_classifiers() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4, 2))
    labels = (x.sum((1, 2)) > 0).astype(int)
    runs = {}
    for loss, units, activation, y in [
        ("sparse_categorical_crossentropy", 2, "softmax", labels),
        ("categorical_crossentropy", 2, "softmax", np.eye(2)[labels]),
        ("binary_crossentropy", 1, "sigmoid", labels),
    ]:
        model = Sequential([LSTM(8), Dense(units, activation=activation)], seed=0)
        model.compile(optimizers.Adam(0.02), loss, metrics=["accuracy"])
        runs[loss] = model.fit(x, y, epochs=30, verbose=0).history
        assert runs[loss]["accuracy"][-1] > 0.9
        assert list(runs[loss]) == ["accuracy", "loss"]
        named = losses.get(loss)
        assert losses.get(type(named).__name__) == named == losses.get(type(named))
    one_hot = runs["categorical_crossentropy"]["loss"]
    np.testing.assert_allclose(runs["sparse_categorical_crossentropy"]["loss"], one_hot, rtol=1e-6)


def test_from_logits_is_the_same_training() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 4, 2)), rng.integers(0, 3, 20)
    runs = []
    for activation, from_logits in [("softmax", False), (None, True)]:
        model = Sequential([LSTM(4), Dense(3, activation=activation)], seed=0)
        model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=from_logits))
        runs.append(model.fit(x, y, epochs=3, verbose=0).history["loss"])
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-6)


def test_metric_names_are_the_users() -> None:
    given = ["MSE", metrics.MeanAbsoluteError(), metrics.MeanAbsoluteError(name="off by"), "rmse"]
    model, x, y = model_and_data(metrics=given)
    run = model.fit(x, y, epochs=2, validation_split=0.2, verbose=0)
    names = ["MSE", "loss", "mean_absolute_error", "off by", "rmse"]  # sorted, as in Keras
    assert list(run.history) == [*names, *(f"val_{n}" for n in names)]
    assert run.history["off by"] == run.history["mean_absolute_error"]
    values = model.evaluate(x, y, verbose=0, return_dict=True)
    assert values["rmse"] == pytest.approx(values["MSE"] ** 0.5, rel=1e-6)
    assert list(values) == names


def test_evaluate_and_single_batches() -> None:
    model, x, y = model_and_data()
    loss = model.evaluate(x, y, verbose=0)
    assert isinstance(loss, float)
    assert loss == pytest.approx(float(np.mean((model.predict(x) - y) ** 2)), rel=1e-5)
    assert model.test_on_batch(x, y) == pytest.approx(loss, rel=1e-6)
    assert model.train_on_batch(x, y) == pytest.approx(loss, rel=1e-6)
    assert model.evaluate(x, y, verbose=0) < loss
    assert model.optimizer is not None
    assert model.optimizer.iterations == 1
    model.compile("sgd", "mse", metrics=["mae"])
    values = model.evaluate(x, y, verbose=0)
    assert isinstance(values, list)
    assert len(values) == 2
    assert model.train_on_batch(x, y, return_dict=True).keys() == {"loss", "mae"}


def test_learning_rate_can_change() -> None:
    optimizer = optimizers.SGD(0.5)
    model, x, y = model_and_data(optimizer=optimizer)
    assert model.optimizer is optimizer
    before = model.get_weights()
    optimizer.learning_rate = 0.0
    model.fit(x, y, verbose=0)
    np.testing.assert_equal(model.get_weights(), before)
    assert optimizer.learning_rate == 0.0
    assert optimizer.iterations == 1
    with pytest.raises(ValueError, match="learning_rate is nan"):
        optimizer.learning_rate = float("nan")


@pytest.mark.parametrize("limit", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_clipping_limits_the_step(limit: str) -> None:
    optimizer = optimizers.SGD(1.0, **{limit: 1e-3})
    model, x, y = model_and_data(optimizer=optimizer)
    before = model.get_weights()
    model.train_on_batch(x, 100 * y)
    steps = [after - b for after, b in zip(model.get_weights(), before, strict=True)]
    norms = [float(np.linalg.norm(step)) for step in steps]
    largest = {
        "clipvalue": max(abs(step).max() for step in steps),
        "clipnorm": max(norms),
        "global_clipnorm": float(np.linalg.norm(norms)),
    }[limit]
    assert largest == pytest.approx(1e-3, rel=1e-3)


def test_a_loss_that_is_not_finite() -> None:
    model, x, y = model_and_data()
    before = model.get_weights()
    x[7] = np.nan
    with pytest.raises(FloatingPointError, match=r"not finite in epoch 1 of 3, batch \d of 4"):
        model.fit(x, y, epochs=3, batch_size=4, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert any((w != b).any() for w, b in zip(model.get_weights(), before, strict=True))
    run = model.fit(x, y, epochs=3, verbose=0, on_nonfinite="stop")
    assert len(run.epoch) == 1
    assert model.stop_training
    run = model.fit(x, y, epochs=3, verbose=0, on_nonfinite="ignore")
    assert len(run.epoch) == 3
    assert np.isnan(model.get_weights()[0]).any()


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_error_names_what_is_not_finite(shuffle: bool) -> None:
    """The first such value of the batch, by its place in what the user passed."""
    x = np.random.default_rng(0).random((12, 3, 2))
    y, weights = x[:, :, :1].copy(), np.ones((12, 3))
    model = Sequential([LSTM(4, return_sequences=True), Dense(1)], seed=0)
    model.compile("adam", "mse")

    def message(x: object, y: object, weights: object) -> str:
        with pytest.raises(FloatingPointError, match="the weights are those before that") as caught:
            model.fit(x, y, batch_size=2, sample_weight=weights, shuffle=shuffle, verbose=0)
        return str(caught.value).partition("that batch")[2]

    bad = x.copy()
    bad[7, 2, 1] = np.nan
    assert message(bad, y, None) == "; x[7, 2, 1] is nan (row 7, step 2)"
    wrong = y.copy()
    wrong[4, 1] = -np.inf
    wrong[5, 0] = np.inf
    bad[4:6, 1] = np.inf  # the batch of 4 and 5, if samples keep their order
    found = message(bad, wrong, weights)
    if shuffle:
        row = found.partition("x[")[2].partition(",")[0]
        assert row in ("4", "5", "7")
        assert f"(row {row}, step " in found
    else:
        expected = "; x[4, 1, 0] is inf (row 4, step 1); y[4, 1, 0] is -inf (row 4, step 1)"
        assert found == expected
    weights[4:6] = 0.0  # targets of weight 0 may be anything
    assert "y[" not in message(bad, wrong, weights)


def test_the_error_names_what_is_not_finite_in_a_batch_of_its_own() -> None:
    x, y = np.ones((5, 2)), np.ones(5)
    model = Sequential([Dense(1)], seed=0)
    model.compile("adam", "mse")
    y[3] = np.inf
    with pytest.raises(FloatingPointError, match=r"that batch; y\[3\] is inf \(row 3\)$"):
        model.train_on_batch(x, y)
    y[3], x[2, 1] = 1.0, np.nan
    with pytest.raises(FloatingPointError, match=r"that batch; x\[2, 1\] is nan \(row 2\)$"):
        model.fit(x, y, validation_split=0.2, verbose=0)


INTERRUPTED = """
    import _thread, signal, threading
    import numpy as np
    from lstmfast.layers import LSTM, Dense
    from lstmfast.models import Sequential

    x = np.random.default_rng(0).random((512, 20, 1))
    model = Sequential([LSTM(16), Dense(1)], seed=0)
    model.compile("adam", "mse")
    # whoever starts the tests may ignore it, and children inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.5, _thread.interrupt_main).start()
    try:
        model.fit(x, x[:, 0], epochs=10**9, verbose=0)
    except KeyboardInterrupt:
        pass
    else:
        raise SystemExit("not interrupted")
    epochs = len(model.history.epoch)
    assert epochs > 1, epochs
    assert len(model.history.history["loss"]) == epochs
    assert all(np.isfinite(w).all() for w in model.get_weights())
    model.fit(x, x[:, 0], epochs=1, verbose=0)
"""


def test_ctrl_c_keeps_history_and_weights() -> None:
    subprocess.run([sys.executable, "-c", textwrap.dedent(INTERRUPTED)], check=True, timeout=60)
