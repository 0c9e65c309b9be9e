"""Plain baselines of tasks, and the same model in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast._bench.baselines import baselines, side_by_side
from lstmfast._bench.contest import WrongAnswerError
from lstmfast._bench.suites import tasks as suite
from lstmfast._bench.suites.tasks import as_keras


def test_steps_stand_side_by_side() -> None:
    echo, addition = lf.tasks.load("echo"), lf.tasks.load("addition")
    assert side_by_side(echo, echo.train.x[:3]).shape == (3, 5 * 10)
    ones = side_by_side(addition, addition.train.x[:3])
    assert ones.shape == (3, 7 * 12)
    assert ones.sum() == 3 * 7


@pytest.mark.parametrize(
    ("name", "options", "least"),
    [
        # the symbol asked for stands alone in ten of the numbers; the sum is linear
        ("echo", {"samples": 500}, 0.95),
        ("many_to_one", {"samples": 2000}, 0.99),
        # the last digit alone is easy
        ("addition", {"digits": 2, "samples": 1000}, 0.01),
    ],
)
def test_plain_baselines_answer(name: str, options: dict[str, Any], least: float) -> None:
    pytest.importorskip("sklearn")
    task = lf.tasks.load(name, **options)
    answers = {kind: answer() for kind, answer in baselines(task).items()}
    assert list(answers) == ["linear", "mlp"]
    for given in answers.values():
        assert given.shape == task.test.y.shape
    assert task.measure.score(task.test.y, answers["linear"], None) >= least
    assert task.measure.score(task.test.y, answers["mlp"], None) > task.chance


def test_persistence_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    task = lf.tasks.load("many_to_one")
    monkeypatch.setattr(type(task), "persistence", lambda self, part: part.x[:, -1])
    answers = baselines(task)
    assert next(iter(answers)) == "persistence"
    np.testing.assert_array_equal(answers["persistence"](), task.test.x[:, -1])


def test_tasks_that_judge_other_things_have_none() -> None:
    assert baselines(lf.tasks.load("anomaly")) == {}
    assert baselines(lf.tasks.load("pole_balancing", samples=2)) == {}


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
@pytest.mark.parametrize("name", suite.BESIDE_KERAS[:3])
def test_the_same_model_in_keras(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keras = pytest.importorskip("keras")
    task = lf.tasks.load(name, samples=64)
    theirs = as_keras(keras, task)
    before = task.score(theirs)
    assert before == pytest.approx(task.score(task.build()), abs=2 / len(task.test.y))
    history = task.fit(theirs, epochs=1)
    assert np.isfinite(history.history["val_loss"]).all()
    monkeypatch.setattr(theirs, "predict", lambda x, verbose: 2.0 + 0.0 * task.build().predict(x))
    monkeypatch.setattr(keras.models, "load_model", lambda path: theirs)
    with pytest.raises(WrongAnswerError, match=f"keras at {name}: its answers differ"):
        as_keras(keras, task)
