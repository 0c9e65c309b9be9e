"""Times in every form that people write: read, continued in the same form, or refused."""

from __future__ import annotations

import math
from calendar import monthrange
from datetime import date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lstmfast.forecasting import DataError
from lstmfast.forecasting.cells import Column
from lstmfast.forecasting.times import parse_times

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def written(format: str, count: int, start: str, step: timedelta) -> list[str]:
    first = datetime.fromisoformat(start)
    return [(first + k * step).strftime(format) for k in range(count)]


def months(format: str, count: int) -> list[str]:
    return [datetime(1949 + k // 12, k % 12 + 1, 1).strftime(format) for k in range(count)]


def goes_on(cells: list[str], count: int, *, format: str | None = None) -> tuple[str, list[str]]:
    """Return unit and next times of even cells, which can be written as they were."""
    steps, positions, clock = parse_times(Column(cells, "t", str), format)
    assert steps == list(range(len(cells)))
    assert [clock.write(position) for position in positions] == cells
    return clock.unit, clock.after(positions[-1], count)


@pytest.mark.parametrize(
    ("format", "start", "step", "unit"),
    [
        ("%Y%m%d", "2020-01-01", DAY, "day"),
        ("%Y%m%d.0", "2020-01-01", DAY, "day"),
        ("%y%m%d", "2020-01-01", DAY, "day"),
        ("%Y%j", "2020-12-01", DAY, "day"),
        ("%d%m%Y", "2020-01-01", DAY, "day"),
        ("%m%d%Y", "2020-01-01", DAY, "day"),
        ("%Y%m%d", "2020-01-05", 7 * DAY, "day"),
        ("%Y%m%d%H", "2023-12-31", HOUR, "second"),
        ("%Y%m%d%H%M", "2024-01-01 10:20", MINUTE, "second"),
        ("%Y%m%d%H%M%S", "2024-01-01 10:20", timedelta(seconds=1), "second"),
        ("%Y%m%dT%H%M%SZ", "2024-01-01 10:20", HOUR, "second"),
        ("%Y%m%d %H:%M", "2024-01-01 10:20", HOUR, "second"),
        ("%Y/%m/%d", "2020-01-01", DAY, "day"),
        ("%Y.%m.%d", "2020-01-01", DAY, "day"),
        ("%Y-%m-%d 00:00:00", "2020-01-01", DAY, "day"),
        ("%Y-%m-%d 00:00:00+00:00", "2020-01-01", DAY, "day"),
        ("%Y-%m-%dT00:00:00.000Z", "2020-01-01", DAY, "day"),
        ("%Y-%m-%d 16:30", "2020-01-01", DAY, "day"),
        ("%Y-%m-%d %H:%M:%S.000", "2020-01-01", HOUR, "second"),
        ("%Y-%m-%d %H:%M:%S.000000000", "2020-01-01", HOUR, "second"),
        ("%Y-%m-%d %H:%M:%S.%f", "2020-01-01", timedelta(milliseconds=250), "second"),
        ("%Y-%m-%d %H:%M:%S-05:00", "2020-01-01", HOUR, "second"),
        ("%Y/%m/%d %H:%M+0530", "2020-01-01", HOUR, "second"),
        ("%Y-%m-%d %H:%M UTC", "2020-01-01", HOUR, "second"),
        ("%G-W%V", "2020-12-07", 7 * DAY, "day"),
        ("%GW%V", "2020-12-07", 7 * DAY, "day"),
    ],
)
def test_a_form_goes_on(format: str, start: str, step: timedelta, unit: str) -> None:
    cells = written(format, 43, start, step)
    if format == "%Y%m%d" and step == DAY:
        cells = cells[:34]  # the first 31 are the days of one month
    assert goes_on(cells[:-3], 3) == (unit, cells[-3:])


@pytest.mark.parametrize(
    "format", ["%Y%m", "%Y%m.0", "%m%Y", "%Y.%m", "%Y/%m", "%YM%m", "%Y-%m-01 00:00:00", "%Y%m01"]
)
def test_months_go_on(format: str) -> None:
    cells = months(format, 43)
    assert goes_on(cells[:-3], 3) == ("month", cells[-3:])


def test_days_of_one_month_in_digits() -> None:
    cells = written("%Y%m%d", 31, "2020-01-01", DAY)
    assert goes_on(cells, 2) == ("day", ["20200201", "20200202"])
    # 31 days, 12 of which are also months
    assert goes_on([cell[2:] for cell in cells], 2) == ("day", ["200201", "200202"])
    # programs that take them for numbers drop the zero at the beginning
    cells = [cell.lstrip("0") for cell in written("%d%m%Y", 31, "2020-01-01", DAY)]
    assert goes_on(cells, 2) == ("day", ["1022020", "2022020"])
    assert goes_on(written("%Y%m%d%H%M", 40, "2024-01-01 10:20", MINUTE), 1)[1] == ["202401011100"]


@pytest.mark.parametrize(
    ("first", "digits"), [("1949Q1", "%Y%q"), ("Q1 1949", "q"), ("1949:q1", "q"), ("Q1/1949", "q")]
)
def test_quarters_go_on(first: str, digits: str) -> None:
    cells = [
        first.replace("1949", str(1949 + k // 4)).replace("Q1", f"Q{k % 4 + 1}")
        .replace("q1", f"q{k % 4 + 1}")
        for k in range(12)
    ]  # fmt: skip
    assert goes_on(cells[:-2], 2) == ("quarter", cells[-2:])


def test_numbers_without_zeros_before_them() -> None:
    days = [date(2020, 1, 1) + k * DAY for k in range(40)]
    cells = [f"{day.year}/{day.month}/{day.day}" for day in days]
    assert goes_on(cells[:-2], 2) == ("day", cells[-2:])
    hours = [datetime(2020, 1, 1) + k * HOUR for k in range(40)]
    cells = [f"{h.year}/{h.month}/{h.day} {h.hour}:{h.minute:02d}" for h in hours]
    assert goes_on(cells[:-2], 2) == ("second", cells[-2:])


@pytest.mark.parametrize("day", [28, 29, 30, 31])
def test_a_day_of_the_month_that_some_lack(day: int) -> None:
    ends = [monthrange(2020 + k // 12, k % 12 + 1)[1] for k in range(14)]
    cells = [f"{2020 + k // 12}-{k % 12 + 1:02d}-{min(day, end)}" for k, end in enumerate(ends)]
    assert goes_on(cells[:-1], 1) == ("month", cells[-1:])
    assert goes_on(cells[3:9], 1) == ("month", [cells[9]])
    # some programs know no leap day: 2020-02-28
    cells[1] = cells[1].replace("-29", "-28")
    assert goes_on(cells[:-1], 1)[0] == "month"


def test_the_newest_first_is_an_order_to_sort() -> None:
    for cells in (months("%Y-%m", 9)[::-1], ["2020", "2019", "2018", "2017"]):
        with pytest.raises(DataError, match=r"ascending order \(sort the file, oldest first\)$"):
            parse_times(Column(cells, "t", str))
    cells = months("%Y-%m", 9)
    cells[4] = "1940-01"
    with pytest.raises(DataError, match=r"ascending order$"):
        parse_times(Column(cells, "t", str))


def workday(month: int, last: bool) -> date:
    """The last or first weekday of a month from 2010 on."""
    year, place = 2010 + month // 12, month % 12 + 1
    days = [date(year, place, k + 1) for k in range(monthrange(year, place)[1])]
    return [day for day in days if day.weekday() < 5][-1 if last else 0]


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("every", [1, 3])
def test_months_that_end_or_begin_with_a_working_day(last: bool, every: int) -> None:
    cells = [workday(every * k + 2, last).isoformat() for k in range(60)]
    assert goes_on(cells[:-6], 6) == ("month", cells[-6:])


def test_holidays_at_the_end_of_months() -> None:
    cells = [workday(k, last=True).isoformat() for k in range(40)]
    cells[4], cells[38] = "2010-05-28", "2013-03-28"  # Memorial Day, Good Friday
    steps, positions, clock = parse_times(Column(cells, "t", str))
    assert (steps, clock.unit) == (list(range(40)), "month")
    assert clock.after(positions[-1], 2) == ["2013-05-31", "2013-06-28"]
    fridays = ["2020-01-17", "2020-02-21", "2020-03-20", "2020-04-17"]  # each the third
    with pytest.raises(DataError, match='goes from "2020-01-17" to "2020-02-21"'):
        parse_times(Column(fridays, "t", str))


@pytest.mark.parametrize("cut", [round, math.floor])
@pytest.mark.parametrize("digits", [2, 3, 4])
@pytest.mark.parametrize(("per_year", "offset"), [(12, 0.0), (12, 1 / 24), (4, 0.0), (4, 0.125)])
def test_decimal_years(cut, digits: int, per_year: int, offset: float) -> None:  # type: ignore[no-untyped-def]
    # a little more, so that no value lies on the edge between two roundings
    exact = [1949 + offset + k / per_year + 1e-7 for k in range(112)]
    cells = [f"{cut(each * 10**digits) / 10**digits:.{digits}f}" for each in exact]
    assert goes_on(cells[:-12], 12) == ("number", cells[-12:])
    del cells[50:53]
    steps, _, clock = parse_times(Column(cells, "t", str))
    assert steps == [*range(50), *range(53, 112)]
    assert clock.step == pytest.approx(1 / per_year, abs=1e-12)


@pytest.mark.parametrize(
    ("cells", "after"),
    [
        (["1959.5", "1959.75", "1960"], ["1960.25", "1960.5", "1960.75", "1961"]),
        (["1959.5", "1959.75", "1960.0"], ["1960.25", "1960.5", "1960.75", "1961.0"]),
        (["1959,5", "1959,75", "1960,0"], ["1960,25"]),
        (["-2", "-1", "0"], ["1", "2"]),
        (["-1.5", "-1.0", "-0.5"], ["0.0", "0.5"]),
        (["1577836800000000001", "1577836800000000002", "1577836800000000003"],
         ["1577836800000000004"]),
        (["99", "100", "101"], ["102"]),
        (["1000001", "1000002", "1000003"], ["1000004"]),  # no days of the year 1000
    ],
)  # fmt: skip
def test_plain_numbers_go_on(cells: list[str], after: list[str]) -> None:
    assert goes_on(cells, len(after)) == ("number", after)


@pytest.mark.parametrize(
    ("format", "cells"),
    [
        ("%d.%m.%Y", written("%d.%m.%Y", 40, "2020-01-01", DAY)),
        ("%d.%m.%Y", ["29.1.2020", "30.1.2020", "31.1.2020", "1.2.2020", "2.2.2020"]),
        ("%m/%d/%Y %I:%M %p", written("%m/%d/%Y %I:%M %p", 40, "2020-01-01", HOUR)),
        ("%d%b%Y", [cell.upper() for cell in written("%d%b%Y", 40, "2020-01-01", DAY)]),
        ("%A, %B %d, %Y", written("%A, %B %d, %Y", 40, "2020-01-01", DAY)),
        ("%b-%y", months("%b-%y", 360)),  # over the end of 1968, after which 68 means 2068
        ("%d/%m/%y %H:%M:%S.%f", written("%d/%m/%y %H:%M:%S.%f", 5, "2020-01-01", HOUR)),
        ("%Y-%m-%dT%H:%M:%S%z", written("%Y-%m-%dT%H:%M:%SZ", 9, "2020-01-01", HOUR)),
        ("%Y-%m-%dT%H:%M:%S%z", written("%Y-%m-%dT%H:%M:%S+05:30", 9, "2020-01-01", HOUR)),
        ("%H:%M", written("%H:%M", 40, "2020-01-01", 5 * MINUTE)),
        ("Q%q/%y", [f"Q{k % 4 + 1}/{90 + k // 4}" for k in range(20)]),
        ("%G, week %V", written("%G, week %V", 60, "2020-12-07", 7 * DAY)),
        ("100%% %Y", [f"100% {year}" for year in range(1990, 2000)]),
        ("{%Y}{}", [f"{{{year}}}{{}}" for year in range(1990, 2000)]),
        ("%%q%q %Y", [f"%q{k % 4 + 1} {1990 + k // 4}" for k in range(20)]),
    ],
)
def test_a_format_given_by_the_user(format: str, cells: list[str]) -> None:
    assert goes_on(cells[:-2], 2, format=format)[1] == cells[-2:]


@pytest.mark.parametrize(
    ("format", "cells", "message"),
    [
        ("%d.%m.", ["1.1."], r'time format "%d\.%m\." has no year; expected %Y or %y in it'),
        ("%Q", ["1"], r'time format "%Q" cannot be used: \'Q\' is a bad directive'),
        ("%Y %", ["1"], r'time format "%Y %" cannot be used: stray %'),
        ("%Y %Y", ["1"], r'time format "%Y %Y" cannot be used: redefinition of group name'),
        ("", ["1"], r'time format "" has no directive such as %Y'),
        ("%Y-W%V", ["2020-W01"], r"ISO week directive '%V' is incompatible with"),
        ("%m/%d/%Y", ["12/12/2020", "13/12/2020"],
         r'1: column "t" has "13/12/2020"; expected the form of --time-format "%m/%d/%Y"'),
        ("%d.%m.%Y", ["01.01.2020", "2.1.2020"],
         r'1: column "t" has "2\.1\.2020"; expected "02\.01\.2020", as --time-format "%d'),
        ("%Y-%m-%d %H:%M%z", ["2020-03-29 01:00+0100", "2020-03-29 03:00+0200"],
         r'1: column "t" has .* after .*; expected one offset for all times'),
    ],
)  # fmt: skip
def test_formats_that_do_not_fit(format: str, cells: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse_times(Column(cells, "t", str), format)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([*written("%Y%m%d", 31, "2020-01-01", DAY), "20200132"],
         '31: column "t" has "20200132"; expected a time such as "20200101", read as YYYYMMDD'),
        ([*months("%Y%m", 40), "195213"],
         '40: column "t" has "195213"; expected a time such as "194901", read as YYYYMM'),
        (["0001", "0002", "0003"],
         '0: column "t" has "0001"; expected a number without zeros before it, or --time-format '),
        (["+1", "+2", "+3"], '0: column "t" has "\\+1"; expected a time such as 1949-01'),
        (["13.1.2020", "14.1.2020"], r'or use --time-format "%d\.%m\.%Y"\)'),
        (["01/12/2020", "01/13/2020"], r'or use --time-format "%m/%d/%Y"\)'),
        # days of January, not the first of twelve months
        (["01/01/2020", "02/01/2020", "03/01/2020"], r'or use --time-format "%m/%d/%Y"\)'),
        (["Jan-20", "Feb-20"], r'or use --time-format "%b-%y"\)'),
        (["2020-01-01 00:00+01:00", "2020-01-02 00:00+02:00"],
         'has "2020-01-02 00:00\\+02:00" after "2020-01-01 00:00\\+01:00"; expected one offset '),
        (["2020-01-01", "2020-01-02", "2020-1-3"], '2: column "t" has "2020-1-3"; expected the '),
        (["2020-01-01", "2020-01-02 00:00"], '1: column "t" has "2020-01-02 00:00"; expected the '),
        (["2020-02-29", "2021-02-29"], '1: column "t" has "2021-02-29"; expected a time such as'),
        (["2020-01-01 23:00", "2020-01-01 24:00"], "1: .*expected a time such as"),
        (["1949", "1950", "1951-01"], '2: column "t" has "1951-01"; expected the form of "1949"'),
        (["1949.5", "1950,5", "1951.5"], '1: column "t" has "1950,5"; expected the form of '),
        (["1949.0", "1949.3", "1949.5", "1949.6", "1950.0"],
         'goes from "1949.5" to "1949.6"; expected steps of 0.3'),
        (["2e3", "3e3", "4e3"], '0: column "t" has "2e3"; expected a time such as'),
    ],
)  # fmt: skip
def test_times_that_are_refused(cells: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse_times(Column(cells, "t", str))
    assert len(str(caught.value).splitlines()) == 1


@settings(max_examples=40)
@given(
    start=st.datetimes(datetime(1600, 1, 1), datetime(2400, 1, 1)),
    seconds=st.sampled_from([1, 60, 300, 900, 3600, 10800, 86400, 604800]),
    format=st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%Y/%m/%dT%H:%M:%SZ", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S"]
    ),
    count=st.integers(3, 60),
)
def test_any_even_times_go_on(start: datetime, seconds: int, format: str, count: int) -> None:
    start = start.replace(microsecond=0)
    cells = [(start + k * timedelta(seconds=seconds)).strftime(format) for k in range(count + 30)]
    assert goes_on(cells[:-30], 30)[1] == cells[-30:]


@settings(max_examples=60)
@given(st.lists(st.text("0123456789-/:. TZQWM+", min_size=1, max_size=20), min_size=3, max_size=4))
def test_any_column_goes_on_in_its_form_or_is_refused_in_one_line(cells: list[str]) -> None:
    message, after = "", ["-"]
    try:
        _, positions, clock = parse_times(Column(cells, "t", str))
        after = clock.after(positions[-1], 1)
    except DataError as error:
        message = str(error)
    assert len(message.splitlines()) <= 1
    assert after[0]


@given(st.integers(0, 10**9), st.integers(1, 10**6), st.integers(3, 40))
def test_any_numbers_go_on(start: int, step: int, count: int) -> None:
    cells = [str(start + k * step) for k in range(count + 1)]
    try:
        got = goes_on(cells[:-1], 1)
    except DataError as error:
        assume("read as" not in str(error))  # most of them are dates
        raise
    assert got[0] != "number" or got[1] == cells[-1:]
