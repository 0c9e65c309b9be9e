"""The ready-made models: their layers and shapes, for every size; what cannot be made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import variants
from lstmfast.models import Sequential, load_model

IDS = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
# what makes each; what it takes; what it returns; its layers
CASES: list[tuple[Any, tuple[int, ...], tuple[int, ...], str]] = [
    (lambda: variants.vanilla(3), (2, 5, 3), (2, 1), "LSTM Dense"),
    (
        lambda: variants.vanilla(3, 2, steps=5, units=4, return_sequences=True, dropout=0.1),
        (2, 5, 3), (2, 5, 2), "LSTM Dropout Dense",
    ),
    (lambda: variants.stacked(3, 2, units=[4, 5, 6]), (2, 5, 3), (2, 2), "LSTM LSTM LSTM Dense"),
    (
        lambda: variants.stacked(3, units=(4, 5), dropout=0.1, return_sequences=True),
        (2, 5, 3), (2, 5, 1), "LSTM Dropout LSTM Dropout Dense",
    ),
    (lambda: variants.bidirectional(3, 2, units=4), (2, 5, 3), (2, 2), "Bidirectional Dense"),
    (
        lambda: variants.bidirectional(3, merge_mode="sum", return_sequences=True, dropout=0.2),
        (2, 5, 3), (2, 5, 1), "Bidirectional Dropout Dense",
    ),
    (
        lambda: variants.cnn_lstm((8, 6, 1), 2, filters=(4, 5), units=7),
        (2, 3, 8, 6, 1), (2, 2), "TimeDistributed " * 5 + "LSTM Dense",
    ),
    (
        lambda: variants.cnn_lstm((8, 2), steps=3),
        (2, 3, 8, 2), (2, 1), "TimeDistributed " * 3 + "LSTM Dense",
    ),
    (
        lambda: variants.encoder_decoder(3, 2, steps_out=4, units=5),
        (2, 6, 3), (2, 4, 2), "LSTM RepeatVector LSTM TimeDistributed",
    ),
    (lambda: variants.generative(4), (2, 4), (2, 4, 4), "Embedding LSTM Dense"),
    (
        lambda: variants.generative(4, steps=4, units=(3, 4), dropout=0.1),
        (2, 4), (2, 4, 4), "Embedding LSTM Dropout LSTM Dropout Dense",
    ),
    (lambda: variants.vanilla(3, tokens=4, mask_value=0), (2, 4), (2, 1), "Embedding LSTM Dense"),
    (
        lambda: variants.stacked(3, mask_value=1.5, units=(4, 5)),
        (2, 5, 3), (2, 1), "Masking LSTM LSTM Dense",
    ),
    (
        lambda: variants.bidirectional(3, tokens=4, units=4, return_sequences=True),
        (2, 4), (2, 4, 1), "Embedding Bidirectional Dense",
    ),
    (
        lambda: variants.encoder_decoder(3, 2, tokens=4, steps_out=3),
        (2, 4), (2, 3, 2), "Embedding LSTM RepeatVector LSTM TimeDistributed",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "takes", "returns", "layers"), CASES)
def test_a_variant(
    make: Any, takes: tuple[int, ...], returns: tuple[int, ...], layers: str, tmp_path: Path
) -> None:
    model: Sequential = make()
    assert [type(layer).__name__ for layer in model.layers] == layers.split()
    x = IDS if len(takes) == 2 else np.ones(takes)
    assert model.predict(x).shape == returns
    model.compile("adam", "mse")
    before = model.get_weights()
    model.fit(x, np.zeros(returns), verbose=0)
    assert not any(map(np.array_equal, model.get_weights(), before))
    model.save(tmp_path / "a.safetensors")
    assert np.array_equal(load_model(tmp_path / "a.safetensors").predict(x), model.predict(x))


@pytest.mark.parametrize("name", variants.__all__)
def test_a_seed_makes_the_same_model(name: str) -> None:
    given: dict[str, Any] = {"cnn_lstm": {"frame": (4, 4, 1)}, "generative": {"tokens": 4}}
    options = given.get(name, {"features": 2}) | {"seed": 3}
    options |= {"steps_out": 2} if name == "encoder_decoder" else {}
    first, second = (getattr(variants, name)(**options) for _ in range(2))
    assert all(map(np.array_equal, first.get_weights(), second.get_weights()))


@pytest.mark.parametrize(("tokens", "pad"), [(None, -1.0), (5, 0)])
def test_masked_steps_change_nothing(tokens: int | None, pad: float) -> None:
    model = variants.stacked(2, units=(3, 4), tokens=tokens, mask_value=pad, seed=0)
    x = np.array([[1, 2, 3]]) if tokens else np.ones((1, 3, 2))
    padded = np.concatenate([x, np.full_like(x, pad), np.full_like(x, pad)], axis=1)
    np.testing.assert_array_equal(model.predict(padded), model.predict(x))


def test_options_of_the_cell_reach_every_lstm() -> None:
    for model, count in (
        (variants.vanilla(1, peephole=True), 1),
        (variants.stacked(1, peephole=True), 2),
        (variants.bidirectional(1, peephole=True), 2),
        (variants.cnn_lstm((4, 4, 1), peephole=True), 1),
        (variants.encoder_decoder(1, steps_out=2, peephole=True), 2),
        (variants.generative(4, units=(3, 3), peephole=True), 2),
    ):
        assert str(model.get_config()).count("'peephole': True") == count


def test_activations_are_the_layers() -> None:
    for model in (
        variants.vanilla(1, activation="relu", output_activation="sigmoid"),
        variants.stacked(1, activation="relu", output_activation="sigmoid"),
        variants.bidirectional(1, activation="relu", output_activation="sigmoid"),
        variants.encoder_decoder(1, steps_out=2, activation="relu", output_activation="sigmoid"),
    ):
        named = str(model.get_config())
        assert "'relu'" in named
        assert "'sigmoid'" in named
        assert "'tanh'" not in named


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: variants.stacked(1, units=[]), ValueError, r"\[stacked\] units is empty"),
        (lambda: variants.stacked(1, units=3), TypeError, r"\[stacked\] units is of type int"),
        (lambda: variants.generative(4, units=()), ValueError, r"\[generative\] units is empty"),
        (lambda: variants.cnn_lstm((4,)), ValueError, r"\[cnn_lstm\] frame is \(4,\)"),
        (lambda: variants.cnn_lstm(4), TypeError, r"\[cnn_lstm\] frame is of type int"),
        (lambda: variants.cnn_lstm((4, 1), filters=[]), ValueError, r"filters is empty"),
        (lambda: variants.vanilla(1, units=0), ValueError, r"units is 0"),
        (lambda: variants.vanilla(1, activation="rule"), ValueError, r"activation is 'rule'"),
        (lambda: variants.encoder_decoder(1, steps_out=0), ValueError, r"n is 0"),
        (
            lambda: variants.vanilla(2, tokens=4, mask_value=-1),
            ValueError, r"\[variants\] mask_value is -1; expected 0 or None with tokens",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_made(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
