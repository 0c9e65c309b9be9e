"""Matrices as heat maps: confusion, and the weights of attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array, shape_text, wrong_shape
from lstmfast._checks import items

from ._looks import INK, heat, name_ticks, panels, scale, tokens

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHARES = 8  # classes up to which cells have room for a second line
_DARK = 0.45  # the share from which a colour needs white letters
_MOST = 60  # classes that can be drawn


def confusion(
    truth: ArrayLike,
    predicted: ArrayLike,
    labels: Sequence[Any] | None = None,
    *,
    title: str | None = None,
    ax: Any = None,
) -> Figure:
    r"""Draw how many samples of each class were taken for which.

    A row is a class, its columns what was predicted; colours are shares of the row.

    Parameters
    ----------
    truth, predicted : array_like
        Classes, as numbers from 0 or as strings, in arrays of one shape; or scores as a model
        returns them: of classes (..., K), of which the largest counts, or of one class between 0
        and 1, true above 0.5.
    labels : list, optional
        The names of the classes 0, 1, ...; of strings their order.
    title : str, optional
        By default the share of samples that were predicted right.
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
    if title is None:
        title = f"{np.trace(counts) / counts.sum():.1%} of {counts.sum()} right"
    cell = max(0.42, 0.9 - 0.06 * size)
    figure, (axes,) = panels(1, 1, 2.1 + cell * size, 1.4 + cell * size, ax, where)
    image = heat(axes, shares, 0.0, 1.0, title)
    has_room = size <= _SHARES
    look = {"ha": "center", "va": "center", "fontsize": 9 if has_room else 8}
    for (row, column), count in np.ndenumerate(counts):
        share = shares[row, column]
        text = f"{count}\n{share:.0%}" if has_room else f"{count}"
        colour = "white" if share > _DARK else INK
        axes.text(column, row, text if count else "", color=colour, **look)
    axes.set_aspect("equal")
    name_ticks(axes.xaxis, names)
    name_ticks(axes.yaxis, names)
    axes.set_xlabel("predicted", color=INK)
    axes.set_ylabel("true", color=INK)
    scale(axes, image, "share of the row", shrink=0.6, aspect=16)
    return figure


def _numbered(
    truth: ArrayLike, predicted: ArrayLike, labels: Any, where: str
) -> tuple[Array, list[str]]:
    """Return the numbers of true and predicted classes (2, samples), and the classes' names."""
    true, found = _classes(truth, "truth", where), _classes(predicted, "predicted", where)
    if true.ndim == found.ndim + 1:  # one-hot
        true = true.argmax(-1)
    if true.shape != found.shape:
        expected = f"{shape_text(true.shape)}, as truth has"
        raise wrong_shape(where, "predicted", found.shape, expected)
    if not true.size:
        raise ValueError(f"[{where}] truth is empty; expected a sample at least")
    if (true.dtype.kind == "U") != (found.dtype.kind == "U"):
        raise TypeError(f"[{where}] only one of truth and predicted holds strings; expected both")
    pairs = np.stack([true.ravel(), found.ravel()])
    if labels is not None:
        names = [*map(str, items(labels, "labels", where, "a list of names"))]
    elif pairs.dtype.kind == "U":
        names = sorted({*pairs.ravel().tolist()})
    else:
        names = [*map(str, range(min(int(pairs.max()), _MOST - 1) + 1))]
    if not 1 <= len(names) <= _MOST:
        raise ValueError(f"[{where}] there are {len(names)} classes; expected 1 to {_MOST}")
    if pairs.dtype.kind == "U":
        unknown = {*pairs.ravel().tolist()} - {*names}
        if unknown:
            raise ValueError(f"[{where}] labels lacks {min(unknown)!r}; expected all classes")
        pairs = np.vectorize(names.index)(pairs)
    known = (pairs >= 0) & (pairs < len(names))
    if not known.all():
        wrong = pairs[~known][0]
        raise ValueError(f"[{where}] a class is {wrong}; expected 0 to {len(names) - 1}")
    return pairs, names


def _classes(values: ArrayLike, name: str, where: str) -> Array:
    """Return classes as whole numbers or strings."""
    array = np.asarray(values)
    if array.dtype.kind in "UO" and all(isinstance(each, str) for each in array.ravel()):
        return array.astype(str)
    array = as_array(values, where, name)
    array = array[..., 0] if array.ndim > 1 and array.shape[-1] == 1 else array
    if array.dtype.kind != "f":
        return array.astype(int)
    if array.ndim > 1:
        return np.asarray(array.argmax(-1))
    if (array == np.floor(array)).all():
        return array.astype(int)
    if not ((array >= 0.0) & (array <= 1.0)).all():
        raise ValueError(
            f"[{where}] {name} holds other values; expected classes, or scores from 0 to 1"
        )
    return np.asarray(array > 0.5).astype(int)


def attention(
    weights: ArrayLike,
    source: Sequence[Any] | None = None,
    target: Sequence[Any] | None = None,
    *,
    title: str | None = None,
    ax: Any = None,
) -> Figure:
    """Draw at which steps of the source each step of the target has looked.

    Parameters
    ----------
    weights : array_like
        (T_out, T_in), or of several heads (N, T_out, T_in), a panel each: rows of
        `attention_weights`.
    source, target : list, optional
        The T_in and T_out tokens; by default the numbers of the steps.
    title : str, optional
        A title.
    ax : matplotlib.axes.Axes, optional
        Where to draw one head.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For weights of another shape, and numbers of tokens that differ from it.

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
    rows, columns = heads.shape[1:]
    across, down = tokens(source, "source", columns, where), tokens(target, "target", rows, where)
    width, height = (min(7.0, max(2.4, 0.32 * size)) for size in (columns, rows))
    in_row = min(len(heads), 2)
    figure, all_axes = panels(len(heads), in_row, 1.6 + width, 1.2 + height, ax, where)
    for number, axes in enumerate(all_axes, 1):
        head = f"head {number}" if len(heads) > 1 else "Attention"
        image = heat(
            axes,
            heads[number - 1],
            0.0,
            float(array.max()),
            f"{title}, {head}" if title and len(heads) > 1 else title or head,
        )
        name_ticks(axes.xaxis, across)
        name_ticks(axes.yaxis, down)
        axes.set_xlabel("source", color=INK)
        axes.set_ylabel("target", color=INK)
        scale(axes, image, "weight", aspect=18)
    return figure


def attention_weights(
    model: Any, x: Any, y: ArrayLike = None, *, layer: str | None = None
) -> Array:
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
    from ._inside import weights_of

    return weights_of(model, x, y, layer, "plot.attention_weights")
