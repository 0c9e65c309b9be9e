"""Plain baselines of tasks, and the same model in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast._bench.baselines import ORDER, Autoregression, baselines, side_by_side
from lstmfast._bench.contest import Settings, WrongAnswerError
from lstmfast._bench.suites import tasks as suite
from lstmfast._bench.suites.tasks import as_keras


def test_steps_stand_side_by_side() -> None:
    echo, addition = lf.tasks.load("echo"), lf.tasks.load("addition")
    assert side_by_side(echo, echo.train.x[:3]).shape == (3, 5 * 10)
    ones = side_by_side(addition, addition.train.x[:3])
    assert ones.shape == (3, 7 * 12)
    assert ones.sum() == 3 * 7


@pytest.mark.peer
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
    scores = {kind: score() for kind, score in baselines(task).items()}
    assert list(scores) == ["linear", "mlp"]
    assert scores["linear"] >= least
    assert scores["mlp"] > task.chance + least / 10


def test_persistence_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    task = lf.tasks.load("many_to_one")
    monkeypatch.setattr(type(task), "persistence", lambda self, part: part.x[:, -1])
    answers = baselines(task)
    assert next(iter(answers)) == "persistence"
    y = task.test.y
    assert answers["persistence"]() == task.measure.score(y, task.test.x[:, -1], None)


def test_masked_steps_are_marked() -> None:
    gaps = lf.tasks.load("gaps", length=10, samples=20)
    steps = side_by_side(gaps, gaps.train.x).reshape(20, 10, 4)
    hidden = (gaps.train.x == gaps.settings.model["mask_value"]).all(axis=-1)
    assert hidden.sum() == 20 * 3
    np.testing.assert_array_equal(steps[..., 3], hidden)
    np.testing.assert_array_equal(steps[hidden, :3], 0.0)
    np.testing.assert_array_equal(steps[~hidden, :3], gaps.train.x[~hidden])


@pytest.mark.peer
def test_baselines_learn_from_the_training_part_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is linear there with numbers of any size is answered, and shuffled answers are not."""
    pytest.importorskip("sklearn")
    task = lf.tasks.load("damped_sine", samples=200, length=30)
    x, y, _ = task.train
    linear = baselines(task)["linear"]()
    # an oscillation follows from its last two values: the linear answer is that of its equation
    assert linear < 1e-2
    monkeypatch.setattr(task, "parts", (lf.tasks.Part(x, y[::-1]), *task.parts[1:]))
    assert baselines(task)["linear"]() > 0.5 * task.chance
    # features of another size change nothing
    scale = np.logspace(-3, 3, x.shape[1])[:, np.newaxis]
    parts = [lf.tasks.Part(part.x * scale, part.y) for part in task.parts]
    monkeypatch.setattr(task, "parts", (lf.tasks.Part(x * scale, y), *parts[1:]))
    assert baselines(task)["linear"]() == pytest.approx(linear, rel=1e-2)


def test_an_autoregression_forecasts_where_errors_are_judged() -> None:
    task = lf.tasks.load("anomaly", samples=200)
    answers = baselines(task)
    assert list(answers) == ["linear"]
    assert answers["linear"]() > task.chance + 10 * 0.018  # of 1000 samples without meaning
    # a sine of any height and phase follows from its last two values
    steps = np.arange(31) / 5 + np.arange(8)[:, np.newaxis]
    wave = np.sin(steps)[..., np.newaxis]
    model = Autoregression(wave[:, :-1], wave[:, 1:])
    found = model.predict(wave[:, :-1])
    np.testing.assert_allclose(found[:, ORDER:], wave[:, 1 + ORDER :], atol=1e-9)


def test_tasks_that_judge_other_things_have_none() -> None:
    assert baselines(lf.tasks.load("reber", samples=2)) == {}
    assert baselines(lf.tasks.load("pole_balancing", samples=2)) == {}


@pytest.mark.peer
@pytest.mark.parametrize(
    ("name", "found", "note"),
    [
        ("many_to_one", {"persistence": 0.5, "linear": 0.51}, "; better: linear"),
        ("many_to_one", {}, "; no baseline fits"),
        ("damped_sine", {"persistence": 0.5, "linear": 0.49}, "; better: linear"),
    ],
)
def test_rows_tell_what_is_better_with_the_same_data(
    name: str, found: dict[str, float], note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.setattr(suite, "BESIDE_KERAS", ())
    scores = {seed: 0.5 if seed == 0 else 0.1 + seed for seed in range(suite.SEEDS)}
    monkeypatch.setattr(suite, "_solved", lambda task, model: (scores[task.seed], 2.0))
    monkeypatch.setattr(
        suite, "baselines", lambda task: {kind: lambda v=v: v for kind, v in found.items()}
    )
    rows = [row for rows in suite.rows_of(Settings([]), name) for row in rows]
    assert [row.relative for row in rows] == [2.1, *found.values()]
    assert rows[0].note.endswith(note)


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
