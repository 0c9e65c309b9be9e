"""The looks of all pictures: colours, figures, axes, files. Knows nothing of what is drawn."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import Any

MISSING = "a plot needs matplotlib: pip install matplotlib"
INK = "#22313f"
RED = "#d1495b"
FAINT = "#8d99a6"


def available() -> bool:
    """Tell whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def formats() -> list[str]:
    """Return the kinds of file that can be written, as suffixes without the dot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return sorted(FigureCanvasAgg.get_supported_filetypes())


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure of this size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def style(axes: Any, title: str, across: str, ticks: int, **font: Any) -> None:
    """Give axes a title, in this font, and lines `across` the ticks of "x" or "y"."""
    axes.spines[:].set_color(FAINT)
    axes.spines[["top", "right", *(["left"] if across == "x" else [])]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=ticks)
    axes.grid(axis=across, color="#d9dee3", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(title, loc="left", color=INK, **font)


def content(figure: Any, kind: str) -> bytes:
    """Return the file of a figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150)
    return buffer.getvalue()
