"""Against live Keras 3: attention layers with masks and scores, and models that train."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attention_cases import CASES
from keras_twins import (
    KERAS,
    B,
    compile_both,
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
        # Keras's MultiHeadAttention removes the mask from what later layers and models take, too
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
