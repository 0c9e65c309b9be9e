"""The parts of a forecast: transforms, windows, baselines, intervals, the validation plan."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmfast.forecasting import DataError
from lstmfast.forecasting.baselines import (
    baselines_for,
    linear,
    persistence,
    seasonal_drift,
    seasonal_naive,
)
from lstmfast.forecasting.demo import air_passengers
from lstmfast.forecasting.model import Setup, TrainingData, cosine_rate
from lstmfast.forecasting.pipeline import train
from lstmfast.forecasting.scores import (
    coverage,
    error_scale,
    isotonic,
    measured_steps,
    score,
    student_quantile,
    values_ahead,
)
from lstmfast.forecasting.season import find_season
from lstmfast.forecasting.transforms import TRANSFORMS
from lstmfast.forecasting.validation import best_epoch, plan_validation
from lstmfast.forecasting.windows import Window

Array = npt.NDArray[np.float64]

LOG_DIFF, DIFF, NONE = TRANSFORMS["log-diff"], TRANSFORMS["diff"], TRANSFORMS["none"]


def seasonal_series(count: int, season: int = 12) -> Array:
    """A trend with a season and a little noise, all above 0."""
    t = np.arange(count)
    noise = np.random.default_rng(0).normal(size=count)
    return np.asarray(100.0 + 0.5 * t + 20.0 * np.sin(2 * np.pi * t / season) + noise)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("origin", [1, 7])
def test_transforms_invert(transform: object, origin: int) -> None:
    assert isinstance(transform, type(LOG_DIFF))
    values = np.random.default_rng(1).uniform(1.0, 900.0, 20)
    steps = transform.steps(values[:, None])[:, 0]
    ahead = steps[origin - int(transform.difference) :]
    scaled = transform.integrate(transform.scale(values[origin - 1]), ahead)
    # sums of up to 20 rounded logarithms, each below 7
    tolerance = 20 * 7 * np.finfo(np.float64).eps
    np.testing.assert_allclose(transform.unscale(scaled), values[origin:], rtol=tolerance)


def test_other_columns_keep_their_scale() -> None:
    values = np.array([[1.0, -1.0], [np.e, 0.0], [np.e**3, -5.0]])
    np.testing.assert_allclose(LOG_DIFF.steps(values), [[1.0, 1.0], [2.0, -5.0]])
    np.testing.assert_allclose(DIFF.steps(values)[:, 1], [1.0, -5.0])
    np.testing.assert_array_equal(NONE.steps(values), values)


def test_seasons() -> None:
    rng = np.random.default_rng(3)
    assert find_season(np.log(air_passengers().values[:96, 0])) == 12
    for season in (2, 4, 7, 24):
        pattern = np.tile(rng.normal(size=season), 400 // season)
        assert find_season(pattern + 0.2 * rng.normal(size=len(pattern))) == season
    smooth = np.sin(2 * np.pi * np.arange(400) / 25) + 0.1 * rng.normal(size=400)
    assert abs(find_season(smooth) - 25) <= 1
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=150)
        assert find_season(noise) == 0
        assert find_season(np.cumsum(noise)) == 0
    assert find_season(np.arange(3.0)) == 0


def test_windows_by_hand() -> None:
    z = np.arange(1.0, 9.0)[:, None]
    window = Window(lookback=3, season=4)
    assert (window.reach, window.first, window.channels(1)) == (6, 4, 2)
    x = window.features(*window.tails(z, np.array([4, 8])))
    # left the three steps before the target; right the values four before the step after each
    np.testing.assert_array_equal(x[0], [[2, 0], [3, 0], [4, 1]])
    np.testing.assert_array_equal(x[1], [[6, 3], [7, 4], [8, 5]])
    # what comes from the target on is left open, in both
    recent, past = window.tails(z, np.array([4]), ahead=8)
    np.testing.assert_array_equal(recent[0, :, 0], [2, 3, 4, 0, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(past[0, :, 0], [0, 0, 1, 2, 3, 4, 0, 0, 0, 0])
    np.testing.assert_array_equal(window.features(recent, past, 2)[0], [[4, 1], [0, 2], [0, 3]])
    plain = Window(lookback=3, season=0)
    assert (plain.reach, plain.first, plain.channels(2)) == (3, 2, 2)
    np.testing.assert_array_equal(
        plain.features(*plain.tails(z, np.array([2])))[0], [[0], [1], [2]]
    )


def test_held_out_values_leave_no_trace_in_training() -> None:
    values = seasonal_series(60)[:, None]
    other = values.copy()
    other[-10:] *= 3.0
    window = Window(13, 12)
    one = TrainingData.of(values, LOG_DIFF, window, held_out=10)
    two = TrainingData.of(other, LOG_DIFF, window, held_out=10)
    for name in ("x", "y"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for name in ("low", "high", "mean", "spread"):
        np.testing.assert_array_equal(getattr(one.scaling, name), getattr(two.scaling, name))
    assert len(one.x_val) == 10
    np.testing.assert_allclose(one.y.mean(), 0.0, atol=0.2)


# -- baselines, scores, intervals -----------------------------------------------------------


def test_baselines_by_hand() -> None:
    values = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 9.0])
    origins = np.array([4, 6])
    np.testing.assert_array_equal(persistence(values, 4, origins, 2), [[3, 3], [9, 9]])
    np.testing.assert_array_equal(seasonal_naive(2)(values, 4, origins, 3), [[4, 3, 4], [5, 9, 5]])
    # mean change over a season in the first four values: ((4 - 1) + (3 - 2)) / 2 = 2
    np.testing.assert_array_equal(seasonal_drift(2)(values, 4, origins, 3), [[6, 5, 8], [7, 11, 9]])


def test_linear_autoregression_finds_a_recurrence() -> None:
    values = np.empty(40)
    values[:2] = 1.0, 2.0
    for t in range(2, 40):
        values[t] = 3.0 + 0.9 * values[t - 1] - 0.5 * values[t - 2]
    ahead = linear(2, NONE)(values, 30, np.array([30, 34]), 5)
    np.testing.assert_allclose(ahead, values_ahead(values, np.array([30, 34]), 5), rtol=1e-9)
    growth = 100.0 * np.cumprod(np.tile([1.1, 0.95, 1.02], 20))
    ahead = linear(3, LOG_DIFF)(growth, 50, np.array([50]), 6)
    np.testing.assert_allclose(ahead[0], growth[50:56], rtol=1e-9)


def test_linear_autoregression_sees_a_long_season() -> None:
    values = np.empty(600)
    values[:201] = np.random.default_rng(6).normal(size=201)
    for t in range(201, 600):
        values[t] = 1.0 + 0.3 * values[t - 1] - 0.2 * values[t - 3] - 0.6 * values[t - 200]
    origins = np.array([400, 450])
    ahead = linear(3, NONE, 200)(values, 400, origins, 150)
    np.testing.assert_allclose(ahead, values_ahead(values, origins, 150), rtol=1e-7)
    window = Window(64, 200)
    ahead = baselines_for(window, NONE)["linear autoregression on values"](values, 400, origins, 9)
    np.testing.assert_allclose(ahead, values_ahead(values, origins, 9), rtol=1e-7)


def test_baselines_see_nothing_after_the_origin() -> None:
    values = seasonal_series(60)
    changed = values.copy()
    changed[50:] = 1.0
    for rule in (persistence, seasonal_naive(12), seasonal_drift(12), linear(13, LOG_DIFF)):
        one, two = (rule(each, 40, np.array([45, 50]), 6) for each in (values, changed))
        np.testing.assert_array_equal(one, two)


def test_scores_by_hand() -> None:
    truth = values_ahead(np.array([1.0, 2.0, 4.0]), np.array([1, 2]), 2)
    np.testing.assert_array_equal(truth, [[2, 4], [4, np.nan]])
    got = score(np.array([[3.0, 4.0], [1.0, 0.0]]), truth)
    assert got.one_step == pytest.approx(math.sqrt((1 + 9) / 2))
    assert got.rolling == pytest.approx(math.sqrt(1 / 2))
    assert math.isnan(score(np.array([[1.0, 0.0]]), truth[1:]).rolling)
    assert coverage(truth - [[0, 1], [-1, 0]], truth + 1, truth) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    [(0.9, 4, 1.533), (0.975, 4, 2.776), (0.9, 17, 1.333), (0.975, 51, 2.008), (0.5, 9, 0.0)],
)
def test_student_quantiles(probability: float, freedom: int, expected: float) -> None:
    # the expansion's own error, 0.2 %, and the rounding of the table
    assert student_quantile(probability, freedom) == pytest.approx(expected, rel=2e-3, abs=5e-4)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12))
def test_isotonic_is_the_nearest_sequence(values: list[float]) -> None:
    given_values = np.array(values)
    fit = isotonic(given_values, np.ones(len(values)))
    assert (np.diff(fit) >= 0).all()
    assert fit.sum() == pytest.approx(given_values.sum())
    assert isotonic(fit, np.ones(len(fit))).tolist() == fit.tolist()


def test_interval_widths() -> None:
    errors = np.full((10, 4), 2.0)
    errors[:, 1] = -3.0
    errors[2:, 2] = np.nan  # two errors: too few
    errors[:, 3] = np.nan
    assert measured_steps(errors) == 2
    width = error_scale(errors, 0.8)
    t10 = student_quantile(0.9, 10)
    np.testing.assert_allclose(width[:2], [2 * t10, 3 * t10])
    np.testing.assert_allclose(width[2:], width[1] * np.sqrt([3 / 2, 4 / 2]))
    wider = error_scale(errors, 0.95)
    assert (wider > width).all()


def test_intervals_hold_what_they_promise_of_normal_errors() -> None:
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(400):
        width = error_scale(rng.normal(size=(20, 1)), 0.8)
        inside.append(abs(rng.normal()) < width[0])
    # three standard deviations of a share of 0.8 among 400
    assert abs(np.mean(inside) - 0.8) < 3 * math.sqrt(0.8 * 0.2 / 400)


def test_plans_leave_enough_to_train_on() -> None:
    for count in range(26, 400, 7):
        for horizon in (1, 12, 26):
            for window in (Window(13, 12), Window(12, 0)):
                plan = plan_validation(count, LOG_DIFF, window, horizon)
                windows = count - 1 - window.first
                assert plan.parts in (1, 3)
                assert plan.scored == plan.part * (2 if plan.chooses else 1)
                assert plan.part >= 4
                assert windows - plan.part * plan.parts >= windows // 3
    with pytest.raises(
        DataError, match=r"length 25 is too short .* season of 12; expected at least"
    ):
        plan_validation(25, LOG_DIFF, Window(13, 12), 12)


@pytest.mark.parametrize("window", [Window(13, 12), Window(12, 0), Window(50, 0), Window(1, 2)])
def test_the_shortest_series(window: Window) -> None:
    count = max(window.first, window.lookback) + 13
    values = seasonal_series(count)[:, None]
    trained = train(values, Setup(LOG_DIFF, window, epochs=1), 3)
    for got in trained.validation.scores.values():
        assert 0 < got.one_step < 100
        assert 0 < got.rolling < 100
    with pytest.raises(DataError, match=f"length {count - 1} is too short"):
        train(values[1:], Setup(LOG_DIFF, window, epochs=1), 3)


def test_epochs_are_cut_only_where_that_is_clear() -> None:
    falling = np.linspace(2.0, 1.0, 40)
    assert best_epoch(falling, 20) == 40
    assert best_epoch(np.concatenate([falling, np.full(10, 1.05)]), 20) == 50
    cut = best_epoch(np.concatenate([falling, np.linspace(1.0, 2.0, 40)]), 20)
    assert 37 <= cut <= 43
    # a rise that chance explains where few values were measured is clear where many were
    rising = np.concatenate([falling, np.linspace(1.0, 1.08, 40)])
    assert best_epoch(rising, 16) == 80
    assert 37 <= best_epoch(rising, 400) <= 43


def test_learning_rate_falls_to_nothing() -> None:
    rates = [cosine_rate(epoch, 80) for epoch in range(80)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 3e-3
    assert 0 < rates[-1] < 1e-5
