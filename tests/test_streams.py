"""Streams: the bits of predict, their states, weights that are shared, and bad input."""

import gc
import threading

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Concatenate,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Lambda,
    LayerNormalization,
    Masking,
    Reshape,
    SimpleRNN,
    TimeDistributed,
)
from lstmfast.models import Model, Sequential, Stream

RNG = np.random.default_rng(5)


def row(*layers, dtype="float32", features=2):
    return Sequential([Input((None, features), dtype=dtype), *layers])


def graph():
    x = Input((None, 2))
    a, b = LSTM(5, return_sequences=True)(x), GRU(4, return_sequences=True)(x)
    joined = Concatenate()([a, b])
    return Model(x, [Dense(3)(joined), LSTM(2)(joined)])


def operations():
    x = Input((None, 2))
    y = LSTM(3, return_sequences=True)(x)
    knobs = Lambda(lambda each: lf.ops.mean(each[..., 1:], axis=-1, keepdims=True))(y)
    return Model(x, Dense(2)(0.5 * y[..., :1] + x[..., ::-1] - knobs))


MODELS = {
    "lstm": lambda: row(LSTM(20, return_sequences=True), Dense(3, activation="softmax")),
    "last": lambda: row(LSTM(33), Dense(1)),
    "gru": lambda: row(GRU(7, return_sequences=True), GRU(5, reset_after=False), Dense(2)),
    "simple": lambda: row(SimpleRNN(17, return_sequences=True)),
    "options": lambda: row(
        LSTM(9, return_sequences=True, peephole=True, coupled=True, cell_clip=0.5),
        LSTM(8, return_sequences=True, layer_norm=True),
        LSTM(6, return_sequences=True, proj_size=4, zoneout_h=0.1),
        LSTM(5, return_sequences=True, activation="relu", learn_initial_state=True),
    ),
    "float64": lambda: row(LSTM(11, return_sequences=True), Dense(2, "relu"), dtype="float64"),
    "others": lambda: row(
        TimeDistributed(Dense(4, "tanh")), Dropout(0.5), LayerNormalization(), LSTM(3)
    ),
    "convolutions": lambda: row(
        Conv1D(5, 3, padding="causal", activation="gelu"),
        Conv1D(4, 2, padding="causal", dilation_rate=4),
        Conv1D(20, 1),
        LSTM(6, return_sequences=True),
        Conv1D(3, 4, padding="causal", use_bias=False, activation="softmax"),
    ),
    "samples": lambda: row(
        TimeDistributed(
            Sequential([Reshape((2, 1)), Conv1D(5, 2, activation="relu"), Conv1D(3, 1), Flatten()])
        ),
        LSTM(4, return_sequences=True),
    ),
    "graph": graph,
    "operations": operations,
    "masked": lambda: row(Masking(), LSTM(6, return_sequences=True), Dense(2)),
    "masked_inside": lambda: row(Masking(), TimeDistributed(Dense(3)), GRU(5), Dense(2)),
}


def outputs_of(model, x):
    out = model.predict(x)
    return out if isinstance(out, list) else [out]


def listed(y):
    return y if isinstance(y, list) else [y]


@pytest.mark.isa
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_a_stream_has_the_bits_of_predict(name, batch):
    model = MODELS[name]()
    x = RNG.normal(size=(batch, 11, 2)).astype(model.dtype)
    x[0, 5] = x[-1, 7:9] = 0  # steps that Masking skips
    whole = outputs_of(model, x)
    stream = model.stream(batch)
    steps = [listed(stream.step(x[:, t])) for t in range(x.shape[1])]
    for k, expected in enumerate(whole):
        made = np.stack([each[k] for each in steps], axis=1)
        np.testing.assert_array_equal(made if expected.ndim == 3 else made[:, -1], expected)
    stream.reset()
    first, rest = listed(stream.process(x[:, :4])), listed(stream.process(x[:, 4:]))
    for a, b, expected in zip(first, rest, whole, strict=True):
        made = np.concatenate([a, b], axis=1) if expected.ndim == 3 else b
        np.testing.assert_array_equal(made, expected)


@pytest.mark.isa
def test_a_row_alone_has_the_bits_of_a_batch_at_every_size():
    for units in range(1, 52):
        model = row(LSTM(units, return_sequences=True), Dense(1 + units % 5))
        x = RNG.normal(size=(7, 4, 2)).astype(np.float32)
        found = model.stream().process(np.ascontiguousarray(x[:1]))
        np.testing.assert_array_equal(found, model.predict(x)[:1], err_msg=f"{units} units")


def test_ids_and_single_rows():
    model = Sequential([Input((None,), dtype="int32"), Embedding(7, 4), LSTM(5), Dense(7)])
    ids = RNG.integers(0, 7, 6)
    stream = model.stream()
    for step in ids:
        y = stream.step(step)
    np.testing.assert_array_equal(y, model.predict(ids[None])[0])
    with pytest.raises(ValueError, match=r"\[stream.step\] x is 7; expected whole numbers from 0"):
        stream.step(7)
    other = row(LSTM(3, return_sequences=True)).stream()
    assert other.step([0.0, 1.0]).shape == (3,)
    assert other.process(np.zeros((5, 2))).shape == (5, 3)
    assert other.process(np.zeros((1, 5, 2))).shape == (1, 5, 3)


def test_out_is_written_and_returned():
    stream = MODELS["lstm"]().stream(batch=2)
    x = RNG.normal(size=(2, 4, 2)).astype(np.float32)
    expected = stream.process(x)
    stream.reset()
    out = np.full((2, 3), np.nan, np.float32)
    assert stream.step(x[:, 0], out=out) is out
    assert stream.step(x[:, 1], out) is out
    np.testing.assert_array_equal(out, expected[:, 1])


def test_rows_begin_and_states_travel():
    model = MODELS["lstm"]()
    x = RNG.normal(size=(3, 8, 2)).astype(np.float32)
    whole = model.predict(x)
    stream = model.stream(3)
    stream.process(x[:, :4])
    copy, state = stream.copy(), stream.state
    assert [each.shape for each in state] == [(3, 20), (3, 20)]
    np.testing.assert_array_equal(stream.process(x[:, 4:]), whole[:, 4:])
    np.testing.assert_array_equal(copy.process(x[:, 4:]), whole[:, 4:])
    stream.state = state
    np.testing.assert_array_equal(stream.process(x[:, 4:]), whole[:, 4:])
    stream.state = state
    stream.reset([1])
    made = stream.process(x[:, 4:])
    np.testing.assert_array_equal(made[[0, 2]], whole[[0, 2], 4:])
    np.testing.assert_array_equal(made[1], model.predict(x[1:2, 4:])[0])
    stream.reset([True, False, False])
    assert not stream.state[0][0].any()
    assert stream.state[0][1].any()


def test_a_causal_convolution_carries_its_last_inputs():
    model = row(Conv1D(3, 3, padding="causal", dilation_rate=2))
    x = RNG.normal(size=(2, 9, 2)).astype(np.float32)
    stream = model.stream(2)
    assert not np.any(stream.state)
    stream.process(x[:, :6])
    np.testing.assert_array_equal(stream.state, [x[:, 2:6].reshape(2, 8)])
    stream.reset([0])
    after = stream.process(x[:, 6:])
    np.testing.assert_array_equal(after[0], model.predict(x[:1, 6:])[0])
    np.testing.assert_array_equal(after[1], model.predict(x[1:])[0, 6:])


def test_weights_are_those_of_the_start_until_refresh():
    model = MODELS["lstm"]()
    x = RNG.normal(size=(1, 6, 2)).astype(np.float32)
    before = model.predict(x)
    stream, other = model.stream(), model.stream()
    model.set_weights([2 * each for each in model.get_weights()])
    np.testing.assert_array_equal(stream.process(x), before)
    assert stream.refresh()
    assert not stream.refresh()
    stream.reset()
    np.testing.assert_array_equal(stream.process(x), model.predict(x))
    np.testing.assert_array_equal(other.process(x), before)
    state = other.state
    other.refresh()
    for a, b in zip(state, other.state, strict=True):
        np.testing.assert_array_equal(a, b)
    model.trainable = False
    assert not other.refresh()
    model.add(Dense(1))
    with pytest.raises(ValueError, match=r"\[stream.refresh\] the model has other layers"):
        other.refresh()


@pytest.mark.parametrize("of", ["model", "rnn"])
def test_streams_share_one_copy_of_the_weights(of):
    def used():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    model = row(LSTM(512), features=64) if of == "model" else lf.LSTM(64, 512)
    weights = 4 * 4 * 512 * (64 + 512)
    kept = [model.stream()]
    gc.collect()
    before = used()
    kept += [model.stream() for _ in range(40)]
    assert used() - before < 2 * weights


def test_learnt_states_are_states():
    model = row(LSTM(4, return_sequences=True, learn_initial_state=True))
    model.set_weights([RNG.normal(size=each.shape) for each in model.get_weights()])
    x = RNG.normal(size=(1, 5, 2)).astype(np.float32)
    stream, other = model.stream(), model.stream()
    np.testing.assert_array_equal(stream.state[1][0], model.get_weights()[-1].ravel())
    other.state = stream.state
    np.testing.assert_array_equal(other.process(x), model.predict(x))


def test_a_first_input_that_is_the_same_at_all_steps():
    h, x = Input((4,)), Input((None, 2))
    model = Model([h, x], LSTM(4, return_sequences=True)(x, initial_state=[h, h]))
    data = [RNG.normal(size=(1, 4)), RNG.normal(size=(1, 6, 2))]
    data = [each.astype(np.float32) for each in data]
    np.testing.assert_array_equal(model.stream().process(data), model.predict(data))
    with pytest.raises(TypeError, match=r"\[stream.step\] x is of type dict; expected an array"):
        model.stream().step({"h": data[0], "x": data[1][:, 0]})


def test_subclasses_of_arrays(tmp_path):
    stream, other = MODELS["lstm"]().stream(), None
    x = RNG.normal(size=(1, 2)).astype(np.float32)
    other = stream.copy()
    out = np.memmap(tmp_path / "y", np.float32, "w+", shape=(1, 3))
    assert stream.step(x, out) is out
    np.testing.assert_array_equal(out, other.step(x))
    np.testing.assert_array_equal(stream.step(x.view(np.memmap)), other.step(x))


def test_a_block_may_be_its_own_output_alone():
    stream = row(LSTM(2, return_sequences=True)).stream()
    both = RNG.normal(size=(1, 300, 2)).astype(np.float32)
    expected = stream.process(both)
    stream.reset()
    block = both.copy()
    np.testing.assert_array_equal(stream.process(block, block), expected)
    with pytest.raises(ValueError, match=r"\[stream.process\] out overlaps the block"):
        stream.process(block[:, 1:], block[:, :-1])


def test_a_model_without_states():
    stream = row(Dense(3)).stream()
    assert stream.state == []
    stream.state = stream.state
    assert stream.step([1.0, 2.0]).shape == (3,)


def test_streams_are_made_by_models():
    bare = Stream.__new__(Stream)
    for use in (lambda: bare.state, lambda: bare.batch, lambda: bare.reset(), lambda: bare.step(0)):
        with pytest.raises(TypeError, match="__init__"):
            use()
    with pytest.raises(
        TypeError, match=r"\[stream\] weights is .*; expected a call of model.stream"
    ):
        Stream(row(LSTM(2)))
    with pytest.raises(TypeError, match=r"Stream\.step"):
        bare.step()
    with pytest.raises(TypeError, match="expected a Stream, got int"):
        Stream._get_state(3)


def test_threads_run_streams_of_their_own():
    model = MODELS["lstm"]()
    x = RNG.normal(size=(4, 200, 2)).astype(np.float32)
    whole, made = model.predict(x), [None] * 4

    def run(k):
        stream = model.stream(release_gil=True)
        made[k] = np.stack([stream.step(step) for step in x[k]])

    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    np.testing.assert_array_equal(np.stack(made), whole)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros((2, 2), np.float32), ValueError, r"x has shape \(2, 2\); expected \(1, 2\)"),
        (np.zeros((1, 1, 2)), ValueError, r"x has shape \(1, 1, 2\); expected \(1, 2\)"),
        (None, TypeError, "x is None; expected an array"),
        (["a", "b"], TypeError, "x holds"),
    ],
)
def test_bad_steps(x, error, message):
    stream = row(LSTM(3)).stream()
    stream.step([1.0, 2.0])
    before = stream.state
    with pytest.raises(error, match=rf"\[stream.step\] {message}"):
        stream.step(x)
    for a, b in zip(before, stream.state, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        (np.zeros((1, 4), np.float32), ValueError, r"out has shape \(1, 4\); expected \(1, 3\)"),
        (np.zeros((1, 3)), TypeError, "out has dtype float64; expected float32"),
        ([0.0] * 3, TypeError, "out is list; expected a NumPy array"),
        (np.zeros((1, 3), np.float32)[:, ::-1], ValueError, "out is not contiguous"),
    ],
)
def test_bad_out(out, error, message):
    stream = row(LSTM(3)).stream()
    with pytest.raises(error, match=rf"\[stream.step\] {message}"):
        stream.step(np.zeros((1, 2), np.float32), out=out)


def test_refused():
    with pytest.raises(ValueError, match=r"bidirectional.*needs all steps at once"):
        row(Bidirectional(LSTM(3))).stream()
    with pytest.raises(ValueError, match="go_backwards=False"):
        row(LSTM(3, go_backwards=True)).stream()
    for options in ({}, {"padding": "same"}, {"padding": "causal", "strides": 2}):
        with pytest.raises(ValueError, match='expected padding="causal" and strides=1'):
            row(Conv1D(3, 2, **options)).stream()
    with pytest.raises(ValueError, match="needs all steps at once"):
        row(Lambda(lambda x: x[:, ::-1])).stream()
    with pytest.raises(ValueError, match="the model has no weights yet"):
        Sequential([LSTM(3)]).stream()
    with pytest.raises(ValueError, match=r"\[stream\] batch is 0; expected at least 1"):
        row(LSTM(3)).stream(0)
    stream = row(LSTM(3)).stream()
    read_only = np.zeros((1, 3), np.float32)
    read_only.flags.writeable = False
    with pytest.raises(ValueError, match="out is read-only"):
        stream.step([0.0, 0.0], read_only)
    with pytest.raises(ValueError, match=r"\[stream.process\] block has shape \(1, 0, 2\)"):
        stream.process(np.zeros((1, 0, 2)))
    with pytest.raises(ValueError, match=r"\[stream.state\] state is 1 items; expected a list"):
        stream.state = [np.zeros((1, 3))]
    with pytest.raises(ValueError, match=r"\[stream.state\] state\[1\] has shape \(1, 2\)"):
        stream.state = [np.zeros((1, 3)), np.zeros((1, 2))]
    with pytest.raises(ValueError, match=r"\[stream.reset\] rows"):
        stream.reset([1])


def test_the_stack_of_layers():
    rnn = lf.LSTM(3, 8, num_layers=2, peephole=True, seed=1)
    x = RNG.normal(size=(2, 7, 3)).astype(np.float32)
    whole, (h, c) = rnn(x)
    stream = rnn.stream(batch=2)
    np.testing.assert_array_equal(stream.process(x), whole)
    np.testing.assert_array_equal(np.stack(stream.state[::2]), h)
    np.testing.assert_array_equal(np.stack(stream.state[1::2]), c)
    rnn.load_state_dict({name: 2 * each for name, each in rnn.state_dict().items()})
    assert stream.refresh()
    stream.reset()
    np.testing.assert_array_equal(stream.process(x), rnn(x)[0])
    with pytest.raises(ValueError, match="bidirectional=False"):
        lf.LSTM(3, 8, bidirectional=True).stream()
