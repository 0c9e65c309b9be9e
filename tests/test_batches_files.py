"""Arrays that lie in files, and loaders of torch, as data: a batch at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast.layers import Dense, Input
from lstmfast.models import Sequential
from test_batches import RNG, SIZE, PlainList, X, Y, fit, model


class Store:
    """As a data set of h5py: rows by slices, and by numbers in rising order alone."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.most = 0

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: Any) -> np.ndarray:
        assert isinstance(rows, slice) or (np.diff(rows) > 0).all()
        found = self.array[rows]
        self.most = max(self.most, len(found))
        return found

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise AssertionError("read as a whole")


Store.__module__ = "h5py._hl.dataset"


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("split", [0.0, 0.3])
@pytest.mark.parametrize("of", ["memmap", "same dtype", "store"])
def test_arrays_in_files_train_as_others(
    of: str, split: float, shuffle: bool, tmp_path: Path
) -> None:
    x: Any = Store(X.astype(np.float64))
    if of != "store":
        np.save(tmp_path / "x.npy", X if of == "same dtype" else X.astype(np.float64))
        x = np.load(tmp_path / "x.npy", mmap_mode="r")
    options = {"epochs": 2, "validation_split": split, "shuffle": shuffle}
    assert fit(model(built=False), (x, Y), **options) == fit(model(built=False), (X, Y), **options)
    made = model()
    assert made.evaluate(x, Y, verbose=0) == made.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(made.predict(x), made.predict(X))
    if isinstance(x, Store):
        assert x.most == 32


def test_lists_of_labels_next_to_arrays_in_files(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X.astype(np.float64))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    expected = fit(model(), (X, Y[:, 0]), epochs=1)
    assert fit(model(), (x, Y[:, 0].tolist()), epochs=1) == expected


# -- data of other libraries -------------------------------------------------------------------


def flat_model() -> Sequential:
    made = Sequential([Input((3,)), Dense(4, activation="tanh"), Dense(1)], seed=0)
    made.compile("adam", "mse")
    return made


@pytest.mark.peer
def test_frames_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    table = np.column_stack([RNG.random(50), RNG.integers(0, 9, 50), RNG.random(50) > 0.5])
    frame = pandas.DataFrame(
        {"a": table[:, 0].astype("f4"), "b": table[:, 1].astype(int), "c": table[:, 2] > 0.5}
    )
    table[:, 0] = frame["a"]
    target = pandas.Series(Y[:, 0], index=range(100, 150))
    expected = fit(flat_model(), (table, Y[:, 0]), epochs=2, shuffle=False)
    assert fit(flat_model(), (frame, target), epochs=2, shuffle=False) == expected
    assert fit(flat_model(), (frame, target), epochs=2, steps_per_epoch=7, shuffle=False) == (
        expected
    )
    parts = [(frame.iloc[k : k + SIZE], target.iloc[k : k + SIZE]) for k in range(0, 50, SIZE)]
    assert fit(flat_model(), PlainList(parts), epochs=2, shuffle=False) == expected
    np.testing.assert_array_equal(flat_model().predict(frame), flat_model().predict(table))


@pytest.mark.peer
def test_loaders_of_torch() -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    loader = torch.utils.data.DataLoader(data, batch_size=SIZE)
    assert fit(model(), loader, epochs=2) == fit(model(), (X, Y), epochs=2, shuffle=False)
    np.testing.assert_array_equal(model().predict(loader), model().predict(X))
    text = r"x is of type torch\..*TensorDataset; expected a torch\.utils\.data\.DataLoader of it"
    with pytest.raises(TypeError, match=text):
        model().fit(data)
