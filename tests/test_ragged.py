"""Samples of different lengths, in lists or padded: each counts as if it came alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import layers
from lstmfast.layers import GRU, LSTM, Bidirectional, Dense, Embedding, Input, TimeDistributed
from lstmfast.models import Model, Sequential

RNG = np.random.default_rng(3)
LENGTHS = np.array([4, 1, 7, 3, 7, 2, 5, 1, 6])
N, STEPS = len(LENGTHS), 7
X = [RNG.standard_normal((t, 3)).astype(np.float32) for t in LENGTHS]
IDS = [RNG.integers(0, 6, t) for t in LENGTHS]
Y = RNG.standard_normal((N, 2)).astype(np.float32)
EACH = [RNG.standard_normal((t, 2)).astype(np.float32) for t in LENGTHS]
W = [RNG.random(t).astype(np.float32) for t in LENGTHS]


def padded(samples: list[Any], steps: int = STEPS, value: float = 9.0) -> Any:
    out = np.full((len(samples), steps, *samples[0].shape[1:]), value, samples[0].dtype)
    for row, sample in enumerate(samples):
        out[row, : len(sample)] = sample
    return out


def of_values(steps: bool = False, start: Any = None) -> list[Any]:
    start = start if start is not None else Input((None, 3))
    return [start, Bidirectional(LSTM(4, return_sequences=True)), layers.LayerNormalization(),
            GRU(5, return_sequences=steps), Dense(2)]  # fmt: skip


def of_ids(steps: bool = False) -> list[Any]:
    return [Input((None,), dtype="int32"), Embedding(6, 3), *of_values(steps)[1:]]


def net(made: list[Any], **options: Any) -> Sequential:
    model = Sequential(made, seed=0)
    model.compile("sgd", "mse", **options)
    return model


@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize("ids", [False, True])
def test_each_sample_is_predicted_as_if_it_came_alone(ids: bool, steps: bool) -> None:
    samples: list[Any] = IDS if ids else X
    model = net((of_ids if ids else of_values)(steps))
    alone = [model.predict(sample[None])[0] for sample in samples]
    forms: list[Any] = [samples, tuple(samples), [sample.tolist() for sample in samples]]
    forms.append(np.array([None] * N, dtype=object))
    forms[-1][:] = samples
    calls = [model.predict, model.predict_on_batch, lambda x: model.predict(x, batch_size=2)]
    for x in forms:
        for call in calls:
            found = call(x)
            assert isinstance(found, list) == steps
            assert len(found) == N
            for one, expected in zip(found, alone, strict=True):
                np.testing.assert_array_equal(one, expected)
    for size in (STEPS, STEPS + 2):
        whole = padded(samples, size, 3)
        for got in (
            model.predict(whole, lengths=LENGTHS),
            model.predict_on_batch(whole, lengths=LENGTHS.tolist()),
            model(whole, lengths=LENGTHS.astype(np.uint8)),
        ):
            assert got.shape == ((N, size, 2) if steps else (N, 2))
            for row, expected in enumerate(alone):
                np.testing.assert_array_equal(got[row, : LENGTHS[row]] if steps else got[row],
                                              expected)  # fmt: skip
    np.testing.assert_array_equal(model(samples)[1], model(whole, lengths=LENGTHS)[1, :STEPS]
                                  if steps else alone[1])  # fmt: skip


def test_threads_change_no_bit() -> None:
    for threads in (1, 2):
        lf.set_num_threads(threads)
        model = net(of_values())
        model.fit(X, Y, epochs=2, batch_size=4, verbose=0)
        found = [*model.get_weights(), model.predict(X)]
        if threads == 1:
            first = found
    np.testing.assert_equal(found, first)


def by_hand(model: Sequential, weights: Any = None) -> float:
    """The mean loss of all steps."""
    each = [np.square(model.predict(x[None])[0] - y).mean(axis=1)
            for x, y in zip(X, EACH, strict=True)]  # fmt: skip
    of_steps = np.concatenate(each).astype(np.float64)
    if weights is None:
        return float(of_steps.mean())
    return float((of_steps * np.concatenate(weights)).sum() / len(of_steps))


def test_the_loss_counts_real_steps_alone() -> None:
    model = net(of_values(True), metrics=["mae"])
    whole, targets = padded(X), padded(EACH)
    expected = by_hand(model)
    found = [
        model.evaluate(X, EACH, verbose=0, batch_size=N),
        model.evaluate(X, [y.tolist() for y in EACH], verbose=0, batch_size=N),
        model.evaluate(X, targets, verbose=0, batch_size=N),
        model.evaluate(whole, targets, lengths=LENGTHS, verbose=0, batch_size=N),
        model.evaluate(whole, EACH, lengths=LENGTHS, verbose=0, batch_size=N),
        model.test_on_batch(X, EACH),
        model.test_on_batch(whole, targets, lengths=LENGTHS),
    ]
    assert all(each == found[0] for each in found)
    np.testing.assert_allclose(found[0][0], expected, rtol=1e-6)
    weighted = model.evaluate(X, EACH, sample_weight=W, verbose=0, batch_size=N)
    np.testing.assert_allclose(weighted[0], by_hand(model, W), rtol=1e-6)


@pytest.mark.parametrize("steps", [False, True])
def test_all_forms_train_alike(steps: bool) -> None:
    y: Any = EACH if steps else Y
    whole, targets = padded(X), padded(EACH) if steps else Y

    def batches() -> Iterator[Any]:
        for first in range(0, N, 4):
            rows = slice(first, first + 4)
            yield X[rows], y[rows]

    def trained(*data: Any, **options: Any) -> Any:
        model = net(of_values(steps))
        run = model.fit(*data, batch_size=4, epochs=3, shuffle=False, verbose=0, **options)
        return [run.history["loss"], *model.get_weights()]

    expected = trained(X, y)
    np.testing.assert_equal(trained(whole, targets, lengths=LENGTHS), expected)
    np.testing.assert_equal(trained(X, y, steps_per_epoch=3), expected)
    model = net(of_values(steps))
    run = model.fit(batches(), epochs=1, verbose=0)
    np.testing.assert_equal(run.history["loss"][0], expected[0][0])
    shuffled = [net(of_values(steps)) for _ in range(2)]
    first = shuffled[0].fit(X, y, batch_size=4, epochs=2, verbose=0).history
    second = shuffled[1].fit(whole, targets, lengths=LENGTHS, batch_size=4, epochs=2, verbose=0)
    assert second.history == first
    assert first["loss"] != expected[0][:2]
    one, other = net(of_values(steps)), net(of_values(steps))
    assert one.train_on_batch(X, y) == other.train_on_batch(whole, targets, lengths=LENGTHS)
    np.testing.assert_equal(other.get_weights(), one.get_weights())


def test_a_model_without_an_input_takes_its_shape_from_a_list() -> None:
    for layers_, x in ((of_values()[1:], X), (of_ids()[1:], IDS)):
        model = net(layers_)
        model.fit(x, Y, epochs=1, verbose=0)
        assert model.predict(x).shape == (N, 2)


def test_validation() -> None:
    whole = padded(X)
    model = net(of_values())
    expected = model.evaluate(X, Y, verbose=0)
    arguments: list[dict[str, Any]] = [
        {"validation_data": (X, Y)},
        {"validation_data": (whole, Y), "validation_lengths": LENGTHS},
    ]
    for more in arguments:
        model = net(of_values())
        model.optimizer.learning_rate = 0.0
        run = model.fit(X, Y, epochs=1, verbose=0, **more)
        assert run.history["val_loss"] == [expected]
    losses = [
        net(of_values()).fit(*data, validation_split=0.4, verbose=0, **more).history
        for data, more in (((X, Y), {}), ((whole, Y), {"lengths": LENGTHS}))
    ]
    assert losses[0] == losses[1]


def test_batches_are_predicted_in_lists() -> None:
    model = net(of_values(True))
    expected = model.predict(X)
    found = model.predict(iter([(X[:4],), (X[4:5],), (X[5:],)]))
    assert [len(y) for y in found] == LENGTHS.tolist()
    np.testing.assert_equal(found, expected)


def test_arrays_in_files(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", padded(X).astype(np.float64))
    whole = np.load(tmp_path / "x.npy", mmap_mode="r")
    model = net(of_values())
    expected = model.evaluate(X, Y, batch_size=4, verbose=0)
    assert model.evaluate(whole, Y, batch_size=4, lengths=LENGTHS, verbose=0) == expected
    assert model.evaluate(whole, Y, batch_size=4, lengths=LENGTHS.tolist(), verbose=0) == expected


def test_fixed_steps_and_no_steps() -> None:
    model = net(of_values(start=Input((9, 3))))
    nine = padded(X[:3], 9)
    expected = model.predict(nine, lengths=LENGTHS[:3])
    np.testing.assert_array_equal(model.predict(X[:3]), expected)
    empty = [X[0], X[0][:0]]
    loose = net(of_values(True))
    found = loose.predict(empty)
    assert [y.shape for y in found] == [(4, 2), (0, 2)]
    np.testing.assert_array_equal(found[0], loose.predict(X[0][None])[0])
    zero = net([Input((None, 3)), LSTM(2)]).predict(empty)
    np.testing.assert_array_equal(zero[1], [0, 0])


def test_several_inputs_and_outputs() -> None:
    a, b, c = Input((None, 3), name="a"), Input((None,), dtype="int32", name="b"), Input((2,))
    seen = LSTM(4, return_sequences=True, name="seen")(a)
    state = LSTM(4)(Embedding(6, 3)(b))
    end = layers.Concatenate()([state, c])
    model = Model([a, b, c], [seen, Dense(2, name="end")(end)])
    other = IDS[::-1]
    sequences, vectors = model.predict([X, other, Y])
    assert [len(one) for one in sequences] == LENGTHS.tolist()
    whole = [padded(X), padded(other, value=0), Y]
    lengths: list[Any] = [[LENGTHS, LENGTHS[::-1], None]]
    for given in lengths:
        found = model.predict(whole, lengths=given)
        np.testing.assert_array_equal(found[1], vectors)
        np.testing.assert_array_equal(found[0][3, :3], sequences[3])
    alone = model.predict([X[2][None], other[2][None], Y[2:3]])
    np.testing.assert_array_equal(alone[0][0], sequences[2])
    np.testing.assert_array_equal(alone[1][0], vectors[2])
    model.compile("sgd", "mse")
    targets = [RNG.random((t, 4)) for t in LENGTHS]
    expected = model.evaluate(whole, [padded(targets), Y], lengths=given, verbose=0)
    assert model.evaluate([X, other, Y], [targets, Y], verbose=0) == expected
    named = {"seen": targets, "end": Y}
    assert model.evaluate([X, other, Y], named, verbose=0) == expected


def test_zeros_of_mask_zero_are_masked_too() -> None:
    model = Sequential([Input((None,), dtype="int32"), Embedding(6, 3, mask_zero=True), LSTM(4)])
    with_zeros = [np.array([1, 0, 2]), np.array([3])]
    found = model.predict(with_zeros)
    np.testing.assert_array_equal(found[0], model.predict(np.array([[1, 2]]))[0])
    np.testing.assert_array_equal(found[1], model.predict(np.array([[3]]))[0])
    table = model.layers[0]
    np.testing.assert_array_equal(table.compute_mask([[1, 0, 2]], [[True, True, False]]),
                                  [[True, False, False]])  # fmt: skip


def test_a_model_with_ids_inside_another() -> None:
    inner = Sequential([Input((None,), dtype="int32"), Embedding(6, 3), LSTM(4)])
    x = Input((None,), dtype="int32")
    model = Model(x, Dense(2)(inner(x)))
    alone = np.concatenate([model.predict(sample[None]) for sample in IDS])
    np.testing.assert_array_equal(model.predict(IDS), alone)


def test_steps_of_images() -> None:
    model = Sequential([Input((None, 4, 2)), TimeDistributed(layers.Flatten()), LSTM(3)])
    x = [RNG.random((t, 4, 2)).astype(np.float32) for t in (2, 5)]
    np.testing.assert_array_equal(model.predict(x)[0], model.predict(x[0][None])[0])


def test_layers_that_drop_the_mask_warn_once() -> None:
    model = Sequential([Input((None, 3)), layers.Conv1D(4, 2), LSTM(2)])
    model.predict(padded(X))
    with pytest.warns(UserWarning, match="the mask ends at conv1d"):
        model.predict(X)
    model.predict(X)
    model.compile("sgd", "mse")
    assert np.isfinite(model.evaluate(X, Y, verbose=0))
    with pytest.raises(ValueError, match=r"\[evaluate\] the samples of y differ in length; "
                       "expected one length, for those of the output do not"):  # fmt: skip
        model.evaluate(X, EACH, verbose=0)


def own(y_true: Any, y_pred: Any) -> Any:
    return np.mean(y_pred), np.full(y_pred.shape, 1 / y_pred.size, y_pred.dtype)


def model_of(steps: bool = False) -> Sequential:
    return net(of_values(steps))


X7 = padded(X)
WRONG: list[tuple[Any, str]] = [
    (lambda: model_of().predict(X7, lengths=[1, 2]),
     r"\[predict\] lengths has shape \(2,\); expected \(9,\), one for each sample of x"),
    (lambda: model_of().predict(X7, lengths=[8] + [1] * 8),
     r"\[predict\] lengths\[0\] is 8; expected whole numbers from 0 to 7, the steps of x"),
    (lambda: model_of().evaluate(X7, Y, lengths=[-1] * 9),
     r"\[evaluate\] lengths\[0\] is -1; expected whole numbers from 0"),
    (lambda: model_of().fit(X, Y, lengths=LENGTHS),
     r"\[fit\] lengths is given; expected None, for the samples of x differ in length already"),
    (lambda: net([Input((3,)), Dense(2)]).predict(np.ones((2, 3)), lengths=[1, 2]),
     r"\[predict\] lengths is given; expected None, for the samples of x have no steps"),
    (lambda: net(of_values(start=Input((5, 3)))).predict(X),
     r"\[predict\] x\[2\] has 7 steps; expected at most 5"),
    (lambda: model_of().predict([np.ones((2, 3)), np.ones((3, 4))]),
     r"\[predict\] x\[1\] has shape \(3, 4\); expected \(steps, 3\)"),
    (lambda: model_of().predict([np.ones((2, 4)), np.ones((3, 4))]),
     r"\[predict\] x has shape \(2, 3, 4\); expected \(N, \?, 3\)"),
    (lambda: model_of(True).train_on_batch(X, EACH[::-1]),
     r"\[train_on_batch\] y\[0\] has 6 steps; expected 4, as that sample of x has"),
    (lambda: model_of(True).evaluate(X7, EACH),
     r"\[evaluate\] the samples of y differ in length; expected one length"),
    (lambda: model_of().fit(iter([(X, Y)]), lengths=LENGTHS),
     r"\[fit\] lengths is given; expected None: x is of type list_iterator, whose batches bring"),
    (lambda: model_of().fit(X, Y, validation_lengths=LENGTHS),
     r"\[fit\] validation_lengths is given; expected validation_data too"),
    (lambda: model_of()(X, mask=np.ones((9, 7), bool)),
     r"\[call\] mask is given; expected None next to samples that differ in length"),
    (lambda: model_of()(Input((None, 3)), lengths=[1]),
     r"\[call\] lengths is given with a tensor; expected None"),
    (lambda: Sequential([Input((4,), dtype="int32"), layers.Reshape((2, 2)), Embedding(6, 2)])
     .predict([[1, 2, 3, 4], [1]]),
     r"x has samples of different lengths; expected one length, for its ids go to other layers"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*the mask ends at reshape")
@pytest.mark.parametrize("case", range(len(WRONG)))
def test_mistakes_are_named(case: int) -> None:
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call()


def test_functions_of_ones_own_know_no_masks() -> None:
    of_loss = r"\[model.fit\] the output has a mask; expected none with a loss of one's own that"
    of_metric = (r"\[model.fit\] the samples of x differ in length, so the output has a mask; "
                 "expected built-in metrics")  # fmt: skip
    own_metric = {"loss": "mse", "metrics": [lambda t, p: np.mean(p)]}
    for message, more in ((of_loss, {"loss": own}), (of_metric, own_metric)):
        model = Sequential(of_values(True), seed=0)
        model.compile("sgd", **more)
        before = model.get_weights()
        with pytest.raises(ValueError, match=message):
            model.fit(X, EACH, verbose=0)
        np.testing.assert_equal(model.get_weights(), before)
    model = Sequential(of_values(), seed=0)
    model.compile("sgd", own)
    model.fit(X, Y, verbose=0)  # the output has no steps, and so no mask
