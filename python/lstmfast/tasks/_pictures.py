"""Panels of the pictures of tasks, all with one look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def panels(
    titles: Sequence[str],
    columns: int,
    size: tuple[float, float],
    x: str = "",
    y: str = "",
    scale: str = "both",
) -> tuple[Any, list[Any]]:
    """Return a figure and axes, `size` inches each, with titles and names of their axes.

    `scale`: which axis is the same in all, "x" or "both".
    """
    from lstmfast.plot.looks import INK, panels, style

    figure, all_axes = panels(len(titles), columns, *size, None, "picture", shared=scale == "both")
    for axes, title in zip(all_axes, titles, strict=True):
        style(axes, title, "y", ticks=9, fontsize=10)
        axes.set_xlabel(x, color=INK)
        axes.set_ylabel(y, color=INK)
        axes.label_outer()
    return figure, all_axes


def legend(figure: Any) -> None:
    """Explain below all panels what is drawn in the first one."""
    from lstmfast.plot.looks import INK

    drawn = figure.axes[0].get_legend_handles_labels()
    look = {"frameon": False, "fontsize": 9, "labelcolor": INK}
    figure.legend(*drawn, loc="outside lower center", ncols=len(drawn[1]), **look)
