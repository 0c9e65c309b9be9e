"""An interrupted training that goes on is the training that was never interrupted, to the bit."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import optimizers
from lstmfast.callbacks import Callback, EarlyStopping, History, LambdaCallback, ModelCheckpoint
from lstmfast.layers import LSTM, Dense, Dropout
from lstmfast.models import Sequential, load_model

EPOCHS = 40


class Halving(Callback):
    """Halves the learning rate after two epochs that did not improve: a callback with a state."""

    def __init__(self) -> None:
        super().__init__()
        self.values = np.full(2, np.inf)
        self.seen: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.values[:] = np.inf
        self.seen = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(epoch)
        if logs["val_loss"] > self.values.max():
            assert self.model.optimizer is not None
            self.model.optimizer.learning_rate /= 2
        self.values = np.append(self.values[1:], logs["val_loss"])
        logs["lr"] = self.model.optimizer.learning_rate  # type: ignore[union-attr]

    def get_state(self) -> dict[str, Any]:
        return {"values": self.values, "seen": {"epochs": self.seen, "last": np.int64(0)}}

    def set_state(self, state: dict[str, Any]) -> None:
        self.values, self.seen = state["values"], state["seen"]["epochs"]


def model_and_data() -> tuple[Sequential, Any, Any]:
    """Few noisy samples and a large learning rate: val_loss falls, wavers and rises."""
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((24, 4, 1)), rng.standard_normal((24, 1))
    y += x.sum(1)
    model = Sequential([LSTM(8, input_shape=(4, 1)), Dropout(0.2), Dense(1)], seed=1)
    model.compile(optimizers.Adam(0.03), "mse", metrics=["mae"])
    return model, x, y


def fit(model: Sequential, x: Any, y: Any, callbacks: Any, **options: Any) -> History:
    return model.fit(
        x,
        y,
        batch_size=5,
        epochs=EPOCHS,
        verbose=0,
        validation_split=0.4,
        callbacks=callbacks,
        **options,
    )


def callbacks_of(folder: Path, first: str, **options: Any) -> tuple[list[Callback], EarlyStopping]:
    stop = EarlyStopping("val_loss", patience=4, **options)
    every = ModelCheckpoint(folder / "{epoch}.safetensors")
    best = ModelCheckpoint(folder / "best.safetensors", save_best_only=True)
    ordered = {
        "checkpoints first": [every, best, Halving(), stop],
        "checkpoints last": [Halving(), stop, best, every],
    }[first]
    return list(ordered), stop


def state_of(stop: EarlyStopping) -> Any:
    return stop.wait, stop.best, stop.best_epoch, stop.stopped_epoch


@pytest.mark.parametrize("restore_best_weights", [False, True])
@pytest.mark.parametrize("order", ["checkpoints first", "checkpoints last"])
def test_from_every_epoch(order: str, restore_best_weights: bool, tmp_path: Path) -> None:
    whole, again = tmp_path / "whole", tmp_path / "again"
    options = {"restore_best_weights": restore_best_weights}
    model, x, y = model_and_data()
    callbacks, stop = callbacks_of(whole, order, **options)
    run = fit(model, x, y, callbacks)
    epochs = len(run.epoch)
    assert 8 < epochs < EPOCHS
    assert 0 < stop.best_epoch < stop.stopped_epoch - 1
    assert len(set(run.history["lr"])) > 1
    for done in range(1, epochs + 1):
        resumed = load_model(whole / f"{done}.safetensors")
        later, later_stop = callbacks_of(again, order, **options)
        rest = fit(resumed, x, y, later, initial_epoch=done)
        assert rest.epoch == run.epoch[done:]
        tail = {key: values[done:] for key, values in run.history.items() if values[done:]}
        assert rest.history == tail
        assert state_of(later_stop) == state_of(stop)
        np.testing.assert_equal(resumed.get_weights(), model.get_weights())
        halving = next(one for one in later if isinstance(one, Halving))
        assert halving.seen == run.epoch
        # what is not better than before the interrupt is not taken for the best
        assert (again / "best.safetensors").exists() == (done <= stop.best_epoch)
        if done <= stop.best_epoch:
            best = [load_model(f / "best.safetensors").get_weights() for f in (whole, again)]
            np.testing.assert_equal(*best)
            (again / "best.safetensors").unlink()


def from_file(model: Sequential, folder: Path) -> Sequential:
    model.save(folder / "saved.safetensors")
    return load_model(folder / "saved.safetensors")


def unpickled(model: Sequential, folder: Path) -> Sequential:
    copied: Sequential = pickle.loads(pickle.dumps(model))
    return copied


WAYS: dict[str, Callable[[Sequential, Path], Sequential]] = {
    "file": from_file,
    "pickle": unpickled,
    "copy": lambda model, folder: copy.deepcopy(model),
    "the model itself": lambda model, folder: model,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("interrupt", [True, False])
def test_after_an_interrupt_and_after_the_end(way: str, interrupt: bool, tmp_path: Path) -> None:
    model, x, y = model_and_data()
    stop = EarlyStopping(patience=4)
    run = fit(model, x, y, [Halving(), stop])
    first, x, y = model_and_data()

    def end(epoch: int, logs: Any) -> None:
        if epoch == 4:
            if interrupt:
                raise KeyboardInterrupt
            first.stop_training = True

    callbacks = [Halving(), EarlyStopping(patience=4), LambdaCallback(on_epoch_end=end)]
    if interrupt:
        with pytest.raises(KeyboardInterrupt):
            fit(first, x, y, callbacks)
    else:
        fit(first, x, y, callbacks)
    second = WAYS[way](first, tmp_path)
    later = EarlyStopping(patience=4)
    rest = fit(second, x, y, [Halving(), later], initial_epoch=5)
    assert rest.epoch == run.epoch[5:]
    assert rest.history["val_loss"] == run.history["val_loss"][5:]
    assert state_of(later) == state_of(stop)
    np.testing.assert_equal(second.get_weights(), model.get_weights())


def test_a_save_of_one_s_own_while_training(tmp_path: Path) -> None:
    model, x, y = model_and_data()
    path = tmp_path / "{}.safetensors"
    save = LambdaCallback(on_epoch_done=lambda epoch, logs: model.save(str(path).format(epoch)))
    stop = EarlyStopping(patience=4)
    run = fit(model, x, y, [save, stop])
    resumed = load_model(str(path).format(6))
    rest = fit(resumed, x, y, [later := EarlyStopping(patience=4)], initial_epoch=7)
    assert rest.epoch == run.epoch[7:]
    assert state_of(later) == state_of(stop)


def test_what_starts_anew(tmp_path: Path) -> None:
    model, x, y = model_and_data()
    path = tmp_path / "model.safetensors"
    stop = EarlyStopping(patience=4)
    run = fit(model, x, y, [stop, Halving()])
    model.save(path)
    # from epoch 0
    later = EarlyStopping(patience=4)
    again = load_model(path)
    rest = fit(again, x, y, [later])
    assert rest.epoch[0] == 0
    assert later.best == min(rest.history["val_loss"])
    # after compile, in a file without what only training needs, after a fit that remembers nothing
    assert load_model(path).callback_states() is not None
    again = load_model(path)
    again.compile("adam", "mse")
    assert again.callback_states() is None
    small = tmp_path / "small.safetensors"
    load_model(path).save(small, include_optimizer=False)
    assert load_model(small).callback_states() is None
    assert load_model(path, compile=False).callback_states() is None
    again = load_model(path)
    fit(again, x, y, [LambdaCallback()], initial_epoch=EPOCHS - 1)
    assert again.callback_states() is None
    # a fit that ended at its stop may be followed by another
    again = load_model(path)
    assert fit(again, x, y, [EarlyStopping(patience=4)], initial_epoch=len(run.epoch)).epoch


def test_states_are_found_by_class_and_order(tmp_path: Path) -> None:
    model, x, y = model_and_data()
    stops = [EarlyStopping("val_loss", patience=50), EarlyStopping("val_mae", patience=50)]
    model.fit(x, y, epochs=5, verbose=0, validation_split=0.4, callbacks=[Halving(), *stops])
    again = from_file(model, tmp_path)
    later = [EarlyStopping("val_loss", patience=50), EarlyStopping("val_mae", patience=50)]
    others = [later[0], LambdaCallback(), later[1], EarlyStopping("loss"), Halving()]
    again.fit(x, y, epochs=5, initial_epoch=5, verbose=0, callbacks=others)
    assert [state_of(one) for one in later] == [state_of(one) for one in stops]
    swapped = from_file(model, tmp_path)
    with pytest.warns(
        UserWarning, match="state of EarlyStopping .* is not used: monitor is 'val_lo"
    ):
        swapped.fit(x, y, epochs=5, initial_epoch=5, verbose=0, callbacks=[later[1]])
    assert later[1].best is None


DAMAGED = [
    "",
    "null",
    "3",
    "[3]",
    "[" * 100_000,
    '[{"class": "EarlyStopping"}]',
    '[{"class": "EarlyStopping", "state": 3}]',
    '[{"class": "EarlyStopping", "state": {"__array__": "x"}}]',
    '[{"class": "EarlyStopping", "state": {"monitor": "loss"}}]',
]
STATE = {
    "monitor": "loss",
    "wait": 1,
    "best": 0.5,
    "best_epoch": 1,
    "best_weights": None,
    "stopped": None,
}
for _change in (
    {"wait": True},
    {"wait": "2"},
    {"best": [1.0]},
    {"best_epoch": None},
    {"stopped": 1.5},
    {"best_weights": {}},
    {"best_weights": ["a"]},
    {"best_weights": [{"__array__": "w"}]},
):
    DAMAGED.append(json.dumps([{"class": "EarlyStopping", "state": STATE | _change}]))


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_states_are_not_used(text: str, tmp_path: Path) -> None:
    model, x, y = model_and_data()
    path = tmp_path / "model.safetensors"
    assert model._core_model is not None
    model._core_model.save(path, {"callbacks": text}, True, {"w": np.ones(3, np.float32)})
    again = load_model(path)
    stop = EarlyStopping("loss", patience=3, restore_best_weights=True)
    with pytest.warns(
        UserWarning, match=r"\[fit\] the (state of E.* not used|callbacks' .* damaged)"
    ):
        run = again.fit(x, y, epochs=2, initial_epoch=1, verbose=0, callbacks=[stop])
    assert run.epoch == [1]
    assert stop.best == run.history["loss"][0]


@pytest.mark.parametrize(
    ("state", "pattern"),
    [
        ([1], r"\[Odd.get_state\] returned list; expected a dictionary"),
        ({1: 2}, r"\[Odd.get_state\] has the key 1; expected texts"),
        ({"__array__": 2}, r"has the key '__array__'"),
        ({"a": [{"b": object()}]}, r"holds a value of type object; expected numbers, texts"),
    ],
)
def test_states_that_no_file_can_hold(state: Any, pattern: str) -> None:
    class Odd(Callback):
        def get_state(self) -> Any:
            return state

    model, x, y = model_and_data()
    with pytest.raises(TypeError, match=pattern):
        model.fit(x, y, verbose=0, callbacks=[Odd()])


def test_arrays_that_no_file_can_hold(tmp_path: Path) -> None:
    class Odd(Callback):
        def get_state(self) -> Any:
            return {"a": np.array(["b"])}

    model, x, y = model_and_data()
    save = ModelCheckpoint(tmp_path / "a.safetensors")
    with pytest.raises(TypeError, match=r"callbacks\.0 has dtype <U1, which model files do not"):
        model.fit(x, y, verbose=0, callbacks=[Odd(), save])


@pytest.mark.parametrize("kind", ["?", "u1", "i1", "i2", "u2", "f2", "i4", "u4", "f4", "f8", "i8"])
def test_arrays_of_any_type_come_back(kind: str, tmp_path: Path) -> None:
    model, _, _ = model_and_data()
    core_model = model._core_model
    assert core_model is not None
    path = tmp_path / "model.safetensors"
    given = {"a": np.arange(6).reshape(2, 3).astype(kind), "b": np.zeros((0, 4), kind)}
    given["c"] = np.array(1, kind)
    core_model.save(path, {}, True, given)
    found = type(core_model).load(path)[2]
    assert found.keys() == given.keys()
    for name, array in given.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    with pytest.raises(ValueError, match="a is not contiguous; expected C order"):
        core_model.save(path, {}, True, {"a": np.zeros((3, 3), kind)[:, ::2]})
