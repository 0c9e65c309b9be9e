"""Everything that a caller may have in place of an array: taken with its values, or refused."""

from __future__ import annotations

import array
import ctypes
import decimal
import fractions
import itertools
import re
from collections import UserList, deque
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import forecasting, functional
from lstmfast._arrays import as_array, as_dtype, as_flags, as_float, as_integers
from lstmfast.layers import LSTM, Bidirectional, Dense, Input, Masking
from lstmfast.models import Sequential

X, Y = np.zeros((4, 3, 1)), np.zeros((4, 2))


class Endless:
    """A data set in the manner of ``keras.utils.Sequence``: no index raises an IndexError."""

    reads: ClassVar[int] = 0

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        Endless.reads += 1
        if Endless.reads > 100:
            raise AssertionError("read without end")
        return X, Y


class Stream:
    """A data set in the manner of torch's IterableDataset and of ``tf.data``."""

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("iterated")


def rows() -> Iterator[Any]:
    raise AssertionError("iterated")
    yield


SOURCES: dict[str, Any] = {
    "Endless": Endless(),
    "Stream": Stream(),
    "generator": rows(),
    "list_iterator": iter([1.0]),
    "zip": zip([1.0], [2.0], strict=True),
    "dict": {"x": X},
    "set": {1.0},
    "dict_values": {"x": 1.0}.values(),
}


def model() -> Sequential:
    one = Sequential([Input((3, 1)), LSTM(5), Dense(2)])
    one.compile("sgd", "mse")
    return one


def give_bias(one: Sequential, value: Any) -> None:
    one.set_weights([*one.get_weights()[:-1], value])


def lstm(**options: Any) -> Any:
    return functional.lstm(X, np.zeros((20, 1)), np.zeros((20, 5)), **options)


# every argument that takes an array: its name in the message, and a call
ARGUMENTS: dict[str, Any] = {
    "[fit] y": lambda v: model().fit(X, v),
    "[fit] sample_weight": lambda v: model().fit(X, Y, sample_weight=v),
    "[fit] validation_data[1]": lambda v: model().fit(X, Y, validation_data=(X, v)),
    "[fit] validation_data[2]": lambda v: model().fit(X, Y, validation_data=(X, Y, v)),
    "[evaluate] y": lambda v: model().evaluate(X, v),
    "[evaluate] sample_weight": lambda v: model().evaluate(X, Y, sample_weight=v),
    "[predict_on_batch] x": lambda v: model().predict_on_batch(v),
    "[train_on_batch] x": lambda v: model().train_on_batch(v, Y),
    "[train_on_batch] y": lambda v: model().train_on_batch(X, v),
    "[test_on_batch] sample_weight": lambda v: model().test_on_batch(X, Y, v),
    "[Sequential.set_weights] dense.bias": lambda v: give_bias(model(), v),
    "[layers.LSTM] x": lambda v: LSTM(2)(v),
    "[layers.LSTM] mask": lambda v: LSTM(2)(X, mask=v),
    "[layers.LSTM] initial_state": lambda v: LSTM(2)(X, initial_state=[v, v]),
    "[layers.Masking] x": lambda v: Masking().compute_mask(v),
    "[layers.Bidirectional] forward.kernel": lambda v: Bidirectional(LSTM(1), weights=[v] * 6)(X),
    "[lstm.forward] x": lambda v: lf.LSTM(1, 2)(v),
    "[lstm.forward] h0": lambda v: lf.LSTM(1, 2)(X, (v, np.zeros((1, 4, 2)))),
    "[lstm.forward] lengths": lambda v: lf.LSTM(1, 2)(X, lengths=v),
    "[lstm.forward] resets": lambda v: lf.LSTM(1, 2)(X, resets=v),
    "[functional.lstm] h0": lambda v: lstm(h0=v, c0=np.zeros((4, 5))),
    "[forecast] series": lambda v: forecasting.forecast(v, horizon=3),
    "[forecast] inputs": lambda v: forecasting.forecast(np.arange(40.0), inputs=v),
    "[functional.pack] w_ih": lambda v: functional.pack(v, np.zeros((20, 5))),
}


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_every_array_is_judged_by_its_type(argument: str) -> None:
    Endless.reads = 0
    call = ARGUMENTS[argument]
    for value, of in [(Endless(), ""), ([Endless()], "an item of "), ([[rows()]], "an item of ")]:
        kind = "generator" if of and isinstance(value[0], list) else "Endless"
        with pytest.raises(TypeError) as caught:
            call(value)
        where, name = argument.split(" ")
        assert str(caught.value).startswith(f"{where} {of}{name} is of type {kind}; expected an ar")
        assert "generators are x of fit, evaluate and predict alone" in str(caught.value)
    assert Endless.reads == 0


@pytest.mark.parametrize("place", [(0, 0), (1, 2), (3, 4)])
def test_data_sets_among_numbers_are_found(place: tuple[int, int]) -> None:
    Endless.reads = 0
    nested: Any = [[1.0, 2, True, np.float32(4), 5.0] for _ in range(4)]
    row = list(nested[place[0]])
    row[place[1]] = Endless()
    nested[place[0]] = tuple(row)
    with pytest.raises(TypeError, match="an item of x is of type Endless; expected an array"):
        as_float(nested, np.dtype(np.float32), "predict", "x")
    assert Endless.reads == 0


@pytest.mark.parametrize("kind", SOURCES)
def test_no_data_set_is_iterated(kind: str) -> None:
    of_models = [model().predict_on_batch, lambda v: model().fit(X, v)]
    for call in [*(of_models if kind != "dict" else []), lambda v: lf.LSTM(1, 2)(v)]:
        with pytest.raises(TypeError, match=rf" is of type {kind}; expected an array"):
            call(SOURCES[kind])


def test_lists_without_an_end() -> None:
    itself: list[Any] = []
    itself.append(itself)
    deep: Any = 1.0
    for _ in range(70):
        deep = [deep]
    for value in (itself, deep):
        with pytest.raises(ValueError, match=r"\[predict\] x has lists in lists deeper than 64"):
            model().predict(value)


def test_lists_of_things_end() -> None:
    one = np.zeros(1)
    calls: dict[str, Any] = {
        "[Sequential.set_weights] weights": lambda v: model().set_weights(v),
        "[layers.LSTM.set_weights] weights": lambda v: model().layers[0].set_weights(v),
        "[layers.LSTM] initial_state": lambda v: LSTM(2)(X, initial_state=v),
        "[fit] callbacks": lambda v: model().fit(X, Y, callbacks=v),
        "[Sequential] layers": Sequential,
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=re.escape(name) + " has more than 1000000 items; exp"):
            call(itertools.repeat(one))
        with pytest.raises(TypeError, match=re.escape(name) + " is of type Endless; expected a"):
            call(Endless())


def test_sequences_and_buffers_are_arrays() -> None:
    want = np.arange(4.0)
    buffer = (ctypes.c_double * 4)(*want)
    for value in (
        range(4), deque(range(4)), UserList([0, 1, 2, 3]), (0.0, 1, 2, np.float32(3)),
        array.array("d", want), memoryview(array.array("f", want)), buffer,
        [np.array(0.0), True, 2, 3.0], [decimal.Decimal(k) for k in range(4)],
        [fractions.Fraction(k) for k in range(4)], np.array([0, True, 2.0, np.int8(3)], object),
    ):  # fmt: skip
        np.testing.assert_array_equal(as_float(value, np.dtype("float32"), "f", "x"), want)


def test_objects_that_are_numbers() -> None:
    big = 2**60 + 1  # which no float64 is
    np.testing.assert_array_equal(as_integers(np.array([big, True], object), "f", "n"), [big, 1])
    flags = as_flags(np.array([True, np.False_], object), "f", "n")
    assert flags.tolist() == [True, False]
    with pytest.raises(TypeError, match="n holds float64 values; expected integers"):
        as_integers(np.array([1, 2.0], object), "f", "n")
    with pytest.raises(TypeError, match=r"\[f\] n holds None and str values; expected real"):
        as_array(np.array([1, "2", None], object), "f", "n")


def test_unsigned_integers() -> None:
    lengths = np.array([1, 3, 2, 3], np.uint64)
    want, _ = lf.LSTM(1, 2, seed=0)(X + 1, lengths=lengths.astype(np.int64))
    got, _ = lf.LSTM(1, 2, seed=0)(X + 1, lengths=lengths)
    np.testing.assert_array_equal(got, want)
    for value in (np.array([2**63], np.uint64), [2**63]):
        with pytest.raises(ValueError, match=r"n holds 9223372036854775808; expected at most 92"):
            as_integers(value, "f", "n")


def test_masked_arrays() -> None:
    values = np.arange(12.0).reshape(4, 3, 1)
    whole = np.ma.masked_array(values, mask=False)
    np.testing.assert_array_equal(model().predict(whole).shape, (4, 2))
    np.testing.assert_array_equal(as_array(np.ma.masked_array(values), "f", "x"), values)
    holes = np.ma.masked_greater(values, 8)
    for value in (holes, list(holes)):
        with pytest.raises(ValueError, match=r"\[predict\] x is a masked array with \d masked val"):
            model().predict(value)


class Bfloat16Tensor:
    """What torch's tensors do: NumPy cannot read bfloat16, ``float`` makes float32 of it."""

    dtype = "torch.bfloat16"

    def detach(self) -> Bfloat16Tensor:
        return self

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("Got unsupported ScalarType BFloat16")

    def float(self) -> np.ndarray:
        return np.full((4, 3, 1), 1.5, np.float32)


def test_bfloat16() -> None:
    np.testing.assert_array_equal(as_array(Bfloat16Tensor(), "f", "x"), np.full((4, 3, 1), 1.5))
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.array([1.0, -2.5], ml_dtypes.bfloat16)
    got = as_float(values, np.dtype("float32"), "f", "x")
    np.testing.assert_array_equal(got, np.float32([1.0, -2.5]))


def test_records_are_no_numbers() -> None:
    with pytest.raises(TypeError, match=r"x holds \[\('a', '<f4'\)\] values; expected real numb"):
        as_array(np.zeros(3, [("a", "<f4")]), "f", "x")


class DtypeOf:
    """A dtype of another library: torch's has a text alone, TensorFlow's and Keras's have names."""

    def __init__(self, text: str, name: str | None = None) -> None:
        self.text = text
        if name is not None:
            self.name = name

    def __repr__(self) -> str:
        return self.text


def test_dtypes_of_other_libraries() -> None:
    for given in (DtypeOf("torch.float64"), DtypeOf("<dtype: 'float64'>", "float64"), float, "d"):
        assert as_dtype(given, "f") == np.float64
        assert lf.LSTM(1, 2, dtype=given).dtype == "float64"
        assert Dense(1, dtype=given).dtype == "float64"
        assert Sequential([Input((2,), dtype=given), Dense(1)]).dtype == "float64"
    with pytest.raises(ValueError, match=r"\[f\] dtype is float16; expected float32 or float64"):
        as_dtype(DtypeOf("torch.float16"), "f")


class Column:
    """A data frame's column, as pandas has it."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return np.array(self.values, None if len({*map(type, self.values)}) == 1 else object)


class Places:
    def __init__(self, table: dict[str, list[Any]]) -> None:
        self.table = table

    def __getitem__(self, key: tuple[slice, int]) -> Column:
        return Column(list(self.table.values())[key[1]])


class Frame:
    """A data frame as pandas has it: columns of several types make an array of objects."""

    def __init__(self, table: dict[str, list[Any]]) -> None:
        self.columns = list(table)
        self.iloc = Places(table)
        self.table = table

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return np.array([list(row) for row in zip(*self.table.values(), strict=True)], object)


def test_data_frames_of_several_types() -> None:
    frame = Frame({"on": [True, False], "count": [3, 4], "share": [0.5, np.float32(0.25)]})
    np.testing.assert_array_equal(as_array(frame, "f", "x"), [[1, 3, 0.5], [0, 4, 0.25]])
    one = Sequential([Dense(1, kernel_initializer="ones", input_shape=(3,))])
    np.testing.assert_array_equal(one.predict(frame), [[4.5], [4.25]])
    frame = Frame({"count": [3, 4], "place": ["here", "there"], "day": ["Mon", "Tue"]})
    with pytest.raises(TypeError, match=r"\[predict\] column 'place' of x holds <U5 values; expec"):
        one.predict(frame)


def test_data_frames_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"on": [True, False], "count": [3, 4], "share": [0.5, 0.25]})
    want = [[1, 3, 0.5], [0, 4, 0.25]]
    np.testing.assert_array_equal(as_array(frame, "f", "x"), want)
    np.testing.assert_array_equal(as_array(frame.convert_dtypes(), "f", "x"), want)
    np.testing.assert_array_equal(as_array(frame.astype(object), "f", "x"), want)
    np.testing.assert_array_equal(as_flags(frame["on"], "f", "x"), [True, False])
    np.testing.assert_array_equal(as_integers(frame["count"].astype(object), "f", "x"), [3, 4])
    holes = frame.assign(gap=pandas.array([None, 7], dtype="Int64"))
    np.testing.assert_array_equal(as_array(holes, "f", "x")[:, 3], [np.nan, 7])
    for values in (["a", "b"], [None, "b"], pandas.to_datetime(["2020-01-01", "2020-01-02"])):
        with pytest.raises(TypeError, match=r"column 'place' of x holds .* values; expected real"):
            as_array(frame.assign(place=values), "f", "x")
