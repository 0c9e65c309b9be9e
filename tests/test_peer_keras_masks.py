"""Against live Keras 3: what becomes of masks in a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from keras_twins import (
    KERAS,
    MASK,
    OTHER_MASK,
    OURS,
    B,
    T,
    lstm,
    masked_numbers,
    numbers,
    peer,
    resumed,
    same_nets,
)

pytestmark = peer

MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
X, Y = masked_numbers(), masked_numbers(mask=OTHER_MASK, seed=1)
WHOLE = numbers(B, T, 3, seed=2)
STEPS = numbers(B, T, 2, seed=9)


# which of two inputs carry a mask
BOTH = {"both": (True, True), "first": (True, False), "second": (False, True)}


@pytest.mark.parametrize("which", BOTH)
@pytest.mark.parametrize("name", MERGES)
def test_merges(name: str, which: str) -> None:
    """OR of the masks, none if any input has none; Concatenate counts unmasked inputs as ones.

    An LSTM tells which steps are left, the loss of its outputs which of these weigh.
    In Keras 3.15 Multiply, Maximum and Minimum know masks by themselves
    (keras/src/layers/merging/multiply.py, base_merge.py): what is masked in one input does not
    take part, so that the result there is the other input's; where all are masked it is 0 by
    Multiply. That shows where one of two inputs is masked.
    """

    def build(of: Any) -> Any:
        inputs = [of.layers.Input((T, 3)), of.layers.Input((T, 3))]
        masked = [
            of.layers.Masking()(x) if has else x for x, has in zip(inputs, BOTH[which], strict=True)
        ]
        # masked steps get values, or a merge would see zeros alone; one layer for both, as Keras
        # puts layers that come before its Concatenate with a mask into another order
        dense = of.layers.Dense(3, activation="sigmoid")
        values = [dense(x) for x in masked]
        joined = getattr(of.layers, name)()(values)
        return of.models.Model(
            inputs, of.layers.Dense(2)(lstm(of, 3, return_sequences=True)(joined))
        )

    same_nets(build, [X, Y], STEPS, rate=0.5)


@pytest.mark.parametrize("name", MERGES)
def test_three_of_which_one_has_no_mask(name: str) -> None:
    def build(of: Any) -> Any:
        inputs = [of.layers.Input((T, 3)) for _ in range(3)]
        dense = of.layers.Dense(3)
        a, b = (dense(of.layers.Masking()(x)) for x in inputs[:2])
        c = dense(inputs[2])
        if name == "Subtract":
            joined = of.layers.Subtract()([of.layers.Subtract()([a, b]), c])
        else:
            joined = getattr(of.layers, name)()([a, c, b])
        return of.models.Model(inputs, of.layers.Dense(2)(lstm(of, 3)(joined)))

    same_nets(build, [X, Y, WHOLE], numbers(B, 2, seed=9))


@pytest.mark.parametrize("which", BOTH)
def test_concatenate_of_steps(which: str) -> None:
    """Along the steps, masks follow each other; where there is none, ones."""

    def build(of: Any) -> Any:
        inputs = [of.layers.Input((T, 3)), of.layers.Input((T, 3))]
        values = [
            of.layers.Masking()(x) if has else x for x, has in zip(inputs, BOTH[which], strict=True)
        ]
        joined = of.layers.Concatenate(axis=1)(values)
        return of.models.Model(
            inputs, of.layers.Dense(2)(lstm(of, 3, return_sequences=True)(joined))
        )

    same_nets(build, [X, Y], numbers(B, 2 * T, 2, seed=9))


def test_dot_has_no_mask() -> None:
    def build(of: Any) -> Any:
        a, b = of.layers.Input((T, 3)), of.layers.Input((T, 3))
        products = of.layers.Dot(axes=2)([of.layers.Masking()(a), of.layers.Masking()(b)])
        return of.models.Model([a, b], of.layers.Dense(2)(lstm(of, 3)(products)))

    same_nets(build, [X, Y], numbers(B, 2, seed=9))


CARRIERS: dict[str, Any] = {
    "dense": lambda of: of.layers.Dense(3),
    "activation": lambda of: of.layers.Activation("tanh"),
    "dropout": lambda of: of.layers.Dropout(0.0),
    "lstm": lambda of: lstm(of, 3, return_sequences=True),
    "lstm_back": lambda of: lstm(of, 3, return_sequences=True, go_backwards=True),
    "bidirectional": lambda of: of.layers.Bidirectional(lstm(of, 2, return_sequences=True)),
    "time_distributed": lambda of: of.layers.TimeDistributed(of.layers.Dense(3)),
    "masking_again": lambda of: of.layers.Masking(1.0),
}


@pytest.mark.parametrize("kind", CARRIERS)
def test_what_hands_a_mask_on(kind: str) -> None:
    """To the next layer, and to the loss, where the outputs of masked steps do not weigh."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = CARRIERS[kind](of)(of.layers.Masking()(of.layers.Dense(3, use_bias=False)(x)))
        p, q = of.layers.Dense(2, name="p"), of.layers.Dense(2, name="q")
        return of.models.Model(x, [p(h), q(lstm(of, 3)(h))])

    same_nets(build, X, [STEPS, numbers(B, 2, seed=8)])


DROPPERS: dict[str, Any] = {
    "flatten": lambda of, x: of.layers.Flatten()(x),
    "reshape": lambda of, x: lstm(of, 3)(of.layers.Reshape((3, 2 * T // 2))(x)),
    "permute": lambda of, x: lstm(of, 3)(of.layers.Permute((2, 1))(x)),
    "permute_back": lambda of, x: lstm(of, 3)(of.layers.Permute((1, 2))(x)),
}


@pytest.mark.parametrize("kind", DROPPERS)
def test_what_drops_a_mask(kind: str) -> None:
    """With a warning, in both libraries."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = of.layers.Dense(3)(of.layers.Masking()(x))
        return of.models.Model(x, of.layers.Dense(2)(DROPPERS[kind](of, h)))

    for of in (OURS, KERAS):
        with pytest.warns(UserWarning, match="mask"):
            build(of).predict(X, verbose=0)
    same_nets(build, X, numbers(B, 2, seed=9))


def test_repeat_vector_after_a_mask() -> None:
    """The LSTM that returns its last step takes the mask in: what is repeated has none."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = of.layers.RepeatVector(4)(lstm(of, 3)(of.layers.Masking()(x)))
        return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3, return_sequences=True)(h)))

    same_nets(build, X, numbers(B, 4, 2, seed=9))


def test_states_of_masked_rows() -> None:
    """h and c are those of the last real step; a decoder that starts there has no mask."""

    def build(of: Any) -> Any:
        a, b = of.layers.Input((T, 3)), of.layers.Input((4, 3))
        _, h, c = lstm(of, 3, return_state=True)(of.layers.Masking()(a))
        y = lstm(of, 3, return_sequences=True)(b, initial_state=[h, c])
        return of.models.Model([a, b], of.layers.Dense(2)(y))

    same_nets(build, [X, numbers(B, 4, 3, seed=3)], numbers(B, 4, 2, seed=9))


def test_both_sides_masked() -> None:
    """A masked decoder keeps its initial state until its first real step."""

    def build(of: Any) -> Any:
        a, b = of.layers.Input((T, 3)), of.layers.Input((T, 3))
        _, h, c = lstm(of, 3, return_state=True)(of.layers.Masking()(a))
        y = resumed(of, lstm(of, 3, return_sequences=True), b, of.layers.Masking(), [h, c])
        return of.models.Model([a, b], of.layers.Dense(2)(y))

    same_nets(build, [X, Y], STEPS)


def test_masks_enter_and_leave_a_model() -> None:
    """A model as a layer sees the masks of its inputs, and hands on those of its outputs."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = lstm(of, 3, return_sequences=True)(x)
        inner = of.models.Model(x, [h, lstm(of, 2)(h)])
        x = of.layers.Input((T, 3))
        steps, last = inner(of.layers.Masking()(x))
        p, q = of.layers.Dense(2, name="p"), of.layers.Add(name="q")
        return of.models.Model(x, [p(steps), q([last, lstm(of, 2)(steps)])])

    same_nets(build, X, [STEPS, numbers(B, 2, seed=8)])


def test_one_value_with_and_without() -> None:
    """A mask belongs to a value: what goes round Masking has none."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        layer = lstm(of, 3, return_sequences=True)
        masked, plain = layer(of.layers.Masking()(x)), layer(x)
        p, q = of.layers.Dense(2, name="p"), of.layers.Dense(2, name="q")
        return of.models.Model(x, [p(masked), q(plain)])

    same_nets(build, X, [STEPS, STEPS[::-1]])


def test_mask_of_a_call() -> None:
    """A tensor replaces the mask of the input; of several inputs it is refused."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        mask = of.ops.greater(x[:, :, 0], 0.0)
        return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3)(x, mask=mask)))

    same_nets(build, X, numbers(B, 2, seed=8))
    x, y = OURS.layers.Input((T, 3)), OURS.layers.Input((T,), dtype="bool")
    with pytest.raises(ValueError, match=r"mask is a tensor; expected none, for masks travel"):
        OURS.layers.Add()([x, x], mask=y)
    with pytest.raises(ValueError, match=r"mask has samples of shape \(3,\); expected \("):
        lstm(OURS, 3)(x, mask=OURS.layers.Input((3,)))
    with pytest.raises(TypeError, match=r"x is of type Input .*which has no values"):
        OURS.layers.Masking().compute_mask(x)


def test_masks_of_arrays() -> None:
    """`compute_mask` called with arrays."""
    for of in (OURS, KERAS):
        layers = of.layers
        np.testing.assert_array_equal(np.asarray(layers.Masking().compute_mask(X)), MASK)
        ids = np.where(MASK, 3, 0)
        words = layers.Embedding(4, 2, mask_zero=True)
        np.testing.assert_array_equal(np.asarray(words.compute_mask(ids)), MASK)
        assert layers.Embedding(4, 2).compute_mask(ids) is None
        either = layers.Add().compute_mask([X, Y], [MASK, OTHER_MASK])
        np.testing.assert_array_equal(np.asarray(either), MASK | OTHER_MASK)
        assert layers.Add().compute_mask([X, Y], [MASK, None]) is None
        joined = layers.Concatenate().compute_mask([X, Y], [MASK, None])
        np.testing.assert_array_equal(np.asarray(joined), np.ones_like(MASK))
