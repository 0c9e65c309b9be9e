"""Write the golden model files next to this script, with the version that still defines them.

    git checkout 3d61923 && pip install .      # the last commit with a row of layers as a model
    python make_models.py                      # this file, kept outside that checkout

One file a component, `model_<component>.safetensors`: each layer, loss, metric, optimizer,
regularizer and constraint, each option of the cell, each activation; which of them a file holds
stands in its `__metadata__`. `models.npz` holds the samples and, for each file once loaded again
by that version, what it predicts and what three further training steps report.
`tests/test_golden_models.py` reads both; every later version must load these files, so this script
runs with no other version.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast import callbacks, constraints, losses, metrics, optimizers, regularizers
from lstmfast.activations import Activation
from lstmfast.initializers import RandomNormal
from lstmfast.layers import LSTM, Bidirectional, Dense, Dropout, Input, Masking
from lstmfast.models import Sequential, load_model

HERE = Path(__file__).parent
SEED = 20260
B, T, I = 6, 5, 2
EPOCHS = 2  # before a model is saved: one step an epoch, so slots and iterations are not zero

# option of the cell or the call -> keywords of the layer
LSTM_OPTIONS: dict[str, dict[str, Any]] = {
    "no_bias": {"use_bias": False},
    "output_activation": {"output_activation": "softsign"},
    "peephole": {"peephole": True},
    "coupled": {"coupled": True},
    "no_input_gate": {"input_gate": False},
    "no_forget_gate": {"forget_gate": False},
    "no_output_gate": {"output_gate": False},
    "layer_norm": {"layer_norm": True, "forget_bias": 0.5},
    "preact_clip": {"preact_clip": 0.2},
    "cell_clip": {"cell_clip": 0.1},
    "projection": {"proj_size": 2},
    "proj_clip": {"proj_size": 2, "proj_clip": 0.05},
    "zoneout": {"zoneout_h": 0.3, "zoneout_c": 0.4, "seed": 4},
    "dropout": {"dropout": 0.4, "seed": 5},
    "recurrent_dropout": {"recurrent_dropout": 0.4, "seed": 6},
    "recurrent_dropout_step": {
        "recurrent_dropout": 0.4, "recurrent_dropout_kind": "step", "seed": 7,
    },
    "weight_drop": {"weight_drop": 0.4, "seed": 8},
    "bptt_steps": {"bptt_steps": 2},
    "recompute_every": {"recompute_every": 2},
    "recompute_sqrt": {"recompute_every": "sqrt"},
    "go_backwards": {"go_backwards": True},
    "all_at_once": {
        "peephole": True, "layer_norm": True, "proj_size": 2, "proj_clip": 0.4, "zoneout_h": 0.1,
        "dropout": 0.2, "recurrent_dropout": 0.2, "cell_clip": 0.8, "bptt_steps": 3,
        "recompute_every": 2,
    },
}  # fmt: skip

ACTIVATIONS: tuple[tuple[Any, ...], ...] = (
    ("linear", "tanh", "sigmoid", "hard_sigmoid", "leaky_relu"),
    ("elu", "softplus", "softsign", "relu6", "exponential"),
    ("selu", "celu", "gelu", "gelu_tanh"),
    ("silu", "mish", "tanh_shrink"),
    ("log_sigmoid", "hard_silu", "hard_tanh", "sparse_plus", "sparse_sigmoid"),
    ("relu", "hard_shrink"),
    ("squareplus", "affine", "scaled_tanh", "soft_shrink"),
    ("threshold", "thresholded_relu"),
    (
        Activation("hard_sigmoid", 0.2, 0.4), Activation("leaky_relu", 0.07),
        Activation("elu", 0.8), Activation("celu", 1.5), Activation("squareplus", 3.0),
    ),
    (
        Activation("soft_shrink", 0.02), Activation("scaled_tanh", 1.7, 0.6),
        Activation("affine", 0.9, 0.1), Activation("hard_shrink", 0.3),
    ),
    (Activation("threshold", 0.05, 0.2), Activation("thresholded_relu", 0.03)),
)  # fmt: skip

MERGES = ("concat", "sum", "mul", "ave")

LOSSES: dict[str, tuple[Any, str, int, Any]] = {
    "mse": (losses.MeanSquaredError(), "numbers", 1, None),
    "mae": (losses.MeanAbsoluteError(), "numbers", 1, None),
    "huber": (losses.Huber(0.4), "numbers", 1, None),
    "binary": (losses.BinaryCrossentropy(label_smoothing=0.1), "bits", 1, "sigmoid"),
    "binary_logits": (losses.BinaryCrossentropy(from_logits=True), "bits", 1, None),
    "categorical": (losses.CategoricalCrossentropy(label_smoothing=0.2), "rows", 3, "softmax"),
    "categorical_logits": (losses.CategoricalCrossentropy(from_logits=True), "rows", 3, None),
    "sparse": (losses.SparseCategoricalCrossentropy(), "labels", 3, "softmax"),
    "sparse_logits": (losses.SparseCategoricalCrossentropy(from_logits=True), "labels", 3, None),
}

METRICS: dict[str, tuple[Any, str, int, Any, Any]] = {
    "numbers": (
        ["mse", metrics.MeanAbsoluteError(name="off, by"), metrics.RootMeanSquaredError()],
        "numbers", 1, None, "mse",
    ),
    "bits": (
        ["accuracy", metrics.BinaryAccuracy(name="right")],
        "bits", 1, "sigmoid", "binary_crossentropy",
    ),
    "rows": (["categorical_accuracy"], "rows", 3, "softmax", "categorical_crossentropy"),
    "labels": (
        [metrics.SparseCategoricalAccuracy(), metrics.Accuracy(name="acc")],
        "labels", 3, "softmax", "sparse_categorical_crossentropy",
    ),
}  # fmt: skip

OPTIMIZERS: dict[str, Any] = {
    "sgd": optimizers.SGD(0.1),
    "momentum": optimizers.SGD(0.1, momentum=0.9),
    "nesterov": optimizers.SGD(0.1, momentum=0.8, nesterov=True),
    "adam": optimizers.Adam(0.02, beta_1=0.8, beta_2=0.95, epsilon=1e-4),
    "clipnorm": optimizers.SGD(0.1, momentum=0.5, clipnorm=0.05),
    "clipvalue": optimizers.Adam(0.02, clipvalue=0.01),
    "global_clipnorm": optimizers.SGD(0.1, global_clipnorm=0.1),
}

REGULARIZERS: dict[str, Any] = {
    "l1": regularizers.L1(0.02),
    "l2": regularizers.L2(0.03),
    "l1_l2": regularizers.L1L2(0.01, 0.02),
    "orthogonal_rows": regularizers.OrthogonalRegularizer(0.05),
    "orthogonal_columns": regularizers.OrthogonalRegularizer(0.05, mode="columns"),
}

CONSTRAINTS: dict[str, Any] = {
    "max_norm": constraints.MaxNorm(0.7),
    "min_max_norm": constraints.MinMaxNorm(0.2, 0.8, rate=0.6, axis=1),
    "unit_norm": constraints.UnitNorm(axis=(0, 1)),
    "non_neg": constraints.NonNeg(),
}


def pull(y_true: Any, y_pred: Any) -> tuple[float, Any]:
    """A loss of the user's own: (y - t)^4, and its gradient."""
    error = y_pred - y_true
    return float(np.mean(error**4)), 4.0 * error**3 / error.size


class Largest(metrics.Metric):
    """A metric of the user's own."""

    def reset_state(self) -> None:
        self.value = 0.0

    def update_state(self, y_true: Any, y_pred: Any) -> None:
        self.value = max(self.value, float(np.abs(y_true - y_pred).max()))

    def result(self) -> float:
        return self.value


def samples() -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((B, T, I)).astype(np.float32)
    x[1, 3:] = x[2, :2] = x[3, 2] = 0.0  # what Masking masks
    labels = np.array([0, 2, 1, 1, 0, 2])
    numbers = rng.standard_normal((B, 1)).astype(np.float32)
    steps = rng.standard_normal((B, T, 1)).astype(np.float32)
    bits = (labels > 0).astype(np.float32)[:, None]
    rows = np.eye(3, dtype=np.float32)[labels]
    return {
        "x": x, "numbers": numbers, "two": rows[:, :2] - 0.5, "steps": steps, "bits": bits,
        "rows": rows, "labels": labels,
    }  # fmt: skip


DATA = samples()
META: dict[str, dict[str, Any]] = {}
ARRAYS: dict[str, Any] = {}


def save(
    name: str,
    layers: list[Any],
    target: str = "numbers",
    optimizer: Any = None,
    loss: Any = "mse",
    reported: Any = None,
    dtype: str = "float32",
    batch_size: int | None = None,
    steps: int | None = None,
    own: Any = None,
    rate: float | None = None,
) -> None:
    """Train for some steps, save, load, and write down what the loaded model does."""
    shape = Input((steps, I), batch_size=batch_size)
    model = Sequential([shape, *layers], name=name, dtype=dtype, seed=len(META))
    model.compile(optimizer or optimizers.SGD(0.1), loss, metrics=reported)
    x, y = DATA["x"].astype(dtype), DATA[target]
    model.fit(x, y, batch_size=B, epochs=EPOCHS, verbose=0, shuffle=False)
    if rate is not None:
        assert model.optimizer is not None
        model.optimizer.learning_rate = rate
    path = HERE / f"model_{name}.safetensors"
    model.save(path)
    again = load_model(path, own)
    assert again.optimizer is not None
    META[name] = {"target": target, "iterations": again.optimizer.iterations}
    META[name]["names"] = [layer.name for layer in again.layers]
    ARRAYS[f"{name}.y"] = again.predict(x, batch_size=B, verbose=0)
    logs = [again.train_on_batch(x, y, return_dict=True) for _ in range(3)]
    META[name]["logs"] = list(logs[0])
    ARRAYS[f"{name}.logs"] = np.array([list(each.values()) for each in logs])


def layers_and_cells() -> None:
    save("masking", [Masking(), LSTM(3, return_sequences=True), LSTM(2), Dense(1)])
    ones = [Masking(1.0), LSTM(3, zero_output_for_mask=True, return_sequences=True), Dense(1)]
    save("masking_value", ones, "steps")
    save("dropout", [LSTM(3), Dropout(0.4, seed=2), Dense(1)])
    save("dense", [Dense(3, "tanh", use_bias=False), LSTM(2), Dense(1, name="last: of all")])
    save("float64", [LSTM(3), Dense(1)], dtype="float64", optimizer=optimizers.Adam(0.02))
    stateful = [LSTM(3, stateful=True, return_sequences=True), LSTM(2, stateful=True), Dense(1)]
    save("stateful", stateful, batch_size=B, steps=T)
    for name, keywords in LSTM_OPTIONS.items():
        save(f"lstm_{name}", [LSTM(3, **keywords), Dense(1)])
    for merge in MERGES:
        save(f"bidirectional_{merge}", [Bidirectional(LSTM(2), merge), Dense(1)])
    both = Bidirectional(
        LSTM(2, return_sequences=True, peephole=True),
        backward_layer=LSTM(3, "softsign", return_sequences=True, go_backwards=True),
    )
    save("bidirectional_two_layers", [Masking(), both, Dense(1)], "steps")
    again = Bidirectional(LSTM(2, stateful=True), "ave")
    save("bidirectional_stateful", [again, Dense(1)], batch_size=B)
    for number, functions in enumerate(ACTIVATIONS):
        wide = [Dense(5, f, kernel_initializer=RandomNormal(stddev=0.7)) for f in functions]
        save(f"activations_{number}", [*wide, LSTM(3), Dense(1)])
    # any function in a gate, with parameters
    gates = LSTM(3, Activation("scaled_tanh", 1.2, 0.7), Activation("hard_sigmoid", 0.25, 0.45),
                 output_activation=Activation("elu", 0.9))  # fmt: skip
    save("activations_of_gates", [gates, Dense(1)])


def training() -> None:
    for name, (loss, target, units, function) in LOSSES.items():
        save(f"loss_{name}", [LSTM(2), Dense(units, function)], target, loss=loss)
    own = {"pull": pull, "Largest": Largest}
    save("loss_custom", [LSTM(2), Dense(1)], loss=pull, reported=[Largest(name="far")], own=own)
    for name, (reported, target, units, function, loss) in METRICS.items():
        head = Dense(units, function)
        save(f"metrics_{name}", [LSTM(2), head], target, loss=loss, reported=reported)
    for name, optimizer in OPTIMIZERS.items():
        save(f"optimizer_{name}", [LSTM(2), Dense(1)], optimizer=optimizer)
    save("optimizer_new_rate", [LSTM(2), Dense(1)], optimizer=optimizers.Adam(0.02), rate=0.07)
    for name, rule in REGULARIZERS.items():
        of_lstm = dict.fromkeys(("kernel_regularizer", "recurrent_regularizer"), rule)
        if "orthogonal" not in name:  # which takes matrices of several rows and columns
            of_lstm |= dict.fromkeys(("bias_regularizer", "activity_regularizer"), rule)
        save(f"regularizer_{name}", [LSTM(2, **of_lstm), Dense(2, kernel_regularizer=rule)], "two")
    for name, rule in CONSTRAINTS.items():
        of_lstm = dict.fromkeys(("kernel_constraint", "recurrent_constraint"), rule)
        if "axis" not in vars(rule) or rule.axis == 0:
            of_lstm["bias_constraint"] = rule
        head = Dense(2, kernel_constraint=rule)
        save(f"constraint_{name}", [LSTM(2, **of_lstm), head, Dense(1)])


def states_of_callbacks() -> None:
    """After epoch 0 nothing is better by 1000: `wait` is 2 when the file is written."""
    stop = callbacks.EarlyStopping("loss", 1000, 4, restore_best_weights=True)
    first: list[Any] = []
    kept = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: first or first.extend(model.get_weights())
    )
    path = HERE / "model_callbacks.safetensors"
    model = Sequential([Input((T, I)), LSTM(2), Dense(1)], name="callbacks", seed=0)
    model.compile(optimizers.SGD(0.1), "mse")
    checkpoint = callbacks.ModelCheckpoint(path)
    model.fit(DATA["x"], DATA["numbers"], B, 3, verbose=0, callbacks=[kept, stop, checkpoint])
    ARRAYS["callbacks.best"] = np.concatenate([w.ravel() for w in first])


def main() -> None:
    layers_and_cells()
    training()
    states_of_callbacks()
    untrained = Sequential([LSTM(2, input_shape=(None, I)), Dense(1)], name="untrained", seed=0)
    untrained.save(HERE / "model_never_compiled.safetensors")
    ARRAYS["never_compiled.y"] = untrained.predict(DATA["x"], verbose=0)
    stored: dict[str, Any] = {f"samples.{name}": a for name, a in DATA.items()} | ARRAYS
    text = json.dumps({"commit": "3d61923", "seed": SEED, "models": META})
    np.savez_compressed(HERE / "models.npz", **stored, meta=np.array(text))


if __name__ == "__main__":
    main()
