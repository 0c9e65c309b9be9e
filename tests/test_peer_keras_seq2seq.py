"""Against live Keras 3: many to many, TimeDistributed, and Keras's own seq2seq example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_twins import (
    KERAS,
    OURS,
    TRAINED,
    B,
    T,
    compile_both,
    lstm,
    masked_numbers,
    numbers,
    peer,
    resumed,
    same,
    same_fit,
    same_nets,
    same_outputs,
    twins,
    weights_of,
)

pytestmark = peer

X = numbers(B, T, 3)


def many_to_many(of: Any) -> Any:
    """The classic: a sequence into a vector, the vector into a sequence of another length."""
    return of.models.Sequential(
        [
            of.layers.Input((T, 3)),
            lstm(of, 4, activation="relu"),
            of.layers.RepeatVector(4),
            lstm(of, 4, activation="relu", return_sequences=True),
            of.layers.TimeDistributed(of.layers.Dense(2)),
        ]
    )


def many_to_many_both_ways(of: Any) -> Any:
    return of.models.Sequential(
        [
            of.layers.Input((None, 3)),
            of.layers.Bidirectional(lstm(of, 3)),
            of.layers.RepeatVector(4),
            of.layers.Bidirectional(lstm(of, 2, return_sequences=True)),
            of.layers.TimeDistributed(of.layers.Dense(2, activation="tanh")),
        ]
    )


def step_by_step(of: Any) -> Any:
    """One output a step; TimeDistributed of two layers is that of their model."""
    x = of.layers.Input((T, 3))
    h = of.layers.TimeDistributed(of.layers.Dense(3))(lstm(of, 3, return_sequences=True)(x))
    h = of.layers.TimeDistributed(of.layers.Activation("tanh"))(h)
    return of.models.Model(x, of.layers.TimeDistributed(of.layers.Dense(2))(h))


def model_for_each_step(of: Any) -> Any:
    x = of.layers.Input((3,))
    a, b = of.layers.Dense(3, activation="tanh")(x), of.layers.Dense(3)(x)
    part = of.models.Model(x, of.layers.add([x, of.layers.multiply([a, b])]))
    x = of.layers.Input((T, 3))
    return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3, return_sequences=True)(
        of.layers.TimeDistributed(part)(x)
    )))  # fmt: skip


def sequences_of_sequences(of: Any) -> Any:
    """Words of letters: an LSTM over the letters of each word, another over the words."""
    x = of.layers.Input((T, 4, 2))
    words = of.layers.TimeDistributed(lstm(of, 3))(x)
    return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3)(words)))


def models_of_sequences(of: Any) -> Any:
    letters = of.layers.Input((4, 2))
    h = of.layers.Bidirectional(lstm(of, 2, return_sequences=True))(letters)
    word = of.models.Model(letters, of.layers.Dense(3)(of.layers.Flatten()(h)))
    x = of.layers.Input((T, 4, 2))
    words = of.layers.TimeDistributed(word)(x)
    return of.models.Model(x, of.layers.Dense(2)(of.layers.Flatten()(words)))


def flat_steps(of: Any) -> Any:
    x = of.layers.Input((T, 4, 2))
    flat = of.layers.TimeDistributed(of.layers.Flatten())(x)
    return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3)(flat)))


LETTERS = numbers(B, T, 4, 2, seed=3)
NETS: dict[str, tuple[Callable[[Any], Any], Any, tuple[int, ...]]] = {
    "many_to_many": (many_to_many, X, (B, 4, 2)),
    "many_to_many_both_ways": (many_to_many_both_ways, X, (B, 4, 2)),
    "step_by_step": (step_by_step, X, (B, T, 2)),
    "model_for_each_step": (model_for_each_step, X, (B, T, 2)),
    "sequences_of_sequences": (sequences_of_sequences, LETTERS, (B, 2)),
    "models_of_sequences": (models_of_sequences, LETTERS, (B, 2)),
    "flat_steps": (flat_steps, LETTERS, (B, 2)),
}


@pytest.mark.parametrize("name", NETS)
def test_nets(name: str) -> None:
    build, x, shape = NETS[name]
    same_nets(build, x, numbers(*shape, seed=9), rate=0.3)


@pytest.mark.parametrize("inner", ["dense", "model"])
def test_time_distributed_with_masks(inner: str) -> None:
    """It hands its mask on: to the loss, and to the LSTM after it."""

    def build(of: Any) -> Any:
        part = of.layers.Dense(3)
        if inner == "model":
            x = of.layers.Input((3,))
            part = of.models.Model(x, part(of.layers.Dense(2)(x)))
        each = of.layers.TimeDistributed(part)
        x = of.layers.Input((T, 3))
        steps = each(of.layers.Masking()(x))
        p, q = of.layers.Dense(2, name="p"), of.layers.Dense(2, name="q")
        return of.models.Model(x, [p(steps), q(lstm(of, 3)(steps))])

    same_nets(build, masked_numbers(), [numbers(B, T, 2, seed=9), numbers(B, 2, seed=8)])


# Keras's example (keras.io/examples/nlp/lstm_seq2seq), on digits to be written backwards

SIGNS = "\t\n0123456789"
LATENT, LONGEST = 8, 4


def digits() -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    texts = ["".join(map(str, rng.integers(0, 10, rng.integers(1, LONGEST)))) for _ in range(24)]
    shape = len(texts), LONGEST + 2, len(SIGNS)
    read, fed, target = (np.zeros(shape, np.float32) for _ in range(3))
    for row, text in enumerate(texts):
        for t, sign in enumerate(text):
            read[row, t, SIGNS.index(sign)] = 1.0
        for t, sign in enumerate("\t" + text[::-1] + "\n"):
            fed[row, t, SIGNS.index(sign)] = 1.0
            if t > 0:
                target[row, t - 1, SIGNS.index(sign)] = 1.0
    return texts, read, fed, target


def training_model(of: Any) -> Any:
    encoder_inputs = of.layers.Input((None, len(SIGNS)))
    _, *states = lstm(of, LATENT, return_state=True)(encoder_inputs)
    decoder_inputs = of.layers.Input((None, len(SIGNS)))
    decoder = lstm(of, LATENT, return_sequences=True, return_state=True)
    outputs, _, _ = decoder(decoder_inputs, initial_state=states)
    outputs = of.layers.Dense(len(SIGNS), activation="softmax")(outputs)
    return of.models.Model([encoder_inputs, decoder_inputs], outputs)


def inference_models(of: Any, model: Any) -> tuple[Any, Any]:
    """As the example takes them out of the model that was trained, or loaded."""
    encoder_inputs = model.input[0]
    _, *states = model.layers[2].output
    encoder = of.models.Model(encoder_inputs, states)
    decoder_inputs = model.input[1]
    begin = [of.layers.Input((LATENT,)), of.layers.Input((LATENT,))]
    outputs, *states = model.layers[3](decoder_inputs, initial_state=begin)
    outputs = model.layers[4](outputs)
    return encoder, of.models.Model([decoder_inputs, *begin], [outputs, *states])


def written(encoder: Any, decoder: Any, read: np.ndarray) -> tuple[str, np.ndarray]:
    """One sign at a time, each fed back with the states; and all probabilities."""
    states = encoder.predict(read[None], verbose=0)
    fed = np.zeros((1, 1, len(SIGNS)), np.float32)
    fed[0, 0, 0] = 1.0
    text, seen = "", []
    while len(text) <= LONGEST and not text.endswith("\n"):
        outputs, *states = decoder.predict([fed, *states], verbose=0)
        seen.append(outputs[0, -1])
        sign = int(np.argmax(seen[-1]))
        text += SIGNS[sign]
        fed = np.zeros_like(fed)
        fed[0, 0, sign] = 1.0
    return text, np.array(seen)


def test_the_example(tmp_path: Path) -> None:
    _, read, fed, target = digits()
    ours, theirs = twins(training_model)
    assert [layer.name.split("_")[0] for layer in ours.layers] == [
        layer.name.split("_")[0] for layer in theirs.layers
    ]
    compile_both(
        ours,
        theirs,
        optimizer=lambda of: of.optimizers.Adam(0.01, epsilon=1e-3),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    for _ in range(2):  # models taken out before more training see it, too
        models = inference_models(OURS, ours), inference_models(KERAS, theirs)
        how = {"batch_size": 8, "epochs": 5, "validation_split": 0.25}
        same_fit(ours, theirs, [read, fed], target, **how)
        same(weights_of(ours), weights_of(theirs), 5 * TRAINED)
        for row in range(6):
            (mine, ours_seen), (other, seen) = (written(*each, read[row]) for each in models)
            assert mine == other
            same(ours_seen, seen, 5 * TRAINED)
    name = tmp_path / f"s2s.{'keras' if OURS is KERAS else 'safetensors'}"
    ours.save(name)
    again = inference_models(OURS, OURS.models.load_model(name))
    for row in range(6):
        assert written(*again, read[row])[0] == written(*models[0], read[row])[0]


def test_with_words() -> None:
    """The same over ids: Embedding on both sides, padding masked."""

    def build(of: Any) -> Any:
        a, b = of.layers.Input((None,)), of.layers.Input((None,))
        words = of.layers.Embedding(9, 3, mask_zero=True)(a)
        _, *states = lstm(of, 4, return_state=True)(words)
        words = of.layers.Embedding(7, 3, mask_zero=True)
        y = resumed(of, lstm(of, 4, return_sequences=True), b, words, states)
        return of.models.Model([a, b], of.layers.Dense(7, activation="softmax")(y))

    rng = np.random.default_rng(1)
    a, b, y = (rng.integers(low, high, (B, T)) for low, high in ((1, 9), (1, 7), (0, 7)))
    a[1, 4:] = b[0, 5:] = b[3, 2:] = 0
    loss = "sparse_categorical_crossentropy"
    ours, theirs = same_nets(build, [a, b], y, loss=loss, metrics=["accuracy"], rate=0.5)
    same_outputs(ours, theirs, [a[:, :3], b], TRAINED)


def test_attention() -> None:
    """Each step of the decoder weighs the steps of the encoder, by products with them."""

    def build(of: Any) -> Any:
        layers = of.layers
        a, b = layers.Input((None,)), layers.Input((None,))
        read, *states = lstm(of, 4, return_sequences=True, return_state=True)(
            layers.Embedding(9, 3)(a)
        )
        h = lstm(of, 4, return_sequences=True)(layers.Embedding(7, 3)(b), initial_state=states)
        shares = layers.Activation("softmax")(layers.Dot(axes=[2, 2])([h, read]))
        context = layers.Dot(axes=[2, 1])([shares, read])
        y = layers.TimeDistributed(layers.Dense(7, activation="softmax"))(
            layers.concatenate([context, h])
        )
        return of.models.Model([a, b], y)

    rng = np.random.default_rng(0)
    a, b, y = (rng.integers(0, most, (B, steps)) for most, steps in ((9, 6), (7, 4), (7, 4)))
    loss = "sparse_categorical_crossentropy"
    ours, theirs = same_nets(build, [a, b], y, loss=loss, metrics=["accuracy"], rate=0.5)
    same_outputs(ours, theirs, [a[:, :3], b[:, 1:]], TRAINED)
