"""Times as whole numbers in which equal steps are equal differences.

Times that are quarters, months, days or working days are counted in these; all others in seconds or
decimal parts of them. This module does not know how times are written.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
# Exchanges close on holidays: by how many days trade may end before a month's last workday.
_HOLIDAYS = 3


@dataclass(frozen=True)
class Reading:
    """A column in ascending whole numbers.

    Attributes
    ----------
    unit : str
        ``quarter``, ``month``, ``day``, ``workday``, ``second`` or ``number``.
    ticks : int
        How many numbers make a unit. If more than one does, the times may be rounded to them.
    positions : list of int
        The number of each row.
    write : callable
        Turns a number into a cell.
    """

    unit: str
    ticks: int
    positions: list[int]
    write: Callable[[int], str]


def count_times(
    moments: Sequence[datetime], write: Callable[[datetime], str], quarters: bool
) -> Reading:
    """Count ascending times, at least two, in the largest unit in which they are even.

    Parameters
    ----------
    moments : sequence of datetime
        Times without offsets.
    write : callable
        Turns a time into a cell.
    quarters : bool
        Whether the times are known to be quarters.
    """
    clock = moments[0].time()
    if any(moment.time() != clock for moment in moments):
        exact = [(moment - _EPOCH) // _MICROSECOND for moment in moments]
        # seconds, or the decimal parts of them in which the times are written
        digits = next(d for d in range(7) if all(each % 10 ** (6 - d) == 0 for each in exact))
        tick = 10 ** (6 - digits)
        ticks = [each // tick for each in exact]
        return Reading(
            "second", 10**digits, ticks, lambda p: write(_EPOCH + p * tick * _MICROSECOND)
        )

    def reading(unit: str, positions: list[int], day: Callable[[int], date]) -> Reading:
        return Reading(unit, 1, positions, lambda p: write(datetime.combine(day(p), clock)))

    dates = [moment.date() for moment in moments]
    months = [12 * day.year + day.month - 1 for day in dates]
    if quarters:
        return reading("quarter", [month // 3 for month in months], lambda p: _in_month(3 * p, 1))
    of_month = _monthly(dates, months)
    if of_month is not None:
        return reading("month", months, of_month)
    days = [day.toordinal() for day in dates]
    if _are_workdays(dates):
        # counted from a Monday, five a week
        workdays = [(day - 1) // 7 * 5 + (day - 1) % 7 for day in days]
        return reading("workday", workdays, lambda p: date.fromordinal(p // 5 * 7 + p % 5 + 1))
    return reading("day", days, date.fromordinal)


def _monthly(dates: list[date], months: list[int]) -> Callable[[int], date] | None:
    """Return the function from month to date where the dates follow one; else None."""
    if min((b - a).days for a, b in pairwise(dates)) < 28:
        return None
    day = max(each.day for each in dates)
    rules: list[Callable[[int], date]] = [
        lambda month: _in_month(month, 31),
        lambda month: _in_month(month, day),
        lambda month: _before_leap_day(_in_month(month, day)),
        _first_workday,
        _last_workday,
    ]
    for rule in rules:
        if dates == [rule(month) for month in months]:
            return rule
    before = [(_last_workday(m) - each).days for each, m in zip(dates, months, strict=True)]
    exact = sum(days == 0 for days in before)
    workdays = all(each.weekday() < 5 for each in dates)
    if workdays and 2 * exact > len(dates) and all(0 <= days <= _HOLIDAYS for days in before):
        return _last_workday
    return None


def _in_month(month: int, day: int) -> date:
    """Return the date with this day in a month, or the month's last day."""
    year, place = month // 12, month % 12 + 1
    return date(year, place, min(day, monthrange(year, place)[1]))


def _before_leap_day(day: date) -> date:
    """Return 28 February for the 29th: some programs end every February there."""
    return day.replace(day=28) if (day.month, day.day) == (2, 29) else day


def _first_workday(month: int) -> date:
    first = _in_month(month, 1)
    return first + timedelta(days=7 - first.weekday() if first.weekday() > 4 else 0)


def _last_workday(month: int) -> date:
    last = _in_month(month, 31)
    return last - timedelta(days=max(0, last.weekday() - 4))


def _are_workdays(dates: Sequence[date]) -> bool:
    """Tell whether the dates are working days: in more weeks than one, on Mondays, no weekend."""
    weekdays = {day.weekday() for day in dates}
    if 0 not in weekdays or max(weekdays) > 4:
        return False
    weeks = {day.isocalendar()[:2] for day in dates}
    return len(weeks) > 1 and any((b - a).days == 1 for a, b in pairwise(dates))
