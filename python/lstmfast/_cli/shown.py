"""Tables on standard output, in colour by rich where it is installed and this is a terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import zip_longest

_GAP = "  "


def print_text(text: str) -> None:
    """Print a text; characters that standard output cannot encode become question marks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def painter() -> Callable[[str, str], str]:
    """Return a function that gives a text a style in rich's words, such as "bold red"."""
    if sys.stdout is None or not sys.stdout.isatty() or find_spec("rich") is None:
        return lambda text, style: text
    from rich.console import Console

    console = Console(soft_wrap=True)  # which knows NO_COLOR and what the terminal can show

    def paint(text: str, style: str) -> str:
        with console.capture() as shown:
            console.print(text, style=style, end="", markup=False, highlight=False)
        return str(shown.get())

    return paint


def table(rows: Sequence[Sequence[str]], styles: Sequence[str] = ()) -> str:
    """Return rows of cells in columns as wide as the terminal allows.

    Parameters
    ----------
    rows : sequence of sequence of str
        Cells, of one or more lines; lines that are too long are wrapped.
    styles : sequence of str
        Of the columns, in rich's words; by default none.
    """
    cells = [[cell.splitlines() or [""] for cell in row] for row in rows]
    widths = [max(len(line) for cell in each for line in cell) for each in zip(*cells, strict=True)]
    room = shutil.get_terminal_size().columns - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    paint = painter()
    lines = []
    for row in cells:
        wrapped = [
            [
                part
                for line in cell
                for part in textwrap.wrap(line, width, break_on_hyphens=False) or [""]
            ]
            for cell, width in zip(row, widths, strict=True)
        ]
        for parts in zip_longest(*wrapped, fillvalue=""):
            padded = [part.ljust(width) for part, width in zip(parts, widths, strict=True)]
            padded[-1] = padded[-1].rstrip()
            shown = zip_longest(padded, styles, fillvalue="")
            lines.append(_GAP.join(paint(*each) if each[1] else each[0] for each in shown).rstrip())
    return "\n".join(lines)
