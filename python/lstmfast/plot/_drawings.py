"""What models read or write that is a picture itself: strokes, polygons, videos."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._arrays import Array, as_array, expect, wrong_shape
from lstmfast._checks import count, flag

from .looks import INK, RED, Figure, heat, panels, style, tokens

_CHANNELS = 1, 3
_MOST_COLUMNS = 6
_GAP = [0.85, 0.87, 0.89]  # the colour of lines


def strokes(
    points: Any, titles: Any = None, *, closed: bool = False, columns: int = 0, ax: Any = None
) -> Figure:
    """Draw handwriting, or polygons point by point; a red dot marks where each begins.

    Parameters
    ----------
    points : array_like
        (T, 3): moves of a pen dx, dy, and whether it is lifted after the move; or (T, 2): points
        x, y that are joined. Several in an array with one axis more, or in a list. y grows upwards.
    titles : list of str, optional
        One a drawing; of a single drawing a string.
    closed : bool
        Join the last of points x, y with the first.
    columns : int
        How many drawings stand side by side; 0: as many as suit them.
    ax : matplotlib.axes.Axes, optional
        Where to draw one.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For points of another shape, and another number of titles.

    Examples
    --------
    A rectangle, and two strokes of a pen:

    >>> import lstmfast as lf
    >>> figure = lf.plot.strokes([[0, 0], [2, 0], [2, 1], [0, 1]], closed=True)
    >>> figure = lf.plot.strokes([[0, 0, 0], [1, 2, 1], [1, 0, 0], [0, -2, 1]])
    """
    where = "plot.strokes"
    drawings = _several(points, (2,), "points", where)
    for each in drawings:
        if each.shape[1] not in (2, 3) or not each.size or each.shape[1] != drawings[0].shape[1]:
            raise wrong_shape(where, "points", each.shape, "(T, 2), or (T, 3), in all drawings")
        expect(np.isfinite(each), each, where, "points", "finite numbers")
    heads = _titles(titles, len(drawings), where)
    lines = [_lines(each, flag(closed, "closed", where)) for each in drawings]
    wide, high = np.ptp(np.concatenate([part for line in lines for part in line]), axis=0)
    shape = float(np.clip(high / max(wide, 1e-9), 0.12, 1.4))
    columns = columns or round(np.sqrt(len(drawings) * max(shape, 0.3)))
    columns = min(count(columns, "columns", where), len(drawings), _MOST_COLUMNS)
    width = (4.5 if columns == 1 and shape > 0.5 else 9.0) / columns
    size = width, width * shape + 0.35
    figure, all_axes = panels(len(drawings), columns, *size, ax, where, shared=True)
    for axes, line, head in zip(all_axes, lines, heads, strict=True):
        style(axes, head, "y", ticks=8, fontsize=10)
        axes.grid(False)
        for part in line:
            axes.plot(*part.T, color=INK, linewidth=1.6, solid_joinstyle="round")
        axes.plot(*line[0][0], "o", color=RED, markersize=4, zorder=3)
        axes.set(aspect="equal", anchor="W")
        axes.set_xlabel("x", color=INK)
        axes.set_ylabel("y", color=INK)
        if drawings[0].shape[1] == 3:
            axes.axis("off")
        elif ax is None:
            axes.label_outer()
    return figure


def _lines(drawing: Array, closed: bool) -> list[Array]:
    """Return the points of each stroke."""
    if drawing.shape[1] == 2:
        return [np.concatenate([drawing, drawing[: int(closed)]])]
    lifted = np.flatnonzero(drawing[:-1, 2] > 0.5) + 1
    return np.split(drawing[:, :2].cumsum(axis=0), lifted)


def frames(video: Any, titles: Any = None, *, most: int = 10, ax: Any = None) -> Figure:
    """Draw the frames of a video side by side, several videos one below another.

    Parameters
    ----------
    video : array_like
        (T, height, width), as shades, or (T, height, width, channels) with 1 channel or with the 3
        of red, green and blue, from 0 to 1 or in whole numbers to 255. Several in an array
        (N, T, height, width, channels), or in a list.
    titles : list of str, optional
        One a video, "moves left, predicted: right"; of a single video a string.
    most : int
        Frames of a video at most; of more, that many in even steps.
    ax : matplotlib.axes.Axes, optional
        Where to draw one video.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For arrays of another shape, and another number of titles.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> video = np.eye(5)[:, None] * np.ones((5, 1))  # a bar that moves to the right
    >>> figure = lf.plot.frames([video, video[::-1]], ["moves right", "moves left"])
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['moves right', 'moves left']
    """
    where = "plot.frames"
    shape: Any = getattr(video, "shape", ())
    has_colours = len(shape) == 4 and shape[3] in _CHANNELS
    videos = _several([video] if has_colours else video, (3, 4), "video", where)
    for each in videos:
        if not each.size or (each.ndim == 4 and each.shape[3] not in _CHANNELS):
            expected = "(T, height, width), or with 1 or 3 channels"
            raise wrong_shape(where, "video", each.shape, expected)
    heads = _titles(titles, len(videos), where)
    strips = [_strip(each, count(most, "most", where)) for each in videos]
    ends = min(0.0, *(each.min() for each in videos)), max(1e-9, *(each.max() for each in videos))
    height = max(strip.shape[0] / strip.shape[1] for strip, *_ in strips)
    width = min(9.0, 1.2 * max(3, *(len(numbers) for *_, numbers in strips)))
    figure, all_axes = panels(len(videos), 1, width, width * height + 0.5, ax, where)
    for axes, (strip, places, numbers), head in zip(all_axes, strips, heads, strict=True):
        heat(axes, strip, ends, head)
        axes.set(aspect="equal", yticks=[])
        axes.set_xticks(places, numbers)
        axes.tick_params(length=0)
    all_axes[-1].set_xlabel("frame", color=INK, fontsize=9)
    return figure


def _strip(video: Array, most: int) -> tuple[Array, Array, Array]:
    """Return a video's frames side by side with gaps, their middles and their numbers."""
    chosen = np.linspace(0, len(video) - 1, min(len(video), most)).round().astype(int)
    shown = video[chosen] / (255.0 if video.shape[3:] == (3,) and video.dtype.kind in "iu" else 1.0)
    width = shown.shape[2]
    gap = max(1, width // 12)
    edges = [(0, 0), (gap, gap), (gap, 0), (0, 0)][: shown.ndim]
    framed = np.pad(shown, edges, constant_values=np.nan)
    strip = np.concatenate([*framed, framed[0, :, :gap]], axis=1)
    if strip.shape[2:] == (3,):
        strip = np.where(np.isnan(strip), _GAP, strip.clip(0.0, 1.0))
    return strip, gap + (width - 1) / 2 + (width + gap) * np.arange(len(chosen)), chosen + 1


def _several(given: Any, axes: tuple[int, ...], name: str, where: str) -> list[Array]:
    """Return arrays of so many axes, given in a list or in one array."""
    if isinstance(given, list | tuple) and given and np.ndim(given[0]) in axes:
        return [as_array(each, where, f"{name}[{n}]") for n, each in enumerate(given)]
    array = as_array(given, where, name)
    if array.ndim - 1 in axes and array.ndim not in axes[:1] and array.size:
        return [*array]
    if array.ndim not in axes:
        raise wrong_shape(where, name, array.shape, f"{axes[0]} axes, or one more for several")
    return [array]


def _titles(titles: Any, many: int, where: str) -> list[str]:
    given = [titles] if isinstance(titles, str) and many == 1 else titles
    return [""] * many if titles is None else tokens(given, "titles", many, where)
