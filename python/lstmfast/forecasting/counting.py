"""Times as whole numbers in which equal steps are equal differences.

Times that are quarters, months, days or working days are counted in these; all others in seconds or
decimal parts of them. This module does not know how times are written.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

__all__ = ["Count", "count_times"]

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
# Exchanges close on holidays: by how many days trade may end before a month's last workday.
_HOLIDAYS = 3


@dataclass(frozen=True)
class Count:
    """Times as whole numbers.

    Attributes
    ----------
    unit : str
        ``quarter``, ``month``, ``day``, ``workday`` or ``second``.
    ticks : int
        How many numbers make a unit.
    positions : list of int
        The number of each time.
    moment : callable
        Turns a number into its time.
    """

    unit: str
    ticks: int
    positions: list[int]
    moment: Callable[[int], datetime]


def count_times(moments: Sequence[datetime], unit: str = "") -> Count:
    """Count ascending times, at least two, in the largest unit in which they are even.

    Parameters
    ----------
    moments : sequence of datetime
        Times without offsets.
    unit : str
        ``quarter`` where that is known; "" where it is to be found.
    """
    clock = moments[0].time()
    if any(moment.time() != clock for moment in moments):
        exact = [(moment - _EPOCH) // _MICROSECOND for moment in moments]
        # seconds, or the decimal parts of them in which the times are written
        digits = next(d for d in range(7) if all(each % 10 ** (6 - d) == 0 for each in exact))
        tick = 10 ** (6 - digits)
        ticks = [each // tick for each in exact]
        return Count("second", 10**digits, ticks, lambda p: _EPOCH + p * tick * _MICROSECOND)
    dates = [moment.date() for moment in moments]
    if unit == "quarter":
        quarters = [month // 3 for month in _months(dates)]
        return Count(unit, 1, quarters, lambda p: _at(_day_of_month(3 * p, 1), clock))
    of_month = _monthly(dates)
    if of_month is not None:
        return Count("month", 1, _months(dates), lambda p: _at(of_month(p), clock))
    days = [day.toordinal() for day in dates]
    if _are_workdays(dates):
        # counted from a Monday, five a week
        workdays = [(day - 1) // 7 * 5 + (day - 1) % 7 for day in days]
        return Count(
            "workday",
            1,
            workdays,
            lambda p: _at(date.fromordinal(p // 5 * 7 + p % 5 + 1), clock),
        )
    return Count("day", 1, days, lambda p: _at(date.fromordinal(p), clock))


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock)


def _months(dates: Sequence[date]) -> list[int]:
    return [12 * day.year + day.month - 1 for day in dates]


def _monthly(dates: Sequence[date]) -> Callable[[int], date] | None:
    """Return the function from month to date where the dates follow one; else None."""
    if min((b - a).days for a, b in pairwise(dates)) < 28:
        return None
    months = _months(dates)
    day = max(each.day for each in dates)
    if all(each == _day_of_month(month, 31) for each, month in zip(dates, months, strict=True)):
        day = 31
    rules: list[Callable[[int], date]] = [
        lambda month: _day_of_month(month, day),
        lambda month: _before_leap_day(_day_of_month(month, day)),
        _first_workday,
        _last_workday,
    ]
    for rule in rules:
        if all(each == rule(month) for each, month in zip(dates, months, strict=True)):
            return rule
    before = [(_last_workday(m) - each).days for each, m in zip(dates, months, strict=True)]
    exact = sum(days == 0 for days in before)
    workdays = all(each.weekday() < 5 for each in dates)
    if workdays and 2 * exact > len(dates) and all(0 <= days <= _HOLIDAYS for days in before):
        return _last_workday
    return None


def _day_of_month(month: int, day: int) -> date:
    """Return the date with this day in a month, or the month's last day."""
    year, place = month // 12, month % 12 + 1
    return date(year, place, min(day, monthrange(year, place)[1]))


def _before_leap_day(day: date) -> date:
    """Return 28 February for the 29th: some programs end every February there."""
    return day.replace(day=28) if (day.month, day.day) == (2, 29) else day


def _first_workday(month: int) -> date:
    first = _day_of_month(month, 1)
    return first + timedelta(days=7 - first.weekday() if first.weekday() > 4 else 0)


def _last_workday(month: int) -> date:
    last = _day_of_month(month, 31)
    return last - timedelta(days=max(0, last.weekday() - 4))


def _are_workdays(dates: Sequence[date]) -> bool:
    """Tell whether the dates are working days: in more weeks than one, on Mondays, no weekend."""
    weekdays = {day.weekday() for day in dates}
    if 0 not in weekdays or max(weekdays) > 4:
        return False
    weeks = {day.isocalendar()[:2] for day in dates}
    return len(weeks) > 1 and any((b - a).days == 1 for a, b in pairwise(dates))
