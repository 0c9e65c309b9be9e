"""The table of a model's summary, in the form in which Keras has rich print it."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from lstmfast._checks import count, flag, items, number, string

_COLUMNS = {
    "Layer (type)": str.ljust,
    "Output Shape": str.ljust,
    "Param #": str.rjust,
    "Connected to": str.ljust,
    "Trainable": str.center,
}
# whether layers stand in a row: the table's width, and where its columns end
_FORMS = {True: (88, (0.45, 0.80, 1.0)), False: (108, (0.3, 0.56, 0.74, 1.0))}
_UNBUILT = "0", "0 (unbuilt)"  # whether the layer will have weights
_LEAST = 4  # of a column's width
_WHERE = "summary"


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> str:
    """Return the model's table: name, output shape and size of each layer, and the sums.

    Where layers stand in no row, there is a column of what each takes.
    """
    is_row = not model.built or model._graph.is_row
    is_shown = flag(show_trainable, "show_trainable", _WHERE)
    titles = [*_COLUMNS][: 3 if is_row else 4] + ["Trainable"] * is_shown
    width, ends = _FORMS[is_row]
    if is_shown:
        width += 12
    width = min(width, shutil.get_terminal_size().columns - 4)
    if line_length is not None:
        width = count(line_length, "line_length", _WHERE)
    if positions is not None:
        given = items(positions, "positions", _WHERE, "a list of numbers")
        ends = tuple(number(each, "positions", _WHERE) for each in given)
        columns = len(titles) - is_shown
        if len(ends) != columns or not all(map(math.isfinite, ends)):
            raise ValueError(
                f"[{_WHERE}] positions is {list(ends)}; expected the ends of {columns} columns"
            )
        if ends[-1] > 1.0:  # in characters
            ends = tuple(end / width for end in ends)
    if is_shown:
        ends = (*(0.9 * end for end in ends), 1.0)
    expands = flag(expand_nested, "expand_nested", _WHERE)
    rows = [
        [
            f"{prefix}{layer.name} ({type(layer).__name__})",
            _shape(layer),
            f"{layer.count_params():,}" if layer.built else _UNBUILT[_has_weights(layer)],
            *([] if is_row else [_sources(model._graph, layer)]),
            *([("Y" if layer.trainable else "N") if layer.weights else "-"] * is_shown),
        ]
        for prefix, layer in _rows(_in_range(model.layers, layer_range), expands)
    ]
    return "\n".join(
        [f'Model: "{model.name}"', *_table(titles, rows, _widths(ends, width)), *_sums(model)]
    )


def _has_weights(layer: Any) -> bool:
    """Tell whether a layer that is not built will have weights."""
    made = any(name.endswith("_initializer") for name in vars(layer))
    return made or layer._is_own or any(map(_has_weights, layer.layers_inside().values()))


def _rows(layers: Sequence[Any], expands: bool, level: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the layers, and those of models among them after these; what precedes their names."""
    for layer in layers:
        yield "   " * level + "└ " * (level > 0), layer
        if expands:
            yield from _rows(getattr(layer, "layers", ()), expands, level + 1)


def _in_range(layers: list[Any], ends: Sequence[str] | None) -> list[Any]:
    """Return the layers from one of two names to the other: regular expressions, as in Keras."""
    if ends is None:
        return layers
    given = items(ends, "layer_range", _WHERE, "two names of layers")
    if len(given) != 2:
        raise ValueError(f"[{_WHERE}] layer_range has {len(given)} items; expected two names")
    texts = [string(each, "layer_range", _WHERE) for each in given]
    try:
        first, last = (
            [place for place, layer in enumerate(layers) if re.match(text, layer.name)]
            for text in texts
        )
    except re.error as error:
        raise ValueError(f"[{_WHERE}] layer_range is {texts}: {error}") from None
    if not first or not last:
        names = ", ".join(layer.name for layer in layers)
        raise ValueError(
            f"[{_WHERE}] layer_range is {texts[0]!r} to {texts[1]!r}; there are: {names}"
        )
    low, high = (first[0], last[-1]) if first[0] <= last[-1] else (last[0], first[-1])
    return layers[low : high + 1]


def _shape(layer: Any) -> str:
    """Return the shape of what the layer returned when it was last called with tensors."""
    nodes = layer._uses()
    if nodes:
        tensors = layer._results(nodes[-1])
        several = isinstance(tensors, list | tuple)
        shapes = [each.shape for each in (tensors if several else [tensors])]
    elif layer.built:
        shape = layer.output_shape
        shapes = shape if isinstance(shape, list) else [shape]
    else:
        return "?"
    texts = [f"({', '.join(map(str, shape))})" for shape in shapes]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _sources(graph: Any, layer: Any) -> str:
    """Return what the layer takes in this graph: layers, with their use and output."""
    names = [
        f"{tensor.node.layer.name}[{tensor.node.layer._uses().index(tensor.node)}][{tensor.index}]"
        for node in layer._uses()
        if node in graph.nodes
        for tensor in node.inputs
    ]
    return ", ".join(names) or "-"


def _widths(ends: Sequence[float], width: int) -> list[int]:
    """Return the widths of the columns' texts, which rich fits into the table's width."""
    places = [0, *(int(end * width) for end in ends)]
    widths: list[int] = np.diff(places).tolist()
    if min(widths) < _LEAST:
        raise ValueError(
            f"[{_WHERE}] a column would be {min(widths)} wide; expected at least {_LEAST}: a "
            "greater line_length, or other positions"
        )
    left = (width - len(widths) - 1) - (sum(widths) + 2 * len(widths))  # bars; spaces beside texts
    parts = len(widths) if left < 0 else sum(widths) + 2 * len(widths)
    for place, each in enumerate(widths):  # too wide: in equal parts; too narrow: by their widths
        share = -round(-left / parts) if left < 0 else math.ceil((each + 2) * left / parts)
        parts -= 1 if left < 0 else each + 2
        left -= share
        widths[place] = each + share
    return widths


def _table(titles: list[str], rows: list[list[str]], widths: list[int]) -> Iterator[str]:
    """Yield the lines of a table with a rule after each row."""

    def rule(bars: str, line: str) -> str:
        return bars[0] + bars[1].join(line * (width + 2) for width in widths) + bars[2]

    yield rule("┏┳┓", "━")
    for place, row in enumerate([titles, *rows]):
        if place > 0:
            yield rule("├┼┤", "─") if place > 1 else rule("┡╇┩", "━")
        cells = [_wrapped(text, width) for text, width in zip(row, widths, strict=True)]
        most = max(map(len, cells))
        for lines in cells:  # titles stand at the bottom of theirs
            lacking = [""] * (most - len(lines))
            lines[:] = [*lines, *lacking] if place else [*lacking, *lines]
        for texts in zip(*cells, strict=True):
            bar = "│" if place else "┃"
            aligned = map(_aligned, titles, texts, widths)
            yield bar + bar.join(f" {text} " for text in aligned) + bar
    if not rows:
        yield rule("┡╇┩", "━")
    yield rule("└┴┘", "─")


def _aligned(title: str, text: str, width: int) -> str:
    if _COLUMNS[title] is str.center:  # Python's puts an odd space first
        return (" " * ((width - len(text)) // 2) + text).ljust(width)
    return _COLUMNS[title](text, width)


def _wrapped(text: str, width: int) -> list[str]:
    """Return lines of whole words; of one that is wider than a line, its beginning."""
    lines = [""]
    for word in re.findall(r"\s*\S+\s*", text):
        if lines[-1] and len(lines[-1] + word.rstrip()) > width:
            lines.append("")
        lines[-1] += word
    lines = [line.rstrip() for line in lines]
    return [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines]


def _sums(model: Any) -> Iterator[str]:
    bytes_of = {"float64": 8, "float32": 4, "bfloat16": 2, "int8": 1}
    kinds = {"Trainable ": model.trainable_weights, "Non-trainable ": model.non_trainable_weights}
    for name, weights in {"Total ": [*chain(*kinds.values())], **kinds}.items():
        sizes = [(math.prod(weight.shape), bytes_of[weight.dtype]) for weight in weights]
        size = _size_text(sum(count * each for count, each in sizes))
        yield f" {name}params: {sum(count for count, _ in sizes):,} ({size})"
    if model.built and model.precision != model.dtype:
        yield f" Kernels of recurrent and Dense layers: {model.precision}"


def _size_text(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"
