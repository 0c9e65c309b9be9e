"""The forecast on real data with a known answer: airline passengers, 1949 to 1960.

Everything is chosen on the first 67 % of the months: season, look-back, scaling, epochs. The rest
is used once, to measure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from lstmfast import reference
from lstmfast._arrays import Array
from lstmfast._layouts import KERAS_WEIGHTS

from .baselines import baselines_for
from .model import Forecaster, Setup, TrainingData, batch_size_for, build_network, cosine_rate
from .pipeline import LEVELS, Ends, Progress, Trained, choose_window, train
from .scores import Scores, coverage, score, values_ahead
from .series import Series, read_series
from .transforms import TRANSFORMS
from .windows import Window

TRAINING_SHARE = 0.67
HORIZON = 12
"""H, how many months ahead."""
# A training in the core is so short that other work of the machine may disturb one measurement.
_TIMED_RUNS = 3


@dataclass(frozen=True)
class Timing:
    """Seconds.

    Attributes
    ----------
    all_seeds : float
        All trainings of all seeds, validation and forecasts included.
    core, numpy : float
        One training on the training months, in the core (median of three) and in the NumPy
        reference.
    epochs : int
        Epochs of that training.
    trainings : int
        How many trainings `all_seeds` has.
    numpy_score : Scores
        Scores of the network trained in NumPy, as proof of the same work.
    """

    all_seeds: float
    core: float
    numpy: float
    epochs: int
    trainings: int
    numpy_score: Scores


@dataclass(frozen=True)
class DemoRun:
    """The measurements of the demo.

    Attributes
    ----------
    times, values : list of str and ndarray of shape (N,)
        The series.
    start : int
        Number of the first test value.
    window : Window
        The window found in the training months.
    seeds : list of Scores
        Of the network, one for each seed.
    baselines : dict of str to Scores
        Of the rules that it is compared with.
    covered : dict of float to (float, float)
        Share of test values in the intervals of a level: one step ahead, and over all steps;
        means over the seeds.
    forecasts, lower, upper : ndarray of shape (N - start, H); by level
        Of the seed whose one-step error is the median.
    timing : Timing
    """

    times: list[str]
    values: Array
    start: int
    window: Window
    seeds: list[Scores]
    baselines: dict[str, Scores]
    covered: dict[float, tuple[float, float]]
    forecasts: Array
    lower: Ends
    upper: Ends
    timing: Timing


def air_passengers() -> Series:
    """Return the monthly totals of international airline passengers, in thousands.

    Examples
    --------
    >>> series = air_passengers()
    >>> len(series.values), series.times[0], float(series.values[0, 0])
    (144, '1949-01', 112.0)
    """
    path = Path(__file__).parent.parent / "data" / "air_passengers.csv"
    return read_series(path, "Passengers", time="Month")


def run_demo(seeds: int, epochs: int, progress: Progress) -> DemoRun:
    """Train on the first part of the series with several seeds, forecast the rest, compare.

    Parameters
    ----------
    seeds : int
        How many; the seeds are 0, 1, 2, ...
    epochs : int
        Length of each training.
    progress : callable
        Called after each epoch with the number of epochs done, and of all.
    """
    series = air_passengers()
    values = series.values
    target = values[:, 0]
    start = int(len(values) * TRAINING_SHARE)
    known = values[:start]
    transform = TRANSFORMS["log-diff"]
    window = choose_window(known[:, 0], transform)
    origins = np.arange(start, len(values))
    truth = values_ahead(target, origins, HORIZON)

    started = perf_counter()

    def on_epoch(seed: int, done: int, total: int) -> None:
        progress(seed * total + done, seeds * total)

    setups = [Setup(transform, window, epochs, seed) for seed in range(seeds)]
    trained = [train(known, each, HORIZON, partial(on_epoch, each.seed)) for each in setups]
    ahead = [each.forecaster.ahead(values, origins, HORIZON) for each in trained]
    seconds = perf_counter() - started

    scores = [score(transform.unscale(each), truth) for each in ahead]
    ends = [each.intervals(scaled, LEVELS) for each, scaled in zip(trained, ahead, strict=True)]

    def covered(level: float, steps: int) -> float:
        first = np.s_[:, :steps]
        shares = [coverage(low[level][first], up[level][first], truth[first]) for low, up in ends]
        return float(np.mean(shares))

    middle = int(np.argsort([each.one_step for each in scores])[(seeds - 1) // 2])
    rules = baselines_for(window, transform)
    return DemoRun(
        times=series.times,
        values=target,
        start=start,
        window=window,
        seeds=scores,
        baselines={
            name: score(rule(target, start, origins, HORIZON), truth)
            for name, rule in rules.items()
        },
        covered={level: (covered(level, 1), covered(level, HORIZON)) for level in LEVELS},
        forecasts=transform.unscale(ahead[middle]),
        lower=ends[middle][0],
        upper=ends[middle][1],
        timing=_timing(values, origins, truth, trained, seconds),
    )


def _timing(
    values: Array, origins: Array, truth: Array, trained: list[Trained], seconds: float
) -> Timing:
    """Time one training on the training values, to its end, in the core and in NumPy.

    Both start from the same weights and go through the same windows in batches of the same size,
    each in an order of its own.
    """
    known = values[: origins[0]]
    setup = trained[0].forecaster.setup
    times = []
    for _ in range(_TIMED_RUNS):
        started = perf_counter()
        forecaster = Forecaster.train(known, setup)
        times.append(perf_counter() - started)
    data = TrainingData.of(known, setup.transform, setup.window)
    weights = build_network(setup.window, known.shape[1], setup.seed).get_weights()
    weights, numpy_seconds = train_in_numpy(weights, data, setup.epochs, setup.seed)
    forecaster.network.set_weights(weights)
    scaled = forecaster.ahead(values, origins, HORIZON)
    trainings = sum(each.validation.plan.parts + 1 for each in trained)
    got = score(setup.transform.unscale(scaled), truth)
    return Timing(seconds, median(times), numpy_seconds, setup.epochs, trainings, got)


def train_in_numpy(
    weights: list[Array], data: TrainingData, epochs: int, seed: int
) -> tuple[list[Array], float]:
    """Train LSTM and Dense as `Forecaster.train` does, in float32.

    Parameters
    ----------
    weights : list of ndarray
        The first weights, in the order of ``Sequential.get_weights``.
    data : TrainingData
        What to train on.
    epochs : int
        How many; the learning rate falls over as many.
    seed : int
        Of the shuffling.

    Returns
    -------
    weights : list of ndarray
        The last weights.
    seconds : float
        How long it took.
    """
    lstm = dict(zip(KERAS_WEIGHTS, weights[:3], strict=True))
    dense = dict(zip(("kernel", "bias"), weights[3:], strict=True))
    model = reference.Chain(
        [
            reference.LstmLayer(lstm, dtype=np.float32),
            reference.DenseLayer(dense, dtype=np.float32),
        ]
    )
    optimizer = reference.Adam()
    rng = np.random.default_rng(seed)
    size = batch_size_for(len(data.x))

    def batches() -> Iterator[list[Array]]:
        for epoch in range(epochs):
            optimizer.learning_rate = cosine_rate(epoch, epochs)
            rows = rng.permutation(len(data.x))
            yield [rows[start : start + size] for start in range(0, len(rows), size)]

    x, y = data.x.astype(np.float32), data.y.astype(np.float32)
    started = perf_counter()
    reference.fit(model, x, y, loss="mse", optimizer=optimizer, epochs=batches())
    seconds = perf_counter() - started
    return [np.asarray(value, dtype=np.float32) for value in model.params()], seconds
