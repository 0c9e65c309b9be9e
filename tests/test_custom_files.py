"""Models with losses and metrics of the user's own: files, copies, pickles."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast.losses import Loss, MeanSquaredError
from lstmfast.metrics import MeanMetricWrapper, Metric
from lstmfast.models import Sequential, load_model
from own_code import Pinball, Scaled, Worst, model_and_data, off_by, squared

FIT: dict[str, Any] = {"batch_size": 4, "verbose": 0, "validation_split": 0.2}


class Percentile(Metric):
    """Has arguments, and says them."""

    def __init__(self, share: float, name: str = "percentile") -> None:
        super().__init__(name)
        self.share = share

    def reset_state(self) -> None:
        self.errors: list[Any] = []

    def update_state(self, y_true: Any, y_pred: Any) -> None:
        self.errors.append(abs(y_true - y_pred).ravel())

    def result(self) -> float:
        return float(np.quantile(np.concatenate(self.errors), self.share))

    def get_config(self) -> dict[str, Any]:
        return {"share": self.share, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Percentile:
        return cls(**config)


def continues_alike(model: Sequential, again: Sequential, x: Any, y: Any) -> None:
    runs = [m.fit(x, y, epochs=5, initial_epoch=2, **FIT).history for m in (model, again)]
    assert runs[0] == runs[1]
    np.testing.assert_equal(again.get_weights(), model.get_weights())


OBJECTS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "functions": (squared, [off_by, "mae"], {"squared": squared, "off_by": off_by}),
    "renamed": (
        squared,
        ["mae", MeanMetricWrapper(off_by, "a"), MeanMetricWrapper(off_by, "b")],
        {"squared": squared, "off_by": off_by, "never used": 3},
    ),
    "by their names": (
        "mse",
        [lambda t, p: 1, lambda t, p: 2],
        {"lambda": lambda t, p: 1, "lambda_1": lambda t, p: 2},
    ),
    "classes": (
        Pinball(0.9),
        [Worst(name="extreme"), Percentile(0.5), Percentile(0.9, "p90")],
        {"Pinball": Pinball, "Worst": Worst, "Percentile": Percentile},
    ),
    "objects": (
        Scaled(2.0),
        [Worst()],
        {"Scaled": Scaled(2.0), "Worst": Worst()},
    ),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_loaded_model_continues_bit_for_bit(name: str, tmp_path: Path) -> None:
    loss, given, objects = OBJECTS[name]
    path = tmp_path / "model.safetensors"
    model, x, y = model_and_data(loss, given)
    model.fit(x, y, epochs=2, **FIT)
    model.save(path)
    again = load_model(path, custom_objects=objects)
    assert again.optimizer is not None
    assert again.optimizer.iterations == 4
    assert [m.name for m in again.metrics] == [m.name for m in model.metrics]
    continues_alike(model, again, x, y)
    again.save(path)
    continues_alike(model, load_model(path, objects), x, y)


def test_arguments_come_back(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model, _, _ = model_and_data(Pinball(0.9), [Percentile(0.25, "p25")])
    model.save(path)
    again = load_model(path, {"Pinball": Pinball, "Percentile": Percentile})
    assert isinstance(again.loss, Pinball)
    assert again.loss.quantile == 0.9
    assert isinstance(again.metrics[0], Percentile)
    assert (again.metrics[0].share, again.metrics[0].name) == (0.25, "p25")


def test_without_the_code(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model, x, y = model_and_data(squared, ["mae", off_by, Worst()])
    model.fit(x, y, **FIT)
    model.save(path)
    with pytest.raises(
        ValueError,
        match=r"code of your own, .*custom_objects=\{'squared': ..., 'off_by': ..., 'Worst':"
        r" ...\}, or compile=False",
    ):
        load_model(path)
    with pytest.raises(ValueError, match=r"custom_objects=\{'Worst': ...\}"):
        load_model(path, {"squared": squared, "off_by": off_by})
    bare = load_model(path, compile=False)
    assert (bare.optimizer, bare.loss, bare.metrics) == (None, None, ())
    np.testing.assert_array_equal(bare.predict(x), model.predict(x))
    other, _, _ = model_and_data("mse")
    other.load_weights(path)
    np.testing.assert_equal(other.get_weights(), model.get_weights())
    bare.compile("adam", squared)
    assert len(bare.fit(x, y, **FIT).epoch) == 1


def test_what_custom_objects_may_be(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model, _, _ = model_and_data(Scaled(2.0))
    model.save(path)
    with pytest.raises(
        ValueError, match=r"arguments of Scaled \(factor\).*'Scaled': Scaled\(...\)"
    ):
        load_model(path, {"Scaled": Scaled})
    for value, found in [("mse", "str"), (Worst(), "Worst"), (dict, "type")]:
        with pytest.raises(TypeError, match=rf"custom_objects\['Scaled'\] is of type {found}; exp"):
            load_model(path, {"Scaled": value})
    with pytest.raises(TypeError, match=r"which is not your own"):
        load_model(path, {"Scaled": MeanSquaredError()})
    with pytest.raises(TypeError, match=r"\[Other\] the loss lacks call"):
        load_model(path, {"Scaled": type("Other", (Loss,), {})})
    with pytest.raises(TypeError, match="custom_objects is of type list; expected a dictionary"):
        load_model(path, [Scaled])  # type: ignore[arg-type]

    class Odd(Scaled):
        def get_config(self) -> Any:
            return {"factor": object()}

    model.compile("sgd", Odd(1.0))
    with pytest.raises(TypeError, match=r"\[save\] get_config of Odd cannot be written"):
        model.save(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[" * 100_000,
        "[]",
        '{"loss": 3}',
        '{"loss": {}}',
        '{"loss": {"code": []}}',
        '{"loss": {"code": "x", "name": {}}}',
        '{"loss": {"code": "Scaled"}}',
        '{"loss": {"code": "Scaled", "name": null, "config": 3}}',
    ],
)
def test_damaged_descriptions(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model, _, _ = model_and_data(Scaled(2.0))
    assert model._core_model is not None
    model._core_model.save(path, {"custom": text}, True)
    with pytest.raises(ValueError, match="what the file says of losses and metrics is damaged"):
        load_model(path, {"Scaled": Scaled})
    # what only the description tells is not needed: the core's own configuration has the name
    model._core_model.save(
        path, {"custom": json.dumps({"custom:7": {"code": "x", "name": None}})}, True
    )
    assert load_model(path, {"Scaled": Scaled(2.0)}).loss is not None


def unpickled(model: Sequential) -> Sequential:
    copied: Sequential = pickle.loads(pickle.dumps(model))
    return copied


@pytest.mark.parametrize("duplicate", [copy.deepcopy, copy.copy, unpickled])
def test_copies_continue_alike(duplicate: Any) -> None:
    model, x, y = model_and_data(Pinball(0.9), [off_by, "mae", Percentile(0.5)])
    model.fit(x, y, epochs=2, **FIT)
    continues_alike(model, duplicate(model), x, y)
    functions, x, y = model_and_data(squared, [off_by])
    assert duplicate(functions).loss.function is squared


def test_copies_of_what_cannot_be_pickled() -> None:
    model, x, y = model_and_data(lambda t, p: squared(t, p))
    continues_alike(model, copy.deepcopy(model), x, y)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(model)


def test_descriptions_have_a_bound(tmp_path: Path) -> None:
    class Long(Scaled):
        def get_config(self) -> dict[str, Any]:
            return {"factor": "x" * 1_000_000}

    path = tmp_path / "model.safetensors"
    model, _, _ = model_and_data(Long(2.0))
    with pytest.raises(ValueError, match=r"\[save\] what get_config .* takes 1\d{6} characters"):
        model.save(path)
    assert model._core_model is not None
    model._core_model.save(path, {"custom": " " * 1_000_001}, True)
    with pytest.raises(ValueError, match="has 1000001 characters; expected at most 1000000"):
        load_model(path, {"Long": Long})
