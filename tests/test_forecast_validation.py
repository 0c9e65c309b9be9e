"""Validation describes networks like the one that forecasts, and on values they never saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cli_runs import runner
from lstmfast.forecasting import forecast, pipeline, validation
from lstmfast.forecasting.demo import air_passengers
from lstmfast.forecasting.model import Forecaster, Setup
from lstmfast.forecasting.scores import score, values_ahead
from lstmfast.forecasting.transforms import TRANSFORMS
from lstmfast.forecasting.validation import Plan, plan_validation, validate
from lstmfast.forecasting.windows import Window

Array = npt.NDArray[np.float64]

LOG_DIFF = TRANSFORMS["log-diff"]
WINDOW = Window(4, 0)
PLAN = Plan(part=20, parts=3)
EPOCHS, SEED, HORIZON = 30, 3, 4


def noisy(count: int = 100) -> Array:
    """Growth with noise: a network that trains for long learns the noise."""
    rng = np.random.default_rng(4)
    return np.asarray(np.exp(np.cumsum(0.01 + 0.05 * rng.normal(size=count)))[:, None])


@dataclass
class Training:
    values: Array
    arguments: dict[str, Any]
    result: Forecaster


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[Training]:
    """Every training of a forecaster, in order."""
    seen: list[Training] = []
    train = Forecaster.train

    def recorded(values: Array, *others: Any, **arguments: Any) -> Forecaster:
        result = train(values, *others, **arguments)
        seen.append(Training(values, arguments, result))
        return result

    monkeypatch.setattr(Forecaster, "train", recorded)
    return seen


def weights(model: Forecaster) -> Array:
    return np.concatenate([array.ravel() for array in model.network.get_weights()])


def test_scores_are_of_networks_trained_as_the_last_one(trainings: list[Training]) -> None:
    values, setup = noisy(), Setup(LOG_DIFF, Window(12, 0), EPOCHS, SEED)
    found = pipeline.train(values, setup, HORIZON).validation
    plan = found.plan
    choosing, first, second, last = trainings
    assert [len(each.values) for each in trainings] == [
        len(values) - 2 * plan.part,
        len(values) - plan.part,
        len(values),
        len(values),
    ]
    # each stops where the losses on the parts before it were best, and so does the last
    losses: list[Array] = []
    for before, after in ((choosing, first), (first, second), (second, last)):
        losses.append(before.result.losses)
        assert after.arguments["stop"] == validation.best_epoch(
            np.mean(losses, axis=0), len(losses) * plan.part
        )
    assert last.arguments["stop"] == found.epochs < EPOCHS
    # the scored networks have the weights of a training that ends there and knows no more
    forecasts, truths = [], []
    for each in (first, second):
        start = len(each.values) - plan.part
        same = Forecaster.train(values[:start], setup, stop=each.arguments["stop"])
        np.testing.assert_array_equal(weights(each.result), weights(same))
        origins = np.arange(start, start + plan.part)
        forecasts.append(LOG_DIFF.unscale(same.ahead(values, origins, HORIZON)))
        truths.append(values_ahead(values[:, 0], origins, HORIZON))
    expected = score(np.concatenate(forecasts), np.concatenate(truths))
    assert found.scores["LSTM"] == expected
    assert found.errors.shape == (plan.scored, HORIZON)
    assert len(last.result.losses) == 0


def test_scored_values_choose_nothing_that_forecasts_them() -> None:
    values = noisy()
    other = values.copy()
    other[60:80] *= np.linspace(1.0, 3.0, 20)[:, None]
    setup = Setup(LOG_DIFF, WINDOW, EPOCHS, SEED)
    one, two = (validate(x, setup, PLAN, horizon=1) for x in (values, other))
    # the first scored part begins at 60: its first error differs by the truth alone
    assert one.errors[0] + np.log(values[60]) == pytest.approx(
        two.errors[0] + np.log(other[60]), abs=1e-12
    )
    assert abs(one.errors[1] - two.errors[1]) > 1e-3


def test_a_training_can_go_on_after_the_weights_were_taken() -> None:
    values = noisy()
    setup = Setup(LOG_DIFF, WINDOW, EPOCHS, SEED)
    ends = Forecaster.train(values[:80], setup, stop=7)
    goes_on = Forecaster.train(values, setup, stop=7, held_out=20)
    np.testing.assert_array_equal(weights(ends), weights(goes_on))
    assert len(goes_on.losses) == EPOCHS
    x = goes_on.ahead(values, np.arange(80, 100), 1)[:, 0]
    z = goes_on.scaling.spread[0]
    loss = np.mean(((x - np.log(values[80:, 0])) / z) ** 2)
    # losses are float32
    assert goes_on.losses[6] == pytest.approx(loss, rel=1e-5)


def test_plans() -> None:
    assert plan_validation(96, LOG_DIFF, Window(13, 12), 12) == Plan(17, 3)
    # 12 to 19 windows are too few for three parts: a third of them is scored
    shortest = max(WINDOW.first, WINDOW.lookback) + 13
    for count in range(shortest, 23):
        windows = count - 1 - WINDOW.first
        assert plan_validation(count, LOG_DIFF, WINDOW, 3) == Plan(windows // 3, 1)
    assert plan_validation(23, LOG_DIFF, WINDOW, 3) == Plan(4, 3)
    assert [Plan(5, 1).chooses, Plan(5, 3).chooses] == [False, True]
    assert [Plan(5, 1).scored, Plan(5, 3).scored] == [5, 10]


def test_a_short_series_trains_half_of_the_epochs_and_says_so(
    trainings: list[Training],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Any,
) -> None:
    values = noisy(20)[:, 0]
    done: list[tuple[int, int]] = []
    coming = forecast(
        values, horizon=2, lookback=4, season=0, epochs=9, progress=lambda *at: done.append(at)
    )
    assert coming.trained.validation.epochs == 4
    assert [each.arguments["stop"] for each in trainings] == [4, 4]
    assert done[-1] == (13, 13)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("x\n" + "\n".join(map(str, values)) + "\n")
    command = ["forecast", "a.csv", "--column", "x", "--lookback", "4", "--epochs", "9"]
    code, _, err = runner(capsys)(*command, "--season", "0", "--horizon", "2")
    assert code == 0, err
    note = "4 epochs\n(half of the epochs: the series is too short to choose their number"
    assert note in err
    (tmp_path / "b.csv").write_text("x\n" + "\n".join(map(str, noisy(40)[:, 0])) + "\n")
    code, _, err = runner(capsys)("forecast", "b.csv", *command[2:], "--horizon", "2")
    assert code == 0, err
    assert "half of the epochs" not in err


@pytest.mark.slow
def test_last_year_of_air_passengers() -> None:
    """The mean absolute error, in units of the seasonal naive rule's in training, is 0.70."""
    values = air_passengers().values[:, 0]
    known = values[:132]
    ahead = forecast(known, horizon=12).mean
    naive = np.mean(np.abs(known[12:] - known[:-12]))
    assert np.mean(np.abs(ahead - values[132:])) / naive < 0.75
