"""Files of Keras hold how a model is compiled, and the state of its optimizer."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from keras_compiled import OPTIMIZERS, compiled, losses
from lstmfast.layers import Dense
from lstmfast.models import Sequential, load_model

h5py = pytest.importorskip("h5py")
endings = pytest.mark.parametrize("ending", ["keras", "h5"])


@endings
@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
def test_training_goes_on(tmp_path: Path, kind: str, options: dict[str, Any], ending: str) -> None:
    model = compiled(lf, kind, options)
    losses(model)
    model.optimizer._schedule or setattr(model.optimizer, "learning_rate", 0.0123)
    model.save(tmp_path / f"a.{ending}")
    loaded = load_model(tmp_path / f"a.{ending}")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations) > 0
    assert losses(loaded) == losses(model)
    assert all(map(np.array_equal, loaded.get_weights(), model.get_weights()))


@endings
def test_float64(tmp_path: Path, ending: str) -> None:
    model = compiled(lf, "Adam", {}, "float64")
    losses(model)
    model.save(tmp_path / f"a.{ending}")
    assert losses(load_model(tmp_path / f"a.{ending}")) == losses(model)


def small(**how: Any) -> Sequential:
    model = Sequential([Dense(2, input_shape=(3,), name="a")], seed=0)
    if how:
        model.compile(**({"optimizer": "adam", "loss": "mse"} | how))
    return model


def scores(model: Sequential) -> Any:
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    return model.evaluate(x, x[:, :2], verbose=0, return_dict=True)


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return np.mean(y_pred**2), 2 * y_pred / y_pred.size


def own_metric(y_true: Any, y_pred: Any) -> Any:
    return np.mean(y_pred)


class OwnLoss(lf.losses.Loss):
    def __init__(self, factor: float) -> None:
        super().__init__("own")
        self.factor = factor

    def call(self, y_true: Any, y_pred: Any) -> Any:
        value, gradient = own_loss(y_true, y_pred)
        return self.factor * value, self.factor * gradient

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor}


class OwnRate(lf.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step: Any) -> float:
        return 0.5 / (step + 1)

    def get_config(self) -> dict[str, Any]:
        return {}


OWN = {each.__name__: each for each in (own_loss, own_metric, OwnLoss, OwnRate)}


@endings
@pytest.mark.parametrize(
    "how",
    [
        {"loss": own_loss},
        {"loss": OwnLoss(3.0)},
        {"metrics": [own_metric, lf.metrics.MeanMetricWrapper(own_metric, name="again")]},
        {"metrics": [lf.losses.Huber(0.25), lf.metrics.R2Score(), "mae", "accuracy"]},
        {"optimizer": lf.optimizers.SGD(OwnRate())},
        {"loss": lf.losses.MeanAbsoluteError(reduction="sum"), "loss_weights": 0.5},
        {"loss": "cosine_similarity", "weighted_metrics": ["cosine_similarity"]},
    ],
)
def test_how_it_was_compiled(tmp_path: Path, how: dict[str, Any], ending: str) -> None:
    model = small(**how)
    model.save(tmp_path / f"a.{ending}")
    loaded = load_model(tmp_path / f"a.{ending}", custom_objects=OWN)
    assert scores(loaded) == scores(model)
    assert loaded.optimizer.get_config().keys() == model.optimizer.get_config().keys()
    assert loaded.optimizer.learning_rate == model.optimizer.learning_rate
    assert load_model(tmp_path / f"a.{ending}", compile=False).optimizer is None


@endings
def test_code_that_is_not_given(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    for name, how in {"own_loss": {"loss": own_loss}, "OwnLoss": {"loss": OwnLoss(1.0)}}.items():
        small(**how).save(path)
        words = rf"\[load_model\] .*compiled with {name}, which is not here; pass custom_objects="
        with pytest.raises(ValueError, match=words):
            load_model(path)


@endings
def test_what_keras_lacks(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    rate = lf.optimizers.schedules.WarmUp(
        0.5, lf.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5), 4
    )
    quantile = lf.losses.Quantile(0.75)
    model = small(loss=quantile, optimizer=lf.optimizers.SGD(rate), metrics=[quantile])
    with pytest.warns(UserWarning, match=r"\[save\] .*compiled with Quantile and WarmUp, which"):
        model.save(path)
    loaded = load_model(path)
    assert scores(loaded) == scores(model)
    assert loaded.optimizer._schedule == rate
    optimizer = lf.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    with pytest.warns(UserWarning, match=r"\[save\] .*do not hold exclude_from_weight_decay"):
        small(optimizer=optimizer).save(path)


@endings
def test_without_the_optimizer(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    small(loss="mse").save(path, include_optimizer=False)
    assert load_model(path).optimizer is None
    small().save(path)
    assert load_model(path).optimizer is None


def test_arrays_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    model = small(loss="mse")
    model.fit(np.ones((2, 3)), np.ones((2, 2)), verbose=0)
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["compile_config"]["optimizer"]["class_name"] = "Adagrad"
    for name in ("beta_1", "beta_2", "amsgrad"):
        del config["compile_config"]["optimizer"]["config"][name]
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.warns(
        UserWarning, match=r"\[load_model\] .*optimizer has 6 arrays; expected 2 and its"
    ):
        loaded = load_model(path)
    assert int(loaded.optimizer.iterations) == 0
    assert all(map(np.array_equal, loaded.get_weights(), model.get_weights()))
