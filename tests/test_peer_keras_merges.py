"""Against live Keras 3: merges, as layers and as functions, and layers that reshape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graph_layer_cases import CASES
from keras_twins import (
    KERAS,
    OURS,
    B,
    T,
    lstm,
    numbers,
    peer,
    same_nets,
    same_training,
    twins,
)

pytestmark = peer

MERGES = ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate")
X, Y, Z = (numbers(B, T, 3, seed=seed) for seed in range(3))
FLAT = numbers(B, 4, seed=3)


def merged(of: Any, name: str, values: list[Any], **options: Any) -> Any:
    """By the layer; with two values also by the function, which makes such a layer."""
    layer = getattr(of.layers, name.capitalize())(**options)(values)
    if len(values) > 2:
        return layer
    function = getattr(of.layers, name)(values, **options)
    return of.layers.Concatenate()([layer, function])


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("name", MERGES)
def test_merges(name: str, count: int) -> None:
    if name == "subtract" and count > 2:
        pytest.skip("takes two")

    def build(of: Any) -> Any:
        inputs = [of.layers.Input((T, 3)) for _ in range(count)]
        values = [of.layers.Dense(3, activation="tanh")(x) for x in inputs]
        return of.models.Model(inputs, of.layers.Dense(2)(merged(of, name, values)))

    same_nets(build, [X, Y, Z, X[::-1]][:count], numbers(B, T, 2, seed=9))


@pytest.mark.parametrize("name", [*MERGES, "dot"])
def test_merges_of_rows(name: str) -> None:
    """(B, F) rather than (B, T, F); Dot gives (B, 1)."""

    def build(of: Any) -> Any:
        a, b = of.layers.Input((4,)), of.layers.Input((4,))
        values = [of.layers.Dense(3)(a), of.layers.Dense(3, activation="tanh")(b)]
        options = {"axes": 1} if name == "dot" else {}
        return of.models.Model([a, b], of.layers.Dense(2)(merged(of, name, values, **options)))

    same_nets(build, [FLAT, FLAT[::-1] + 0.5], numbers(B, 2, seed=9))


def test_a_value_merged_with_itself() -> None:
    """One value as two inputs: its gradients add."""

    def build(of: Any) -> Any:
        x = of.layers.Input((4,))
        h = of.layers.Dense(3)(x)
        values = [getattr(of.layers, name)([h, h]) for name in ("add", "average", "multiply")]
        return of.models.Model(x, of.layers.Dense(2)(of.layers.concatenate(values)))

    # at larger rates the product with itself diverges, and rounding with it
    same_nets(build, FLAT, numbers(B, 2, seed=9), rate=0.02)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties(name: str) -> None:
    """Of two equal values each gets half of the gradient, as torch and JAX have it.

    Two layers with equal weights therefore stay equal. (With TensorFlow the first gets all.)
    """

    def build(of: Any) -> Any:
        x = of.layers.Input((4,))
        a, b = of.layers.Dense(3, name="a")(x), of.layers.Dense(3, name="b")(x)
        return of.models.Model(x, of.layers.Dense(2)(getattr(of.layers, name)([a, b])))

    ours, theirs = twins(build)
    for model in (ours, theirs):
        model.get_layer("b").set_weights(model.get_layer("a").get_weights())
    same_training(ours, theirs, FLAT, numbers(B, 2, seed=9))
    for w, v in zip(
        ours.get_layer("a").get_weights(), ours.get_layer("b").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(w, v)


@pytest.mark.parametrize(
    ("axis", "shapes"),
    [
        (-1, [(T, 3), (T, 2), (T, 1)]),
        (2, [(T, 3), (T, 2)]),
        (1, [(T, 3), (2, 3)]),
        (-2, [(T, 3), (1, 3), (2, 3)]),
    ],
)
def test_concatenate(axis: int, shapes: list[tuple[int, int]]) -> None:
    def build(of: Any) -> Any:
        inputs = [of.layers.Input(shape) for shape in shapes]
        joined = of.layers.Concatenate(axis=axis)(inputs)
        both = of.layers.concatenate([joined, joined], axis=axis)
        return of.models.Model(inputs, of.layers.Dense(2)(lstm(of, 3)(both)))

    x = [numbers(B, *shape, seed=seed) for seed, shape in enumerate(shapes)]
    same_nets(build, x, numbers(B, 2, seed=9))


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(
    ("axes", "shapes"),
    [
        (1, [(4,), (4,)]),
        (-1, [(4,), (4,)]),
        (2, [(T, 3), (2, 3)]),
        (1, [(T, 3), (T, 2)]),
        ((1, 2), [(3, T), (2, 3)]),
        ((2, 1), [(T, 3), (3, 2)]),
        ((2, 1), [(T, 3), (3,)]),
        ((1, 2), [(3,), (T, 3)]),
    ],
)
def test_dot(axes: Any, shapes: list[tuple[int, ...]], normalize: bool) -> None:
    def build(of: Any) -> Any:
        inputs = [of.layers.Input(shape) for shape in shapes]
        # so that gradients pass through it; widths stay
        values = [of.layers.Dense(shape[-1])(x) for x, shape in zip(inputs, shapes, strict=True)]
        layer = of.layers.Dot(axes=axes, normalize=normalize)(values)
        function = of.layers.dot(values, axes=axes, normalize=normalize)
        y = of.layers.Dense(2)(of.layers.Add()([layer, function]))
        return of.models.Model(inputs, y)

    x = [numbers(B, *shape, seed=seed) for seed, shape in enumerate(shapes)]
    shape = build(KERAS).output_shape[1:]
    same_nets(build, x, numbers(B, *shape, seed=9), rate=0.01)  # more diverges


def reshaped(of: Any, kind: str, x: Any) -> Any:
    if kind == "flatten":
        return of.layers.Flatten()(x)
    if kind == "permute":
        return lstm(of, 2)(of.layers.Permute((2, 1))(x))
    if kind == "permute_nothing":
        return lstm(of, 2)(of.layers.Permute((1, 2))(x))
    if kind == "reshape":
        return lstm(of, 2)(of.layers.Reshape((4, 6))(x))
    if kind == "reshape_unknown":
        return lstm(of, 2)(of.layers.Reshape((-1, 2))(x))
    if kind == "reshape_to_row":
        return of.layers.Reshape((24,))(x)
    if kind == "back_and_forth":
        x = of.layers.Reshape((2, 12))(of.layers.Flatten()(of.layers.Permute((2, 1))(x)))
        return lstm(of, 2)(x)
    # of a rank that no other layer here has, on its way to one
    return lstm(of, 2)(of.layers.Reshape((12, 2))(of.layers.Reshape((2, 3, 4))(x)))


RESHAPES = (
    "flatten", "permute", "permute_nothing", "reshape", "reshape_unknown", "reshape_to_row",
    "back_and_forth", "through_rank_4",
)  # fmt: skip


@pytest.mark.parametrize("kind", RESHAPES)
def test_reshapes(kind: str) -> None:
    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = of.layers.Dense(4)(x)
        return of.models.Model(x, of.layers.Dense(2)(reshaped(of, kind, h)))

    ours, theirs = same_nets(build, X, numbers(B, 2, seed=9))
    shapes = [[tuple(layer.output.shape) for layer in each.layers] for each in (ours, theirs)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("kind", RESHAPES)
def test_reshapes_in_a_row(kind: str) -> None:
    """Alone in a Sequential, where only the order of the values shows."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 4))
        y = reshaped(of, kind, x)
        return of.models.Sequential([of.models.Model(x, y)])

    ours, theirs = build(OURS), build(KERAS)
    ours.set_weights(theirs.get_weights())
    x = numbers(B, T, 4)
    y = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), y, rtol=4e-6, atol=4e-6)


def test_sequential_of_reshapes() -> None:
    def build(of: Any) -> Any:
        return of.models.Sequential(
            [
                of.layers.Input((12,)),
                of.layers.Reshape((4, 3)),
                of.layers.Permute((2, 1)),
                lstm(of, 3, return_sequences=True),
                of.layers.Activation("tanh"),
                of.layers.Flatten(),
                of.layers.Dense(2),
                of.layers.RepeatVector(3),
                lstm(of, 2, return_sequences=True),
                of.layers.TimeDistributed(of.layers.Dense(1)),
            ]
        )

    same_nets(build, numbers(B, 12), numbers(B, 3, 1, seed=9))


@pytest.mark.parametrize(
    ("name", "shapes"),
    [("add", [(T, 3), (1, 3)]), ("multiply", [(T, 3), (T, 1)]), ("maximum", [(T, 3), (3,)])],
)
def test_merges_stretch(name: str, shapes: list[tuple[int, ...]]) -> None:
    """A size of 1 is repeated; a value of lower rank gets sizes of 1 after the rows."""

    def build(of: Any) -> Any:
        inputs = [of.layers.Input(shape) for shape in shapes]
        values = [of.layers.Dense(shape[-1])(x) for x, shape in zip(inputs, shapes, strict=True)]
        return of.models.Model(inputs, of.layers.Dense(2)(getattr(of.layers, name)(values)))

    x = [numbers(B, *shape, seed=seed) for seed, shape in enumerate(shapes)]
    same_nets(build, x, numbers(B, T, 2, seed=9))


# Keras on torch normalises over the last axes alone (test_peer_keras_normalization.py compares
# those); over two values, the results are all but signs. The softmax does not depend on the bias
# before it, whose gradient is rounding alone. Keras has no DecoderInput.
APART = {"layer_norm", "layer_norm_steps", "layer_norm_scale", "layer_norm_bare", "softmax_steps"}
APART.add("decoder_input")


@pytest.mark.parametrize(
    "name", [name for name in CASES if not CASES[name].masks and name not in APART]
)
def test_cases(name: str) -> None:
    """Every layer that has a case, after a Dense for each input."""
    case = CASES[name]

    def build(of: Any) -> Any:
        inputs = [of.layers.Input(shape) for shape in case.shapes]
        values = [
            of.layers.Dense(shape[-1])(x) for x, shape in zip(inputs, case.shapes, strict=True)
        ]
        y = case.make(of.layers)(values if len(values) > 1 else values[0])
        return of.models.Model(inputs, y)

    x = [numbers(B, *shape, seed=seed) for seed, shape in enumerate(case.shapes)]
    shape = build(KERAS).output_shape[1:]
    same_nets(build, x if len(x) > 1 else x[0], numbers(B, *shape, seed=9))
