"""Tasks of real data: the parts do not overlap, and nothing of the test reaches the training."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.forecasting.demo import air_passengers


def test_air_passengers_are_twelve_months_and_the_next() -> None:
    task = lf.tasks.load("air_passengers")
    months = air_passengers().values[:, 0]
    x = np.concatenate([part.x for part in task.parts])[..., 0]
    y = np.concatenate([part.y for part in task.parts])[:, 0]
    assert [len(part.x) for part in task.parts] == [84, 12, 36]
    for step in range(132):
        assert x[step].tolist() == months[step : step + 12].tolist()
        assert y[step] == months[step + 12]
    assert air_passengers().times[12] == "1950-01"
    assert air_passengers().times[12 + 84 + 12] == "1958-01"


def test_air_passengers_take_the_last_months_to_train() -> None:
    few, all_of_them = lf.tasks.load("air_passengers", samples=24), lf.tasks.load("air_passengers")
    np.testing.assert_array_equal(few.train.x, all_of_them.train.x[-24:])
    np.testing.assert_array_equal(few.test.x, all_of_them.test.x)
    with pytest.raises(ValueError, match=r"\[air_passengers\] samples is 85; expected at most 84"):
        lf.tasks.load("air_passengers", samples=85)


def test_air_passengers_have_no_scale_of_their_own() -> None:
    """Ten times the passengers make ten times the forecast: nothing but the year sets the scale."""
    task = lf.tasks.load("air_passengers")
    model = task.build()
    task.fit(model, epochs=1)
    once, tenfold = task.predict(model, task.test.x), task.predict(model, 10 * task.test.x)
    # logarithms of up to 9 have errors of 9 eps, and a few of them are added
    np.testing.assert_allclose(tenfold, 10 * once, rtol=100 * np.finfo(np.float32).eps)


def test_air_passengers_beat_persistence() -> None:
    task = lf.tasks.load("air_passengers")
    expected = task.persistence(task.test)
    assert expected is not None
    persistence = task.measure.score(task.test.y, expected, None)
    assert task.target == pytest.approx(persistence / 2, rel=0.01)
    np.testing.assert_array_equal(expected[1:], task.test.y[:-1])


@pytest.mark.peer
def test_digits_are_in_one_part_each() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    task, other = lf.tasks.load("digits"), lf.tasks.load("digits", seed=1)
    images = datasets.load_digits()
    known = {
        image.tobytes(): digit for image, digit in zip(images.images, images.target, strict=True)
    }
    found = [(16.0 * image.astype(float)).tobytes() for part in task.parts for image in part.x]
    assert sorted(found) == sorted(image.tobytes() for image in images.images)
    digits = [digit for part in task.parts for digit in part.y]
    assert [known[image] for image in found] == digits
    assert [len(part.x) for part in task.parts] == [1197, 200, 400]
    assert (task.test.x != other.test.x).any()


@pytest.mark.peer
def test_digits_take_a_subset_to_train() -> None:
    pytest.importorskip("sklearn")
    few, all_of_them = lf.tasks.load("digits", samples=50), lf.tasks.load("digits")
    np.testing.assert_array_equal(few.train.x, all_of_them.train.x[-50:])
    np.testing.assert_array_equal(few.test.y, all_of_them.test.y)
    with pytest.raises(ValueError, match=r"\[digits\] samples is 1198; expected at most 1197"):
        lf.tasks.load("digits", samples=1198)
    rows = few.show_x(few.test.x[0]).lstrip("\n").split("\n")
    assert [len(row) for row in rows] == [8] * 8


def test_digits_say_which_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    message = "[digits] the images need scikit-learn: pip install scikit-learn"
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        _ = lf.tasks.load("digits").parts


def test_picture_of_air_passengers() -> None:
    pytest.importorskip("matplotlib")
    task = lf.tasks.load("air_passengers")
    model = task.build()
    known, forecast, truth = task.picture(model).axes[0].lines
    months = air_passengers().values[:, 0]
    np.testing.assert_array_equal(known.get_ydata(), months[:108])
    np.testing.assert_array_equal(truth.get_ydata()[-36:], months[108:])
    np.testing.assert_array_equal(forecast.get_ydata()[1:], task.predict(model, task.test.x)[:, 0])
