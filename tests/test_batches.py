"""Data that come batch by batch: the same losses as arrays, and how epochs begin and end."""

from __future__ import annotations

import itertools
import signal
import threading
import warnings
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
import pytest

from lstmfast.callbacks import LambdaCallback
from lstmfast.layers import LSTM, Dense, Embedding, Input
from lstmfast.models import Model, Sequential
from lstmfast.utils import Dataset, PyDataset, set_random_seed

RNG = np.random.default_rng(1)
X = RNG.random((50, 5, 2), dtype=np.float32)
Y = RNG.random((50, 1), dtype=np.float32)
W = RNG.random(50, dtype=np.float32)
SIZE = 8


def model(*, built: bool = True, **more: Any) -> Sequential:
    made = Sequential([Input((5, 2))] if built else [], seed=0)
    for layer in (LSTM(4), Dense(1)):
        made.add(layer)
    made.compile("adam", "mse", **{"metrics": ["mae"], **more})
    return made


def batches(weighted: bool = False) -> Iterator[Any]:
    for first in range(0, len(X), SIZE):
        rows = slice(first, first + SIZE)
        yield (X[rows], Y[rows], W[rows]) if weighted else (X[rows], Y[rows])


def endless() -> Iterator[Any]:
    return itertools.chain.from_iterable(batches() for _ in itertools.count())


class Numbered(PyDataset):
    def __init__(self, weighted: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.all = list(batches(weighted))
        self.seen: list[str] = []
        self.taken: list[int] = []

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, index: int) -> Any:
        self.taken.append(index)
        return self.all[index]

    def on_epoch_begin(self) -> None:
        self.seen.append("begin")

    def on_epoch_end(self) -> None:
        self.seen.append("end")


class Loader:
    """As torch's: a list of two for each batch, a length, no batches by number."""

    def __iter__(self) -> Iterator[Any]:
        return map(list, batches())

    def __len__(self) -> int:
        return 7


class Endless(PyDataset):
    num_batches = None

    def __getitem__(self, index: int) -> Any:
        return Numbered().all[index % 7]


KINDS = {
    "generator": (endless, 7),
    "iterator": (lambda: iter([*batches(), *batches(), *batches()]), 7),
    "numbered": (Numbered, None),
    "numbered, steps": (Numbered, 7),
    "numbered, threads": (lambda: Numbered(workers=3), None),
    "endless": (Endless, 7),
    "loader": (Loader, None),
    "dataset": (lambda: Dataset.from_tensor_slices((X, Y)).batch(SIZE), None),
    "dataset, steps": (lambda: Dataset.from_generator(batches).repeat(), 7),
    "arrays, steps": (lambda: (X, Y), 7),
}


def fit(made: Sequential, data: Any, **options: Any) -> dict[str, list[float]]:
    if isinstance(data, tuple):
        return made.fit(*data, batch_size=SIZE, verbose=0, **options).history
    return made.fit(data, verbose=0, **options).history


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_trains_as_arrays_do(kind: str, built: bool) -> None:
    make, steps = KINDS[kind]
    arrays, given = model(built=built), model(built=built)
    expected = fit(arrays, (X, Y), epochs=3, shuffle=False)
    found = fit(given, make(), epochs=3, steps_per_epoch=steps, shuffle=False)
    assert found == expected
    for mine, other in zip(given.get_weights(), arrays.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("kind", [*KINDS])
def test_every_kind_is_scored_and_predicted_as_arrays_are(kind: str) -> None:
    made, (make, steps) = model(), KINDS[kind]
    data = make()
    x = data[:1] if isinstance(data, tuple) else (data,)
    size = {"batch_size": SIZE} if isinstance(data, tuple) else {}
    expected = made.evaluate(X, Y, batch_size=SIZE, verbose=0)
    arguments = data if isinstance(data, tuple) else (data,)
    assert made.evaluate(*arguments, steps=steps, verbose=0, **size) == expected
    x = (make(),) if not isinstance(data, tuple) else x
    np.testing.assert_array_equal(made.predict(*x, steps=steps, **size), made.predict(X))


@pytest.mark.parametrize("kind", [*KINDS])
def test_every_kind_validates(kind: str) -> None:
    make, steps = KINDS[kind]
    data = make()
    if kind == "iterator":
        data = iter([each for _ in range(2) for each in batches()])
    expected = model().fit(X, Y, epochs=2, validation_data=(X, Y), validation_batch_size=SIZE,
                           verbose=0).history  # fmt: skip
    found = model().fit(X, Y, epochs=2, validation_data=data, validation_batch_size=SIZE,
                        validation_steps=steps, verbose=0).history  # fmt: skip
    assert found == expected


def test_arrays_in_steps_are_shuffled_as_arrays_are() -> None:
    expected = fit(model(), (X, Y), epochs=3)
    assert fit(model(), (X, Y), epochs=3, steps_per_epoch=7) == expected


def test_epochs_of_fewer_steps_go_on_where_the_last_one_ended() -> None:
    parts = fit(model(), (X, Y), epochs=3, steps_per_epoch=2, shuffle=False)
    by_hand = model()
    taken = itertools.islice(itertools.cycle(batches()), 6)
    losses = [by_hand.train_on_batch(*batch)[0] for batch in taken]
    sizes = [SIZE, SIZE]
    expected = [np.average(losses[k : k + 2], weights=sizes) for k in (0, 2, 4)]
    np.testing.assert_allclose(parts["loss"][:3], expected, rtol=1e-6)
    numbered = Numbered()
    with pytest.warns(UserWarning, match=r"^\[fit\] the input ran out of data after 1 batches"):
        fit(model(), numbered, epochs=5, steps_per_epoch=2, shuffle=False)
    assert numbered.taken[1:] == [0, 1, 2, 3, 4, 5, 6, 0, 1]


def test_numbered_batches_are_shuffled_as_wholes() -> None:
    data = [Numbered(), Numbered(), Numbered()]
    first = fit(model(), data[0], epochs=3)
    assert fit(model(), data[1], epochs=3) == first
    orders = [data[0].taken[1:][k : k + 7] for k in (0, 7, 14)]
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert len(set(map(tuple, orders))) == 3
    parts, whole = model(), model()
    fit(parts, data[2], epochs=1)
    fit(parts, data[2], epochs=3, initial_epoch=1)
    fit(whole, Numbered(), epochs=3)
    np.testing.assert_array_equal(parts.get_weights()[0], whole.get_weights()[0])


def test_hooks_of_numbered_batches() -> None:
    data = Numbered()
    seen = data.seen
    listener = LambdaCallback(on_test_begin=lambda logs: seen.append("test"))
    model().fit(data, epochs=2, validation_data=(X, Y), verbose=0, callbacks=[listener])
    assert seen == ["begin", "end", "test"] * 2


@pytest.mark.parametrize("kind", ["generator", "numbered", "dataset"])
def test_weights_of_samples_and_classes(kind: str) -> None:
    labels = (Y > 0.5).astype(int)[:, 0]
    classes = {0: 0.5, 1: 2.0}

    def data(weighted: bool) -> Any:
        parts = [(x, (y > 0.5).astype(int)[:, 0], *w) for x, y, *w in batches(weighted)]
        return {
            "generator": lambda: iter(parts * 2),
            "numbered": lambda: PlainList(parts),
            "dataset": lambda: Dataset(lambda: iter(parts)),
        }[kind]()

    steps = {"steps_per_epoch": 7, "epochs": 2, "shuffle": False}
    arrays = {"batch_size": SIZE, "epochs": 2, "shuffle": False, "verbose": 0}
    expected = model().fit(X, labels, sample_weight=W, **arrays).history
    assert fit(model(), data(True), **steps) == expected
    expected = model().fit(X, labels, class_weight=classes, **arrays).history
    assert fit(model(), data(False), class_weight=classes, **steps) == expected
    with pytest.raises(ValueError, match="class_weight is given; expected no sample_weight"):
        fit(model(), data(True), class_weight=classes, **steps)


class PlainList:
    """Batches by number without Keras's class."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, index: int) -> Any:
        return self.parts[index]


def test_several_inputs_and_outputs() -> None:
    def made() -> Model:
        set_random_seed(0)
        ids, values = Input((4,), dtype="int32", name="ids"), Input((4, 2), name="values")
        a = Dense(1, name="a")(LSTM(3)(Embedding(9, 2)(ids)))
        b = Dense(2, name="b")(LSTM(3)(values))
        found = Model([ids, values], [a, b], seed=0)
        found.compile("sgd", "mse")
        return found

    rng = np.random.default_rng(0)
    ids, values = rng.integers(0, 9, (20, 4)), rng.random((20, 4, 2))
    a, b = rng.random((20, 1)), rng.random((20, 2))
    options = {"epochs": 2, "shuffle": False, "verbose": 0}
    expected = made().fit([ids, values], [a, b], batch_size=5, **options).history
    rows = [slice(k, k + 5) for k in range(0, 20, 5)]
    lists = [([ids[r], values[r]], [a[r], b[r]]) for r in rows]
    dicts = [({"ids": ids[r], "values": values[r]}, {"b": b[r], "a": a[r]}) for r in rows]
    for parts in (lists, dicts):
        assert made().fit(PlainList(parts), **options).history == expected
    found = made().predict(iter([x for x, _ in dicts]))
    for mine, other in zip(found, made().predict([ids, values]), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_batches_may_differ_in_steps_and_size() -> None:
    made = Sequential([Input((None, 2)), LSTM(4), Dense(1)], seed=0)
    made.compile("adam", "mse")
    parts = [(X[:4, :3], Y[:4]), (X[4:20], Y[4:20]), (X[20:21, :1], Y[20:21])]
    losses = [made.train_on_batch(*part) for part in parts]
    again = Sequential([Input((None, 2)), LSTM(4), Dense(1)], seed=0)
    again.compile("adam", "mse")
    history = again.fit(iter(parts), verbose=0).history
    assert history["loss"] == [pytest.approx(np.average(losses, weights=[4, 16, 1]), rel=1e-6)]


def test_logs_of_an_unknown_number_of_batches(capsys: pytest.CaptureFixture[str]) -> None:
    params: list[Any] = []
    seen: list[int] = []
    listener = LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch),
        on_train_begin=lambda logs: params.append(listener.params["steps"]),
    )
    model().fit(batches(), verbose=2, callbacks=[listener])
    assert params == [None]
    assert seen == list(range(7))
    assert capsys.readouterr().out.startswith("Epoch 1/1\n7/7 - 0s")
    model().fit(batches(), verbose=1)
    assert "7/7 |" in capsys.readouterr().err


def test_a_generator_that_ends_early() -> None:
    text = r"^\[fit\] the input ran out of data after 7 batches of this epoch: .*steps_per_epoch"
    with pytest.warns(UserWarning, match=text):
        history = fit(model(), batches(), epochs=3)
    assert len(history["loss"]) == 1
    text = r"after 7 batches of this epoch; expected 10 an epoch"
    with pytest.warns(UserWarning, match=text) as caught:
        history = fit(model(), batches(), epochs=3, steps_per_epoch=10)
    assert len(history["loss"]) == len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(fit(model(), batches(), epochs=1)["loss"]) == 1


def test_validation_that_ends_early() -> None:
    with pytest.warns(UserWarning, match="the input ran out of data"):
        history = fit(model(), (X, Y), epochs=3, validation_data=batches())
    assert [len(values) for values in history.values()] == [3, 3, 1, 1]


def fails(call: Any) -> str:
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    return f"{type(caught.value).__name__[0]} {caught.value}"


def test_messages() -> None:
    made = model()
    pair = next(batches())
    bad = [
        (lambda: made.fit(batches(), Y), "V [fit] y is given; expected None: x is of type g"),
        (lambda: made.fit(batches(), sample_weight=W), "V [fit] sample_weight is given; "),
        (lambda: made.fit(iter([])), "V [fit] x gives no batches; expected at least one"),
        (lambda: made.fit(iter([(1, 2, 3, 4)])), "V [fit, batch 1] it has 4 items; expected"),
        (lambda: made.fit(iter([X])), "V [fit, batch 1] y is missing"),
        (lambda: made.fit(iter([pair, (X[:, :, :1], Y)]), verbose=0),
         "V [fit, batch 2] x has shape (50, 5, 1); expected (N, 5, 2)"),
        (lambda: made.fit(iter([pair, (X[:3], Y[:2])]), verbose=0),
         "V [fit, batch 2] y has shape (2, 1); expected (3, ...), for x has 3 samples"),
        (lambda: made.fit(iter([(X[:0], Y[:0])])), "V [model.fit] x has no samples"),
        (lambda: made.fit(Numbered(), validation_split=0.2),
         "V [fit] validation_split=0.2 needs arrays; expected validation_data"),
        (lambda: made.fit(Endless()),
         "V [fit] x is a data set without an end; expected steps_per_epoch"),
        (lambda: made.evaluate(Dataset.from_tensor_slices((X, Y)).batch(9).repeat()),
         "V [evaluate] x is a data set without an end; expected steps next to it"),
        (lambda: made.fit(X, Y, steps_per_epoch=0), "V [fit] steps_per_epoch is 0; expected"),
        (lambda: made.fit(X, Y, validation_data=(X, Y), validation_steps=[1]),
         "T [fit] validation_steps is of type list; expected an integer"),
        (lambda: made.evaluate(X, Y, steps=0), "V [evaluate] steps is 0; "),
        (lambda: made.predict(iter([X, X[:, :2]])), "V [predict, batch 2] x has shape"),
        (lambda: made.fit({1, 2}), "T [fit] x is of type set; expected an array"),
    ]  # fmt: skip
    before = made.get_weights()
    for call, text in bad:
        assert fails(call).startswith(text)
    with pytest.raises(FloatingPointError, match=r"epoch 1 of 1, batch 2; .* x\[0, 0, 0\] is nan"):
        made.fit(iter([pair, (X * np.nan, Y)]), verbose=0)
    with pytest.warns(RuntimeWarning, match=r"^\[evaluate\] loss is nan$"):
        made.evaluate(iter([(X * np.nan, Y)]), verbose=0)
    with pytest.warns(UserWarning, match=r"^\[fit\] batch_size is not used: x brings batches of"):
        made.fit(batches(), batch_size=3, verbose=0)
    assert np.isfinite(made.get_weights()[0]).all()
    assert (before[0] != made.get_weights()[0]).any()


def test_outputs_of_different_shapes_are_not_joined() -> None:
    made = Sequential([Input((None, 2)), LSTM(3, return_sequences=True)])
    text = (
        r"\[predict\] batches of x have outputs of shapes \(N, 2, 3\) and \(N, 5, 3\); expected one"
    )
    with pytest.raises(ValueError, match=text):
        made.predict(iter([X, X[:, :2]]))


def test_an_error_in_the_data_leaves_the_last_step() -> None:
    def broken() -> Iterator[Any]:
        yield from itertools.islice(batches(), 3)
        raise KeyError("the disk is gone")

    made, other = model(), model()
    with pytest.raises(KeyError, match="the disk is gone"):
        made.fit(broken(), verbose=0)
    for batch in itertools.islice(batches(), 3):
        other.train_on_batch(*batch)
    np.testing.assert_array_equal(made.get_weights()[0], other.get_weights()[0])
    assert fit(made, (X, Y))["loss"]


def test_ctrl_c_in_the_middle_of_batches() -> None:
    made = model()
    seconds: list[float] = []

    def slow() -> Iterator[Any]:
        for count, batch in enumerate(endless()):
            if count == 20:
                main = threading.main_thread().ident
                assert main is not None
                seconds.append(perf_counter())
                threading.Timer(0.01, signal.pthread_kill, (main, signal.SIGINT)).start()
            yield batch

    with pytest.raises(KeyboardInterrupt):
        made.fit(slow(), steps_per_epoch=10**9, verbose=0)
    assert np.isfinite(made.predict(X)).all()
