"""Small models of recurrent layers, here and on the reference: same numbers, every result."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import lstmfast as lf
from lstmfast import reference
from lstmfast.reference import CellOptions, Masks
from philox import random_bits
from tolerances import NORM_GAIN, allowed_errors

Array = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

CELLS = {"lstm": lf.layers.LSTM, "gru": lf.layers.GRU, "simple_rnn": lf.layers.SimpleRNN}
KINDS = ("dropout", "input", "recurrent", "weight", "zoneout_h", "zoneout_c")
_CELL = {entry.name for entry in fields(CellOptions)} | {"reset_after"}

# padded right, padded left, with gaps, with nothing left, whole
MASK = np.array(
    [
        [True, True, True, True, False, False],
        [False, False, True, True, True, True],
        [False, True, False, True, True, False],
        [False, False, False, False, False, False],
        [True, True, True, True, True, True],
    ]
)


@dataclass
class Net:
    """Layers by kind and keywords; ``("lstm", {...})``, ``("bidirectional", merge_mode, {}, {})``.

    Every random layer has a seed of its own among its keywords. A half of a bidirectional may have
    a `cell` among them, its kind where it is no LSTM.
    """

    specs: list[tuple[Any, ...]]
    B: int = 5
    T: int = 6
    I: int = 3
    masked: bool = False  # a Masking layer comes first, and x is masked as MASK says

    def layers(self) -> list[Any]:
        found: list[Any] = [lf.layers.Masking()] if self.masked else []
        for kind, *args in self.specs:
            if kind in CELLS:
                found.append(CELLS[kind](**args[0]))
            elif kind == "dense":
                found.append(lf.layers.Dense(**args[0]))
            elif kind == "dropout":
                found.append(lf.layers.Dropout(**args[0]))
            else:
                merge, ahead, back = args
                back = {"go_backwards": not ahead.get("go_backwards", False)} | back
                halves = _half(**ahead), _half(**back)
                found.append(lf.layers.Bidirectional(halves[0], merge, backward_layer=halves[1]))
        return found

    def model(self, dtype: str = "float64", **keywords: Any) -> lf.Sequential:
        shape = lf.layers.Input((self.T, self.I), **keywords)
        return lf.Sequential([shape, *self.layers()], dtype=dtype, seed=0)

    def numbers(self) -> Arrays:
        """x, target and the weights, as ``<n>.<name>`` in the order of `get_weights`."""
        rng = np.random.default_rng(3)
        model = self.model()
        x = rng.standard_normal((self.B, self.T, self.I))
        if self.masked:
            x[~MASK[: self.B, : self.T]] = 0.0
        named = {"x": x, "target": rng.standard_normal((self.B, *model.output_shape[1:]))}
        for n, layer in enumerate(model.layers):
            for name, shape in layer.weight_parts():
                named[f"{n}.{name}"] = 0.4 * rng.standard_normal(shape) + ("norm" in name)
        return named

    def forward(self, numbers: Arrays, step: int | None = None) -> tuple[Array, Any, list[Any]]:
        """y, its mask and a function back for each layer; `step`: with the masks of training."""
        x: Array = numbers["x"]
        mask = None
        backs: list[Any] = []
        first = 0
        if self.masked:
            mask = np.any(x != 0.0, axis=-1)
            first = 1
        stream = 0
        for n, (kind, *args) in enumerate(self.specs, start=first):
            mine = {k[len(str(n)) + 1 :]: v for k, v in numbers.items() if k.startswith(f"{n}.")}
            if kind == "dense":
                x, cache = reference.dense_forward(x, mine, args[0].get("activation", "linear"))
                backs.append((n, cache, reference.dense_backward))
                continue
            if kind == "dropout":
                drawn = _dropped(args[0]["rate"], "dropout", args[0], stream, step, x.shape)
                stream += 1
                x = x if drawn is None else x * drawn
                backs.append((n, drawn, lambda dy, m: (dy if m is None else dy * m, {})))
                continue
            halves: list[tuple[Any, Arrays]]
            merge: str | None = "concat"
            if kind == "bidirectional":
                merge, ahead, back = args
                back = {"go_backwards": not ahead.get("go_backwards", False)} | back
                halves = [
                    (each, {k.split(".")[1]: v for k, v in mine.items() if k.startswith(which)})
                    for which, each in (("forward", ahead), ("backward", back))
                ]
            else:
                halves = [(args[0] | {"cell": kind}, mine)]
            runs = []
            for options, params in halves:
                zero = kind == "bidirectional" and options.get("return_sequences", False)
                runs.append(_Run(options, params, x, mask, zero, stream, step))
                stream += 1
            x = _merged(runs, merge)
            backs.append((n, (runs, merge), _merged_back))
            mask = mask if halves[0][0].get("return_sequences") else None
        return x, mask, backs

    def run(self, numbers: Arrays, step: int | None = None) -> Arrays:
        """y, the mean squared error over the rows that count, and ``d<n>.<name>``."""
        y, mask, backs = self.forward(numbers, step)
        error = y - numbers["target"]
        weights = np.ones(y.shape[:-1]) if mask is None else mask.astype(float)
        counted = max(weights.sum(), 1.0) * y.shape[-1]
        found = {"y": y, "loss": np.array((weights[..., None] * error**2).sum() / counted)}
        d = 2.0 * weights[..., None] * error / counted
        for n, cache, back in reversed(backs):
            d, grads = back(d, cache)[:2]
            found |= {f"d{n}.{name}": value for name, value in grads.items()}
        return {k: v for k, v in found.items() if k[1:] in numbers or k in ("y", "loss")}

    def allowed(self, numbers: Arrays, dtype: str, step: int | None = None) -> dict[str, float]:
        """How far lstmfast may be off."""
        widest = max(v.shape[0] for k, v in numbers.items() if k.endswith("kernel"))
        longest = max(self.T * self.B, 4 * 20, 2 * widest)
        norm = any("norm" in name for name in numbers)
        return allowed_errors(
            lambda moved: self.run(moved, step),
            numbers,
            longest=longest,
            dtype=dtype,
            still=NORM_GAIN if norm else 1.0,
        )


class _Run:
    """One recurrent layer on the reference; y in the order of its run, as lstmfast gives it out."""

    def __init__(
        self,
        options: dict[str, Any],
        params: Arrays,
        x: Array,
        mask: Array | None,
        zero: bool,
        stream: int,
        step: int | None,
    ) -> None:
        self.all = options.get("return_sequences", False)
        self.backwards = options.get("go_backwards", False)
        self.kind, self.shape = options.get("cell", "lstm"), x.shape
        cell: dict[str, Any] = {k: v for k, v in options.items() if k in _CELL}
        y, _, self.cache = getattr(reference, f"{self.kind}_forward")(
            x,
            params,
            **({"options": CellOptions(**cell)} if self.kind == "lstm" else cell),
            mask=mask,
            zero_output_for_mask=zero or options.get("zero_output_for_mask", False),
            masks=_masks(options, x, stream, step),
            bptt_steps=options.get("bptt_steps"),
            reverse=self.backwards,
        )
        self.y = y[:, ::-1] if self.backwards else y
        if not self.all:
            self.y = self.y[:, -1]

    def back(self, dy: Array) -> tuple[Array, Arrays]:
        B, T, _ = self.shape
        if not self.all:
            steps = np.zeros((B, T, dy.shape[-1]))
            steps[:, -1] = dy
            dy = steps
        states = [None] * (2 if self.kind == "lstm" else 1)
        back = getattr(reference, f"{self.kind}_backward")(
            dy[:, ::-1] if self.backwards else dy, *states, self.cache
        )
        return back[0], back[-1]


def _half(cell: str = "lstm", **options: Any) -> Any:
    return CELLS[cell](**options)


def _turned(run: _Run, value: Array) -> Array:
    return value[:, ::-1] if run.all else value


def _merged(runs: list[_Run], merge: str | None) -> Array:
    if len(runs) == 1:
        return runs[0].y
    a, b = runs[0].y, _turned(runs[1], runs[1].y)
    if merge == "concat":
        return np.concatenate([a, b], axis=-1)
    return a * b if merge == "mul" else (a + b) * (0.5 if merge == "ave" else 1.0)


def _merged_back(d: Array, cache: tuple[list[_Run], str | None]) -> tuple[Array, Arrays]:
    runs, merge = cache
    if len(runs) == 1:
        return runs[0].back(d)
    a, b = runs[0].y, _turned(runs[1], runs[1].y)
    if merge == "concat":
        ds = [d[..., : a.shape[-1]], d[..., a.shape[-1] :]]
    elif merge == "mul":
        ds = [d * b, d * a]
    else:
        ds = [d * (0.5 if merge == "ave" else 1.0)] * 2
    ahead, back = runs[0].back(ds[0]), runs[1].back(_turned(runs[1], ds[1]))
    grads = {f"forward.{k}": v for k, v in ahead[1].items()}
    return ahead[0] + back[0], grads | {f"backward.{k}": v for k, v in back[1].items()}


def _below(rate: float, kind: str, seed: int, stream: int, step: int, shape: Any) -> Array:
    bits = random_bits(seed, stream, KINDS.index(kind), step, shape)
    return np.asarray(bits < int(rate * 2.0**32))


def _dropped(
    rate: float, kind: str, options: Any, stream: int, step: int | None, shape: Any
) -> Array | None:
    if step is None or rate == 0.0:
        return None
    low = _below(rate, kind, options["seed"], stream, step, shape)
    return np.where(low, 0.0, 1.0 / (1.0 - rate))


def _masks(options: dict[str, Any], x: Array, stream: int, step: int | None) -> Masks:
    if step is None:
        return Masks()
    B, T, I = x.shape
    H, gates = options["units"], {"gru": 3, "simple_rnn": 1}.get(options.get("cell", "lstm"), 4)
    gates -= bool(options.get("coupled"))
    O = options.get("proj_size") or H
    by_step = options.get("recurrent_dropout_kind") == "step"

    def zoned(name: str, width: int) -> Array | None:
        rate = options.get(name, 0.0)
        if not rate:
            return None
        return _below(rate, name, options["seed"], stream, step, (B, T, width)).astype(float)

    def drawn(name: str, kind: str, shape: Any) -> Array | None:
        return _dropped(options.get(name, 0.0), kind, options, stream, step, shape)

    return Masks(
        input=drawn("dropout", "input", (B, I)),
        recurrent=drawn("recurrent_dropout", "recurrent", (B, T, O) if by_step else (B, O)),
        weight=drawn("weight_drop", "weight", (O, gates * H)),
        zoneout_h=zoned("zoneout_h", O),
        zoneout_c=zoned("zoneout_c", H),
    )
