"""Write the golden files next to this script: what torch, Keras and ONNX Runtime answer.

    pip install torch==2.13.0 keras onnx onnxruntime
    python tests/golden/make_golden.py

Nothing of lstmfast is imported. Arrays keep the names and layouts of the engine they come from;
`tests/golden_cases.py` reads them. Every file holds under "meta" a JSON text with versions, seed
and settings. Torch and Keras compute in float64, ONNX Runtime has LSTM in float32 only.
"""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

Array = npt.NDArray[Any]

HERE = Path(__file__).parent
SEED = 20240229

TORCH: dict[str, dict[str, Any]] = {
    "plain": {"T": 5, "B": 3, "I": 2, "H": 3},
    "long": {"T": 40, "B": 6, "I": 3, "H": 17, "state": True},
    "stacked": {"T": 5, "B": 7, "I": 4, "H": 33, "num_layers": 2, "state": True, "lengths": True},
    "both_ways": {"T": 6, "B": 4, "I": 3, "H": 5, "num_layers": 2, "bidirectional": True,
                  "state": True, "lengths": True},
    "projected": {"T": 5, "B": 3, "I": 4, "H": 6, "num_layers": 2, "proj_size": 4, "state": True},
}  # fmt: skip

KERAS: dict[str, dict[str, Any]] = {
    "many_to_one": {
        "x": [15, 3, 1], "target": "numbers", "batch_size": 3, "epochs": 3, "loss": "mse",
        "layers": [["LSTM", {"units": 50, "activation": "relu"}], ["Dense", {"units": 2}]],
        "optimizer": ["Adam", {}],
    },
    "classes": {
        "x": [8, 6, 2], "target": "labels", "batch_size": 4, "epochs": 3,
        "loss": "sparse_categorical_crossentropy",
        "layers": [
            ["LSTM", {"units": 7, "recurrent_activation": "hard_sigmoid",
                      "return_sequences": True}],
            ["LSTM", {"units": 5, "activation": "softsign"}],
            ["Dense", {"units": 3, "activation": "softmax"}],
        ],
        "optimizer": ["SGD", {"learning_rate": 0.5, "momentum": 0.9, "nesterov": True,
                              "clipnorm": 0.1}],
    },
    "yes_no": {
        "x": [7, 4, 2], "target": "bits", "batch_size": 3, "epochs": 4,
        "loss": "binary_crossentropy",
        "layers": [["LSTM", {"units": 5, "use_bias": False}],
                   ["Dense", {"units": 1, "activation": "sigmoid"}]],
        "optimizer": ["SGD", {"learning_rate": 0.3, "momentum": 0.5, "global_clipnorm": 0.2}],
    },
    "each_step": {
        "x": [6, 5, 2], "target": "numbers", "batch_size": 6, "epochs": 10, "loss": "huber",
        "layers": [["LSTM", {"units": 4, "return_sequences": True}],
                   ["Dense", {"units": 3, "activation": "tanh"}]],
        "optimizer": ["Adam", {"learning_rate": 0.02, "clipvalue": 0.01}],
    },
}  # fmt: skip

ONNX: dict[str, dict[str, Any]] = {
    "peephole": {"T": 6, "B": 4, "I": 3, "H": 9},
    "peephole_lengths": {"T": 8, "B": 5, "I": 2, "H": 17, "lengths": True},
    "input_forget": {"T": 6, "B": 3, "I": 4, "H": 7, "input_forget": 1},
    "functions": {
        "T": 5, "B": 3, "I": 2, "H": 6, "direction": "reverse",
        "activations": ["HardSigmoid", "Softsign", "Relu"],
    },
    "clip": {"T": 5, "B": 3, "I": 2, "H": 6, "clip": 0.5},
}  # fmt: skip

ACTIVATIONS = (
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh",
    "tanh_shrink",
)  # fmt: skip


def float32_valued(a: Array) -> Array:
    """Rounded to float32, so that a float32 engine can start from the same numbers."""
    return a.astype(np.float32)


def save(name: str, meta: dict[str, Any], arrays: dict[str, Array]) -> None:
    packages = ("numpy", "torch", "keras", "onnx", "onnxruntime")
    text = json.dumps(meta | {"seed": SEED, "versions": {p: version(p) for p in packages}})
    stored: dict[str, Any] = arrays | {"meta": np.array(text)}
    np.savez_compressed(HERE / f"{name}.npz", **stored)


def torch_case(name: str, spec: dict[str, Any], rng: np.random.Generator) -> None:
    """Outputs, states and every gradient of torch.nn.LSTM, batch first."""
    T, B, I, H = (spec[k] for k in "TBIH")
    settings = {k: spec[k] for k in ("num_layers", "bidirectional", "proj_size") if k in spec}
    rnn = torch.nn.LSTM(I, H, batch_first=True, **settings).double()
    with torch.no_grad():
        for p in rnn.parameters():
            p.copy_(p.float())
    rows = settings.get("num_layers", 1) * (2 if settings.get("bidirectional") else 1)
    outputs = settings.get("proj_size", 0) or H

    def normal(*shape: int) -> Array:
        return float32_valued(rng.standard_normal(shape))

    arrays = {"x": normal(B, T, I), "dh_n": normal(rows, B, outputs), "dc_n": normal(rows, B, H)}
    arrays["dy"] = normal(B, T, outputs * (2 if settings.get("bidirectional") else 1))
    if spec.get("state"):
        arrays |= {"h0": normal(rows, B, outputs), "c0": normal(rows, B, H)}
    given = {k: torch.from_numpy(v).double().requires_grad_() for k, v in arrays.items()}
    states = (given["h0"], given["c0"]) if spec.get("state") else None
    if spec.get("lengths"):
        lengths = rng.integers(1, T + 1, B)
        lengths[rng.integers(B)] = T
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            given["x"], torch.from_numpy(lengths), batch_first=True, enforce_sorted=False
        )
        packed_y, (h_n, c_n) = rnn(packed, states)
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(packed_y, batch_first=True, total_length=T)
        arrays["lengths"] = lengths
    else:
        y, (h_n, c_n) = rnn(given["x"], states)
    pulled = [(v * given[d].detach()).sum() for v, d in ((y, "dy"), (h_n, "dh_n"), (c_n, "dc_n"))]
    (pulled[0] + pulled[1] + pulled[2]).backward()

    arrays |= {k: v.detach().numpy() for k, v in (("y", y), ("h_n", h_n), ("c_n", c_n))}
    for key in ("x", "h0", "c0"):
        if key in given:
            gradient = given[key].grad
            assert gradient is not None
            arrays[f"d{key}"] = gradient.numpy()
    for key, p in rnn.named_parameters():
        assert p.grad is not None
        arrays[f"weight.{key}"] = float32_valued(p.detach().numpy())
        arrays[f"grad.{key}"] = p.grad.numpy()
    save(f"torch_{name}", {"settings": settings}, arrays)


def keras_training(name: str, spec: dict[str, Any], rng: np.random.Generator) -> None:
    """Loss of every batch of a training without shuffling, and the weights at its end."""
    model = keras.Sequential([keras.Input(spec["x"][1:])])
    for kind, keywords in spec["layers"]:
        model.add(getattr(keras.layers, kind)(**keywords))
    model.set_weights([float32_valued(w) for w in model.get_weights()])
    kind, keywords = spec["optimizer"]
    model.compile(loss=spec["loss"], optimizer=getattr(keras.optimizers, kind)(**keywords))
    x = float32_valued(rng.standard_normal(spec["x"]))
    shape = (len(x), *model.output_shape[1:])
    y = {
        "numbers": lambda: float32_valued(rng.standard_normal(shape)),
        "labels": lambda: rng.integers(0, shape[-1], shape[:-1]),
        "bits": lambda: float32_valued(rng.integers(0, 2, shape)),
    }[spec["target"]]()

    arrays = {"x": x, "y": y}
    for k, layer in enumerate(model.layers):
        for variable in layer.weights:
            arrays[f"start.{k}.{variable.name}"] = float32_valued(
                np.asarray(variable.value.cpu().detach())
            )
    losses = []
    for _ in range(spec["epochs"]):
        for first in range(0, len(x), spec["batch_size"]):
            batch = slice(first, first + spec["batch_size"])
            log = model.fit(x[batch], y[batch], batch_size=len(x), verbose=0, shuffle=False)
            losses.append(log.history["loss"][0])
    for k, layer in enumerate(model.layers):
        for variable in layer.weights:
            arrays[f"end.{k}.{variable.name}"] = np.asarray(variable.value.cpu().detach())
    save(f"keras_{name}", {"training": spec}, arrays | {"losses": np.array(losses)})


def keras_functions(rng: np.random.Generator) -> None:
    """Activations and losses with their gradients."""
    grid = (np.arange(-256, 256) + 0.5) / 32.0
    arrays: dict[str, Array] = {"x": grid}
    for name in (*ACTIVATIONS, "gelu_tanh"):
        x = torch.from_numpy(grid).requires_grad_()
        if name == "gelu_tanh":
            y = keras.activations.gelu(x, approximate=True)
        else:
            y = getattr(keras.activations, name)(x)
        (arrays[f"slope.{name}"],) = (g.numpy() for g in torch.autograd.grad(y.sum(), x))
        arrays[f"value.{name}"] = y.detach().numpy()

    p, target = rng.standard_normal((2, 4, 3)), rng.standard_normal((2, 4, 3))
    q = rng.uniform(0.05, 1.0, (2, 4, 3))
    q[0, 0], q[1, 1] = (1.0, 0.0, 1e-9), (1e-8, 0.5, 0.5)
    labels = rng.integers(0, 3, (2, 4))
    bits = rng.integers(0, 2, q.shape).astype(np.float64)
    arrays |= {"p": p, "target": target, "q": q, "bits": bits}
    arrays["labels"] = labels
    for loss, prediction, truth in (
        ("mse", p, target),
        ("mae", p, target),
        ("huber", p, target),
        ("categorical_crossentropy", q, np.eye(3)[labels]),
        ("sparse_categorical_crossentropy", q, labels),
        ("binary_crossentropy", q.clip(0.0, 1.0), bits),
    ):
        given = torch.from_numpy(prediction).requires_grad_()
        value = keras.losses.get(loss)
        mean = keras.ops.mean(value(torch.from_numpy(truth), given))
        (gradient,) = torch.autograd.grad(mean, given)
        arrays[f"loss.{loss}"] = mean.detach().numpy()
        arrays[f"dloss.{loss}"] = gradient.numpy()
    save("keras_functions", {}, arrays)


def onnx_case(name: str, spec: dict[str, Any], rng: np.random.Generator) -> None:
    """Outputs and states of one ONNX LSTM node, time-major, gates in the order i, o, f, c."""
    T, B, I, H = (spec[k] for k in "TBIH")
    attributes = {
        k: spec[k] for k in ("direction", "activations", "clip", "input_forget") if k in spec
    }

    def uniform(*shape: int) -> Array:
        return float32_valued(rng.uniform(-1.0, 1.0, shape) * (3.0 / H**0.5))

    feeds = {
        "X": float32_valued(rng.standard_normal((T, B, I))),
        "W": uniform(1, 4 * H, I),
        "R": uniform(1, 4 * H, H),
        "B": uniform(1, 8 * H),
        "sequence_lens": np.full(B, T, dtype=np.int32),
        "initial_h": float32_valued(rng.uniform(-1.0, 1.0, (1, B, H))),
        "initial_c": float32_valued(rng.standard_normal((1, B, H))),
        "P": uniform(1, 3 * H),
    }
    if spec.get("lengths"):
        feeds["sequence_lens"] = rng.permutation(np.linspace(1, T, B).astype(np.int32))
    kinds = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32}
    graph = helper.make_graph(
        [helper.make_node("LSTM", list(feeds), ["Y", "Y_h", "Y_c"], hidden_size=H, **attributes)],
        name,
        [helper.make_tensor_value_info(k, kinds[v.dtype.name], v.shape) for k, v in feeds.items()],
        [
            helper.make_tensor_value_info(k, TensorProto.FLOAT, shape)
            for k, shape in (("Y", (T, 1, B, H)), ("Y_h", (1, B, H)), ("Y_c", (1, B, H)))
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    results = dict(zip(("Y", "Y_h", "Y_c"), session.run(None, feeds), strict=True))
    save(f"onnx_{name}", {"attributes": attributes}, feeds | results)


def main() -> None:
    assert version("torch").split("+")[0] == "2.13.0"
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    keras.utils.set_random_seed(SEED)
    keras.backend.set_floatx("float64")
    rng = np.random.default_rng(SEED)
    for name, spec in TORCH.items():
        torch_case(name, spec, rng)
    for name, spec in KERAS.items():
        keras_training(name, spec, rng)
    keras_functions(rng)
    for name, spec in ONNX.items():
        onnx_case(name, spec, rng)


if __name__ == "__main__":
    main()
