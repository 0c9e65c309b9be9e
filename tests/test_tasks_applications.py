"""The applications' data: what their docstrings say, recomputed another way."""

from __future__ import annotations

import re

import numpy as np
import pytest

import lstmfast as lf


def words_of(task: lf.tasks.Task) -> list[list[str]]:
    return [task.show_x(x).split() for x in task.test.x]


def opinion(words: list[str]) -> str:
    """Return what a text says, by reading it."""
    good = {"good", "great", "moving", "witty", "brilliant", "charming"}
    total, value = 0.0, 1.0
    for word in words:
        if word == "but":
            total = 0.0
        elif word == "not":
            value *= -0.75
        elif word in ("very", "slightly"):
            value *= {"very": 2.0, "slightly": 0.5}[word]
        elif word in good or word in {"bad", "dull", "weak", "silly", "tedious", "awful"}:
            total += value if word in good else -value
            value = 1.0
    assert total != 0.0
    return "for" if total > 0 else "against"


def test_sentiment_follows_from_reading_the_text() -> None:
    task = lf.tasks.load("sentiment")
    texts = words_of(task)
    assert [opinion(text) for text in texts] == [task.show_y(y) for y in task.test.y]
    assert {len(text) for text in texts} >= {4, 6, 9, 13}
    assert texts[0][:1] == ["the"]
    ends = np.argmax(task.test.x == 0, axis=1)  # no word after an empty one
    assert all((x[end:] == 0).all() for x, end in zip(task.test.x, ends, strict=True) if end)


def test_sentiment_is_not_in_the_words_alone() -> None:
    """A linear model of which words a text has is right less often than the target by far."""
    task = lf.tasks.load("sentiment")

    def counts(x: np.ndarray) -> np.ndarray:
        found = (x[:, :, np.newaxis] == np.arange(len(task.vocabulary))).sum(axis=1)
        return np.column_stack([found, np.ones(len(x))])

    weights = np.linalg.lstsq(counts(task.train.x), task.train.y - 0.5, rcond=None)[0]
    right = ((counts(task.test.x) @ weights > 0) == task.test.y).mean()
    assert 0.5 < right < 0.85


def test_stock_knows_how_good_the_best_predictor_is() -> None:
    """The Kalman filter of the process, which knows all but m, is right as often as `best`."""
    task = lf.tasks.load("stock")
    x, y, _ = task.test
    mean, variance = np.zeros(len(x)), 0.3
    for value in x[..., 0].T:
        gain = variance / (variance + 0.7)
        mean, variance = mean + gain * (value - mean), variance * (1.0 - gain)
        mean, variance = 0.95 * mean, 0.95**2 * variance + 0.3 * (1.0 - 0.95**2)
    right = ((mean > 0) == y).mean()
    deviation = np.sqrt(task.best * (1 - task.best) / len(y))
    assert abs(right - task.best) < 4 * deviation
    assert 0.5 < task.target < task.best < 0.7
    np.testing.assert_allclose(x.var(), 1.0, atol=0.05)


def test_stock_goes_on_as_it_went_by_persistence() -> None:
    task = lf.tasks.load("stock", days=3)
    answers = task.persistence(task.test)
    assert answers is not None
    assert answers.shape == task.test.y.shape
    np.testing.assert_array_equal(answers, task.test.x[:, 2, 0] > 0)
    assert lf.tasks.load("echo").persistence(lf.tasks.load("echo").test) is None


def test_weather_has_days_fronts_and_one_series() -> None:
    task = lf.tasks.load("weather", hours=48, ahead=12)
    x, y, _ = task.test
    temperature, pressure, humidity = (x[..., k] for k in range(3))
    angle = np.arctan2(x[..., 3], x[..., 4])
    np.testing.assert_allclose(np.diff(angle) % (2 * np.pi), 2 * np.pi / 24, atol=1e-5)
    hour = np.round(angle[:, -1] / (2 * np.pi / 24)) % 24
    now = temperature[:, -1]
    assert now[hour == 15].mean() > now[hour == 4].mean() + 0.3  # 3 degrees at least
    # the day and night of one window: 24 hours earlier is nearer than 12 hours earlier
    assert np.abs(now - temperature[:, -25]).mean() < np.abs(now - temperature[:, -13]).mean()
    # the deeper the pressure fell within a day, the colder it became than the day before
    fall = pressure[:, -13] - pressure[:, -13:].min(axis=1)
    change = y[:, 0] - temperature[:, -13]
    assert np.corrcoef(fall, change)[0, 1] < -0.4
    assert np.corrcoef(humidity.ravel(), pressure.ravel())[0, 1] < -0.3


def test_weather_answers_are_hours_later() -> None:
    """A longer window of the same seed holds the answer of a shorter one."""
    short = lf.tasks.load("weather", hours=6, ahead=6)
    long = lf.tasks.load("weather", hours=11, ahead=1)
    np.testing.assert_array_equal(short.test.x, long.test.x[:, :6])
    np.testing.assert_array_equal(short.test.y, long.test.y)
    persistence = short.persistence(short.test)
    assert persistence is not None
    np.testing.assert_array_equal(persistence, short.test.x[:, -1, :1])
    degrees = float(np.sqrt(np.square(10.0 * (persistence - short.test.y)).mean()))
    np.testing.assert_allclose(short.measure.score(short.test.y, persistence, None), degrees, 1e-6)
    assert short.show_y(np.array([1.234])) == "12.3 °C"


def test_weather_takes_windows_of_a_year_at_most() -> None:
    lf.tasks.load("weather", hours=8748, ahead=12)
    message = re.escape("[weather] hours + ahead is 8761; expected at most 8760")
    with pytest.raises(ValueError, match=message):
        lf.tasks.load("weather", hours=8749, ahead=12)
