"""Models for inference in reduced precision: their numbers, files, copies and refusals."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from bits_cases import model_of_all_cells
from lstmfast.layers import (
    GRU,
    LSTM,
    Dense,
    Embedding,
    Input,
    SimpleRNN,
)
from lstmfast.models import Model, Sequential, load_model
from lstmfast.reference import CellOptions

RNG = np.random.default_rng(0)
EPS = np.finfo(np.float32).eps


def rounded(w: np.ndarray) -> np.ndarray:
    """The nearest bfloat16, ties to even."""
    bits = w.view(np.uint32).astype(np.uint64)
    kept = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    return kept.astype(np.uint32).view(np.float32)


def all_kinds() -> Sequential:
    model = model_of_all_cells(SimpleRNN(9, learn_initial_state=True), seed=0)
    model.set_weights([RNG.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def is_kernel(weight: Any) -> bool:
    return weight.name.rpartition(".")[2] in {"kernel", "recurrent_kernel", "projection_kernel"}


def with_rounded_kernels(model: Model) -> Model:
    same = copy.copy(model)
    pairs = zip(model.weights, model.get_weights(), strict=True)
    same.set_weights([rounded(w) if is_kernel(weight) else w for weight, w in pairs])
    return same


def test_bfloat16_is_the_model_of_rounded_kernels() -> None:
    model = all_kinds()
    expected, half = with_rounded_kernels(model), model.astype("bfloat16")
    for shape in [(1, 1, 5), (2, 7, 5), (19, 4, 5)]:
        x = RNG.normal(size=shape).astype(np.float32)
        np.testing.assert_array_equal(half.predict(x), expected.predict(x))
    np.testing.assert_array_equal(half(x, lengths=[1 + k % 4 for k in range(19)]).shape, (19, 3))
    for found, w in zip(half.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(found, w)
    assert half.precision == "bfloat16"
    assert model.precision == "float32"


def test_bfloat16_generates_what_rounded_kernels_do() -> None:
    layers = [Input((None,), dtype="int32"), Embedding(11, 6), LSTM(20), Dense(11, "softmax")]
    model = Sequential(layers, seed=1)
    model.set_weights([RNG.normal(0, 0.7, w.shape) for w in model.get_weights()])
    found = [
        each.generate([[1, 2, 3], [4]], 12, temperature=0)
        for each in (model.astype("bfloat16"), with_rounded_kernels(model))
    ]
    np.testing.assert_array_equal(*found)


def test_int8_dense_is_exact() -> None:
    model = Sequential([Input((23,)), Dense(40)], seed=0)
    x = RNG.normal(size=(6, 23)).astype(np.float32)
    x[2] = 0
    kernel, _ = model.get_weights()
    bias = RNG.normal(size=40).astype(np.float32)
    model.set_weights([kernel, bias])
    (whole,), scale = lf.reference.quantize_columns(kernel)
    rows, row_scale = lf.reference.quantize_rows(x)
    t = (row_scale * (rows.astype(int) @ whole.astype(int)).astype(np.float32)).astype(np.float64)
    if lf.isa() == "baseline":  # where products are rounded before the sum
        expected = lf.reference.quantized_dense_forward(x, {"kernel": kernel, "bias": bias})
    else:
        expected = (t * scale + bias).astype(np.float32)
    small = model.quantize("int8")
    np.testing.assert_array_equal(small.predict(x), expected)
    np.testing.assert_array_equal(small.get_weights()[0], whole * scale)
    x[1, 3] = np.inf
    assert np.isnan(small.predict(x)).all(-1).tolist() == [False, True, *[False] * 4]


@pytest.mark.parametrize(
    ("layer", "forward", "options"),
    [
        (LSTM(37, peephole=True, proj_size=21), "lstm", {"peephole": True, "proj_size": 21}),
        (LSTM(8, layer_norm=True, coupled=True), "lstm", {"layer_norm": True, "coupled": True}),
        (GRU(21), "gru", {}),
        (GRU(18, reset_after=False), "gru", {"reset_after": False}),
        (SimpleRNN(33), "simple_rnn", {}),
    ],
    ids=lambda each: each.kind if isinstance(each, lf.layers.Layer) else None,
)
def test_int8_follows_its_definition(layer: Any, forward: str, options: dict[str, Any]) -> None:
    """Each step from the h that the core had: rounding h is no continuous function."""
    layer = type(layer).from_config(layer.get_config() | {"return_sequences": True})
    model = Sequential([Input((None, 6)), layer], seed=2)
    model.set_weights([RNG.normal(0, 0.4, w.shape) for w in model.get_weights()])
    x = RNG.normal(size=(3, 9, 6)).astype(np.float32)
    y = model.quantize("int8").predict(x)
    params = {weight.name: weight.numpy() for weight in model.weights}
    state: dict[str, Any] = {}
    if forward == "lstm":
        options = {"options": CellOptions(**options)}
    for step in range(9):
        run = getattr(lf.reference, f"quantized_{forward}_forward")
        expected, last = run(x[:, step : step + 1], params, **state, **options)
        # roundings of sums, of functions within 4 ulp and of their products, which c carries on
        bound = 64 * EPS * (step + 1)
        np.testing.assert_allclose(y[:, step], expected[:, 0], rtol=0, atol=bound)
        state = {"h0": y[:, step]} | ({"c0": last[1]} if forward == "lstm" else {})


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_files_and_copies_stay_reduced(precision: str, tmp_path: Path) -> None:
    model = all_kinds()
    made = model.astype(precision) if precision == "bfloat16" else model.quantize(precision)
    x = RNG.normal(size=(4, 6, 5)).astype(np.float32)
    expected = made.predict(x)
    made.save(tmp_path / "small.safetensors")
    model.save(tmp_path / "full.safetensors")
    again = load_model(tmp_path / "small.safetensors")
    for each in (again, copy.copy(made), copy.deepcopy(again), pickle.loads(pickle.dumps(made))):
        assert each.precision == precision
        np.testing.assert_array_equal(each.predict(x), expected)
        kept = [weight.dtype == precision for weight in each.weights]
        assert kept == [is_kernel(weight) for weight in each.weights]
    again.save(tmp_path / "again.safetensors")
    files = [tmp_path / f"{name}.safetensors" for name in ("small", "again", "full")]
    assert files[0].read_bytes() == files[1].read_bytes()
    elements = sum(w.size for weight, w in zip(made.weights, made.get_weights(), strict=True)
                   if is_kernel(weight))  # fmt: skip
    saved = files[2].stat().st_size - files[0].stat().st_size
    assert saved > elements * (1.9 if precision == "bfloat16" else 2.4)  # names and scales


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_streams_have_the_bits_of_predict(precision: str) -> None:
    layers = [
        Input((None, 5)),
        LSTM(20, return_sequences=True),
        GRU(33, return_sequences=True),
        GRU(9, return_sequences=True, reset_after=False),
        SimpleRNN(18, return_sequences=True),
        Dense(3),
    ]
    model = Sequential(layers, seed=4)
    made = model.astype(precision) if precision == "bfloat16" else model.quantize(precision)
    for rows in (1, 3):
        x = RNG.normal(size=(rows, 8, 5)).astype(np.float32)
        stream = made.stream(batch=rows)
        y = np.stack([stream.step(x[:, t]) for t in range(8)], axis=1)
        np.testing.assert_array_equal(y, made.predict(x))


def test_summary_tells_the_precision(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([Input((None, 4)), LSTM(8), Dense(2)], name="small")
    model.quantize("int8").summary()
    lines = capsys.readouterr().out.splitlines()
    # kernels 4 x 32, 8 x 32 and 8 x 2 of one byte, biases 32 and 2 of four
    assert lines[-4:] == [
        " Total params: 434 (536.00 B)",
        " Trainable params: 434 (536.00 B)",
        " Non-trainable params: 0 (0.00 B)",
        " Kernels of recurrent and Dense layers: int8",
    ]


def test_what_reduced_models_refuse() -> None:
    model = Sequential([Input((None, 4)), LSTM(8), Dense(2)])
    model.compile("adam", "mse")
    made, x = model.quantize("int8"), np.ones((2, 3, 4))
    for call in (
        lambda: made.compile("adam", "mse"),
        lambda: made.fit(x, np.ones((2, 2)), verbose=0),
        lambda: made.evaluate(x, np.ones((2, 2))),
        lambda: made.add(Dense(1)),
    ):
        with pytest.raises(ValueError, match="the model's kernels are int8, for inference alone"):
            call()
    assert len(made.layers) == 2
    with pytest.raises(ValueError, match=r"kernel is in int8; expected float32: set the weights"):
        made.set_weights(model.get_weights())
    with pytest.raises(ValueError, match="training is True; expected False with kernels in int8"):
        made(x, training=True)
    with pytest.raises(
        ValueError, match=r"\[astype\] the model's kernels are int8; expected float"
    ):
        made.astype("bfloat16")
    with pytest.raises(ValueError, match=r"\[quantize\] dtype is 'int4'; expected 'int8'"):
        model.quantize("int4")
    with pytest.raises(ValueError, match="kernels are float64; expected float32"):
        Sequential([Input((None, 1)), LSTM(2)], dtype="float64").quantize("int8")
    with pytest.raises(ValueError, match="no layer has kernels that can be in bfloat16"):
        Sequential([Input((None,), dtype="int32"), Embedding(3, 2)]).astype("bfloat16")
    weights = model.get_weights()
    weights[0][1, 2] = np.nan
    model.set_weights(weights)
    with pytest.raises(ValueError, match="kernel has the value nan; expected finite numbers"):
        model.quantize("int8")
