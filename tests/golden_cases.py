"""Readers of the golden files: foreign names and layouts become those of the reference.

`lstmfast._layouts` does so; what the reference then computes proves it, for the files hold what
torch, Keras and ONNX Runtime have computed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmfast import _layouts, reference
from tolerances import allowed_errors

Array = npt.NDArray[Any]

HERE = Path(__file__).parent / "golden"


def golden_names(engine: str) -> list[str]:
    """Names of the files of an engine: "torch", "keras" (trainings) or "onnx"."""
    found = [path.stem for path in HERE.glob(f"{engine}_*.npz")]
    return sorted(name for name in found if name != "keras_functions")


def read(name: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Settings, versions and seed of a file, and its arrays."""
    with np.load(HERE / f"{name}.npz", allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    return json.loads(str(arrays.pop("meta"))), arrays


def with_prefix(arrays: dict[str, Array], prefix: str) -> dict[str, Array]:
    """The arrays whose key begins with the prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


@dataclass(frozen=True)
class TorchGolden:
    """A torch.nn.LSTM, batch first, in float64.

    `settings` are keywords of the constructor; `state_dict` and `grads` have torch's names.
    `layers` and `layer_grads` hold the same in logical layout, one dict a direction; both of
    torch's biases have the gradient of their sum. `results` are y, h_n, c_n, dx and, where the
    case has states, dh0 and dc0.
    """

    settings: dict[str, Any]
    input_size: int
    hidden_size: int
    x: Array
    h0: Array | None
    c0: Array | None
    lengths: Array | None
    dy: Array
    dh_n: Array
    dc_n: Array
    state_dict: dict[str, Array]
    grads: dict[str, Array]
    layers: list[dict[str, Array]]
    layer_grads: list[dict[str, Array]]
    results: dict[str, Array]


def _torch_layers(named: dict[str, Array], gradients: bool) -> list[dict[str, Array]]:
    ends = [key.removeprefix("weight_ih") for key in named if key.startswith("weight_ih")]
    # the sum of two float32 biases needs more digits
    exact = {k: v.astype(np.float64) if k.startswith("bias") else v for k, v in named.items()}
    return [
        _layouts.from_torch(
            {k.removesuffix(end): v for k, v in exact.items() if k.endswith(end)},
            gradients=gradients,
        )
        for end in ends
    ]


def read_torch(name: str) -> TorchGolden:
    """Read one of `golden_names("torch")`."""
    meta, arrays = read(name)
    state_dict, grads = with_prefix(arrays, "weight."), with_prefix(arrays, "grad.")
    results = ("y", "h_n", "c_n", "dx", "dh0", "dc0")
    return TorchGolden(
        settings=meta["settings"],
        input_size=arrays["x"].shape[-1],
        hidden_size=arrays["dc_n"].shape[-1],
        x=arrays["x"],
        h0=arrays.get("h0"),
        c0=arrays.get("c0"),
        lengths=arrays.get("lengths"),
        dy=arrays["dy"],
        dh_n=arrays["dh_n"],
        dc_n=arrays["dc_n"],
        state_dict=state_dict,
        grads=grads,
        layers=_torch_layers(state_dict, gradients=False),
        layer_grads=_torch_layers(grads, gradients=True),
        results={k: arrays[k] for k in results if k in arrays},
    )


def torch_numbers(golden: TorchGolden) -> dict[str, Array]:
    """All floating numbers of the problem; parameters as ``<direction>.<name>``."""
    named = {k: getattr(golden, k) for k in ("x", "h0", "c0", "dy", "dh_n", "dc_n")}
    for n, params in enumerate(golden.layers):
        named |= {f"{n}.{name}": value for name, value in params.items()}
    return {name: value for name, value in named.items() if value is not None}


def torch_expected(golden: TorchGolden) -> dict[str, Array]:
    """What torch answered, gradients as ``<direction>.<name>``."""
    expected = dict(golden.results)
    for n, named in enumerate(golden.layer_grads):
        expected |= {f"{n}.{name}": value for name, value in named.items()}
    return expected


def run_torch(golden: TorchGolden, numbers: dict[str, Array]) -> dict[str, Array]:
    """The reference on a torch case, results named as in `torch_expected`."""
    settings = golden.settings
    y, (h_n, c_n), cache = reference.stack_forward(
        numbers["x"],
        [{name: numbers[f"{n}.{name}"] for name in p} for n, p in enumerate(golden.layers)],
        numbers.get("h0"),
        numbers.get("c0"),
        options=reference.CellOptions(proj_size=settings.get("proj_size", 0)),
        bidirectional=settings.get("bidirectional", False),
        lengths=golden.lengths,
    )
    dy, dh, dc = (numbers[k] for k in ("dy", "dh_n", "dc_n"))
    dx, dh0, dc0, grads = reference.stack_backward(dy, dh, dc, cache)
    results = {"y": y, "h_n": h_n, "c_n": c_n, "dx": dx, "dh0": dh0, "dc0": dc0}
    for n, named in enumerate(grads):
        results |= {f"{n}.{name}": value for name, value in named.items()}
    return results


def torch_allowed(golden: TorchGolden, dtype: str) -> dict[str, float]:
    """Largest allowed |error| of each result for an engine that computes in dtype."""
    B, T, _ = golden.x.shape
    longest = max(T * B, *(sum(p["kernel"].shape) for p in golden.layers))
    numbers = torch_numbers(golden)
    return allowed_errors(
        lambda near: run_torch(golden, near), numbers, longest=longest, dtype=dtype
    )


@dataclass(frozen=True)
class KerasGolden:
    """A training in Keras in float64, without shuffling.

    `layers` are [class name, keywords], `optimizer` alike; `start` and `end` hold for each layer
    its weights by Keras's names (kernel, recurrent_kernel, bias); `losses` one a batch, batches
    of `batch_size` rows in order, `epochs` times.
    """

    layers: list[Any]
    optimizer: list[Any]
    loss: str
    batch_size: int
    epochs: int
    x: Array
    y: Array
    start: list[dict[str, Array]]
    end: list[dict[str, Array]]
    losses: Array


def read_keras(name: str) -> KerasGolden:
    """Read one of `golden_names("keras")`."""
    meta, arrays = read(name)
    spec = meta["training"]
    layers = range(len(spec["layers"]))
    return KerasGolden(
        layers=spec["layers"],
        optimizer=spec["optimizer"],
        loss=spec["loss"],
        batch_size=spec["batch_size"],
        epochs=spec["epochs"],
        x=arrays["x"],
        y=arrays["y"],
        losses=arrays["losses"],
        start=[with_prefix(arrays, f"start.{k}.") for k in layers],
        end=[with_prefix(arrays, f"end.{k}.") for k in layers],
    )


@dataclass(frozen=True)
class OnnxGolden:
    """One ONNX LSTM node in float32, time-major, one direction, with peepholes.

    `params` is in logical layout; with input_forget it is that of a cell with i = 1 - f.
    """

    attributes: dict[str, Any]
    x: Array
    h0: Array
    c0: Array
    lengths: Array
    params: dict[str, Array]
    y: Array
    h_n: Array
    c_n: Array


def read_onnx(name: str) -> OnnxGolden:
    """Read one of `golden_names("onnx")`."""
    meta, arrays = read(name)
    of_node = {name: arrays[name][0] for name in "WRBP"}
    of_node["B"] = of_node["B"].astype(np.float64)  # the sum of its halves needs more digits
    return OnnxGolden(
        attributes=meta["attributes"],
        x=arrays["X"],
        h0=arrays["initial_h"][0],
        c0=arrays["initial_c"][0],
        lengths=arrays["sequence_lens"],
        params=_layouts.from_onnx(of_node, coupled=bool(meta["attributes"].get("input_forget"))),
        y=arrays["Y"][:, 0],
        h_n=arrays["Y_h"][0],
        c_n=arrays["Y_c"][0],
    )
