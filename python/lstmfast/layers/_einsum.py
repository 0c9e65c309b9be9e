"""Sums of products by letters for axes, as products of matrices: what `ops.einsum` makes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from lstmfast.layers._operations import multiplied, permuted, reduced, reshaped, tensor_of
from lstmfast.layers._symbolic import Tensor, place_of_code

WHERE = "ops.einsum"


def contracted(subscripts: str, operands: Sequence[Any]) -> Tensor:
    """Return the sums of products that the letters describe, of one operand or two."""
    terms, arrow, out = subscripts.replace(" ", "").partition("->")
    names = terms.split(",")
    if not arrow:
        out = "".join(sorted(each for each in {*terms} - {","} if terms.count(each) == 1))
    like = next((each for each in operands if isinstance(each, Tensor)), None)
    tensors = [tensor_of(each, like, WHERE) for each in operands]
    plain = all(each.isalpha() and len({*each}) == len(each) for each in [*names, out or "a"])
    fits = [len(each) for each in names] == [each.ndim for each in tensors]
    if not plain or not fits or len(tensors) > 2 or {*out} - {*terms}:
        shapes = ", ".join(str(each.shape) for each in tensors)
        raise ValueError(
            f"[{WHERE}] subscripts is {subscripts!r} for operands of shapes {shapes}; expected one "
            "or two operands with a letter for each axis, each once, as in 'bqd,bkd->bqk' "
            f"(at {place_of_code()})"
        )
    for k, (own, x) in enumerate(zip(names, tensors, strict=True)):
        others = out + "".join(names[:k] + names[k + 1 :])
        alone = [axis for axis, letter in enumerate(own) if letter not in others]
        tensors[k] = reduced("sum", x, alone) if alone else x
        names[k] = "".join(letter for letter in own if letter in others)
    if len(tensors) == 1:
        return _ordered(tensors[0], names[0], out)
    if tensors[1].node.batched and not tensors[0].node.batched:
        tensors, names = tensors[::-1], names[::-1]
    return _product(tensors, names, out)


def _product(tensors: Sequence[Tensor], names: Sequence[str], out: str) -> Tensor:
    """Return the product of matrices: axes that both and the result have are those before them."""
    (a, b), (of_a, of_b) = tensors, names
    sizes = {**dict(zip(of_b, b.shape, strict=True)), **dict(zip(of_a, a.shape, strict=True))}
    both = "".join(each for each in of_a if each in of_b)
    shared = "".join(each for each in both if each in out)
    summed = "".join(each for each in both if each not in out)
    left, right = ("".join(each for each in own if each not in both) for own in (of_a, of_b))
    rows = [left] if shared else [*left]  # without shared axes any number of axes are rows
    a = _merged(_ordered(a, of_a, shared + left + summed), [*shared, *rows, summed], sizes)
    b = _merged(_ordered(b, of_b, shared + summed + right), [*shared, summed, right], sizes)
    y = multiplied(a, b, WHERE)
    made = shared + left + right
    if y.ndim != len(made) or (shared and len(left) != 1) or len(right) != 1:
        y = reshaped(y, [sizes[each] for each in made[int(y.node.batched) :]])
    return _ordered(y, made, out)


def _ordered(x: Tensor, names: str, order: str) -> Tensor:
    return x if names == order else permuted(x, [names.index(each) for each in order])


def _merged(x: Tensor, groups: Sequence[str], sizes: dict[str, Any]) -> Tensor:
    """Return a tensor with the axes of each group as one."""
    if all(len(each) == 1 for each in groups):
        return x
    known = [[sizes[letter] for letter in each] for each in groups[int(x.node.batched) :]]
    return reshaped(x, [None if None in each else prod(each) for each in known])
