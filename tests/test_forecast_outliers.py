"""Values that look wrong, steps far out, and numbers of any size: none spoils a forecast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from cli_runs import runner
from lstmfast.forecasting import DataError, forecast
from lstmfast.forecasting.baselines import linear
from lstmfast.forecasting.outliers import ends_far, find_outliers, replace_outliers
from lstmfast.forecasting.scores import error_scale, score, values_ahead
from lstmfast.forecasting.transforms import TRANSFORMS, check_values
from lstmfast.forecasting.windows import Scaling

Array = npt.NDArray[np.float64]

LOG_DIFF, DIFF, NONE = TRANSFORMS["log-diff"], TRANSFORMS["diff"], TRANSFORMS["none"]


def cycle(count: int = 200) -> Array:
    """Twelve values a cycle, about 100, with noise."""
    noise = np.random.default_rng(1).normal(size=count)
    return np.asarray(100 + 5 * np.sin(2 * np.pi * np.arange(count) / 12) + noise)


@pytest.mark.parametrize("wrong", [1e5, 1000.0, 10.0, 1e-3])
@pytest.mark.parametrize("rows", [(0,), (1,), (0, 1), (20,), (90, 91), (198,)])
def test_typos_are_found(rows: tuple[int, ...], wrong: float) -> None:
    values = cycle()
    values[list(rows)] = wrong
    assert tuple(find_outliers(np.log(values))) == rows


def with_peaks() -> Array:
    values = cycle(208)
    values[40::52] *= 8
    return values


@pytest.mark.parametrize(
    "values",
    [
        cycle(),
        np.append(cycle(), 1e5),  # perhaps a new level
        np.append(cycle(100), 50 * cycle(100)),  # a new level
        np.append(cycle(100), cycle(100) - 80),
        np.append(cycle(199), [4000.0, 4010.0]),
        with_peaks(),
        np.cumsum(np.random.default_rng(2).normal(size=300)),
        np.random.default_rng(3).exponential(size=300),
        (np.arange(200) % 40 == 7).astype(np.float64),  # rare events
        np.eye(1, 150, 70)[0],
        np.arange(100.0) ** 3,
        np.ones(40),
        np.array([1.0, 900.0, 1.0, 1.0]),
    ],
)
def test_what_belongs_to_a_series_stays(values: Array) -> None:
    assert find_outliers(values).size == 0
    assert ends_far(values) == (len(values) == 201)  # those that end with a leap


def test_replaced_values_lie_between_their_neighbours() -> None:
    values = np.column_stack([cycle(), np.sin(np.arange(200.0))])
    values[20, 0], values[[60, 61], 1] = 1e5, 99.0
    given = values.copy()
    mended, places = replace_outliers(values, LOG_DIFF)
    np.testing.assert_array_equal(values, given)
    assert places == ((20, 0), (60, 1), (61, 1))
    assert mended[20, 0] == pytest.approx(np.sqrt(values[19, 0] * values[21, 0]))
    between = values[59, 1] + (values[62, 1] - values[59, 1]) * np.array([1 / 3, 2 / 3])
    np.testing.assert_allclose(mended[60:62, 1], between)
    changed = np.flatnonzero((mended != given).any(axis=1))
    np.testing.assert_array_equal(changed, [20, 60, 61])


def test_one_typo_does_not_spoil_a_forecast() -> None:
    """The RMSE was 28 where persistence had 5."""
    values = cycle(120)
    clean = forecast(values, horizon=3, epochs=20)
    values[20] = 100_000.0
    with pytest.warns(UserWarning, match=r"^\[forecast\] series\[20\]: far from all values around"):
        coming = forecast(values, horizon=3, epochs=20)
    assert clean.replaced == ()
    assert coming.replaced == ((20, 0),)
    assert coming.season == clean.season == 12
    # one value of a hundred differs
    for name, expected in clean.trained.validation.scores.items():
        got = coming.trained.validation.scores[name]
        assert got.one_step == pytest.approx(expected.one_step, rel=0.1)
        assert got.rolling == pytest.approx(expected.rolling, rel=0.1)
    np.testing.assert_allclose(coming.mean, clean.mean, rtol=0.02)


def test_the_note_names_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    values = [f"{value:.2f}" for value in cycle(80)]
    values[0], values[40] = "0.01", "100000"
    Path("a.csv").write_text("x\n" + "\n".join(values) + "\n")
    command = ["forecast", "a.csv", "--column", "x", "--epochs", "1", "--horizon", "2"]
    code, _, err = runner(capsys)(*command)
    assert code == 0, err
    wrong, keep = "that looks wrong,", "taken instead (use --outliers keep to keep it)"
    did = f"{wrong} the line between was {keep}"
    second = f"{float(values[1]):g}"
    assert (
        f'a.csv line 2: column "x" has 0.01 next to {second}; {wrong} {second} was {keep}\n' in err
    )
    around = f"{float(values[39]):g} and {float(values[41]):g}"
    assert f'a.csv line 42: column "x" has 100000 next to {around}; {did}\n' in err
    assert "may be wrong" not in err
    code, _, err = runner(capsys)(*command, "--outliers", "keep")
    assert code == 0, err
    assert wrong not in err
    Path("a.csv").write_text("x\n" + "\n".join([*values[1:40], "100000"]) + "\n")
    code, _, err = runner(capsys)(*command)
    assert code == 0, err
    starts = f"has 100000 after {around.split()[0]}; the forecast starts from it"
    assert f'a.csv line 41: column "x" {starts}, but it may be wrong\n' in err
    assert wrong not in err


def test_the_note_gives_the_values_that_the_line_lies_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    values = [f"{value:.2f}" for value in cycle(240)]
    command = ["forecast", "a.csv", "--column", "x", "--epochs", "1", "--horizon", "2"]
    for rows, expected in (
        ((0, 1), f"{float(values[2]):g}; that looks wrong, {float(values[2]):g} was taken"),
        ((90, 91), f"{float(values[89]):g} and {float(values[92]):g}; that looks wrong, the line"),
    ):
        wrong = ["7e5" if row in rows else value for row, value in enumerate(values)]
        Path("a.csv").write_text("x\n" + "\n".join(wrong) + "\n")
        code, _, err = runner(capsys)(*command)
        assert code == 0, err
        assert err.count(f"has 700000 next to {expected}") == 2


def test_a_peak_can_be_kept() -> None:
    values = cycle(120)
    values[20] = 400.0
    coming = forecast(values, horizon=3, epochs=1, outliers="keep")
    assert coming.replaced == ()
    assert coming.season == 12
    # limited in what the network sees, so that the usual steps keep their spread
    spread = float(coming.trained.forecaster.scaling.spread[0])
    assert spread < 2 * np.diff(np.log(cycle(120))).std() < np.diff(np.log(values)).std() / 3
    with pytest.raises(ValueError, match=r"outliers is 'drop'; expected one of replace, keep$"):
        forecast(values, outliers="drop")


def test_the_warning_names_each_place_up_to_ten() -> None:
    values, other = cycle(60), np.sin(np.arange(60.0))
    values[20], other[30] = 1e5, 99.0
    with pytest.warns(UserWarning, match=r"series") as caught:
        forecast(values, inputs=other, horizon=2, epochs=1, season=0)
    (warning,) = caught
    assert warning.filename == __file__
    assert str(warning.message) == (
        "[forecast] series[20], inputs[30, 0]: far from all values around, and replaced by what "
        'lies between the values next to it; use outliers="keep" to keep such values'
    )
    many = cycle(1400)
    many[50::100] = 1e5
    with pytest.warns(
        UserWarning, match=r"series\[950\] and 4 more \(see Forecast.replaced\): far"
    ):
        forecast(many, horizon=1, epochs=1, season=0, lookback=2)


def test_a_new_level_leaves_the_usual_steps_their_size() -> None:
    steps = np.diff(np.log(np.append(cycle(100), 50 * cycle(100))))[:, None]
    usual = np.delete(steps, 99, axis=0)
    scaling = Scaling.of(steps)
    assert scaling.spread[0] == pytest.approx(usual.std(), rel=0.3)
    z = scaling.apply(steps)
    assert 3 < z[99, 0] < 15
    assert np.abs(np.delete(z, 99)).max() < 4
    # without such a step: mean and standard deviation
    plain = Scaling.of(usual)
    np.testing.assert_allclose(plain.apply(usual), (usual - usual.mean()) / usual.std())
    np.testing.assert_allclose(plain.undo(plain.apply(usual)[:, 0], 0), usual[:, 0])


def test_columns_that_often_leap_are_not_limited() -> None:
    events = (np.arange(300) % 30 == 4).astype(np.float64)
    steps = np.column_stack([events, np.where(np.arange(300) % 20 == 0, 50.0, np.arange(300) % 3)])
    scaling = Scaling.of(steps)
    assert np.isinf([scaling.low, scaling.high]).all()
    np.testing.assert_allclose(scaling.spread, steps.std(axis=0))
    assert Scaling.of(np.ones((5, 1))).spread == 1.0


def where(row: int, column: int) -> str:
    return f"[{row}, {column}]"


@pytest.mark.parametrize("size", [1e-90, 1e-9, 1.0, 1e12, 1e90])
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_size_of_numbers_does_not_matter(transform: str, size: float) -> None:
    values = np.column_stack([cycle(60), np.sin(np.arange(60.0))])
    check_values(size * values, TRANSFORMS[transform], where)
    expected = forecast(values[:, 0], horizon=2, epochs=2, transform=transform)
    got = forecast(size * values[:, 0], horizon=2, epochs=2, transform=transform)
    assert got.season == expected.season
    # float32 networks; rounding of the scaled values moves what they learn a little
    np.testing.assert_allclose(got.mean / size, expected.mean, rtol=1e-4)
    np.testing.assert_allclose(got.upper[0.8] / size, expected.upper[0.8], rtol=1e-3)
    for name, one in expected.trained.validation.scores.items():
        other = got.trained.validation.scores[name]
        np.testing.assert_allclose(other.one_step / size, one.one_step, rtol=1e-3)
        np.testing.assert_allclose(other.rolling / size, one.rolling, rtol=1e-3)


@pytest.mark.parametrize("transform", ["diff", "none"])
def test_small_changes_of_large_numbers_are_learnt_from(transform: str) -> None:
    values = 1e12 + cycle(60)
    check_values(values[:, None], TRANSFORMS[transform], where)
    got = forecast(values, horizon=2, epochs=2, transform=transform)
    expected = forecast(values - 1e12, horizon=2, epochs=2, transform=transform)
    np.testing.assert_allclose(got.mean - 1e12, expected.mean, rtol=1e-3)
    rule = "linear autoregression on " + {"diff": "differences", "none": "values"}[transform]
    assert got.trained.validation.scores[rule].one_step == pytest.approx(
        expected.trained.validation.scores[rule].one_step, rel=1e-2
    )


@pytest.mark.parametrize("size", [1e-30, 0.1, 1.0, 1e13])
def test_even_steps_are_nothing_to_learn(size: float) -> None:
    growth = size * 1.01 ** np.arange(200.0)
    line = size * np.arange(1.0, 201.0)
    level = np.full(200, size)
    wave = size * np.sin(np.arange(200.0))
    even = "changes by the same step all the time; expected something to learn"
    for values, transform, message in (
        (growth[:, None], LOG_DIFF, rf"\[0, 0\] {even}"),
        (np.cumsum(np.full(200, size))[:, None], DIFF, rf"\[0, 0\] {even}"),
        (np.column_stack([growth, line]), DIFF, rf"\[0, 1\] {even}"),
        (level[:, None], LOG_DIFF, r"\[0, 0\] never changes; expected something to learn"),
        (np.column_stack([wave, level]), NONE, r"\[0, 1\] never changes"),
    ):
        with pytest.raises(DataError, match=message):
            check_values(values, transform, where)
    # one digit in the twelfth place of the first is something
    check_values(np.append(growth, growth[-1] * (1.01 + 1e-11))[:, None], LOG_DIFF, where)


def test_a_line_with_a_typo_is_nothing_to_learn() -> None:
    values = np.arange(1.0, 61.0)
    values[30] = 1e6
    with pytest.raises(DataError, match=r"series\[0\] changes by the same step all the time"):
        forecast(values, transform="diff")


def test_errors_of_any_size_are_measured() -> None:
    truth = values_ahead(np.zeros(8), np.arange(6), 2)
    for size in (1e-200, 1.0, 1e150):
        got = score(truth + size * np.array([3.0, 4.0]), truth)
        assert got.one_step == pytest.approx(3 * size)
        assert got.rolling == pytest.approx(np.sqrt(12.5) * size)
        width = error_scale(np.full((6, 2), size), 0.8)
        np.testing.assert_allclose(width / size, error_scale(np.ones((6, 2)), 0.8))
    tiny = 1e-150 * cycle(60)
    one, other = (linear(3, NONE)(x, 50, np.array([50]), 4) for x in (tiny, cycle(60)))
    np.testing.assert_allclose(one / 1e-150, other)


@pytest.mark.parametrize("size", [1e-299, 1e-12, 1e-3, 1e6, 1e90])
def test_cells_of_any_size_stay_readable(
    size: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"{size * value:.8g}" for value in cycle(60)]
    Path("a.csv").write_text("x\n" + "\n".join(lines) + "\n")
    code, out, err = runner(capsys)(
        "forecast", "a.csv", "--column", "x", "--epochs", "1", "--horizon", "2"
    )
    assert code == 0, err
    rows = [line.split(",")[1:] for line in out.splitlines()[1:]]
    for row in rows:
        assert all(len(cell) <= 17 for cell in row), row
        assert ("e" in row[0]) == (size in (1e-299, 1e-12, 1e90))
        middle, low, high, lower, higher = (float(cell) / size for cell in row)
        assert lower < low < middle < high < higher
        assert middle == pytest.approx(100, rel=0.3)
    assert max(map(len, err.splitlines())) < 120
