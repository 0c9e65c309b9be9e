"""Against live Keras 3: classification metrics, their names in logs, and what weighs them."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest

from lstmfast import layers, metrics, models
from lstmfast.metrics.in_core import forget_names
from test_metrics import CASES, batch

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

RTOL = 1e-5  # some hundred terms in float32, and 1e-7 in the divisors of F scores


@pytest.mark.parametrize("weighted", [False, True])
# torch refuses to look for more than there are
@pytest.mark.parametrize("name", [n for n in CASES if n != "top 5 of 4" and "9, 'class" not in n])
def test_values(name: str, weighted: bool) -> None:
    kind, make, _ = CASES[name]
    ours = make()
    config = ours.get_config()
    config = {k: list(v) if isinstance(v, tuple) else v for k, v in config.items()}
    theirs = getattr(keras.metrics, type(ours).__name__)(**config)
    rng = np.random.default_rng(5)
    for rows in (9, 20):
        y, p = batch(kind, rows, rng, np.float32)
        if "top_k" in name:  # torch takes any of equal ones
            p = rng.permuted(np.linspace(0.01, 0.99, p.size, dtype=np.float32)).reshape(p.shape)
        weights = rng.integers(0, 4, rows).astype(np.float32) if weighted else None
        ours.update_state(y, p, weights)
        theirs.update_state(y, p, weights)
        np.testing.assert_allclose(ours.result(), np.asarray(theirs.result()), rtol=RTOL, atol=1e-6)


def close(ours: Any, theirs: Any, name: str = "") -> None:
    np.testing.assert_allclose(ours, theirs, rtol=2 * RTOL, atol=1e-6, err_msg=name)


def pair(of: Any, outputs: int = 1) -> tuple[Any, Any]:
    """Return a model in both libraries, with Keras's weights; of: (layers) -> last layers."""
    made = []
    for library, make in ((keras.layers, keras.Model), (layers, models.Model)):
        x = library.Input((4,), name="x")
        found = [each(x) for each in of(library)]
        made.append(make(x, found if outputs > 1 else found[0]))
    theirs, ours = made
    ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
    return ours, theirs


X = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 3, 12)
WEIGHTS = np.random.default_rng(2).integers(0, 4, 12).astype(np.float32)

ONE: dict[str, Any] = {
    "strings": {"metrics": ["acc", "AUC", "recall", "f1_score", "CategoricalAccuracy"]},
    "classes": {"metrics": lambda m: [m.Precision(), m.Precision(0.3), m.AUC, m.Recall(name="r")]},
    "several values": {"metrics": lambda m: [m.F1Score(), m.Precision([0.2, 0.4]), m.Accuracy()]},
    "nested": {"metrics": lambda m: [["acc"], [[m.Recall()], "mse"]]},
    "by name": {"metrics": {"p": ["acc", "mae"]}},
    "weighted": {"weighted_metrics": ["acc"], "metrics": []},
    "both": {"metrics": ["acc", "mse"], "weighted_metrics": ["mse", "auc", "mse", "mse"]},
    "twice": {"metrics": ["mse", "mse", "mse"]},
}


@pytest.mark.parametrize("form", ONE)
def test_names_and_values_in_logs(form: str) -> None:
    keras.backend.clear_session()
    forget_names()
    ours, theirs = pair(lambda of: [of.Dense(3, activation="softmax", name="p")])
    for model, of in ((ours, metrics), (theirs, keras.metrics)):
        given = {k: v(of) if callable(v) else v for k, v in ONE[form].items()}
        model.compile("sgd", "categorical_crossentropy", **given)
    y = np.eye(3, dtype=np.float32)[LABELS]
    how: dict[str, Any] = {"verbose": 0, "batch_size": 5, "shuffle": False, "epochs": 2}
    weights = {"sample_weight": WEIGHTS}
    for more in ({}, weights, {"class_weight": {0: 2.0, 2: 0.5}}):
        held = {"validation_data": (X[:7], y[:7], WEIGHTS[:7])}
        first = ours.fit(X, y, **how, **more, **held).history
        second = theirs.fit(X, y, **how, **more, **held).history
        assert list(first) == list(second)
        for name, values in second.items():
            close(first[name], np.array(values), name)
    dicts, lists = (
        [model.evaluate(X, y, verbose=0, return_dict=form, **weights) for model in (ours, theirs)]
        for form in (True, False)
    )
    assert list(dicts[0]) == list(dicts[1])
    listed, expected = lists
    assert len(listed) == len(ours.metrics_names)
    if len(expected) == len(listed):  # Keras repeats a value where names are the same
        for one, two in zip(listed, expected, strict=True):
            close(one, np.asarray(two))
    for model in (ours, theirs):
        model.train_on_batch(X, y, class_weight={1: 3.0})
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(w, np.asarray(v), rtol=1e-4, atol=1e-6)


SEVERAL: dict[str, Any] = {
    "lists": {"metrics": [["acc", "auc"], None], "weighted_metrics": [["acc"], ["mse", "mae"]]},
    "names": {"metrics": {"q": "mae"}, "weighted_metrics": {"q": ["mae", "mae"], "p": "acc"}},
    "one each": {"weighted_metrics": ["acc", "mse"]},
}


@pytest.mark.parametrize("form", SEVERAL)
def test_several_outputs(form: str) -> None:
    ours, theirs = pair(
        lambda of: [of.Dense(3, activation="softmax", name="p"), of.Dense(1, name="q")], 2
    )
    y = [np.eye(3, dtype=np.float32)[LABELS], X[:, :1]]
    logs = []
    for model in (ours, theirs):
        model.compile("sgd", ["categorical_crossentropy", "mse"], **SEVERAL[form])
        how: dict[str, Any] = {"verbose": 0, "sample_weight": [WEIGHTS, WEIGHTS[::-1].copy()]}
        history = model.fit(X, y, batch_size=5, shuffle=False, **how).history
        found = model.evaluate(X, y, return_dict=True, **how)
        logs.append((history, found, model.evaluate(X, y, **how)))
    for mine, other in zip(logs[0][:2], logs[1][:2], strict=True):
        assert list(mine) == list(other)
        for name, value in other.items():
            close(mine[name], np.array(value), name)
    np.testing.assert_allclose(logs[0][2], logs[1][2], rtol=2e-5)


def test_temporal_weights() -> None:
    """Weights of steps, in the loss and in metrics; masked steps count for nothing."""
    made = []
    for of, model in ((keras.layers, keras.Sequential), (layers, models.Sequential)):
        made.append(
            model([of.Input((5, 2)), of.Masking(), of.LSTM(3, return_sequences=True), of.Dense(1)])
        )
    theirs, ours = made
    ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((6, 5, 2)).astype(np.float32), rng.integers(0, 2, (6, 5, 1))
    x[rng.random((6, 5)) < 0.3] = 0.0
    weights = rng.random((6, 5)).astype(np.float32)
    logs = []
    for model, of in ((ours, metrics), (theirs, keras.metrics)):
        given = [of.BinaryAccuracy(threshold=0.1), "mse"]
        model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=given)
        # one batch: on torch, Keras's loss multiplies the weights that metrics get by a number
        logs.append(model.evaluate(x, y, 6, 0, sample_weight=weights, return_dict=True))
    assert list(logs[0]) == list(logs[1])
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)


def test_defaults_and_directions() -> None:
    """Names, and configurations, of objects without arguments."""
    keras.backend.clear_session()
    forget_names()
    for _ in range(2):  # the second ones are numbered
        for name, cls in metrics.METRICS.classes.items():
            ours, theirs = cls(), getattr(keras.metrics, cls.__name__)()
            assert ours.name == theirs.name, name
            config = theirs.get_config()
            for key, value in ours.get_config().items():
                assert config.get(key, value) == value, (name, key)
            if getattr(theirs, "_direction", None):
                assert ours.direction == {"up": "max", "down": "min"}[theirs._direction], name
