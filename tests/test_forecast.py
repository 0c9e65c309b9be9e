"""Forecasts as a whole, with few epochs."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from lstmfast.forecasting import forecast
from lstmfast.forecasting.demo import air_passengers, train_in_numpy
from lstmfast.forecasting.model import Forecaster, Setup, TrainingData
from lstmfast.forecasting.pipeline import choose_window, train
from lstmfast.forecasting.scores import score, values_ahead
from lstmfast.forecasting.transforms import TRANSFORMS
from lstmfast.forecasting.windows import Window

Array = npt.NDArray[np.float64]

LOG_DIFF, DIFF, NONE = TRANSFORMS["log-diff"], TRANSFORMS["diff"], TRANSFORMS["none"]


def seasonal_series(count: int, season: int = 12) -> Array:
    """A trend with a season and a little noise, all above 0."""
    t = np.arange(count)
    noise = np.random.default_rng(0).normal(size=count)
    return np.asarray(100.0 + 0.5 * t + 20.0 * np.sin(2 * np.pi * t / season) + noise)


def test_forecasts_depend_on_the_past_alone() -> None:
    values = seasonal_series(72)[:, None]
    window = choose_window(values[:, 0], LOG_DIFF)
    model = Forecaster.train(values[:60], Setup(LOG_DIFF, window, epochs=2, seed=1))
    origins = np.array([20, 60, 64])
    ahead = model.ahead(values, origins, 5)
    for row, origin in enumerate(origins):
        alone = model.ahead(values[:origin], np.array([origin]), 5)
        np.testing.assert_array_equal(ahead[row], alone[0])


def test_later_steps_follow_from_predicted_ones() -> None:
    values = seasonal_series(50)[:, None]
    model = Forecaster.train(values, Setup(DIFF, Window(5, 12), epochs=2, seed=1))
    two = model.ahead(values, np.array([50]), 2)[0]
    longer = np.concatenate([values, [[two[0]]]])
    np.testing.assert_allclose(model.ahead(longer, np.array([51]), 1)[0, 0], two[1], rtol=1e-5)


@pytest.mark.parametrize("window", [Window(5, 12), Window(5, 3), Window(5, 0), Window(2, 7)])
def test_steps_ahead_are_predictions_of_predictions(window: Window) -> None:
    values = np.column_stack([seasonal_series(50), np.sin(np.arange(50.0))])
    model = Forecaster.train(values, Setup(NONE, window, epochs=2, seed=1))
    origins = np.array([20, 35])
    ahead = model.ahead(values, origins, 15)
    for row, origin in enumerate(origins):
        known = values[:origin]
        for h in range(15):
            z = model.scaling.apply(known)
            x = window.features(*window.tails(z, np.array([len(known)])))
            step = model.network.predict(x, verbose=0)[0].astype(np.float64)
            both = [model.scaling.undo(step[column], column) for column in (0, 1)]
            # float32 networks on float64 steps that differ by rounding
            assert ahead[row, h] == pytest.approx(both[0], rel=1e-6)
            known = np.concatenate([known, [both]])


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_forecast_of_an_array(transform: str) -> None:
    done: list[tuple[int, int]] = []
    result = forecast(
        seasonal_series(60),
        horizon=4,
        transform=transform,
        epochs=2,
        levels=(0.5, 0.9),
        progress=lambda *at: done.append(at),
    )
    assert result.mean.shape == (4,)
    for level in (0.5, 0.9):
        assert (result.lower[level] < result.mean).all()
        assert (result.mean < result.upper[level]).all()
    assert (result.lower[0.9] < result.lower[0.5]).all()
    assert set(result.trained.validation.scores) >= {"LSTM", "persistence", "seasonal naive"}
    assert [k for k, _ in done] == list(range(1, len(done) + 1))
    assert done[-1][0] == done[-1][1]


def test_seeds_repeat_and_differ() -> None:
    series = seasonal_series(48)
    one, same, other = (forecast(series, epochs=1, seed=seed).mean for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_forecast_with_inputs() -> None:
    series = seasonal_series(60)
    inputs = np.column_stack([np.roll(series, 1), -(np.arange(60.0) ** 2)])
    result = forecast(series, inputs=inputs, horizon=3, epochs=1, season=0, lookback=6)
    network = result.trained.forecaster.network
    assert network.input_shape == (None, 6, 3)
    assert network.output_shape == (None, 3)
    assert result.mean.shape == (3,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"series": [[1.0, 2.0]]}, r"series has shape \(1, 2\); expected one axis"),
        ({"series": np.ones(50)}, r"series\[0\] never changes; expected something to learn"),
        ({"series": np.arange(1.0, 20.0) ** 2}, "length 19 is too short for a look-back of 12"),
        ({"series": [1.0, math.nan, 2.0]}, r"series\[1\] has nan; expected a finite number"),
        ({"series": np.arange(50.0) ** 2}, r"series\[0\] has 0; log-diff expects numbers above 0"),
        ({"inputs": np.ones(3)}, r"inputs has shape \(3,\); expected \(60, K\) to match series"),
        ({"inputs": np.ones(60)}, r"inputs\[0, 0\] never changes"),
        ({"horizon": 0}, "horizon is 0; expected at least 1"),
        ({"lookback": 0}, "lookback is 0; expected at least 1"),
        ({"season": 1}, "season is 1; expected 0 for none, or at least 2"),
        ({"transform": "sqrt"}, "transform is 'sqrt'; expected one of log-diff, diff, none"),
        ({"levels": (80,)}, r"levels are \(80,\); expected numbers between 0 and 1"),
    ],
)
def test_errors_of_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        forecast(**({"series": seasonal_series(60)} | arguments))  # type: ignore[arg-type]


def test_the_reference_trains_alike() -> None:
    values = air_passengers().values[:60]
    window = Window(13, 12)
    model = Forecaster.train(values, Setup(LOG_DIFF, window, epochs=10, seed=2))
    data = TrainingData.of(values, LOG_DIFF, window)
    from lstmfast.forecasting.model import build_network

    network = build_network(window, 1, seed=2)

    def loss() -> float:
        return float(np.mean((network.predict(data.x, verbose=0) - data.y) ** 2))

    before = loss()
    weights, seconds = train_in_numpy(network.get_weights(), data, epochs=10, seed=0)
    network.set_weights(weights)
    in_numpy = loss()
    network.set_weights(model.network.get_weights())
    # only the order of the windows differs: the same progress, to a fifth of it
    assert abs(loss() - in_numpy) < 0.2 * (before - in_numpy)
    assert seconds > 0


@pytest.mark.slow
def test_demo_reaches_its_goal() -> None:
    """One seed; the demo reports ten. Linear autoregression has 13.9, persistence 48."""
    values = air_passengers().values
    window = choose_window(values[:96, 0], LOG_DIFF)
    trained = train(values[:96], Setup(LOG_DIFF, window), 12)
    origins = np.arange(96, 144)
    ahead = LOG_DIFF.unscale(trained.forecaster.ahead(values, origins, 12))
    got = score(ahead, values_ahead(values[:, 0], origins, 12))
    assert got.one_step < 20
    assert got.rolling < 30
