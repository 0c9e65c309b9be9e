"""Several inputs and outputs: the forms of data, losses, metrics and weights; their names in logs.

Expected values are computed in NumPy, of models that are linear.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast.callbacks import EarlyStopping, LambdaCallback
from lstmfast.layers import (
    LSTM,
    Bidirectional,
    Concatenate,
    Dense,
    Embedding,
    Flatten,
    Input,
    Masking,
)
from lstmfast.metrics import MeanMetricWrapper, Metric
from lstmfast.models import Model, Sequential, load_model
from two_outputs import RNG, WEIGHTS, A, B, Cubed, N, P, Q, net


def outputs(model: Model) -> list[np.ndarray]:
    kernel, bias, kernel_q, bias_q = model.get_weights()
    both = np.concatenate([A, B], axis=1)
    return [both @ kernel + bias, both @ kernel_q + bias_q]


def mse(y: np.ndarray, target: np.ndarray, weights: Any = 1.0) -> float:
    return float((np.mean((y - target) ** 2, axis=-1) * weights).mean())


def mae(y: np.ndarray, target: np.ndarray, weights: Any = 1.0) -> float:
    return float((np.mean(abs(y - target), axis=-1) * weights).mean())


def by_name(values: list[Any]) -> dict[str, Any]:
    return {"q": values[1], "p": values[0]}


FORMS: dict[str, Callable[[list[Any]], Any]] = {"list": list, "tuple": tuple, "dict": by_name}


# -- forms ----------------------------------------------------------------------------------


def test_forms_of_inputs() -> None:
    model = net()
    expected = outputs(model)
    forms: list[Any] = [
        [A, B], (A, B), {"b": B, "a": A}, [A.tolist(), B.astype(np.float32).astype(float)],
        {"a": A, "b": B, "unused": Q},
    ]  # fmt: skip
    for x in forms[:3] + forms[4:]:
        for found in (model.predict(x), model.predict(x, batch_size=4), model(x)):
            assert isinstance(found, list)
            for y, one in zip(found, expected, strict=True):
                np.testing.assert_allclose(y, one, rtol=1e-12)
    assert [y.shape for y in model.predict(forms[3])] == [(N, 2), (N, 1)]
    assert [y.shape for y in model.predict([A[:0], B[:0]])] == [(0, 2), (0, 1)]


def test_one_input_by_its_name() -> None:
    x = Input((3,), name="x")
    model = Model(x, Dense(1, name="y")(x))
    model.compile({"class_name": "SGD", "config": {}}, {"y": "mse"}, metrics={"y": ["mae"]})
    plain = model.predict(A)
    np.testing.assert_array_equal(model.predict({"x": A}), plain)
    np.testing.assert_array_equal(model.predict([A]), plain)
    logs = model.evaluate({"x": A}, {"y": Q}, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "mae"]
    assert logs == model.evaluate([A], [Q], verbose=0, return_dict=True)
    row = Sequential([Input((3,), name="x"), Dense(1)])
    assert row.predict({"x": A}).shape == (N, 1)


@pytest.mark.parametrize("form", FORMS)
def test_losses_metrics_and_weights(form: str) -> None:
    """Of outputs and of rows; the loss is the weighted sum of those of the outputs."""
    given = FORMS[form]
    model = net()
    losses: Any = given(["mse", "mae"])
    model.compile("sgd", losses, given([0.7, 2.0]), given([["mae"], ["mse", "mae"]]))
    p, q = outputs(model)
    for weights in (None, WEIGHTS):
        first, second = weights or (1.0, 1.0)
        loss_p, loss_q = mse(p, P, first), mae(q, Q, second)
        logs = model.evaluate(
            [A, B], given([P, Q]), verbose=0, return_dict=True,
            sample_weight=None if weights is None else given(weights),
        )  # fmt: skip
        assert list(logs) == ["loss", "p_loss", "p_mae", "q_loss", "q_mae", "q_mse"]
        assert logs == pytest.approx({
            "loss": 0.7 * loss_p + 2 * loss_q, "p_loss": loss_p, "q_loss": loss_q,
            "p_mae": mae(p, P), "q_mae": mae(q, Q), "q_mse": mse(q, Q),
        })  # fmt: skip
    listed = model.evaluate([A, B], [P, Q], verbose=0)
    names = ["loss", "p_loss", "q_loss", "p_mae", "q_mae", "q_mse"]
    logs = model.evaluate([A, B], [P, Q], verbose=0, return_dict=True)
    assert listed == [logs[name] for name in names]
    assert model.test_on_batch([A, B], [P, Q]) == pytest.approx(listed)
    assert [loss.kind for loss in model.loss] == ["mean_squared_error", "mean_absolute_error"]


def test_a_step() -> None:
    """SGD's, with the gradients of both outputs in what both stand on."""
    a, b = Input((3,), name="a", dtype="float64"), Input((2,), name="b", dtype="float64")
    h = Dense(2, use_bias=False, name="h")(Concatenate()([a, b]))
    q = Dense(1, use_bias=False, name="q")(h)
    model = Model([a, b], [h, q])
    rng = np.random.default_rng(2)
    w, v = rng.standard_normal((5, 2)), rng.standard_normal((2, 1))
    model.set_weights([w, v])
    model.compile("sgd", "mse", loss_weights=[0.5, 3.0])
    logs = model.train_on_batch([A, B], [P, Q], sample_weight=WEIGHTS, return_dict=True)
    x = np.concatenate([A, B], axis=1)
    dh = 0.5 * (x @ w - P) * WEIGHTS[0][:, None] / N
    dq = 3.0 * 2 * (x @ w @ v - Q) * WEIGHTS[1][:, None] / N
    found = model.get_weights()
    np.testing.assert_allclose(found[0], w - 0.01 * x.T @ (dh + dq @ v.T), rtol=1e-10)
    np.testing.assert_allclose(found[1], v - 0.01 * (x @ w).T @ dq, rtol=1e-10)
    assert logs["h_loss"] == pytest.approx(mse(x @ w, P, WEIGHTS[0]))


def test_one_loss_and_one_weight_for_all() -> None:
    model = net()
    model.compile("sgd", "mse", loss_weights=0.5)
    p, q = outputs(model)
    weights = WEIGHTS[0]
    loss = model.evaluate([A, B], [P, Q], sample_weight=weights, verbose=0)
    parts = mse(p, P, weights), mse(q, Q, weights)
    assert loss == pytest.approx([0.5 * sum(parts), *parts])


def two_masked() -> list[Any]:
    x = Input((4, 3), dtype="float64")
    both = Bidirectional(LSTM(2, return_sequences=True), merge_mode=None)(Masking()(x))
    return [x, *both]


@pytest.mark.parametrize("nested", [False, True])
def test_masks_of_all_outputs(nested: bool) -> None:
    x, *both = two_masked()
    if nested:
        inner, x = Model(x, both), Input((4, 3), dtype="float64")
        both = inner(x)
    model = Model(x, both)
    model.compile("sgd", "mse")
    data = RNG.standard_normal((N, 4, 3))
    data[:, 1:3] = 0
    real = [0, 3]
    predicted = model.predict(data)
    losses = [mse(y[:, real], np.zeros_like(y[:, real])) for y in predicted]
    scores = model.evaluate(data, [np.zeros_like(y) for y in predicted], verbose=0)
    np.testing.assert_allclose(scores[0], sum(losses), rtol=1e-12)


def test_outputs_without_a_loss() -> None:
    """The loss of an output is named where another one has a loss, too."""
    model = net()
    p, _ = outputs(model)
    for losses in (["mse", None], {"p": "mse"}):
        model.compile("sgd", losses)
        for y in ([P, None], [P, Q], {"p": P}):
            assert model.evaluate([A, B], y, verbose=0) == pytest.approx(mse(p, P))


def test_metrics_of_an_output_without_a_loss() -> None:
    model = net()
    p, q = outputs(model)
    model.compile("sgd", ["mse", None], metrics={"q": "mae"})
    logs = model.evaluate([A, B], {"p": P, "q": Q}, verbose=0, return_dict=True)
    assert logs == pytest.approx({"loss": mse(p, P), "q_mae": mae(q, Q)})
    before = model.get_weights()
    model.train_on_batch([A, B], [P, Q])
    after = model.get_weights()
    moved = [bool((w != v).any()) for w, v in zip(before, after, strict=True)]
    assert moved == [True, True, False, False]


# -- fit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_history(form: str) -> None:
    """Keys, and validation by a share and by data of its own."""
    given = FORMS[form]
    names = ["loss", "p_loss", "p_mae", "q_loss"]
    histories = []
    for how in (
        {"validation_split": 0.5},
        {"validation_data": ({"a": A[3:], "b": B[3:]}, given([P[3:], Q[3:]]))},
        {"validation_data": ([A[3:], B[3:]], given([P[3:], Q[3:]]), given([np.ones(3)] * 2))},
    ):
        model = net()
        model.compile("sgd", "mse", metrics={"p": ["mae"]})
        x, y = ((A, B), (P, Q)) if "validation_split" in how else ((A[:3], B[:3]), (P[:3], Q[:3]))
        run = model.fit(x, given(list(y)), epochs=2, shuffle=False, verbose=0, batch_size=2, **how)
        assert sorted(run.history) == sorted(names + [f"val_{name}" for name in names])
        p, q = outputs(model)
        assert run.history["val_loss"][-1] == pytest.approx(mse(p[3:], P[3:]) + mse(q[3:], Q[3:]))
        assert run.history["val_p_mae"][-1] == pytest.approx(mae(p[3:], P[3:]))
        histories.append(run.history)
    for other in histories[1:]:
        for name, values in histories[0].items():
            assert other[name] == pytest.approx(values)


def test_split_weights_go_along() -> None:
    model = net()
    model.compile("sgd", "mse")
    run = model.fit([A, B], [P, Q], sample_weight=WEIGHTS, validation_split=0.5, verbose=0)
    p, q = outputs(model)
    expected = mse(p[3:], P[3:], WEIGHTS[0][3:]) + mse(q[3:], Q[3:], WEIGHTS[1][3:])
    assert run.history["val_loss"] == [pytest.approx(expected)]


def test_callbacks_see_the_same_names() -> None:
    model = net()
    model.compile("sgd", "mse", metrics={"q": ["accuracy"]})
    seen: dict[str, Any] = {}
    listener = LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.update(epoch=logs),
        on_train_batch_end=lambda batch, logs: seen.update(batch=logs),
    )
    stop = EarlyStopping("val_q_accuracy", patience=0)
    run = model.fit(
        [A, B], [P, np.ones((N, 1))], validation_split=0.5, epochs=9, verbose=0,
        callbacks=[listener, stop],
    )  # fmt: skip
    names = ["loss", "p_loss", "q_accuracy", "q_loss"]
    assert list(seen["batch"]) == names
    assert list(seen["epoch"]) == names + [f"val_{name}" for name in names]
    assert stop.direction() == "max"
    assert len(run.epoch) <= 9
    assert EarlyStopping("p_loss").monitor in model.log_directions()


class Count(Metric):
    """A metric of one's own: how many rows came."""

    def reset_state(self) -> None:
        self.rows = 0

    def update_state(self, y_true: Any, y_pred: Any) -> None:
        self.rows += len(y_true)

    def result(self) -> float:
        return float(self.rows)


def test_own_losses_and_metrics(tmp_path: Path) -> None:
    """Each output has its own, also after a file."""

    def bias(y_true: Any, y_pred: Any) -> Any:
        return y_pred - y_true

    model = net()
    metrics = {"p": [bias], "q": ["mae", Count(), MeanMetricWrapper(bias, "other")]}
    model.compile("sgd", {"p": "mse", "q": Cubed()}, metrics=metrics)
    model.save(tmp_path / "model.safetensors")
    again = load_model(
        tmp_path / "model.safetensors", {"Cubed": Cubed, "Count": Count, "bias": bias}
    )
    p, q = outputs(model)
    for one in (model, again):
        logs = one.evaluate([A, B], [P, Q], verbose=0, return_dict=True)
        assert logs == pytest.approx({
            "loss": mse(p, P) + np.mean(abs(q - Q) ** 3), "p_loss": mse(p, P),
            "q_loss": np.mean(abs(q - Q) ** 3), "p_bias": np.mean(p - P), "q_mae": mae(q, Q),
            "q_count": N, "q_other": np.mean(q - Q),
        })  # fmt: skip
        one.fit([A, B], [P, Q], verbose=0)
    np.testing.assert_array_equal(model.get_weights()[2], again.get_weights()[2])
    with pytest.raises(
        ValueError, match=r"pass custom_objects=\{'Cubed': ..., 'bias': ..., 'Count'"
    ):
        load_model(tmp_path / "model.safetensors")


def test_one_layer_as_several_outputs() -> None:
    """Their names are the same: Keras numbers metrics, and the last loss has the name."""
    x = Input((4, 3))
    model = Model(x, LSTM(2, return_state=True, name="l")(x))
    model.compile("sgd", "mse", metrics=[["mae"], ["mae"], []])
    zeros = np.zeros((N, 2))
    run = model.fit(np.ones((N, 4, 3)), [zeros] * 3, verbose=0)
    assert list(run.history) == ["l_loss", "l_mae", "l_mae_1", "loss"]


def test_outputs_in_a_dictionary() -> None:
    a = Input((3,), dtype="float64")
    model = Model({"first": a}, {"u": Dense(1)(a), "v": Dense(2)(a)})
    model.compile("sgd", {"u": "mse", "v": "mae"}, metrics={"v": ["mae"]})
    found = model.predict({"first": A})
    assert list(found) == ["u", "v"]
    run = model.fit({"first": A}, {"v": P, "u": Q}, verbose=0)
    assert list(run.history) == ["loss", "u_loss", "v_loss", "v_mae"]
    assert run.history["loss"][0] == pytest.approx(mse(found["u"], Q) + mae(found["v"], P))


# -- ids ------------------------------------------------------------------------------------


def words() -> Model:
    ids = Input((2,), name="ids", dtype="int32")
    return Model(ids, Flatten()(Embedding(5, 2)(ids)))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64, np.float32, np.float64])
def test_ids_of_any_type(dtype: Any) -> None:
    model = words()
    ids = np.array([[0, 4], [3, 3], [1, 2]])
    table = model.layers[1].get_weights()[0]
    for given in (ids.astype(dtype), ids.astype(dtype).tolist()):
        np.testing.assert_array_equal(model.predict(given), table[ids].reshape(3, 4))
    model.compile("sgd", "mse")
    model.fit(ids.astype(dtype), np.zeros((3, 4)), verbose=0)


@pytest.mark.parametrize(
    ("value", "shown"), [(1.5, "1.5"), (-1, "-1"), (5, "5"), (np.nan, "nan"), (2.0**40, "10995")]
)
def test_what_is_no_id(value: float, shown: str) -> None:
    ids = np.ones((4, 2))
    ids[3, 1] = value
    model = words()
    model.compile("sgd", "mse")
    text = rf"x\[3, 1\] is {shown}.*; expected whole numbers from 0 to 4"
    with pytest.raises(ValueError, match=rf"\[predict\] {text}"):
        model.predict(ids)
    with pytest.raises(ValueError, match=rf"\[fit\] {text}"):
        model.fit(ids, np.zeros((4, 4)))


def test_ids_first_in_a_row() -> None:
    ids = np.array([[0, 4, 1], [3, 3, 2]])
    for row in (
        Sequential([Embedding(5, 2), LSTM(3)]),
        Sequential([Embedding(5, 2, input_length=3), LSTM(3)]),
        Sequential([Embedding(5, 2, batch_input_shape=(2, None)), LSTM(3)]),
        Sequential([Input((None,), dtype="int32"), Embedding(5, 2), LSTM(3)]),
    ):
        assert row.predict(ids).shape == (2, 3)
        np.testing.assert_array_equal(row.predict(ids), row.predict(ids.astype(float)))
        row.compile("adam", "mse")
        row.fit(ids, np.zeros((2, 3)), verbose=0)
