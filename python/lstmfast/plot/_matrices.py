"""Matrices as heat maps: confusion, and the weights of attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array, expect, shape_text, wrong_shape
from lstmfast._checks import items, wrong_kind
from lstmfast.layers._attention import AttentionLayer
from lstmfast.layers._symbolic import Tensor
from lstmfast.models import EncoderDecoder, Model

from .looks import INK, Figure, add_scale, heat, name_sides, panels, tokens

_SHARES = 8  # classes up to which cells have room for a second line
_DARK = 0.4  # the share from which a colour needs white letters
_MOST = 60  # classes that can be drawn


def confusion(
    truth: ArrayLike, predicted: ArrayLike, labels: Any = None, *, ax: Any = None
) -> Figure:
    r"""Draw how many samples of each class were taken for which.

    A row is a class, its columns what was predicted; colours are shares of the row.

    Parameters
    ----------
    truth, predicted : array_like
        Classes, numbered from 0, or their names, in arrays of one shape; or scores as a model
        returns them: (..., K), of which the largest counts, or (..., 1) from 0 to 1, class 1 above
        0.5.
    labels : list of str, optional
        The names of the classes 0, 1, ..., or of classes given by name their order.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For arrays of different shapes, and classes without a label.

    Examples
    --------
    >>> import lstmfast as lf
    >>> figure = lf.plot.confusion([0, 0, 1, 1], [0, 1, 1, 1], labels=["good", "bad"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1\n50%', '1\n50%', '', '2\n100%']
    """
    where = "plot.confusion"
    pairs, names = _numbered(truth, predicted, labels, where)
    size = len(names)
    counts = np.zeros((size, size), int)
    np.add.at(counts, tuple(pairs), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cell = max(0.42, 0.9 - 0.06 * size)
    figure, (axes,) = panels(1, 1, 2.1 + cell * size, 1.4 + cell * size, ax, where)
    title = f"{np.trace(counts) / counts.sum():.1%} of {counts.sum()} right"
    image = heat(axes, shares, (0.0, 1.0), title)
    for (row, column), count in np.ndenumerate(counts):
        share = shares[row, column]
        part = "<1%" if share < 0.01 else ">99%" if 0.99 < share < 1.0 else f"{share:.0%}"
        text = f"{count}\n{part}" if size <= _SHARES else f"{count}"
        look = {"color": "white" if share > _DARK else INK, "fontsize": 9 if size <= _SHARES else 8}
        axes.text(column, row, text if count else "", ha="center", va="center", **look)
    axes.set_aspect("equal")
    name_sides(axes, names, "predicted", names, "true", cell)
    bar = axes.inset_axes([1.02, 0.0, 0.12 / (cell * size), 1.0])  # 0.12 inches wide
    add_scale(axes, image, "share of the row", cax=bar)
    return figure


def _numbered(
    truth: ArrayLike, predicted: ArrayLike, labels: Any, where: str
) -> tuple[Array, list[str]]:
    """Return the numbers of true and predicted classes (2, samples), and the classes' names."""
    if _are_names(truth) and _are_names(predicted):
        both = [np.asarray(each, object) for each in (truth, predicted)]
        classes = sorted({*both[0].flat, *both[1].flat})
        labels = classes if labels is None else items(labels, "labels", where, "a list of strings")
        places = {name: place for place, name in enumerate(labels)}
        for name in classes:
            if name not in places:
                raise ValueError(f"[{where}] a class is {name!r}; expected one of {labels}")
        truth, predicted = (np.vectorize(places.get)(each) for each in both)
    true, found = _classes(truth, "truth", where), _classes(predicted, "predicted", where)
    if true.ndim == found.ndim + 1:  # one-hot
        true = true.argmax(-1)
    if true.shape != found.shape or not true.size:
        expected = f"{shape_text(true.shape)}, as truth has, and not empty"
        raise wrong_shape(where, "predicted", found.shape, expected)
    pairs = np.stack([true.ravel(), found.ravel()])
    if labels is None:
        labels = range(min(int(pairs.max()), _MOST - 1) + 1)
    names = [*map(str, items(labels, "labels", where, "a list of strings"))]
    if len(names) > _MOST:
        raise ValueError(f"[{where}] labels has {len(names)} items; expected at most {_MOST}")
    is_known = (pairs >= 0) & (pairs < len(names))
    if not is_known.all():
        wrong = pairs[~is_known][0]
        most = f" (at most {_MOST} classes are drawn)" * (len(names) == _MOST)
        raise ValueError(f"[{where}] a class is {wrong}; expected 0 to {len(names) - 1}{most}")
    return pairs, names


def _are_names(values: ArrayLike) -> bool:
    listed = np.asarray(values, object)
    return listed.size > 0 and all(isinstance(each, str) for each in listed.flat)


def _classes(values: ArrayLike, name: str, where: str) -> Array:
    """Return classes as whole numbers."""
    array = as_array(values, where, name)
    is_one = array.ndim > 1 and array.shape[-1] == 1
    array = array[..., 0] if is_one else array
    is_class = array == np.floor(array)
    is_scores = array.ndim > 1 and array.dtype.kind == "f" and not is_one
    if is_scores and (not is_class.all() or (array.sum(-1) == 1.0).all()):
        return np.asarray(array.argmax(-1))
    expected = "classes, or scores from 0 to 1"
    expect(is_class | ((array > 0.0) & (array < 1.0)), array, where, name, expected)
    return np.where(is_class, array, array > 0.5).astype(int)


def attention(
    weights: ArrayLike, source: Any = None, target: Any = None, *, ax: Any = None
) -> Figure:
    """Draw at which steps of the source each step of the target has looked.

    Parameters
    ----------
    weights : array_like
        (T_out, T_in), or of several heads (N, T_out, T_in), a panel each: rows of
        `attention_weights`.
    source, target : list of str, or str, optional
        The T_in and T_out tokens; by default the numbers of the steps. With fewer only the first
        steps are drawn, as those before a padding.
    ax : matplotlib.axes.Axes, optional
        Where to draw one head.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For weights of another shape, and more tokens than that has.

    Examples
    --------
    >>> import lstmfast as lf
    >>> figure = lf.plot.attention([[0.9, 0.1], [0.2, 0.8]], source="ab", target="BA")
    """
    where = "plot.attention"
    array = as_array(weights, where, "weights").astype(float)
    if array.ndim not in (2, 3) or not array.size:
        raise wrong_shape(where, "weights", array.shape, "(T_out, T_in) or (heads, T_out, T_in)")
    heads = array.reshape(-1, *array.shape[-2:])
    many, rows, columns = heads.shape
    across = tokens(source, "source", columns, where, least=1)
    down = tokens(target, "target", rows, where, least=1)
    heads, rows, columns = heads[:, : len(down), : len(across)], len(down), len(across)
    width, height = (min(7.0, max(2.4, 0.32 * size)) for size in (columns, rows))
    figure, all_axes = panels(many, min(many, 2), 1.6 + width, 1.2 + height, ax, where)
    for number, (axes, head) in enumerate(zip(all_axes, heads, strict=True), 1):
        title = f"Attention, head {number}" if many > 1 else "Attention"
        image = heat(axes, head, (0.0, float(array.max())), title)
        name_sides(axes, across, "source", down, "target", width / columns)
        add_scale(axes, image, "weight")
    return figure


def attention_weights(model: Any, x: Any, y: ArrayLike = None, *, layer: Any = None) -> Array:
    """Return the weights with which a model's attention looks at the steps of its source.

    Parameters
    ----------
    model : Model
        A model with an `Attention`, `AdditiveAttention` or `MultiHeadAttention`.
    x : array_like or list of array_like
        Samples, as `predict` takes them.
    y : array_like, optional
        Of an `EncoderDecoder`, the sequences whose steps look; by default what it predicts.
    layer : str, optional
        The name of the layer, where it is not the first one.

    Returns
    -------
    numpy.ndarray
        (samples, T_out, T_in), or (samples, heads, T_out, T_in).

    Raises
    ------
    TypeError, ValueError
        For a model without attention.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> from lstmfast.layers import LSTM, Embedding, Input
    >>> from lstmfast.models import EncoderDecoder, Sequential
    >>> layers = [Input((None,)), Embedding(10, 8), LSTM(16, return_sequences=True)]
    >>> model = EncoderDecoder(
    ...     Sequential(layers), 16, tokens=11, start_token=10, length=3, attention="luong"
    ... )
    >>> x = np.array([[3, 1, 4, 1, 5]])
    >>> weights = lf.plot.attention_weights(model, x)
    >>> weights.shape
    (1, 3, 5)
    >>> figure = lf.plot.attention(weights[0], source=x[0], target=model.predict(x)[0])
    """
    where = "plot.attention_weights"
    if not isinstance(model, Model):
        raise wrong_kind(where, "model", model, "a model")
    inputs = model.inputs
    known = (node for node in model._graph.nodes if isinstance(node.layer, AttentionLayer))
    node = next((node for node in known if layer in (None, node.layer.name)), None)
    if node is None:
        called = "" if layer is None else f" called {layer!r}"
        raise ValueError(f"[{where}] model {model.name!r} has no attention{called}; expected one")
    if isinstance(model, EncoderDecoder):
        targets = model.predict(x, verbose=0) if y is None else y
        x = [*(x if len(inputs) > 2 else [x]), targets]
    elif y is not None:
        raise ValueError(f"[{where}] y is given; expected it for an EncoderDecoder alone")
    found: Array = Model(inputs, Tensor(node, 1)).predict(x, verbose=0)
    return found
