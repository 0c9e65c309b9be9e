"""The table of a model's summary, in the form that Keras prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstmfast._checks import count
from lstmfast.models.graph import Graph

_TITLES = ("Layer (type)", "Output Shape", "Param #", "Connected to")
_SHARES = (0.45, 0.33, 0.22), (0.29, 0.27, 0.17, 0.27)  # of the table's width


def summary_text(model: Any, line_length: int | None = None) -> str:
    """Return the model's table: name, output shape and size of each layer, and the sums.

    Where layers stand in no row, there is a column of what each takes.
    """
    is_row = not model.built or model._graph.is_row
    sources = {} if is_row else _sources(model._graph)
    rows = []
    for layer in model.layers:
        cells = ["?", "0 (unbuilt)"]
        if layer.built:
            cells = [str(layer.output_shape), f"{layer.count_params():,}"]
        rows.append([f"{layer.name} ({type(layer).__name__})", *cells, sources.get(layer, "")])
    width = 75 if line_length is None else count(line_length, "line_length", "summary")
    shares = _SHARES[not is_row]
    room = width - 3 * len(shares) - 1  # lines and spaces
    columns = zip(_TITLES, *rows, strict=True)
    widths = [  # of as many columns as there are shares
        max(round(share * room), *map(len, texts))
        for share, texts in zip(shares, columns, strict=False)
    ]
    rules = [["━" * (width + 2) for width in widths], ["─" * (width + 2) for width in widths]]
    lines = [
        f'Model: "{model.name}"',
        _line("┏┳┓", rules[0]),
        _line("┃┃┃", _cells(_TITLES, widths)),
        _line("┡╇┩", rules[0]),
    ]
    for number, row in enumerate(rows):
        lines += [_line("├┼┤", rules[1])] if number else []
        lines.append(_line("│││", _cells(row, widths)))
    lines.append(_line("└┴┘", rules[1]))
    total = model.count_params() if model.built else 0
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    itemsize = np.dtype(model.dtype or "float32").itemsize
    lines += [
        f" {name}params: {number:,} ({_size_text(number * itemsize)})"
        for name, number in (
            ("Total ", total),
            ("Trainable ", trained),
            ("Non-trainable ", total - trained),
        )
    ]
    return "\n".join(lines)


def _sources(graph: Graph) -> dict[Any, str]:
    """Return for each layer the values that it takes: layer, its use, and output."""
    uses: dict[Any, int] = {}
    places = {tensor.node: 0 for tensor in graph.inputs}
    taken: dict[Any, list[str]] = {layer: [] for layer in graph.layers}
    for node in graph.nodes:
        places[node] = uses[node.layer] = uses.get(node.layer, -1) + 1
        taken[node.layer] += [
            f"{tensor.node.layer.name}[{places[tensor.node]}][{tensor.index}]"
            for tensor in node.inputs
        ]
    return {layer: ", ".join(names) or "-" for layer, names in taken.items()}


def _line(bars: str, cells: list[str]) -> str:
    return bars[0] + bars[1].join(cells) + bars[2]


def _cells(texts: Sequence[str], widths: list[int]) -> list[str]:
    return [
        f" {text:>{width}} " if place == 2 else f" {text:{width}} "
        for place, (text, width) in enumerate(zip(texts, widths, strict=False))
    ]


def _size_text(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"
