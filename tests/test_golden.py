"""The reference against the stored answers of torch, Keras and ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from golden_cases import (
    KerasGolden,
    OnnxGolden,
    golden_names,
    read,
    read_keras,
    read_onnx,
    read_torch,
    run_torch,
    torch_allowed,
    torch_expected,
    torch_numbers,
    with_prefix,
)
from lstmfast import reference
from lstmfast.reference import CellOptions
from tolerances import allowed_errors, assert_close

Array = npt.NDArray[Any]

EPS32 = float(np.finfo(np.float32).eps)
EPS64 = float(np.finfo(np.float64).eps)


def test_files_say_where_they_come_from() -> None:
    assert len(golden_names("torch")) == 5
    assert len(golden_names("keras")) == 4
    assert len(golden_names("onnx")) == 5
    for engine in ("torch", "keras", "onnx"):
        for name in golden_names(engine):
            meta, _ = read(name)
            assert meta["versions"]["torch"].split("+")[0] == "2.13.0"
            assert isinstance(meta["seed"], int)


@pytest.mark.parametrize("name", golden_names("torch"))
def test_torch(name: str) -> None:
    golden = read_torch(name)
    actual, expected = run_torch(golden, torch_numbers(golden)), torch_expected(golden)
    assert_close({key: actual[key] for key in expected}, expected, torch_allowed(golden, "float64"))


def onnx_options(golden: OnnxGolden) -> CellOptions:
    attributes = golden.attributes
    functions: dict[str, Any] = {}
    if "activations" in attributes:
        assert attributes["activations"] == ["HardSigmoid", "Softsign", "Relu"]
        functions = {
            "recurrent_activation": "hard_sigmoid:0.2",
            "activation": "softsign",
            "output_activation": "relu",
        }
    return CellOptions(
        peephole=True,
        coupled=bool(attributes.get("input_forget")),
        preact_clip=attributes.get("clip"),
        **functions,
    )


@pytest.mark.parametrize("name", golden_names("onnx"))
def test_onnx(name: str) -> None:
    golden = read_onnx(name)
    options = onnx_options(golden)

    def run(numbers: dict[str, Array]) -> dict[str, Array]:
        y, (h_n, c_n), _ = reference.lstm_forward(
            numbers["x"],
            {key: numbers[key] for key in golden.params},
            numbers["h0"],
            numbers["c0"],
            options=options,
            lengths=golden.lengths,
            reverse=golden.attributes.get("direction") == "reverse",
            batch_first=False,
        )
        return {"y": y, "h_n": h_n, "c_n": c_n}

    numbers = golden.params | {"x": golden.x, "h0": golden.h0, "c0": golden.c0}
    longest = sum(golden.params["kernel"].shape)
    allowed = allowed_errors(run, numbers, longest=longest, dtype="float32")
    expected = {"y": golden.y, "h_n": golden.h_n, "c_n": golden.c_n}
    assert_close(run(numbers), expected, allowed)


def build(golden: KerasGolden, numbers: dict[str, Array]) -> reference.Chain:
    layers: list[reference.Layer] = []
    for k, (kind, keywords) in enumerate(golden.layers):
        params = with_prefix(numbers, f"{k}.")
        if kind == "Dense":
            layers.append(reference.DenseLayer(params, keywords.get("activation", "linear")))
            continue
        names = ("activation", "recurrent_activation")
        options = CellOptions(**{n: keywords[n] for n in names if n in keywords})
        sequences = keywords.get("return_sequences", False)
        layers.append(reference.LstmLayer(params, options, return_sequences=sequences))
    return reference.Chain(layers)


def optimizer_and_clip(
    golden: KerasGolden,
) -> tuple[reference.Sgd | reference.Adam, reference.Clip]:
    kind, keywords = golden.optimizer
    clips = {"clipnorm": "norm", "clipvalue": "value", "global_clipnorm": "global_norm"}
    clip = reference.Clip(**{clips[k]: v for k, v in keywords.items() if k in clips})
    rest = {k: v for k, v in keywords.items() if k not in clips}
    return (reference.Adam if kind == "Adam" else reference.Sgd)(**rest), clip


@pytest.mark.parametrize("name", golden_names("keras"))
def test_keras_training(name: str) -> None:
    """Step by step the same losses, and the same weights at the end.

    Keras takes means in float32 even where floatx is float64, which bounds the agreement.
    """
    golden = read_keras(name)

    def run(numbers: dict[str, Array]) -> dict[str, Array]:
        model = build(golden, numbers)
        optimizer, clip = optimizer_and_clip(golden)
        history = reference.fit(
            model,
            numbers["x"],
            golden.y,
            loss=golden.loss,
            optimizer=optimizer,
            clip=clip,
            epochs=[reference.in_order(len(golden.x), golden.batch_size)] * golden.epochs,
        )
        results = {"losses": np.array(history.batches)}
        for k, layer in enumerate(model.layers):
            results |= {f"{k}.{key}": value for key, value in layer.params.items()}
        return results

    def flat(layers: list[dict[str, Array]]) -> dict[str, Array]:
        return {f"{k}.{key}": v for k, named in enumerate(layers) for key, v in named.items()}

    numbers = flat(golden.start) | {"x": golden.x}
    allowed = allowed_errors(run, numbers, longest=golden.batch_size, dtype="float32")
    assert_close(run(numbers), flat(golden.end) | {"losses": golden.losses}, allowed)


# those that the golden file has
KERAS_LOSSES = [
    "mse",
    "mae",
    "huber",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "binary_crossentropy",
]


def test_keras_activations() -> None:
    _, stored = read("keras_functions")
    x = stored["x"]
    for name, expected in with_prefix(stored, "value.").items():
        function = reference.get_activation(name)
        y = function.value(x)
        # a handful of operations on numbers up to |x| and |y|, each side a few ulp
        size = 32.0 * EPS64 * np.maximum(1.0, np.maximum(np.abs(x), np.abs(expected)))
        assert np.all(np.abs(y - expected) <= size), name
        # torch keeps the 1/6 of hard_sigmoid in float32
        size = size + (EPS32 / 12.0 if name == "hard_sigmoid" else 0.0)
        assert np.all(np.abs(function.derivative(x, y) - stored[f"slope.{name}"]) <= size), name


@pytest.mark.parametrize("loss", KERAS_LOSSES)
def test_keras_losses(loss: str) -> None:
    _, stored = read("keras_functions")
    prediction, target = stored["p"], stored["target"]
    if loss.endswith("crossentropy"):
        prediction = stored["q"]
        target = {
            "categorical_crossentropy": np.eye(3)[stored["labels"]],
            "sparse_categorical_crossentropy": stored["labels"],
            "binary_crossentropy": stored["bits"],
        }[loss]
    value, gradient = reference.LOSSES[loss](prediction, target)
    expected, slope = stored[f"loss.{loss}"], stored[f"dloss.{loss}"]
    # Keras adds and scales the 8 samples in float32
    assert abs(value - expected) <= 8.0 * EPS32 * expected
    assert np.all(np.abs(gradient - slope) <= 8.0 * EPS32 * np.abs(slope))
