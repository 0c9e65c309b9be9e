"""The season that a series has: found at its right length, and not where there is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from lstmfast.forecasting.demo import air_passengers
from lstmfast.forecasting.season import USUAL_PERIODS, calendar_periods, find_season

Array = npt.NDArray[np.float64]

# Mean air temperature at Nottingham Castle, 240 months from 1920, in tenths of a degree Fahrenheit.
NOTTINGHAM = """
406 408 444 467 541 585 577 564 543 505 429 398 442 398 451 470 541 587 663 599 570 542 397 428
375 387 395 421 557 578 568 543 543 471 418 417 418 401 429 458 492 527 642 596 544 492 363 376
393 375 383 455 532 577 608 582 564 498 444 436 400 405 408 451 538 594 635 610 530 500 381 363
392 434 434 489 506 568 625 620 575 467 416 398 394 385 453 471 517 550 604 605 547 503 423 352
408 411 428 473 509 564 622 605 554 502 430 373 348 313 410 439 531 569 625 603 598 492 429 419
416 371 412 469 512 604 601 616 570 509 430 388 371 384 384 465 535 584 606 582 538 466 455 406
424 384 403 446 509 570 621 635 563 473 436 418 362 393 445 487 542 608 655 649 601 502 421 358
394 382 404 469 534 596 665 604 592 512 428 458 400 426 435 471 500 605 646 640 568 486 442 364
373 350 440 439 527 586 600 611 581 496 416 413 408 410 384 474 541 586 614 618 563 509 414 371
421 412 473 466 524 590 596 604 570 507 478 392 394 409 424 478 524 580 607 618 582 467 466 378
"""


def test_published_series() -> None:
    nottingham = np.log(np.array(NOTTINGHAM.split(), dtype=np.float64))
    passengers = np.log(air_passengers().values[:, 0])
    for periods in (calendar_periods("month", 1.0), USUAL_PERIODS, ()):
        assert find_season(nottingham, periods) == 12
        assert find_season(passengers, periods) == 12
        assert find_season(passengers[:60], periods) == 12


def weekly_counts(rng: np.random.Generator) -> Array:
    mean = np.array([2.5, 4.5, 5.5, 5.0, 4.0, 1.5, 1.0])
    return rng.poisson(mean[np.arange(365) % 7]).astype(np.float64)


def carbon_dioxide(rng: np.random.Generator) -> Array:
    """Weeks with a rising trend, two harmonics of the year, and noise that stays for a while."""
    year = 2 * np.pi * np.arange(1000) / 52.18
    cycle = 2.8 * np.sin(year) - 0.8 * np.sin(2 * year)
    noise = np.convolve(rng.normal(size=1003), [0.4, 0.3, 0.2, 0.1], mode="valid")
    return np.asarray(320.0 + 0.03 * np.arange(1000) + cycle + noise)


def daily_temperature(rng: np.random.Generator) -> Array:
    return np.asarray(15 + 9 * np.sin(2 * np.pi * np.arange(1461) / 365.25) + rng.normal(size=1461))


def hourly_in_noise(rng: np.random.Generator) -> Array:
    return np.asarray(3 * np.sin(2 * np.pi * np.arange(240) / 24) + rng.normal(size=240))


def hours_of_weeks(rng: np.random.Generator) -> Array:
    hour = np.arange(24 * 35)
    level = np.where(hour // 24 % 7 < 5, 1.0, 0.4)
    return np.asarray(level * (2 + np.sin(2 * np.pi * hour / 24)) + 0.3 * rng.normal(size=24 * 35))


def days_of_weeks_in_a_year(rng: np.random.Generator) -> Array:
    day = np.arange(1100)
    week = np.array([0.0, 3.0, 1.0, 2.0, 4.0, 9.0, 7.0])[day % 7]
    return np.asarray(week + 5 * np.sin(2 * np.pi * day / 365.25) + 2 * rng.normal(size=1100))


@pytest.mark.parametrize(
    ("series", "unit", "step", "season"),
    [
        (weekly_counts, "day", 1.0, 7),
        (carbon_dioxide, "day", 7.0, 52),
        (daily_temperature, "day", 1.0, 365),
        (hourly_in_noise, "second", 3600.0, 24),
        (hours_of_weeks, "second", 3600.0, 168),
        (days_of_weeks_in_a_year, "day", 1.0, 7),
    ],
)
def test_made_series(
    series: Callable[[np.random.Generator], Array], unit: str, step: float, season: int
) -> None:
    for seed in range(3):
        values = series(np.random.default_rng(seed))
        assert find_season(values, calendar_periods(unit, step)) == season
    assert find_season(values) == season  # nothing known of the times


def test_seasons_in_series_that_change() -> None:
    month = np.arange(144)
    noise = np.random.default_rng(8).normal(size=144)
    cycle = 3 * np.sin(2 * np.pi * month / 12)
    growing = np.exp(0.02 * month) * (10 + cycle) + 0.3 * noise
    leaping = 100 + cycle + noise
    leaping[70:] *= 50
    for values in (
        growing,
        np.log(growing),
        leaping,
        np.log(leaping),
        air_passengers().values[:, 0],
    ):
        assert find_season(values, calendar_periods("month", 1.0)) == 12
        assert find_season(values) == 12


def test_periods_of_no_calendar() -> None:
    rng = np.random.default_rng(3)
    for season in (2, 9, 23):
        pattern = np.tile(rng.normal(size=season), 400 // season)
        noisy = pattern + 0.2 * rng.normal(size=len(pattern))
        assert find_season(noisy, calendar_periods("day", 1.0)) == season
        assert find_season(pattern) == season  # repeated exactly
        assert find_season(1e12 + pattern) == season


def test_a_part_of_a_period_of_the_calendar() -> None:
    """Quarters of which two are alike: half a year was found in one of eight series."""
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        noise = 0.5 * rng.normal(size=60) + np.cumsum(0.3 * rng.normal(size=60))
        values = np.tile([1.0, 2.0, 0.0, 1.5], 15) + noise
        found.append(find_season(values, calendar_periods("quarter", 1.0)))
    assert found.count(4) >= 39, found
    for seed in range(8):
        rng = np.random.default_rng(seed)
        pairs = np.tile([1.0, 2.0], 100) + 0.2 * rng.normal(size=200)
        # neither weeks nor years are even: none is forced on pairs
        assert find_season(pairs, calendar_periods("day", 1.0)) == 2


def random_walk(noise: Array) -> Array:
    return np.cumsum(noise)


def walk_with_memory(noise: Array) -> Array:
    return np.cumsum(autoregression(0.6)(noise))


def curve(noise: Array) -> Array:
    return np.asarray(np.linspace(0, 6, len(noise)) ** 2 + noise)


def new_level(noise: Array) -> Array:
    return np.asarray(noise + np.where(np.arange(len(noise)) > 0.6 * len(noise), 6.0, 0.0))


def autoregression(weight: float) -> Callable[[Array], Array]:
    def series(noise: Array) -> Array:
        result = noise.copy()
        for t in range(1, len(noise)):
            result[t] += weight * result[t - 1]
        return result

    return series


NO_SEASON: dict[str, Callable[[Array], Array]] = {
    "white noise": lambda noise: noise,
    "random walk": random_walk,
    "walk of a walk": lambda noise: random_walk(random_walk(noise)),
    "walk with memory": walk_with_memory,
    "AR(1) 0.5": autoregression(0.5),
    "AR(1) 0.95": autoregression(0.95),
    "AR(1) -0.5": autoregression(-0.5),
    "curve": curve,
    "new level": new_level,
}


@pytest.mark.parametrize("kind", NO_SEASON.values(), ids=NO_SEASON)
def test_no_season_is_forced(kind: Callable[[Array], Array]) -> None:
    """In 2,200 series of more kinds and lengths 0.6 % had one; here at most 1 of 24 may."""
    found = []
    for seed in range(8):
        for count, periods in (
            (40, calendar_periods("month", 1.0)),
            (130, calendar_periods("day", 1.0)),
            (260, USUAL_PERIODS),
        ):
            noise = np.random.default_rng(seed).normal(size=count)
            found.append(find_season(kind(noise), periods))
    assert np.count_nonzero(found) <= 1, found


def test_too_little_to_find_a_season_in() -> None:
    for values in (np.arange(3.0), np.ones(50), np.arange(500.0) * 0.1, np.exp(np.arange(9.0))):
        assert find_season(values) == 0
    # two cycles prove nothing
    assert find_season(np.tile(np.random.default_rng(0).normal(size=12), 2), (12.0,)) == 0


def test_periods_of_the_calendar() -> None:
    assert calendar_periods("quarter", 1.0) == (4.0,)
    assert calendar_periods("month", 3.0) == (4.0,)
    assert calendar_periods("month", 12.0) == ()
    assert calendar_periods("day", 1.0) == (7.0, 365.25)
    assert calendar_periods("workday", 1.0) == (5.0, 260.9)
    np.testing.assert_allclose(calendar_periods("day", 7.0), [52.18], atol=5e-3)
    assert calendar_periods("second", 1800.0)[1:3] == (48.0, 336.0)
    assert calendar_periods("second", 60.0)[:3] == (60.0, 1440.0, 10080.0)
    assert calendar_periods("number", 1.0) == USUAL_PERIODS
    assert calendar_periods("number", 1 / 96) == (96.0, *USUAL_PERIODS)
