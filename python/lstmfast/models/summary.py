"""The table of Sequential.summary, in the form that Keras prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstmfast._checks import count

if TYPE_CHECKING:
    from lstmfast.models._sequential import Sequential

_TITLES = ("Layer (type)", "Output Shape", "Param #")
_SHARES = (0.45, 0.33, 0.22)  # of the table's width


def summary_text(model: Sequential, line_length: int | None = None) -> str:
    """Return the model's table: name, output shape and size of each layer, and the sums."""
    rows = []
    for layer in model.layers:
        title = f"{layer.name} ({type(layer).__name__})"
        if layer.built:
            rows.append((title, str(layer.output_shape), f"{layer.count_params():,}"))
        else:
            rows.append((title, "?", "0 (unbuilt)"))
    width = 75 if line_length is None else count(line_length, "line_length", "summary")
    room = width - 10  # 4 lines, 6 spaces
    columns = zip(_TITLES, *rows, strict=True)
    widths = [
        max(round(share * room), *map(len, texts))
        for share, texts in zip(_SHARES, columns, strict=True)
    ]
    lines = [
        f'Model: "{model.name}"',
        _rule(("┏", "┳", "┓"), "━", widths),
        _row("┃", _TITLES, widths),
        _rule(("┡", "╇", "┩"), "━", widths),
    ]
    for number, row in enumerate(rows):
        lines += [_rule(("├", "┼", "┤"), "─", widths)] if number else []
        lines.append(_row("│", row, widths))
    lines.append(_rule(("└", "┴", "┘"), "─", widths))
    total = model.count_params() if model.built else 0
    size = _size_text(total * np.dtype(model.dtype).itemsize)
    lines += [
        f" Total params: {total:,} ({size})",
        f" Trainable params: {total:,} ({size})",
        " Non-trainable params: 0 (0.00 B)",
    ]
    return "\n".join(lines)


def _rule(corners: tuple[str, str, str], line: str, widths: list[int]) -> str:
    left, middle, right = corners
    return left + middle.join(line * (width + 2) for width in widths) + right


def _row(bar: str, texts: tuple[str, ...], widths: list[int]) -> str:
    first, second, last = (
        f"{texts[0]:{widths[0]}}",
        f"{texts[1]:{widths[1]}}",
        f"{texts[2]:>{widths[2]}}",
    )
    return f"{bar} {first} {bar} {second} {bar} {last} {bar}"


def _size_text(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"
