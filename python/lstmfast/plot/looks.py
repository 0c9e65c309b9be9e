"""The looks of all pictures: colours, figures, axes, files. Knows nothing of what is drawn."""

from __future__ import annotations

import io
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lstmfast._arrays import Array
from lstmfast._checks import items, wrong_kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure
else:
    Figure = Any  # matplotlib may be missing

MISSING = "a plot needs matplotlib: pip install matplotlib"
INK = "#22313f"
RED = "#d1495b"
BLUE = "#2f6f9f"
FAINT = "#8d99a6"
LINES = "#d9dee3"


def available() -> bool:
    """Tell whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def formats() -> list[str]:
    """Return the kinds of file that can be written, as suffixes without the dot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return sorted(FigureCanvasAgg.get_supported_filetypes())


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches; notebooks show it.

    Raises
    ------
    ImportError
        Where matplotlib is not installed.
    """
    if not available():
        raise ImportError(MISSING)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    # by themselves notebooks show only those of pyplot
    vars(figure)["_repr_png_"] = partial(content, figure, "png")
    return figure


def panels(
    count: int, columns: int, width: float, height: float, ax: Any, where: str, shared: bool = False
) -> tuple[Figure, list[Any]]:
    """Return a figure and its axes in rows, each of this size in inches; or `ax` alone."""
    if ax is None:
        rows = -(-count // columns)
        figure = new_figure(width * columns, height * rows)
        made = [*figure.subplots(rows, columns, sharex=shared, sharey=shared, squeeze=False).flat]
        for empty in made[count:]:
            empty.remove()
        return figure, made[:count]
    if not hasattr(ax, "imshow"):
        raise wrong_kind(where, "ax", ax, "axes of matplotlib")
    if count > 1:
        raise ValueError(f"[{where}] ax is given for {count} panels; expected one")
    return ax.figure, [ax]


def style(axes: Any, title: str, across: str, ticks: int, **font: Any) -> None:
    """Give axes a title, in this font, and lines `across` the ticks of "x" or "y"."""
    axes.spines[:].set_color(FAINT)
    axes.spines[["top", "right", *(["left"] if across == "x" else [])]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=ticks)
    axes.grid(axis=across, color=LINES, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(title, loc="left", color=INK, **font)


def add_legend(axes: Any, **place: Any) -> None:
    """Add a legend at this place: the series first, then the forecast, then the intervals."""
    drawn = [*zip(*axes.get_legend_handles_labels(), strict=True)]
    drawn.sort(key=lambda each: each[1] if each[1].endswith("interval") else "")
    drawn.sort(key=lambda each: (each[1].endswith("interval"), "forecast" in each[1]))
    handles, labels = zip(*drawn, strict=True)
    axes.legend(handles, labels, frameon=False, fontsize=9, labelcolor=INK, **place)


def heat(axes: Any, values: Array, ends: tuple[float, float], title: str, first: int = 0) -> Any:
    """Draw a matrix as colours, blue above 0 and red below; `first`: the number of column 0."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = [RED, "white", BLUE] if ends[0] < 0.0 else ["white", BLUE, "#14324a"]
    scale = LinearSegmentedColormap.from_list("", colours).with_extremes(bad=LINES)
    rows, columns = values.shape[:2]
    place = first - 0.5, first + columns - 0.5, rows - 0.5, -0.5
    image = axes.imshow(values, scale, aspect="auto", interpolation="nearest", extent=place)
    image.set_clim(*ends)
    style(axes, title, "y", ticks=9, fontsize=10)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return image


def add_scale(axes: Any, image: Any, label: str = "", **look: Any) -> None:
    """Draw the scale of colours next to axes."""
    bar = axes.figure.colorbar(image, ax=axes, pad=0.01, aspect=16, **look)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=INK, labelsize=8, length=2)
    bar.set_label(label, color=INK, fontsize=9)


def tokens(given: Any, name: str, size: int, where: str, least: int | None = None) -> list[str]:
    """Return the names of so many steps: a list, the letters of a string, or their numbers.

    With `least` there may be fewer, of the first steps.
    """
    if given is None:
        return [*map(str, range(1, size + 1))]
    listed = [*given] if isinstance(given, str) else items(given, name, where, "a list of strings")
    if not (size if least is None else least) <= len(listed) <= size:
        expected = size if least is None else f"{least} to {size}"
        raise ValueError(f"[{where}] {name} has {len(listed)} items; expected {expected}")
    return [*map(str, listed)]


def name_sides(axes: Any, across: list[str], x: str, down: list[str], y: str, width: float) -> None:
    """Name columns, so many inches wide, and rows of a matrix, at most 50, and what they are."""
    for axis, names, label in ((axes.xaxis, across, x), (axes.yaxis, down, y)):
        every = -(-len(names) // 50)
        axis.set_ticks(range(0, len(names), every), names[::every])
        axis.set_tick_params(length=0, labelsize=9 if len(names) <= 30 else 7)
        axis.set_label_text(label, color=INK)
    if max(map(len, across)) > 11.0 * width:
        slant = 90 if len(across) > 12 else 45
        for text in axes.get_xticklabels():
            text.set(rotation=slant, rotation_mode="anchor", ha="right", va="center")


def content(figure: Any, kind: str) -> bytes:
    """Return the file of a figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150)
    return buffer.getvalue()
