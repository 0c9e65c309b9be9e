"""Model files of the first format still load, predict and go on training as they did.

`tests/golden/make_models.py` wrote them with commit 3d61923, one file a component.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import metrics
from lstmfast.callbacks import EarlyStopping
from lstmfast.models import load_model

HERE = Path(__file__).parent / "golden"
PATHS = {path.stem.removeprefix("model_"): path for path in sorted(HERE.glob("model_*"))}
with np.load(HERE / "models.npz", allow_pickle=False) as stored:
    ARRAYS = {key: stored[key] for key in stored.files}
META: dict[str, dict[str, Any]] = json.loads(str(ARRAYS.pop("meta")))["models"]
X = ARRAYS["samples.x"]

# To values of order 1. A file was written and its numbers computed on one ISA; others round
# otherwise. Sums have at most 60 terms (rows by steps, in gradients), whose roundings add up to
# √60·eps, and some ten such sums follow each other: 80·eps. (Between baseline and AVX-512 it is 2.)
TOLERANCE = {"float32": 80 * 2.0**-23, "float64": 80 * 2.0**-52}

# What that version knew. Each stands in a file, so that none is forgotten when a reader changes.
COMPONENTS: dict[str, set[str]] = {
    "layers": {"lstm", "dense", "dropout", "masking", "bidirectional"},
    "losses": {
        "mean_squared_error", "mean_absolute_error", "huber", "binary_crossentropy",
        "categorical_crossentropy", "sparse_categorical_crossentropy", "custom",
    },
    "metrics": {
        "mse", "mean_absolute_error", "root_mean_squared_error", "accuracy", "binary_accuracy",
        "categorical_accuracy", "sparse_categorical_accuracy", "custom:0",
    },
    "optimizers": {"sgd", "adam"},
    "regularizers": {"l1", "l2", "l1_l2", "orthogonal_regularizer"},
    "constraints": {"max_norm", "min_max_norm", "unit_norm", "non_neg"},
    "merge modes": {"concat", "sum", "mul", "ave"},
    "activations": {
        "linear", "relu", "tanh", "sigmoid", "hard_sigmoid", "leaky_relu", "elu", "softplus",
        "softsign", "exponential", "relu6", "selu", "celu", "gelu", "gelu_tanh", "silu", "mish",
        "tanh_shrink", "log_sigmoid", "hard_silu", "hard_tanh", "hard_shrink", "soft_shrink",
        "sparse_plus", "sparse_sigmoid", "squareplus", "threshold", "thresholded_relu", "affine",
        "scaled_tanh", "softmax",
    },
    "options": {
        "units", "use_bias", "activation", "recurrent_activation", "output_activation", "peephole",
        "coupled", "input_gate", "forget_gate", "output_gate", "layer_norm", "preact_clip",
        "cell_clip", "proj_size", "proj_clip", "zoneout_h", "zoneout_c", "dropout",
        "recurrent_dropout", "recurrent_dropout_kind", "weight_drop", "bptt_steps",
        "recompute_every", "zero_output_for_mask", "return_sequences", "go_backwards", "stateful",
        "seed", "name", "rate", "mask_value",
    },
    "rules": {
        "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer",
        "kernel_constraint", "recurrent_constraint", "bias_constraint",
    },
    "clips": {"norm", "value", "global_norm"},
}  # fmt: skip


def texts(path: Path) -> dict[str, str]:
    """The `__metadata__` of a safetensors file, read without lstmfast."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    found: dict[str, str] = json.loads(raw[8 : 8 + size])["__metadata__"]
    return found


def found_in_files() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {family: set() for family in COMPONENTS}
    for path in PATHS.values():
        for key, value in texts(path).items():
            head = ["", *key.split(".")]
            rule, last = head[-2:]
            if key == "compile.loss":
                found["losses"].add(value)
            elif key == "compile.metrics":
                found["metrics"] |= set(value.split(","))
            elif key == "compile.optimizer.kind":
                found["optimizers"].add(value)
            elif key.startswith("compile.clip."):
                found["clips"].add(last)
            elif head[1] != "model" or len(head) < 5:
                continue
            elif rule.endswith(("_regularizer", "_constraint")):
                found["rules"].add(rule)
                if last == "kind":
                    found[f"{rule.split('_')[-1]}s"].add(value)
            elif last == "kind":
                found["layers"].add(value)
            elif last == "merge_mode":
                found["merge modes"].add(value)
            else:
                found["options"].add(last)
                if "activation" in last:
                    found["activations"].add(value.split(":")[0])
    return found


def test_every_component_has_a_file() -> None:
    found = found_in_files()
    missing = {family: names - found[family] for family, names in COMPONENTS.items()}
    assert not any(missing.values()), missing
    assert {texts(path)["format_version"] for path in PATHS.values()} == {"1"}
    assert PATHS.keys() == META.keys() | {"callbacks", "never_compiled"}
    parameters = {"hard_sigmoid:0.2:0.4", "elu:0.9", "affine:0.9:0.1", "threshold:0.05:0.2"}
    values = {value for path in PATHS.values() for value in texts(path).values()}
    assert parameters <= values


def pull(y_true: Any, y_pred: Any) -> tuple[float, Any]:
    error = y_pred - y_true
    return float(np.mean(error**4)), 4.0 * error**3 / error.size


class Largest(metrics.Metric):
    def reset_state(self) -> None:
        self.value = 0.0

    def update_state(self, y_true: Any, y_pred: Any) -> None:
        self.value = max(self.value, float(np.abs(y_true - y_pred).max()))

    def result(self) -> float:
        return self.value


OWN = {"pull": pull, "Largest": Largest}


@pytest.mark.parametrize("name", META)
def test_a_file_goes_on(name: str) -> None:
    expected, model = META[name], load_model(PATHS[name], OWN)
    dtype = "float64" if name == "float64" else "float32"
    x, y = X.astype(dtype), ARRAYS[f"samples.{expected['target']}"]
    assert model.name == name
    assert [layer.name for layer in model.layers] == expected["names"]
    assert model.optimizer is not None
    assert model.optimizer.iterations == expected["iterations"]
    predicted = model.predict(x, batch_size=len(x), verbose=0)
    assert predicted.dtype == dtype
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(predicted, ARRAYS[f"{name}.y"], **close)
    for number, values in enumerate(ARRAYS[f"{name}.logs"]):
        logs = model.train_on_batch(x, y, return_dict=True)
        assert list(logs) == sorted(expected["logs"])
        found = [logs[key] for key in expected["logs"]]
        np.testing.assert_allclose(found, values, **close, err_msg=str(number))


def test_what_callbacks_remember_goes_on() -> None:
    """In the file, EarlyStopping has waited for 2 epochs and holds the weights after epoch 0."""
    model = load_model(PATHS["callbacks"])
    best = ARRAYS["callbacks.best"]
    assert not np.array_equal(np.concatenate([w.ravel() for w in model.get_weights()]), best)
    stop = EarlyStopping("loss", 1000, 4, restore_best_weights=True)
    y = ARRAYS["samples.numbers"]
    run = model.fit(X, y, epochs=9, initial_epoch=3, verbose=0, callbacks=[stop])
    assert (run.epoch, stop.best_epoch) == ([3, 4], 0)
    np.testing.assert_array_equal(np.concatenate([w.ravel() for w in model.get_weights()]), best)


def test_a_model_that_was_never_compiled() -> None:
    model = load_model(PATHS["never_compiled"])
    assert (model.name, model.optimizer, model.loss) == ("untrained", None, None)
    y = model.predict(X, verbose=0)
    tolerance = TOLERANCE["float32"]
    np.testing.assert_allclose(y, ARRAYS["never_compiled.y"], rtol=tolerance, atol=tolerance)
