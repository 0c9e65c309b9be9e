"""EncoderDecoder: teacher forcing, scheduled sampling, masks, greedy decoding and beams.

Long, because what is decoded is held against the same naive decoder throughout.
"""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lstmfast.layers import (
    GRU,
    LSTM,
    Attention,
    Bidirectional,
    DecoderInput,
    Dense,
    Embedding,
    Input,
    Masking,
    MultiHeadAttention,
)
from lstmfast.models import EncoderDecoder, Model, Sequential, load_model
from lstmfast.optimizers import SGD
from philox import random_bits
from runs import threads

Array = npt.NDArray[Any]
LOSS = "sparse_categorical_crossentropy"
START, STOP, PAD = 4, 5, 0  # of tokens 0 .. 5
RNG = np.random.default_rng(3)
X = RNG.integers(1, 6, (7, 5))
Y = RNG.integers(1, 4, (7, 4))


def text_model(decoder: Any = 6, encoder: Any = None, **options: Any) -> EncoderDecoder:
    first = Sequential([Input((None,)), Embedding(6, 4), encoder or LSTM(6)])
    options = {"start_token": START, "length": 4} | options
    model = EncoderDecoder(first, decoder, tokens=6, seed=0, **options)
    rng = np.random.default_rng(5)  # weights far from each other: probabilities differ clearly
    model.set_weights([rng.normal(0.0, 1.0, w.shape) for w in model.get_weights()])
    return model


def probabilities(model: EncoderDecoder, x: Array, tokens: Array) -> Array:
    """Return p(next token) for a prefix, by teacher forcing with a target after it."""
    y = np.concatenate([tokens, np.ones((len(tokens), 1), int)], axis=1)
    return np.asarray(model([x, y]))[:, -1].astype(float)


def greedy(model: EncoderDecoder, x: Array, length: int) -> Array:
    tokens = np.empty((len(x), 0), int)
    for _ in range(length):
        best = probabilities(model, x, tokens).argmax(axis=-1)
        tokens = np.concatenate([tokens, best[:, None]], axis=1)
    return tokens


def test_learns_to_count_on() -> None:
    x = (np.arange(60)[:, None] + np.arange(5))[..., None] / 60.0
    encoder = Sequential([Input((5, 1)), LSTM(24)])
    model = EncoderDecoder(encoder, 24, features=1, length=5, seed=1)
    model.compile("adam", "mse")
    model.fit(x, x + 5 / 60, epochs=150, batch_size=10, verbose=0)
    assert model.predict(x[:3]).shape == (3, 5, 1)
    assert np.abs(model.predict(x) - (x + 5 / 60)).mean() < 0.08


def test_learns_to_reverse() -> None:
    x = np.random.default_rng(0).integers(0, 5, (400, 4))
    encoder = Sequential([Input((None,)), Embedding(5, 12), LSTM(48)])
    model = EncoderDecoder(encoder, 48, tokens=6, start_token=5, length=4, seed=0)
    model.compile("adam", LOSS, metrics=["accuracy"])
    run = model.fit(x, x[:, ::-1], epochs=40, verbose=0)
    assert run.history["loss"][-1] < run.history["loss"][0] / 3
    assert (model.predict(x) == x[:, ::-1]).mean() > 0.8


DECODERS: dict[str, Any] = {
    "of_one_size": lambda: (6, LSTM(6)),
    "projected": lambda: (5, LSTM(6)),
    "gru": lambda: (GRU(5, return_sequences=True), LSTM(6)),
    "from_gru": lambda: (LSTM(5, return_sequences=True, return_state=True), GRU(6)),
    "projection": lambda: (LSTM(5, return_sequences=True, proj_size=3), LSTM(6)),
    "two": lambda: ([LSTM(6, return_sequences=True), GRU(4, return_sequences=True)], LSTM(6)),
    "both_ways": lambda: (6, Bidirectional(LSTM(3))),
    "luong": lambda: (6, LSTM(6, return_sequences=True), {"attention": "luong"}),
    "additive": lambda: (5, GRU(6, return_sequences=True), {"attention": "additive"}),
    "of_both_ways": lambda: (
        [LSTM(5, return_sequences=True), GRU(4, return_sequences=True)],
        Bidirectional(LSTM(6, return_sequences=True)),
        {"attention": "dot"},
    ),
    "concat": lambda: (
        GRU(6, return_sequences=True),
        LSTM(6, return_sequences=True),
        {"attention": Attention(use_scale=True, score_mode="concat")},
    ),
    "heads": lambda: (
        6,
        LSTM(4, return_sequences=True),
        {"attention": MultiHeadAttention(2, 3)},
    ),
}


def of_decoders(name: str, **options: Any) -> EncoderDecoder:
    decoder, encoder, *more = DECODERS[name]()
    return text_model(decoder, encoder, **dict(*more), **options)


@pytest.mark.parametrize("name", DECODERS)
def test_greedy_follows_teacher_forcing(name: str) -> None:
    """Decoding is teacher forcing with the model's own tokens as targets."""
    model = of_decoders(name)
    tokens = model.predict(X)
    assert tokens.dtype == np.int32
    assert tokens.shape == (7, 4)
    np.testing.assert_array_equal(tokens, greedy(model, X, 4))


def test_greedy_against_two_models() -> None:
    """As Keras's tutorial decodes: an encoder model, and a decoder model of one step."""
    model = text_model()
    of = model.get_layer
    x, token, h, c = Input((None,)), Input((1,)), Input((6,)), Input((6,))
    first, second = LSTM(6, return_state=True), LSTM(6, return_sequences=True, return_state=True)
    states = Model(x, first(of("embedding")(x))[1:])
    y, *after = second(of("embedding_1")(token), initial_state=[h, c])
    step = Model([token, h, c], [of("dense")(y), *after])
    first.set_weights(of("lstm").get_weights())
    second.set_weights(of("lstm_1").get_weights())
    carried, last, found = states.predict(X), np.full((7, 1), START), []
    for _ in range(4):
        output, *carried = step.predict([last, *carried])
        last = output.argmax(axis=-1)
        found.append(last)
    np.testing.assert_array_equal(model.predict(X), np.concatenate(found, axis=1))


def test_values_are_fed_back() -> None:
    encoder = Sequential([Input((None, 2)), LSTM(4)])
    model = EncoderDecoder(encoder, 5, features=2, start_token=0.5)
    x = RNG.standard_normal((6, 3, 2)).astype(np.float32)
    found = model.predict(x, length=4)
    y = np.concatenate([found, found[:, :1]], axis=1)
    np.testing.assert_allclose(np.asarray(model([x, y]))[:, :4], found, rtol=0, atol=1e-6)


def exhaustive(model: EncoderDecoder, x: Array, length: int, alpha: float) -> tuple[Any, float]:
    """Return the best of all sequences that end with STOP or have that length, and its score."""
    best: tuple[Any, float] = ((), -np.inf)
    live: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    for step in range(1, length + 1):
        tokens = np.array([prefix for prefix, _ in live], int).reshape(len(live), step - 1)
        p = probabilities(model, np.repeat(x, len(live), axis=0), tokens)
        grown = []
        for (prefix, before), row in zip(live, np.log(p), strict=True):
            for token in range(1, 6):  # PAD is never chosen
                made, log_p = (*prefix, token), before + row[token]
                score = log_p / ((5 + step) / 6) ** alpha
                if token == STOP or step == length:
                    best = max(best, (made, score), key=lambda each: each[1])
                else:
                    grown.append((made, log_p))
        live = grown
    return best


@pytest.mark.parametrize(("name", "alpha"), [("of_one_size", 0.0), ("luong", 0.0), ("heads", 1.5)])
def test_wide_beam_finds_the_best_of_all(name: str, alpha: float) -> None:
    model = of_decoders(name, stop_token=STOP, mask_value=PAD)
    tokens, scores = model.predict(
        X[:3], length=3, beam_width=200, length_penalty=alpha, return_scores=True
    )
    for row, score, x in zip(tokens, scores, X, strict=False):
        wanted, best = exhaustive(model, x[None], 3, alpha)
        assert tuple(row) == (*wanted, *[PAD] * (3 - len(wanted)))
        assert score == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize("name", ["of_one_size", "additive"])
def test_beams(name: str) -> None:
    model = of_decoders(name, stop_token=STOP, mask_value=PAD)
    narrow, first = model.predict(X, return_scores=True)
    same, again = model.predict(X, beam_width=1, length_penalty=2.0, return_scores=True)
    np.testing.assert_array_equal(narrow, same)
    wide, scores = model.predict(X, beam_width=625, return_scores=True)
    assert (scores >= first - 1e-6).all()
    assert wide.shape == narrow.shape
    assert (again < 0).all()
    for alpha in (0.0, 1.0):
        options: dict[str, Any] = {"beam_width": 3, "length_penalty": alpha, "return_scores": True}
        whole = model.predict(X, **options)
        parts = [model.predict(X[k : k + 2], **options) for k in range(0, 7, 2)]
        for k in range(2):
            np.testing.assert_array_equal(whole[k], np.concatenate([part[k] for part in parts]))
            np.testing.assert_array_equal(whole[k], model.predict(X, batch_size=2, **options)[k])
        with threads(1):
            np.testing.assert_array_equal(model.predict(X, **options)[1], whole[1])


def test_ends_at_the_stop_token() -> None:
    plain = greedy(text_model(), X, 4)
    stop = int(plain[0, 1])
    model = text_model(stop_token=stop)
    tokens = model.predict(X)
    for row, whole in zip(tokens, plain, strict=True):
        ends = np.flatnonzero(whole == stop)
        end = ends[0] if len(ends) else 4
        np.testing.assert_array_equal(row[:end], whole[:end])
        assert (row[end:] == stop).all()
    assert model.predict(X, length=9).shape == (7, 9)
    assert model.predict(X[:0]).shape == (0, 4)


def test_padding_does_not_count() -> None:
    """Neither in x, nor in y: by a value, or by samples of different lengths."""
    encoder = Sequential([Input((None,)), Embedding(6, 4, mask_zero=True), LSTM(6)])
    model = EncoderDecoder(encoder, 6, tokens=6, start_token=START, mask_value=PAD, length=3)
    model.compile(SGD(0.0), LOSS, metrics=["accuracy"])
    y = np.array([[1, 2, PAD], [3, PAD, PAD]])
    short = [model.evaluate(X[k : k + 1], y[k : k + 1, : 2 - k], verbose=0) for k in range(2)]
    both = model.evaluate(X[:2], y, verbose=0)
    assert both[0] == pytest.approx((2 * short[0][0] + short[1][0]) / 3, rel=1e-5)
    assert both[1] == pytest.approx((2 * short[0][1] + short[1][1]) / 3, rel=1e-5)
    ragged: Any = [[1, 2], [3]]
    assert model.evaluate(X[:2], ragged, verbose=0) == pytest.approx(both, rel=1e-6)
    padded = np.concatenate([X, np.zeros((7, 2), int)], axis=1)
    np.testing.assert_array_equal(model.predict(padded), model.predict(X))
    lists: Any = [list(X[0]), list(X[1, :3])]
    one_by_one = [model.predict(np.array([row]))[0] for row in lists]
    np.testing.assert_array_equal(model.predict(lists), one_by_one)


def test_masked_values() -> None:
    encoder = Sequential([Input((None, 1)), Masking(), LSTM(4)])
    model = EncoderDecoder(encoder, 4, features=1, mask_value=-1.0, length=3)
    model.compile(SGD(0.0), "mse")
    x = RNG.random((2, 4, 1))
    y = np.array([[[0.5], [0.25], [-1.0]], [[0.1], [-1.0], [-1.0]]])
    short = [model.evaluate(x[k : k + 1], y[k : k + 1, : 2 - k], verbose=0) for k in range(2)]
    both = model.evaluate(x, y, verbose=0)
    assert both == pytest.approx((2 * short[0] + short[1]) / 3, rel=1e-5)


@pytest.mark.parametrize("kind", ["tokens", "values"])
def test_sampling(kind: str) -> None:
    """The second pass is a step of teacher forcing on the mixture that the first one makes."""
    made = {}
    for rate in (0.0, 0.5):
        if kind == "tokens":
            model = text_model(mask_value=PAD, sampling_rate=rate)
            x, y = X, np.where(np.arange(4) < 3 + (np.arange(7) % 2)[:, None], Y, PAD)
        else:
            first = Sequential([Input((None, 2)), LSTM(4)])
            model = EncoderDecoder(first, 4, features=2, mask_value=9.0, sampling_rate=rate)
            rng = np.random.default_rng(2)
            model.set_weights([rng.normal(0.0, 0.5, w.shape) for w in model.get_weights()])
            x, y = RNG.random((7, 5, 2)), RNG.random((7, 4, 2))
        made[rate] = model
    model, plain = made[0.5], made[0.0]
    model.compile(SGD(0.0), LOSS if kind == "tokens" else "mse")
    plain.set_weights(model.get_weights())
    seed = model._core_model.compile_config["seed"]
    chosen = random_bits(seed, 0, 16, 0, (7, 4)) < 0.5 * 2**32
    outputs = np.asarray(plain([x, y]))
    if kind == "tokens":
        outputs[..., PAD] = -1.0
        mixed = np.where(chosen & (y != PAD), outputs.argmax(axis=-1), y)
        p = np.asarray(plain([x, mixed]), float)
        losses = -np.log(np.take_along_axis(p, y[..., None], axis=-1))[..., 0][y != PAD]
    else:
        mixed = np.where(chosen[..., None], outputs, y)
        losses = (np.asarray(plain([x, mixed]), float) - y) ** 2
    assert 0 < chosen.mean() < 1
    assert model.train_on_batch(x, y) == pytest.approx(losses.mean(), rel=1e-5)
    assert model.test_on_batch(x, y) != pytest.approx(losses.mean(), rel=1e-4)


def test_sampling_rises_with_the_steps() -> None:
    model = text_model(sampling_rate=1.0, sampling_steps=2)
    model.compile(SGD(0.0), LOSS)
    losses = [model.train_on_batch(X, Y) for _ in range(4)]
    assert losses[0] == pytest.approx(model.test_on_batch(X, Y), rel=1e-6)
    assert len({round(loss, 6) for loss in losses[:3]}) == 3
    assert losses[2] == losses[3]


@pytest.mark.parametrize("n", [1, 2])
def test_same_bits_for_any_number_of_threads(n: int) -> None:
    with threads(n):
        model = text_model(sampling_rate=0.5)
        model.compile("adam", LOSS)
        model.fit(X, Y, epochs=3, batch_size=4, verbose=0)
    _WEIGHTS.append(model.get_weights())
    for one, other in zip(_WEIGHTS[0], _WEIGHTS[-1], strict=True):
        np.testing.assert_array_equal(one, other)


_WEIGHTS: list[list[Array]] = []


def test_files_and_copies(tmp_path: Path) -> None:
    model = text_model(stop_token=STOP, mask_value=PAD, sampling_rate=0.25)
    model.compile("adam", LOSS)
    model.fit(X, Y, epochs=1, verbose=0)
    path = tmp_path / "model.safetensors"
    model.save(path)
    again: Any = load_model(path)
    like = EncoderDecoder.from_config(model.get_config())
    like.set_weights(model.get_weights())
    for other in (again, copy.copy(model), pickle.loads(pickle.dumps(model)), like):
        assert type(other) is EncoderDecoder
        np.testing.assert_array_equal(
            other.predict(X, beam_width=2), model.predict(X, beam_width=2)
        )
    losses = [each.fit(X, Y, epochs=2, verbose=0).history["loss"] for each in (model, again)]
    assert losses[0] == losses[1]


def test_batches_and_summary(capsys: pytest.CaptureFixture[str]) -> None:
    model = text_model()
    model.compile("adam", LOSS)
    run = model.fit(((X, Y) for _ in range(4)), steps_per_epoch=2, epochs=2, verbose=0)
    assert len(run.history["loss"]) == 2
    found = model.predict(iter([X[:3], X[3:]]))
    np.testing.assert_array_equal(found, model.predict(X))
    np.testing.assert_array_equal(model.predict_on_batch(X), model.predict(X))
    np.testing.assert_array_equal(model.predict(X, batch_size=2, steps=2), found[:4])
    model.summary()
    assert "decoder_input" in capsys.readouterr().out


def test_encoders_without_a_recurrent_layer() -> None:
    x = Input((3,))
    encoder = Model(x, Dense(4, activation="tanh")(x))
    model = EncoderDecoder(encoder, 5, features=1, length=2)
    assert model.predict(np.ones((2, 3))).shape == (2, 2, 1)
    x = Input((None, 2))
    y, h, c = LSTM(5, return_sequences=True, return_state=True)(x)
    model = EncoderDecoder(Model(x, [y, h, c]), 5, features=1, length=2)
    assert model.predict(np.ones((2, 3, 2))).shape == (2, 2, 1)


def encoder() -> Sequential:
    return Sequential([Input((None, 2)), LSTM(3)])


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "encoder": (lambda: EncoderDecoder(LSTM(3), 3, 4), TypeError, "encoder is "),
    "unbuilt": (
        lambda: EncoderDecoder(Sequential([LSTM(3)]), 3, 4),
        ValueError,
        "has no weights yet; expected an Input",
    ),
    "stateful": (
        lambda: EncoderDecoder(
            Sequential([Input((3, 2), batch_size=1), LSTM(3, stateful=True)]), 3, 4
        ),
        ValueError,
        "is stateful; expected layers with stateful=False",
    ),
    "neither": (lambda: EncoderDecoder(encoder(), 3), ValueError, "either tokens or features"),
    "both": (lambda: EncoderDecoder(encoder(), 3, 4, 1), ValueError, "either tokens or features"),
    "decoder": (lambda: EncoderDecoder(encoder(), Dense(3), 4), TypeError, "decoder is "),
    "no_layers": (lambda: EncoderDecoder(encoder(), [], 4), ValueError, "decoder is empty"),
    "last_step": (
        lambda: EncoderDecoder(encoder(), LSTM(3), 4),
        ValueError,
        "return_sequences=False; expected True",
    ),
    "backwards": (
        lambda: EncoderDecoder(encoder(), LSTM(3, return_sequences=True, go_backwards=True), 4),
        ValueError,
        "go_backwards=True; expected False",
    ),
    "start": (
        lambda: EncoderDecoder(encoder(), 3, 4, start_token=4),
        ValueError,
        "start_token is 4; expected a token, from 0 to 3",
    ),
    "stop": (
        lambda: EncoderDecoder(encoder(), 3, 4, stop_token=7),
        ValueError,
        "stop_token is 7; expected a token, from 0 to 3",
    ),
    "padding": (
        lambda: EncoderDecoder(encoder(), 3, 4, mask_value=0.5),
        ValueError,
        "mask_value is 0.5; expected a token, from 0 to 3",
    ),
    "stop_of_values": (
        lambda: EncoderDecoder(encoder(), 3, features=1, stop_token=1),
        ValueError,
        "stop_token is given; expected None without tokens",
    ),
    "rate": (
        lambda: DecoderInput(sampling_rate=1.5),
        ValueError,
        "sampling_rate is 1.5; expected a number from 0 to 1",
    ),
    "no_state": (
        lambda: EncoderDecoder(Model(x := Input((3, 2)), Dense(2)(x)), 3, 4),
        ValueError,
        "has no final state; expected a recurrent layer",
    ),
    "length": (
        lambda: EncoderDecoder(encoder(), 3, 4).predict(np.ones((1, 3, 2))),
        ValueError,
        "length is None; expected how many steps to decode at most",
    ),
    "beams_of_values": (
        lambda: EncoderDecoder(encoder(), 3, features=1).predict(
            np.ones((1, 3, 2)), length=2, beam_width=2
        ),
        ValueError,
        "beam_width is given; expected it for tokens alone",
    ),
    "penalty": (
        lambda: text_model().predict(X, length_penalty=-1.0),
        ValueError,
        "length_penalty is -1.0; expected a finite number of at least 0",
    ),
    "width": (lambda: text_model().predict(X, beam_width=0), ValueError, "beam_width is 0"),
    "no_steps": (lambda: text_model().predict(X, length=0), ValueError, "length is 0"),
    "attention": (
        lambda: EncoderDecoder(encoder(), 3, 4, attention="loung"),
        ValueError,
        "attention is 'loung'; expected 'luong', 'dot', 'bahdanau' or 'additive'",
    ),
    "kind_of_attention": (
        lambda: EncoderDecoder(encoder(), 3, 4, attention=Dense(3)),
        TypeError,
        "attention is of type Dense; expected None, 'luong', 'dot', 'bahdanau', 'additive' or a",
    ),
    "nothing_to_attend": (
        lambda: EncoderDecoder(encoder(), 3, 4, attention="dot"),
        ValueError,
        "returns no steps; expected (N, T, F), as a last layer with return_sequences=True returns",
    ),
    "learned_start": (
        lambda: EncoderDecoder(
            encoder(), LSTM(3, return_sequences=True, learn_initial_state=True), 4
        ),
        ValueError,
        "initial_state is given; expected None, for the layer learns its initial state",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    make, error, message = ERRORS[name]
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)


def test_errors_of_data() -> None:
    model = text_model()
    model.compile("adam", LOSS)
    with pytest.raises(ValueError, match=r"\[fit\] y is missing"):
        model.fit(X, verbose=0)
    with pytest.raises(ValueError, match=r"y\[0, 1\] is 6"):
        model.fit(X[:1], np.array([[1, 6]]), verbose=0)
    with pytest.raises(ValueError, match=r"y has 2 samples; expected 7"):
        model.fit(X, Y[:2], verbose=0)
    weights = model.get_weights()
    model.set_weights([np.full_like(one, np.nan) for one in weights])
    with pytest.raises(ValueError, match="outputs for sample 0 are not numbers in step 0"):
        model.predict(X)
