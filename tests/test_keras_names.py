"""Keras's names that this version lacks are refused as such; ours do not stand in their way."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
from typing import Any

import pytest

import lstmfast as lf
from lstmfast import _keras_names, constraints, initializers, losses, metrics, optimizers
from lstmfast.layers import LSTM, Dense, Input, from_config
from lstmfast.models import Sequential

MODULES = {part: f"lstmfast.{part}".rstrip(".") for part in _keras_names.all_names()}
ALL = [
    "layers", "losses", "metrics", "callbacks", "optimizers", "initializers", "regularizers",
    "constraints", "models", "activations", "utils",
]  # fmt: skip


@pytest.mark.parametrize("part", MODULES)
def test_names_of_keras(part: str) -> None:
    module = importlib.import_module(MODULES[part])
    names = _keras_names.names_of(part) - {*module.__all__}
    assert names
    assert not names & {*dir(module)}
    for name in names:
        with pytest.raises(AttributeError) as missing:
            getattr(module, name)
        with pytest.raises(ImportError) as not_imported:
            exec(f"from {MODULES[part]} import {name}", {})
        text = (
            f"{MODULES[part]}.{name} is not available in this version: the name is Keras's "
            f"({f'keras.{part}'.rstrip('.')}.{name}); "
        )
        near = _keras_names.nearest(name, MODULES[part], module.__all__)
        assert near.count(",") < 10
        text += _keras_names._HINTS.get(name, near)
        assert str(missing.value) == text
        assert str(not_imported.value) == str(missing.value)
        assert not hasattr(module, name)


@pytest.mark.parametrize("part", ["", *ALL])
def test_other_names_are_missing_as_in_any_module(part: str) -> None:
    name = f"lstmfast.{part}".rstrip(".")
    module = importlib.import_module(name)
    with pytest.raises(AttributeError, match=f"^module '{name}' has no attribute 'Embeding'$"):
        _ = module.Embeding
    with pytest.raises(ImportError, match=r"^cannot import name 'Embeding' from"):
        exec(f"from {name} import Embeding", {})
    assert getattr(module, "Embeding", 3) == 3


def test_case_of_names() -> None:
    hint = "^module 'lstmfast.layers' has no attribute 'lstm'; did you mean 'LSTM'\\?$"
    with pytest.raises(ImportError, match=hint):
        exec("from lstmfast.layers import lstm", {})
    with pytest.raises(AttributeError, match=hint):
        _ = lf.layers.lstm
    with pytest.raises(ImportError, match="did you mean 'Sequential'"):
        exec("from lstmfast import sequential", {})


def test_no_internal_module_bears_a_name_of_keras() -> None:
    """Nor one that differs from a class by its case alone, or where older versions had layers."""
    older = {"core", "recurrent", "embeddings", "wrappers", "merge", "pooling", "normalization"}
    for part in ["", *ALL]:
        package = importlib.import_module(f"lstmfast.{part}".rstrip("."))
        inner = {info.name for info in pkgutil.iter_modules(getattr(package, "__path__", []))}
        public = {name for name in package.__all__ if name not in {*MODULES, "schedules"}}
        taken = {
            re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
            for name in public | _keras_names.names_of(part)
        }
        assert inner & (taken | older) <= {*lf.__all__}


@pytest.mark.parametrize(
    ("get", "name", "what"),
    [
        (optimizers.get, "ftrl", "optimizer 'ftrl'"),
        (optimizers.get, "Ftrl", "optimizer 'Ftrl'"),
        (losses.get, "ctc", "loss 'ctc'"),
        (losses.get, "CTC", "loss 'CTC'"),
        (metrics.get, "MeanIoU", "metric 'MeanIoU'"),
        (metrics.get, "one_hot_io_u", "metric 'one_hot_io_u'"),
        (initializers.get, "stft", "initializer 'stft'"),
        (lambda name: from_config({"class_name": name}), "TFSMLayer", "layer 'TFSMLayer'"),
    ],
)
def test_names_as_strings(get: Any, name: str, what: str) -> None:
    with pytest.raises(ValueError, match=f"{what} is not available in this version; there are "):
        get(name)
    with pytest.raises(ValueError, match="unknown constraint 'max_nrm'; known: max_norm, min_max"):
        constraints.get("max_nrm")


@pytest.mark.parametrize(
    ("get", "name", "meant"),
    [
        (losses.get, "binary_cross_entropy", "binary_crossentropy"),
        (losses.get, "BinaryCrossEntropy", "binary_crossentropy"),
        (losses.get, "msee", "mse"),
        (metrics.get, "sparse_categorical_acuracy", "sparse_categorical_accuracy"),
        (optimizers.get, "adan", "adam"),
        (initializers.get, "glorot_unifrom", "glorot_uniform"),
    ],
)
def test_misspelt_names(get: Any, name: str, meant: str) -> None:
    with pytest.raises(
        ValueError, match=rf"unknown .* '{name}'; known: .*; did you mean '{meant}'\?$"
    ):
        get(name)


@pytest.mark.parametrize("get", [losses.get, metrics.get, optimizers.get])
def test_helpers_of_keras_are_no_names_of_things(get: Any) -> None:
    with pytest.raises(ValueError, match=r"^unknown .* 'serialize'; known: "):
        get("serialize")


ATTRIBUTES = [
    ("call", r"Sequential.call is Keras's and not .*; call the object itself"),
    ("predict_classes", r"; use predict\(x\).argmax\(axis=-1\)$"),
    ("fit_generator", r"; use fit\(\) or train_on_batch\(\)$"),
    ("add_loss", r"Sequential.add_loss is Keras's and not available in this version$"),
    ("wieghts", "'Sequential' object has no attribute 'wieghts'"),
]


@pytest.mark.parametrize(("name", "text"), ATTRIBUTES)
def test_attributes_of_models(name: str, text: str) -> None:
    model = Sequential([Input((3, 1)), LSTM(2), Dense(1)])
    with pytest.raises(AttributeError, match=text):
        getattr(model, name)
    assert not hasattr(pickle.loads(pickle.dumps(model)), name)


def test_each_kind_of_object_has_hints_of_its_own() -> None:
    model = Sequential([Input((3, 1)), LSTM(2), Dense(1)])
    with pytest.raises(AttributeError, match="'Sequential' object has no attribute 'lr'"):
        _ = model.lr
    with pytest.raises(AttributeError, match=r"Adam.weights is Keras's and .* version$"):
        _ = optimizers.Adam().weights


class OwnModel(Sequential):
    def __init__(self) -> None:
        super().__init__([Input((3, 1)), LSTM(2), Dense(1)])
        self.lr = 3
        self.kernel = "rbf"
        self.total_loss = 0.0


class OwnLayer(Dense):
    def __init__(self) -> None:
        super().__init__(1)
        self.lr = 3
        self.losses = [1.0]


def test_derived_classes_may_have_attributes_of_their_own() -> None:
    model, layer = OwnModel(), OwnLayer()
    assert (model.lr, model.kernel, model.total_loss) == (3, "rbf", 0.0)
    assert (layer.lr, layer.losses) == (3, [1.0])


@pytest.mark.parametrize(
    ("make", "name"),
    [(OwnModel, "train_step"), (OwnModel, "call"), (OwnLayer, "input_spec"), (OwnLayer, "call")],
)
def test_what_would_have_no_effect_is_not_set(make: Any, name: str) -> None:
    made = make()
    with pytest.raises(AttributeError, match=rf"{name} is Keras's and not available"):
        setattr(made, name, None)
    with pytest.raises(AttributeError, match=r"supports_masking is Keras's and not available"):
        made.supports_masking = True


def test_attributes_of_layers_and_optimizers() -> None:
    with pytest.raises(AttributeError, match=r"LSTM.call is Keras's .*; call the object itself"):
        _ = LSTM(2).call
    with pytest.raises(AttributeError, match=r"Dense.compute_output_shape is Keras's .*; use outp"):
        _ = Dense(2).compute_output_shape
    with pytest.raises(AttributeError, match=r"Adam.lr is Keras's .*; use learning_rate"):
        _ = optimizers.Adam().lr
    with pytest.raises(AttributeError, match="'Dense' object has no attribute 'unit'"):
        _ = Dense(2).unit


def test_hints_are_of_names_that_are_missing() -> None:
    assert _keras_names._HINTS.keys() <= {n for p in MODULES for n in _keras_names.names_of(p)}
