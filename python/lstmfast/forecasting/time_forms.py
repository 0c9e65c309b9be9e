"""How times are written: a form reads the cells of a column and writes later times the same way.

A form is a format of `datetime.strptime`, found in the cells or given by the user. The cells decide
what a format does not fix (zeros before short numbers, capitals, digits of a fraction): a form can
write every cell that it has read, letter by letter, or the column is refused. Steps are not known
here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

__all__ = ["TimeForm", "compact_forms", "format_of", "suggested_format", "wrong_with"]

_ZONE = r"(?P<zone>[ ]?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?))?"
_CALENDAR = re.compile(
    r"\d{4}(?P<mark>[-/.])\d{1,2}(?P<day>(?P=mark)\d{1,2}"
    r"(?:(?P<gap>[T ])\d{1,2}:\d{2}(?P<seconds>:\d{2}(?:(?P<point>[.,])(?P<fraction>\d{1,9}))?)?"
    rf"{_ZONE})?)?"
)
_BASIC = re.compile(
    rf"\d{{8}}(?P<gap>[T ])\d{{2}}(?P<mark>:?)\d{{2}}(?P<seconds>(?P=mark)\d{{2}})?{_ZONE}"
)
_QUARTER = re.compile(
    r"\d{4}(?P<after>[-/: ]?[qQ])[1-4]|(?P<before>[qQ])[1-4](?P<gap>[-/: ]?)\d{4}"
)
_WEEK = re.compile(r"\d{4}(?P<mark>-?[wW])\d{2}")
_MONTH = re.compile(r"\d{4}(?P<mark>-?[mM])\d{1,2}")

_DIGITS = re.compile(r"(\d+)(\.0+)?", re.ASCII)
# by the number of digits; the year with four of them comes first
_COMPACT = {
    6: ("%Y%m", "%y%m%d", "%m%Y"),
    7: ("%Y%j",),
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    10: ("%Y%m%d%H", "%y%m%d%H%M"),
    12: ("%Y%m%d%H%M", "%y%m%d%H%M%S"),
    14: ("%Y%m%d%H%M%S",),
}
_LETTERS = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%j": "DDD"}
_LETTERS |= {"%H": "hh", "%M": "mm", "%S": "ss"}

_USUAL_DATES = """
    %d.%m.%Y; %m/%d/%Y; %d/%m/%Y; %d-%m-%Y; %m-%d-%Y; %d.%m.%y; %m/%d/%y; %d/%m/%y; %d-%b-%Y;
    %d-%b-%y; %d %b %Y; %d %B %Y; %d%b%Y; %b %d, %Y; %B %d, %Y; %b %d %Y; %Y-%m-%d; %Y/%m/%d;
    %Y %m %d; %Y. %m. %d; %Y. %m. %d.; %Y%m%d;
    %b-%y; %b-%Y; %b %Y; %B %Y; %b %y; %Y-%b; %Y %b; %Y%b; %m/%Y; %m.%Y; %m-%Y
"""
_USUAL_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_USUAL = [each.strip() + time for each in _USUAL_DATES.split(";") for time in _USUAL_TIMES]

_TOKEN = re.compile(r"%.|[^%]+|%", re.DOTALL)
# directive -> number of digits, and the number itself
_NUMBERS: dict[str, tuple[int, Callable[[datetime], int]]] = {
    "%Y": (4, lambda moment: moment.year),
    "%G": (4, lambda moment: moment.isocalendar()[0]),
    "%q": (1, lambda moment: (moment.month + 2) // 3),
    "%m": (2, lambda moment: moment.month),
    "%d": (2, lambda moment: moment.day),
    "%j": (3, lambda moment: moment.timetuple().tm_yday),
    "%H": (2, lambda moment: moment.hour),
    "%I": (2, lambda moment: (moment.hour - 1) % 12 + 1),
    "%M": (2, lambda moment: moment.minute),
    "%S": (2, lambda moment: moment.second),
}
_MAY_BE_SHORT = ("%m", "%d", "%j", "%H", "%I", "%M", "%S")
_WORDS = ("%a", "%A", "%b", "%B", "%p")
_CASES: tuple[Callable[[str], str], ...] = (str, str.upper, str.lower)

_Writer = Callable[[datetime], str]


def format_of(cell: str) -> str | None:
    """Return the format of a cell if it is unambiguous, else None.

    Next to the directives of `strptime` it has ``%q``, a quarter from 1 to 4, and a week of the
    ISO calendar (``%G-W%V``) without a day.
    """
    if match := _CALENDAR.fullmatch(cell):
        mark, fraction = match["mark"], match["fraction"] or ""
        if match["day"] is None:
            return None if mark == "." else f"%Y{mark}%m"  # 1949.08 is a number
        date = f"%Y{mark}%m{mark}%d"
        if not match["gap"]:
            return date
        # strptime reads six digits of a fraction; further ones must be zeros
        point = f"{match['point']}%f{fraction[6:]}" if fraction else ""
        seconds = f":%S{point}" if match["seconds"] else ""
        time = f"{match['gap']}%H:%M{seconds}{match['zone'] or ''}"
        return None if fraction[6:].strip("0") else date + time
    if match := _BASIC.fullmatch(cell):
        seconds = f"{match['mark']}%S" if match["seconds"] else ""
        return f"%Y%m%d{match['gap']}%H{match['mark']}%M{seconds}{match['zone'] or ''}"
    if match := _QUARTER.fullmatch(cell):
        return f"%Y{match['after']}%q" if match["after"] else f"{match['before']}%q{match['gap']}%Y"
    if match := _WEEK.fullmatch(cell):
        return f"%G{match['mark']}%V"
    if match := _MONTH.fullmatch(cell):
        return f"%Y{match['mark']}%m"
    return None


def compact_forms(cells: Sequence[str]) -> list[TimeForm]:
    """Return the forms in which numbers may be times: 20200131, 202001311030, 2020.01."""
    found: dict[str, int] = {}  # format -> length of its cells
    for length, tail in dict.fromkeys(
        (len(m[1]), m[2] or "") for m in map(_DIGITS.fullmatch, cells) if m
    ):
        # pandas writes 202001.0 where a cell was missing, and 1012020 for 01012020
        for format in _COMPACT.get(length, ()):
            found[format + tail] = length + len(tail)
        for format in _COMPACT.get(length + 1, ()):
            if not format.lower().startswith("%y"):
                found[format + tail] = length + 1 + len(tail)
    if all(re.fullmatch(r"\d{4}\.\d{2}", cell) for cell in cells):
        found["%Y.%m"] = 7
    return [TimeForm(format, length) for format, length in found.items()]


def suggested_format(cells: Sequence[str]) -> str:
    """Return a usual format that reads every cell, if possible in ascending order; else ""."""
    found = []
    for format in _USUAL:
        form = TimeForm(format)
        moments = [form.read(cell) for cell in cells[:1]]
        if moments[0] is not None:
            moments = [form.read(cell) for cell in cells]
            known = [moment for moment in moments if moment is not None]
            if len(known) == len(cells):
                found.append((all(a < b for a, b in pairwise(known)), format))
    return max(found, key=lambda each: each[0])[1] if found else ""


def wrong_with(format: str) -> str:
    """Return the reason why a user's format cannot be used, or ""."""
    form = TimeForm(format)
    try:
        datetime.strptime(datetime(2000, 1, 1).strftime(form.parsed), form.parsed)
    except (ValueError, IndexError, re.error) as error:
        # where a text is not reproduced, the error about the cell reports it
        if not str(error).startswith(("time data", "unconverted data")):
            return f"cannot be used: {error}"
    directives = {token for token in form.tokens if token.startswith("%") and token != "%%"}
    if not directives:
        return "has no directive such as %Y"
    dated = directives & {"%d", "%m", "%b", "%B", "%j", "%q", "%V", "%U", "%W", "%a", "%A", "%w"}
    if dated and not directives & {"%Y", "%y", "%G", "%c", "%x"}:
        return "has no year; expected %Y or %y in it"
    return ""


class TimeForm:
    """One way to write times.

    Parameters
    ----------
    format : str
        A format of `strptime`, or one of `format_of`.
    length : int, optional
        Length of every cell, without which `strptime` would read 2020123 as a date. Where a cell
        does not begin with the year, a zero at its beginning may be absent.

    Attributes
    ----------
    format, tokens, parsed
        The format, its directives with the text between them, and what `strptime` gets.

    Examples
    --------
    >>> form = TimeForm("%d.%m.%Y")
    >>> moment = form.read("31.1.2020")
    >>> write, row = form.settled(["31.1.2020"], [moment])
    >>> write(datetime(2020, 2, 1))
    '1.2.2020'
    """

    def __init__(self, format: str, length: int | None = None) -> None:
        self.format = format
        self._length = length
        self.tokens: list[str] = _TOKEN.findall(format)
        self.parsed = "".join("%m" if token == "%q" else token for token in self.tokens)
        # a week without a day begins with its Monday
        self._day = " 1" if "%V" in self.tokens and not {"%u", "%w"} & {*self.tokens} else ""
        if self._day:
            self.parsed += " %u"
        gaps = {token: ".+?" for token in self.tokens if token.startswith("%")} | {"%q": "([1-4])"}
        pattern = "".join(gaps.get(token, re.escape(token)) for token in self.tokens)
        self._quarter = re.compile(pattern) if "%q" in self.tokens else None

    @property
    def name(self) -> str:
        """The form in common notation: YYYYMMDD."""
        return "".join(_LETTERS.get(token, token) for token in self.tokens)

    @property
    def year_first(self) -> bool:
        """Whether the times begin with their year, in digits alone."""
        return self.tokens[0] in ("%Y", "%y") and self.format != "%Y.%m"

    @property
    def unit(self) -> str:
        """The unit that follows from the form: ``quarter``, or ""."""
        return "quarter" if self._quarter else ""

    def read(self, cell: str) -> datetime | None:
        """Return a cell as a time, with its offset where the format has one; None if it is none."""
        if self._length is not None:
            cell = cell if self.year_first else cell.zfill(self._length)
            if len(cell) != self._length:
                return None
        if self._quarter:
            match = self._quarter.fullmatch(cell)
            if match is None:
                return None
            month = 3 * int(match[1]) - 2
            cell = f"{cell[: match.start(1)]}{month:02d}{cell[match.end(1) :]}"
        try:
            return datetime.strptime(cell + self._day, self.parsed)
        except (ValueError, OverflowError):
            return None

    def settled(
        self, cells: Sequence[str], moments: Sequence[datetime]
    ) -> tuple[_Writer, int | None]:
        """Return a function that writes times like the cells, and the first row it cannot write.

        The row is None where the cells have one form.
        """
        ways = list(self._ways(moments[0]))
        for row, (cell, moment) in enumerate(zip(cells, moments, strict=True)):
            left = [write for write in ways if write(moment) == cell]
            if not left:
                return ways[0], row
            ways = left
        return ways[0], None

    def _ways(self, moment: datetime) -> Iterator[_Writer]:
        """Yield all ways to write, the more likely first."""
        numbers = [token for token in _MAY_BE_SHORT if token in self.tokens]
        date = {token for token in numbers if token in ("%d", "%m")}
        hour = {token for token in numbers if token in ("%H", "%I")}
        likely: list[set[str]] = [set(), date, date | hour, set(numbers)]
        subsets = (set(s) for n in range(len(numbers)) for s in itertools.combinations(numbers, n))
        short = [*likely, *(each for each in subsets if each not in likely)]
        cases = _CASES if {*_WORDS} & {*self.tokens} else _CASES[:1]
        digits = range(6, 0, -1) if "%f" in self.tokens else range(6, 7)
        for unpadded, case, count, zone in itertools.product(short, cases, digits, _zones(moment)):
            yield _writer(self.tokens, unpadded, case, count, zone)


def _zones(moment: datetime) -> Sequence[str]:
    """Return the ways to write the offset of a time."""
    if moment.tzinfo is None:
        return ("",)
    basic = moment.strftime("%z")
    extended = f"{basic[:3]}:{basic[3:]}"
    return (basic, extended, *(("Z",) if moment.utcoffset() == timedelta(0) else ()))


def _writer(
    tokens: Sequence[str], unpadded: set[str], case: Callable[[str], str], digits: int, zone: str
) -> _Writer:
    """Return the function that writes times in one of the ways that a format leaves open."""

    def part(token: str) -> _Writer:
        if token in _NUMBERS:
            width, number = _NUMBERS[token]
            form = "d" if token in unpadded else f"0{width}d"
            return lambda moment: format(number(moment), form)
        if token == "%f":
            return lambda moment: f"{moment.microsecond:06d}"[:digits]
        if token == "%z" or not token.startswith("%"):
            text = zone if token == "%z" else token
            return lambda moment: text
        if token in _WORDS:
            return lambda moment: case(moment.strftime(token))
        return lambda moment: moment.strftime(token)

    parts = [part(token) for token in tokens]
    return lambda moment: "".join([write(moment) for write in parts])
