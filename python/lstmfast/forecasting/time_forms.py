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
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise

_ZONE = r"((?: ?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?))?)"
_DATE = r"\d{4}([-/.])\d{1,2}\1\d{1,2}"
_TIME = _DATE + r"([T ])\d{1,2}:\d{2}"
_BASIC = r"\d{8}([T ])\d{2}(:?)\d{2}"
_FORMATS = {
    r"\d{4}([-/])\d{1,2}": r"%Y\1%m",  # 1949.08 is a number
    _DATE: r"%Y\1%m\1%d",
    _TIME + _ZONE: r"%Y\1%m\1%d\2%H:%M\3",
    _TIME + r":\d{2}" + _ZONE: r"%Y\1%m\1%d\2%H:%M:%S\3",
    # strptime reads six digits of a fraction; further ones must be zeros
    _TIME + r":\d{2}([.,])\d{1,6}(0{0,3})" + _ZONE: r"%Y\1%m\1%d\2%H:%M:%S\3%f\4\5",
    _BASIC + _ZONE: r"%Y%m%d\1%H\2%M\3",
    _BASIC + r"\2\d{2}" + _ZONE: r"%Y%m%d\1%H\2%M\2%S\3",
    r"\d{4}([-/: ]?[qQ])[1-4]": r"%Y\1%q",
    r"([qQ])[1-4]([-/: ]?)\d{4}": r"\1%q\2%Y",
    r"\d{4}(-?[wW])\d{2}": r"%G\1%V",
    r"\d{4}(-?[mM])\d{1,2}": r"%Y\1%m",
}
_KNOWN = [(re.compile(rf"{pattern}\Z"), format) for pattern, format in _FORMATS.items()]

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
_MAY_BE_SHORT = ("%m", "%d", "%j", "%H", "%I", "%M", "%S")
_WORDS = ("%a", "%A", "%b", "%B", "%p")
_CASES: tuple[Callable[[str], str], ...] = (str, str.upper, str.lower)

_Writer = Callable[[datetime], str]


def format_of(cell: str) -> str | None:
    """Return the format of a cell if it is unambiguous, else None.

    Next to the directives of `strptime` it has ``%q``, a quarter from 1 to 4, and a week of the
    ISO calendar (``%G-W%V``) without a day.
    """
    for pattern, format in _KNOWN:
        if pattern.match(cell):
            return pattern.sub(format, cell)
    return None


def compact_forms(cells: Sequence[str]) -> list[TimeForm]:
    """Return the forms in which numbers may be times: 20200131, 202001311030, 2020.01."""
    found: dict[str, int] = {}  # format -> length of its cells
    for length, tail in dict.fromkeys(
        (len(m[1]), m[2] or "") for m in map(_DIGITS.fullmatch, cells) if m
    ):
        # pandas writes 202001.0 where a cell was missing, and 1012020 for 01012020
        for width in (length, length + 1):
            for format in _COMPACT.get(width, ()):
                if width == length or not format.lower().startswith("%y"):
                    found[format + tail] = width + len(tail)
    if all(re.fullmatch(r"\d{4}\.\d{2}", cell) for cell in cells):
        found["%Y.%m"] = 7
    return [TimeForm(format, length) for format, length in found.items()]


def suggested_format(cells: Sequence[str]) -> str:
    """Return a usual format that reads every cell, if possible in ascending order; else ""."""
    found = []
    for format in _USUAL:
        read = TimeForm(format).read
        if read(cells[0]):
            moments = [moment for moment in map(read, cells) if moment]
            if len(moments) == len(cells):
                found.append((all(a < b for a, b in pairwise(moments)), format))
    return max(found, key=lambda each: each[0])[1] if found else ""


def wrong_with(format: str) -> str:
    """Return the reason why a user's format cannot be used, or ""."""
    form = TimeForm(format)
    try:
        datetime.strptime(datetime(2000, 1, 1).strftime(form.formats[0]), form.formats[0])
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
    format, tokens, formats
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
        # a week without a day begins with its Monday
        self._day = " 1" if "%V" in self.tokens and not {"%u", "%w"} & {*self.tokens} else ""
        # strptime knows no quarters: a format for each
        self.formats = [
            "".join(quarter if token == "%q" else token for token in self.tokens)
            + (" %u" if self._day else "")
            for quarter in ("1234" if "%q" in self.tokens else "-")
        ]

    @property
    def name(self) -> str:
        """The form in common notation: YYYYMMDD."""
        return "".join(_LETTERS.get(token, token) for token in self.tokens)

    @property
    def year_first(self) -> bool:
        """Whether the times begin with their year, in digits alone."""
        return self.tokens[0] in ("%Y", "%y") and self.format != "%Y.%m"

    def read(self, cell: str) -> datetime | None:
        """Return a cell as a time, with its offset where the format has one; None if it is none."""
        if self._length is not None:
            cell = cell if self.year_first else cell.zfill(self._length)
            if len(cell) != self._length:
                return None
        for quarter, format in enumerate(self.formats):
            with suppress(ValueError, OverflowError):
                moment = datetime.strptime(cell + self._day, format)
                return moment.replace(month=3 * quarter + 1) if "%q" in self.tokens else moment
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
    directives = [token for token in tokens if token.startswith("%")]
    literal = (token.replace("{", "{{").replace("}", "}}") for token in tokens)
    template = "".join("{}" if text.startswith("%") else text for text in literal)
    # one call for all of them; strftime knows no quarters
    parts = "\n".join("%m" if token == "%q" else token for token in directives)

    def adjusted(token: str, text: str) -> str:
        if token == "%z":
            return zone
        if token == "%q":
            return str((int(text) + 2) // 3)
        if token == "%f":
            return text[:digits]
        if token in ("%Y", "%G"):
            return text.zfill(4)  # strptime reads no 999, which some systems write
        return (text.lstrip("0") or "0") if token in unpadded else case(text)

    return lambda moment: template.format(
        *map(adjusted, directives, moment.strftime(parts).split("\n"))
    )
