"""Against live Keras 3: attention layers with masks and scores, and models that train."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attention_cases import CASES
from keras_twins import (
    KERAS,
    MASK,
    MOVED,
    TRAINED,
    B,
    Build,
    T,
    compile_both,
    lstm,
    masked_numbers,
    numbers,
    peer,
    same,
    same_fit,
    same_outputs,
    twins,
    weights_of,
)
from lstmfast import layers

pytestmark = peer

# each sample has a step that counts
SOME_LEFT = MASK.copy()
SOME_LEFT[3, 2] = True


@pytest.mark.parametrize("name", CASES)
def test_values_and_scores(name: str) -> None:
    case = CASES[name]
    x: Any = [each.astype(np.float32) for each in case.inputs()]
    ours, theirs = case.make(layers), case.make(KERAS.layers)
    for layer in (ours, theirs):
        case.call(layer, x)
        assert [w.shape for w in layer.get_weights()] == [w.shape for w in case.weights]
        layer.set_weights(list(case.weights))
    found = case.call(ours, x, case.masks, return_attention_scores=True)
    masks = case.masks
    if case.heads:  # Keras 3.15 forgets an argument query_mask, but not the mask of a tensor
        given = [KERAS.ops.convert_to_tensor(each) for each in x]
        for one, mask in zip(given, masks, strict=False):
            if mask is not None:
                one._keras_mask = KERAS.ops.convert_to_tensor(mask)
        x, masks = given, None
    expected = case.call(theirs, x, masks, return_attention_scores=True)
    # sums of at most some 80 terms of size 10; where Keras's scores are 1e9 less, all are equal
    same(found, expected, 2e-3)


@pytest.mark.parametrize("kind", ["Attention", "AdditiveAttention", "MultiHeadAttention"])
@pytest.mark.parametrize("causal", [False, True])
def test_encoders_and_decoders_train(kind: str, causal: bool) -> None:
    """With a mask on the encoder's side, but for the last."""

    def build(of: Any) -> Any:
        x, z = of.layers.Input((None, 3)), of.layers.Input((4, 2))
        # below, for MultiHeadAttention
        seen = x if kind == "MultiHeadAttention" else of.layers.Masking()(x)
        states = of.layers.LSTM(4, return_sequences=True)(seen)
        y = of.layers.GRU(4, return_sequences=True)(z)
        if kind == "MultiHeadAttention":
            layer = of.layers.MultiHeadAttention(num_heads=2, key_dim=3)
            found = layer(query=y, value=states, use_causal_mask=causal)
        else:
            layer = getattr(of.layers, kind)(use_scale=True)
            found = layer([y, states], use_causal_mask=causal)
        return of.models.Model([x, z], of.layers.Dense(2)(of.layers.Concatenate()([y, found])))

    # not same_training, in which all weights must move: a bias of keys moves no score
    ours, theirs = twins(build)
    x = [masked_numbers(), numbers(B, 4, 2)]
    same_outputs(ours, theirs, x)
    compile_both(ours, theirs, optimizer="adam", loss="mse")
    same_fit(ours, theirs, x, numbers(B, 4, 2, seed=9))
    same(weights_of(ours), weights_of(theirs))


# Masks of MultiHeadAttention in models. Keras 3.15 differs from itself in two ways:
# - Of a query that sees no key its layer makes 0 where it has dropout or returns scores
#   (Softmax.call), and the mean of all values elsewhere (ops.dot_product_attention); ours makes 0.
#   So outputs are alike where the query counts and sees a key. The loss skips other queries, but
#   not a query without mask that sees none.
# - Its call deletes the masks of its inputs (the start of MultiHeadAttention.call). What takes the
#   same tensors later, as the sum x + attention(x, x) does, sees no mask, nor does the loss.


def attention(of: Any, query: Any, value: Any, **more: Any) -> Any:
    return of.layers.MultiHeadAttention(num_heads=2, key_dim=3)(query, value, **more)


def same_steps(
    build: Build, x: Any, shape: tuple[int, ...], counts: Any = None, rate: float = 0.2
) -> None:
    """Outputs, where they count, before and after steps of SGD, the losses and the weights."""
    ours, theirs = twins(build)
    if counts is None:
        same_outputs(ours, theirs, x)
    else:
        found, expected = (model.predict(x, verbose=0)[counts] for model in (ours, theirs))
        same(found, expected)
    before = weights_of(ours)
    compile_both(ours, theirs, optimizer=lambda of: of.optimizers.SGD(rate), loss="mse")
    same_fit(ours, theirs, x, numbers(*shape, seed=9))
    same(weights_of(ours), weights_of(theirs), TRAINED)
    moves = [np.abs(w - v).max() for w, v in zip(weights_of(ours), before, strict=True)]
    # a bias of keys moves no score
    assert sum(move < MOVED for move in moves) == 1, moves


@pytest.mark.parametrize("start", ["Masking", "Embedding"])
@pytest.mark.parametrize("residual", [False, True])
def test_masked_self_attention_trains(start: str, residual: bool) -> None:
    def build(of: Any) -> Any:
        x = of.layers.Input((T,) if start == "Embedding" else (T, 3))

        def masked() -> Any:
            if start == "Embedding":
                return table(x)
            return of.layers.Masking()(x)

        normal = of.initializers.RandomNormal(stddev=1.0)
        table = of.layers.Embedding(7, 4, mask_zero=True, embeddings_initializer=normal)
        first = masked()
        y = attention(of, first, first)
        if residual:  # of a tensor whose mask Keras has not deleted
            y = of.layers.LayerNormalization()(of.layers.Add()([masked(), y]))
        return of.models.Model(x, of.layers.Dense(2)(y))

    ids = np.where(MASK, np.random.default_rng(0).integers(1, 7, (B, T)), 0)
    x = ids if start == "Embedding" else masked_numbers()
    same_steps(build, x, (B, T, 2), MASK)


@pytest.mark.parametrize("after", ["LSTM", "GlobalAveragePooling1D"])
def test_masks_after_self_attention(after: str) -> None:
    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        masked = of.layers.Masking()(x)
        y = attention(of, masked, masked)
        last = lstm(of, 4) if after == "LSTM" else of.layers.GlobalAveragePooling1D()
        return of.models.Model(x, of.layers.Dense(2)(last(y)))

    # a mean of no steps is 0 / 0
    mask = MASK if after == "LSTM" else SOME_LEFT
    same_steps(build, masked_numbers(mask=mask), (B, 2))


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("start", ["Masking", "LSTM"])
def test_masked_values_train(start: str, scores: bool) -> None:
    """Where Keras computes no scores, each sample needs a value that counts."""

    def build(of: Any) -> Any:
        x, z = of.layers.Input((T, 3)), of.layers.Input((4, 2))
        values = of.layers.Masking()(x)
        if start == "LSTM":
            values = lstm(of, 4, return_sequences=True)(values)
        query = of.layers.GRU(4, return_sequences=True)(z)
        y = attention(of, query, values, return_attention_scores=scores)
        return of.models.Model([x, z], of.layers.Dense(2)(y[0] if scores else y))

    x = masked_numbers(mask=MASK if scores else SOME_LEFT)
    # the gradients of an LSTM's values are small: larger steps, so that weights move visibly
    rate = 1.0 if start == "LSTM" else 0.2
    same_steps(build, [x, numbers(B, 4, 2)], (B, 4, 2), rate=rate)
