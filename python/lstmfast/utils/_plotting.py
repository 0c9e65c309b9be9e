"""Models as drawings: text for graphviz, and the pictures that its program `dot` makes of it.

The look is Keras's: a box a layer, with what was asked for in a row under its name.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from lstmfast._checks import check_unavailable, count, flag, string, wrong_kind

_TEXTS = ".dot", ".gv"  # files that need no program


class Dot(str):
    """A drawing of a model: text in graphviz's language, with pydot's methods that scripts use."""

    __slots__ = ()

    def to_string(self) -> str:
        """Return the text."""
        return str(self)

    def create(self, format: str = "png") -> bytes:
        """Return what graphviz's program `dot` draws.

        Parameters
        ----------
        format : str
            One of the program's: ``"png"``, ``"svg"``, ``"pdf"``, ...

        Raises
        ------
        ImportError
            Where the program is not installed, as in Keras.
        ValueError
            Where it does not draw; with what it says.
        """
        program = shutil.which("dot")
        if program is None:
            raise ImportError(
                "[plot_model] needs graphviz's program dot: install graphviz with the system's "
                "package manager, or from https://graphviz.org/download/; a file NAME.dot is "
                "written without it"
            )
        command = [program, f"-T{string(format, 'format', 'plot_model')}"]
        run = subprocess.run(command, input=self.encode(), capture_output=True, check=False)
        if run.returncode != 0:
            said = " ".join(run.stderr.decode(errors="replace").split())
            raise ValueError(f"[plot_model] dot -T{format} ends with {run.returncode}: {said}")
        return run.stdout

    def write(self, path: str | os.PathLike[str], format: str = "raw") -> None:
        """Write the text to a file, or a picture in a format of `create`."""
        is_text = format in ("raw", "dot", "gv")
        Path(path).write_bytes(self.encode() if is_text else self.create(format))


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **unavailable: Any,
) -> Dot:
    """Return a drawing of a model's layers, and of what each takes, for graphviz.

    Parameters
    ----------
    model : Model
        A model that is built.
    show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable : bool
        What the boxes say besides the layers' classes.
    rankdir : str
        Which way it goes: ``"TB"`` down, ``"LR"`` to the right.
    expand_nested : bool
        Draw the layers of models in the model, in frames.
    dpi : int
        Dots per inch of pictures.
    subgraph : bool
        Return a part of a drawing: a frame with the model's name.
    splines : str
        The form of the edges: ``"ortho"``, ``"curved"``, ``"polyline"``, ``"spline"``, ``"line"``.
    **unavailable
        Keras's argument `layer_range`, which must be None.

    Returns
    -------
    Dot
        The text, a `str`.

    Examples
    --------
    >>> from lstmfast.layers import LSTM, Dense, Input
    >>> from lstmfast.models import Sequential
    >>> from lstmfast.utils import model_to_dot
    >>> model = Sequential([Input((3, 1)), LSTM(5, name="memory"), Dense(1)])
    >>> "<b>memory</b> (LSTM)" in model_to_dot(model)
    True
    """
    where = "model_to_dot"
    if not hasattr(model, "layers") or not hasattr(model, "built"):
        raise wrong_kind(where, "model", model, "a model")
    if not model.built:
        raise ValueError(
            f"[{where}] the model has no weights yet, for its input shape is not known: call build "
            "or fit first"
        )
    check_unavailable(where, unavailable, {"layer_range": None}, model_to_dot)
    shows = {
        "names": flag(show_layer_names, "show_layer_names", where),
        "activations": flag(show_layer_activations, "show_layer_activations", where),
        "shapes": flag(show_shapes, "show_shapes", where),
        "dtype": flag(show_dtype, "show_dtype", where),
        "trainable": flag(show_trainable, "show_trainable", where),
    }
    drawing = _Drawing(shows, flag(expand_nested, "expand_nested", where))
    lines = drawing.of(model)
    if flag(subgraph, "subgraph", where):
        return Dot("\n".join(drawing.framed(model, lines)))
    settings = {"rankdir": rankdir, "splines": splines}
    given = [f'{name}="{escape(string(value, name, where))}";' for name, value in settings.items()]
    head = ["digraph G {", *given, "concentrate=true;", f"dpi={count(dpi, 'dpi', where)};"]
    return Dot("\n".join([*head, "node [shape=record];", *lines, *drawing.edges, "}"]) + "\n")


class _Drawing:
    """Boxes and edges of a model and those inside, which have numbers for names."""

    def __init__(self, shows: Mapping[str, bool], expands: bool) -> None:
        self.shows, self.expands = shows, expands
        self.numbers: dict[Any, int] = {}
        self.edges: dict[str, None] = {}  # each once, as Keras draws them

    def of(self, model: Any) -> list[str]:
        """Return the lines of a model's boxes, and keep its edges."""
        lines: list[str] = []
        for layer in model.layers:
            if self._is_open(layer):
                lines += self.framed(layer, self.of(layer))
            else:
                label = "".join(_label(layer, self.shows))
                look = f"label=<{label}>, fontname=Helvetica, margin=0"
                lines.append(f"{self._number(layer)} [{look}];")
        shown = set(model.layers)  # of a Sequential the input is not
        for node in model._graph.nodes:
            for place, tensor in enumerate(node.inputs):
                if tensor.node.layer in shown:
                    ends = self._source(tensor), self._target(node.layer, place)
                    self.edges[f"{ends[0]} -> {ends[1]} [penwidth=2];"] = None
        return lines

    def framed(self, model: Any, lines: list[str]) -> list[str]:
        """Return the lines of a frame with the model's name."""
        name = escape(model.name)
        head = f'subgraph "cluster_{self._number(model)}" {{'
        return [head, f'style="dashed"; label="{name}"; labeljust="l";', *lines, "}"]

    def _is_open(self, layer: Any) -> bool:
        return self.expands and hasattr(layer, "layers")

    def _number(self, layer: Any) -> int:
        return self.numbers.setdefault(layer, len(self.numbers))

    def _source(self, tensor: Any) -> int:
        """Return the box that computes a value, however deep."""
        while self._is_open(tensor.node.layer):
            tensor = tensor.node.layer.outputs[tensor.index]
        return self._number(tensor.node.layer)

    def _target(self, layer: Any, place: int) -> int:
        """Return the box that takes an input of a layer: what stands for it in a model."""
        while self._is_open(layer):
            start = layer.inputs[place].node.layer
            layer, place = (start if start in layer.layers else layer.layers[0]), 0
        return self._number(layer)


def _label(layer: Any, shows: Mapping[str, bool]) -> Iterator[str]:
    """Yield the parts of a box's label: a table as graphviz reads it from HTML."""
    cells = "".join(_cells(layer, shows))
    span = max(1, 2 * shows["shapes"] + shows["dtype"] + shows["trainable"])
    kind = escape(type(layer).__name__)
    title = f"<b>{escape(layer.name)}</b> ({kind})" if shows["names"] else f"<b>{kind}</b>"
    yield '<table border="0" cellborder="1" bgcolor="black" cellpadding="10">'
    yield f'<tr><td colspan="{span}" bgcolor="black">{_font(title, 16, "white")}</td></tr>'
    activation = getattr(layer, "activation", None) if shows["activations"] else None
    if activation is not None:
        named = getattr(activation, "__name__", None) or str(activation)
        text = _font(f"Activation: <b>{escape(named)}</b>")
        yield f'<tr><td bgcolor="white" colspan="{span}">{text}</td></tr>'
    if cells:
        yield f"<tr>{cells}</tr>"
    yield "</table>"


def _cells(layer: Any, shows: Mapping[str, bool]) -> Iterator[str]:
    """Yield the cells of the row under a layer's name."""
    told: dict[str, str] = {}
    if shows["shapes"]:
        is_input = type(layer).__name__ == "InputLayer"
        told |= {} if is_input else {"Input shape": _each(layer, "input", "shape")}
        told["Output shape"] = _each(layer, "output", "shape")
    if shows["dtype"]:
        told["Output dtype"] = _each(layer, "output", "dtype")
    for name, value in told.items():
        yield f'<td bgcolor="white">{_font(f"{name}: <b>{escape(value, quote=False)}</b>")}</td>'
    if shows["trainable"] and layer.weights:
        is_trained = layer.trainable
        name, colour = (
            ("Trainable", "forestgreen") if is_trained else ("Non-trainable", "firebrick")
        )
        yield f'<td bgcolor="{colour}">{_font(f"<b>{name}</b>", colour="white")}</td>'


def _each(layer: Any, which: str, what: str) -> str:
    """Return shape or dtype of what a layer took or returned when it was first called."""
    nodes = layer._uses()
    if not nodes:
        return "?"
    tensors = nodes[0].inputs if which == "input" else layer._results(nodes[0])
    found = [
        getattr(each, what)
        for each in (tensors if isinstance(tensors, list | tuple) else [tensors])
    ]
    return str(found[0] if len(found) == 1 else found)


def _font(text: str, size: int = 14, colour: str = "") -> str:
    more = f' color="{colour}"' if colour else ""
    return f'<font point-size="{size}"{more}>{text}</font>'


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **unavailable: Any,
) -> Any:
    """Draw a model into a file with graphviz's program `dot`, as `keras.utils.plot_model`.

    Parameters
    ----------
    model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi : optional
        As in `model_to_dot`.
    show_layer_activations, show_trainable, splines, **unavailable : optional
        As in `model_to_dot`.
    to_file : str or path-like
        Its end says the format; ``.dot`` and ``.gv`` are the text, for which nothing need be
        installed.

    Returns
    -------
    IPython.display.Image or None
        The picture, in a notebook.

    Raises
    ------
    ImportError
        Where the program is not installed, as in Keras.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lstmfast.layers import LSTM, Input
    >>> from lstmfast.models import Sequential
    >>> from lstmfast.utils import plot_model
    >>> path = Path(tempfile.mkdtemp()) / "model.dot"
    >>> plot_model(Sequential([Input((3, 1)), LSTM(5)]), path, show_shapes=True)
    >>> "(None, 3, 1)" in path.read_text()
    True
    """
    dot = model_to_dot(
        model,
        show_shapes,
        show_dtype,
        show_layer_names,
        rankdir,
        expand_nested,
        dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
        **unavailable,
    )
    end = Path(to_file).suffix.lower()
    form = "raw" if end in _TEXTS else end[1:] or "png"
    dot.write(to_file, form)
    if form in ("raw", "pdf") or "IPython" not in sys.modules:
        return None
    return importlib.import_module("IPython.display").Image(filename=os.fspath(to_file))
