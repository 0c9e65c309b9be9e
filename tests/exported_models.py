"""Models that are exported as C, and what they answer under the ISA of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

import lstmfast as lf
import runs
from lstmfast import _core, layers, reference

STEPS = 12
ACTIVATIONS = tuple(name for name in _core.kinds("activation") if name != "softmax")
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no_bias": {"use_bias": False},
    "peephole": {"peephole": True},
    "coupled": {"coupled": True, "peephole": True},
    "switched_off": {"input_gate": False, "output_gate": False},
    "keeps_all": {"forget_gate": False},
    "activations": {"activation": "softsign", "recurrent_activation": "hard_sigmoid"},
    "output_activation": {"output_activation": "elu:0.5", "peephole": True},
    "clips": {"cell_clip": 0.5, "preact_clip": 0.7, "peephole": True},
    "projection": {"proj_size": 3, "proj_clip": 0.3},
    "zoneout": {"zoneout_c": 0.2, "zoneout_h": 0.1},
    "start": {"learn_initial_state": True},
    "layer_norm": {"layer_norm": True},
    "layer_norm_peephole": {"layer_norm": True, "peephole": True, "preact_clip": 0.7},
}


def lstm(**options: Any) -> list[Any]:
    return [layers.Input((None, 3)), layers.LSTM(7, **options), layers.Dense(2)]


def gru(units: int, **options: Any) -> list[Any]:
    first = layers.GRU(units, return_sequences=True, **options)
    return [layers.Input((None, 3)), first, layers.TimeDistributed(layers.Dense(2))]


CASES: dict[str, Callable[[], list[Any]]] = {
    **{f"lstm_{name}": lambda o=o: lstm(**o) for name, o in OPTIONS.items()},  # type: ignore[misc]
    **{f"gru_{units}": lambda u=units: gru(u) for units in (5, 6, 7, 8)},  # type: ignore[misc]
    "gru_no_bias": lambda: gru(5, use_bias=False, learn_initial_state=True),
    "gru_reset_before": lambda: gru(6, reset_after=False, activation="relu"),
    "simple_rnn": lambda: [layers.Input((None, 2)), layers.SimpleRNN(5, activation="elu")],
    "amp": lambda: [layers.Input((None, 1)), layers.LSTM(16), layers.Dense(1)],
    "stack": lambda: [
        layers.Input((None, 4)),
        layers.LSTM(20, return_sequences=True),
        layers.Dropout(0.5),
        layers.GRU(9, return_sequences=True),
        layers.LSTM(6, name="last"),
        layers.Dense(5, activation="softmax"),
    ],
    "ids": lambda: [
        layers.Input((None,), dtype="int32"),
        layers.Embedding(11, 4),
        layers.LSTM(5),
    ],
    "convolution": lambda: [
        layers.Input((None, 3)),
        layers.Conv1D(5, 3, padding="causal", dilation_rate=2, activation="relu"),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.ReLU(),
        layers.Conv1D(4, 2, padding="causal"),
        layers.Conv1D(4, 1, padding="causal", use_bias=False),
        layers.ReLU(max_value=0.4, negative_slope=0.3, threshold=0.1),
        layers.PReLU(shared_axes=[1]),
        layers.ELU(0.7),
        layers.LSTM(3, return_sequences=True),
        layers.Softmax(),
    ],
    "norms": lambda: [
        layers.Input((None, 150)),
        layers.LayerNormalization(),
        layers.RMSNormalization(),
        layers.Dense(6),
        layers.LayerNormalization(rms_scaling=True),
        layers.Dense(5),
        layers.LayerNormalization(center=False, scale=False),
    ],
    "perceptron": lambda: [layers.Input((None, 3)), layers.Dense(4), layers.Activation("elu")],
    **{
        f"activation_{name}": lambda name=name: [  # type: ignore[misc]
            layers.Input((None, 17)),
            layers.Activation(name),
        ]
        for name in ACTIVATIONS
    },
}


def model_of(case: str) -> Any:
    """The model of a case, with random weights, positive where Keras has variances."""
    model = lf.Sequential(CASES[case](), seed=0)
    rng = np.random.default_rng(list(case.encode()))
    for layer in model.layers:
        low = 0.1 if isinstance(layer, layers.BatchNormalization) else -0.5
        layer.set_weights([rng.uniform(low, 0.6, w.shape) for w in layer.get_weights()])
    return model


def input_of(model: Any) -> Any:
    (tensor,) = model.inputs
    rng = np.random.default_rng(1)
    if tensor.dtype == "int32":
        return rng.integers(0, 11, STEPS).astype(np.int32)
    x = rng.normal(scale=4.0, size=(STEPS, *tensor.sample[1:])).astype(np.float32)
    x[STEPS // 2] = 0.0
    return x


def answers(model: Any, x: Any) -> Any:
    """The last answer to each beginning of x: (STEPS, outputs)."""
    last = [model.predict(x[None, : n + 1], verbose=0)[0] for n in range(len(x))]
    return np.stack([y[-1] if y.ndim > 1 else y for y in last])


def in_core(name: str) -> Any:
    """An activation of the reference that has the bits of the core."""

    def value(z: Any) -> Any:
        return layers.Activation(name)(z.reshape(-1, z.shape[-1])).reshape(z.shape)

    return reference.Activation(name, value, lambda x, y: y)


def lstm_in_int8(x: Any, params: Any, **options: Any) -> Any:
    names = reference.CellOptions.__dataclass_fields__.keys() & options.keys()
    given = {name: options[name] for name in names}
    given |= {name: np.float32(given[name]) for name in ("zoneout_h", "zoneout_c")}
    return reference.quantized_lstm_forward(x, params, options=reference.CellOptions(**given))[0]


def gru_in_int8(x: Any, params: Any, **options: Any) -> Any:
    names = "reset_after", "activation", "recurrent_activation"
    return reference.quantized_gru_forward(x, params, **{name: options[name] for name in names})[0]


def rnn_in_int8(x: Any, params: Any, *, activation: Any, **_: Any) -> Any:
    return reference.quantized_simple_rnn_forward(x, params, activation=activation)[0]


def dense_in_int8(x: Any, params: Any, *, activation: Any, **_: Any) -> Any:
    return reference.quantized_dense_forward(x, params, activation)


def conv_in_int8(x: Any, params: Any, *, activation: Any, dilation_rate: Any, **_: Any) -> Any:
    (steps,) = dilation_rate
    return reference.quantized_conv1d_forward(x, params, activation, dilation_rate=steps)


QUANTIZED: dict[str, Callable[..., Any]] = {
    "lstm": lstm_in_int8,
    "gru": gru_in_int8,
    "simple_rnn": rnn_in_int8,
    "dense": dense_in_int8,
    "conv1d": conv_in_int8,
}


def int8_answers(model: Any, x: Any) -> Any:
    """The answers of a model with kernels of int8, by the reference with the core's activations."""
    y = x[None]
    for layer in model.layers:
        handle = getattr(layer, "layer", layer)._core
        if handle.kind not in QUANTIZED:
            y = layer(y)
            continue
        options = {
            key: in_core(value) if key.endswith("activation") else value
            for key, value in handle.config.items()
        }
        names = [name for name, _ in handle.weight_names()]
        params = dict(zip(names, handle.get_weights(), strict=True))
        y = QUANTIZED[handle.kind](y, params, **options)
    return y[0]


def write(folder: str, cases: Iterable[str]) -> None:
    """Write cases to a folder: CASE.npz, with x and the answers, CASE.c and CASE_int8.c."""
    for case in cases:
        model = model_of(case)
        x = input_of(model)
        y = {case: answers(model, x)}
        lf.export_c(model, folder, name=case)
        if not case.startswith(("activation_", "lstm_layer_norm")):  # sums in another order
            lf.export_c(model, folder, name=f"{case}_int8", int8=True)
            y[f"{case}_int8"] = int8_answers(model, x)
        np.savez(Path(folder, f"{case}.npz"), x=x, **y)


def write_under_baseline(folder: Path, cases: Iterable[str]) -> None:
    """As `write`, in a process that computes with the baseline instruction set."""
    code = f"import exported_models; exported_models.write({str(folder)!r}, {[*cases]!r})"
    done = runs.python(code, LSTMFAST_ISA="baseline")
    assert done.returncode == 0, done.stderr
