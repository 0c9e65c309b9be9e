"""Layers other than the LSTM against torch: inference, and a step of training with SGD.

Each case is a model of lstmfast's layers, and a module of torch's that gets the same weights. Both
learn to give zeros. Of several layers in a row all but the first compute the gradient of their
input, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import OWN, Settings, Suite, WrongAnswerError
from lstmfast._bench.engines import Engine, UnsupportedError
from lstmfast._bench.engines.vs_torch import import_torch
from lstmfast._bench.problems import Array
from lstmfast._bench.protocol import Call, Goal, Row, make_row, take_turns
from lstmfast.layers import GRU, Conv1D, Conv2D, Embedding, Input, Layer
from lstmfast.models import Sequential
from lstmfast.optimizers import SGD

RATE = 0.01
AHEAD, CLOSE = Goal("ratio", 1.0), Goal("ratio", 0.8)
LARGE = 64  # rows of a batch, from which CLOSE is the goal


@dataclass(frozen=True)
class Kind:
    """A kind of layer.

    Attributes
    ----------
    cases : sequence of (batch, shape of a sample, sizes)
        The sizes go to `ours` and `theirs`.
    ours, theirs : callable
        Return the layers for these sizes; theirs gets torch.nn first, and the features of x.
    axes : sequence of int
        Those of torch's kernel, in Keras's order.
    ids : bool
        Whether x holds ids, below the first of the sizes.
    channels_first : bool
        Whether torch's features are axis 1.
    gates : sequence of int
        Of a recurrent layer: the places of torch's gates among Keras's.
    """

    name: str
    cases: Sequence[tuple[int, tuple[int, ...], tuple[int, ...]]]
    ours: Callable[..., list[Layer]]
    theirs: Callable[..., list[Any]]
    axes: tuple[int, ...]
    ids: bool = False
    channels_first: bool = False
    gates: tuple[int, ...] = ()

    def to_torch(self, weights: list[Array]) -> list[Array]:
        """Return weights in torch's layout."""
        if self.gates:
            kernel, recurrent, biases = (_reordered(w, self.gates) for w in weights)
            return [kernel.T, recurrent.T, *biases]
        back = np.argsort(self.axes)
        return [w if w.ndim == 1 else w.transpose(back) for w in weights]

    def from_torch(self, weights: list[Array]) -> list[Array]:
        """Return torch's weights in Keras's layout."""
        if self.gates:
            w, r, *biases = weights
            back = tuple(np.argsort(self.gates))
            return [_reordered(each, back) for each in (w.T, r.T, np.stack(biases))]
        return [w if w.ndim == 1 else w.transpose(self.axes) for w in weights]


def _reordered(weight: Array, gates: Sequence[int]) -> Array:
    parts = np.split(weight, len(gates), axis=-1)
    return np.concatenate([parts[gate] for gate in gates], axis=-1)


def _convolutions(of: Any, filters: int, taps: int) -> list[Layer]:
    return [of(filters, taps, padding="same", activation="relu") for _ in range(2)]


def _torch_convolutions(name: str, nn: Any, features: int, filters: int, taps: int) -> list[Any]:
    both = [getattr(nn, name)(n, filters, taps, padding="same") for n in (features, filters)]
    return [each for convolution in both for each in (convolution, nn.ReLU())]


def _torch_gru(nn: Any, features: int, units: int) -> list[Any]:
    class Outputs(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(features, units, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.gru(x)[0]

    return [Outputs()]


KINDS = (
    Kind(
        "conv1d",
        [(1, (64, 1), (16, 5)), (32, (50, 8), (32, 3)), (32, (100, 64), (64, 3)),
         (32, (500, 64), (128, 5)), (64, (256, 256), (256, 3))],
        partial(_convolutions, Conv1D), partial(_torch_convolutions, "Conv1d"), (2, 1, 0),
        channels_first=True,
    ),
    Kind(
        "conv2d",
        [(1, (28, 28, 1), (16, 3)), (32, (28, 28, 1), (32, 3)), (32, (14, 14, 32), (64, 3)),
         (8, (56, 56, 64), (64, 3)), (64, (14, 14, 256), (256, 3))],
        partial(_convolutions, Conv2D), partial(_torch_convolutions, "Conv2d"), (2, 3, 1, 0),
        channels_first=True,
    ),
    Kind(
        "embedding",
        [(1, (10,), (1000, 16)), (32, (50,), (10_000, 64)), (32, (100,), (20_000, 128)),
         (64, (200,), (20_000, 256)), (128, (100,), (50_000, 512))],
        lambda rows, width: [Embedding(rows, width)],
        lambda nn, _, rows, width: [nn.Embedding(rows, width, sparse=True)], (0, 1), ids=True,
    ),
    Kind(
        "gru",
        [(1, (20, 1), (20,)), (1, (100, 40), (64,)), (32, (50, 64), (128,)),
         (16, (60, 128), (256,)), (128, (20, 64), (512,))],
        lambda units: [GRU(units, return_sequences=True)], _torch_gru, (), gates=(1, 0, 2),
    ),
)  # fmt: skip


class Ours:
    """A model of lstmfast's."""

    def __init__(self, kind: Kind, x: Array, sizes: Sequence[int]) -> None:
        self.x, start = x, Input(x.shape[1:], dtype="int32" if kind.ids else "float32")
        self.model = Sequential([start, *kind.ours(*sizes)], seed=0)
        self.model.compile(SGD(RATE), "mse")
        self.zeros = np.zeros_like(self.forward())

    def forward(self) -> Array:
        """Return the outputs."""
        y: Array = self.model.predict_on_batch(self.x)
        return y

    def train(self) -> Any:
        """Do a step; return the loss before it."""
        return self.model.train_on_batch(self.x, self.zeros)

    def weights(self) -> list[Array]:
        """Return copies of the weights."""
        return list(self.model.get_weights())


class Torchs:
    """The same of torch's; weights in Keras's layout."""

    def __init__(
        self, kind: Kind, x: Array, sizes: Sequence[int], weights: list[Array], threads: int
    ) -> None:
        self.torch, self.kind = import_torch(threads), kind
        nn = self.torch.nn
        self.module = nn.Sequential(*kind.theirs(nn, x.shape[-1], *sizes))
        self.x = self.torch.from_numpy(np.moveaxis(x, -1, 1).copy() if kind.channels_first else x)
        for own, values in zip(self.module.parameters(), kind.to_torch(weights), strict=True):
            own.data.copy_(self.torch.from_numpy(np.ascontiguousarray(values)))
        self.optimizer = self.torch.optim.SGD(self.module.parameters(), RATE)
        self.zeros = self.torch.zeros_like(self.module(self.x))

    def forward(self) -> Any:
        """Return the outputs as torch has them."""
        with self.torch.inference_mode():
            return self.module(self.x)

    def train(self) -> Any:
        """Do a step; return the loss before it."""
        self.optimizer.zero_grad()
        loss = self.torch.nn.functional.mse_loss(self.module(self.x), self.zeros)
        loss.backward()
        self.optimizer.step()
        return loss.detach().numpy()

    def output(self) -> Array:
        """Return the outputs as ours are."""
        y = self.forward().numpy()
        return np.moveaxis(y, 1, -1) if self.kind.channels_first else y

    def weights(self) -> list[Array]:
        """Return the weights in Keras's layout."""
        arrays = [own.detach().numpy() for own in self.module.parameters()]
        return self.kind.from_torch(arrays)


def compare(case: str, ours: Ours, theirs: Torchs) -> None:
    """Compare outputs, losses and what a step of training changes.

    Raises
    ------
    WrongAnswerError
        Where they differ by more than rounding: of sums of `terms` random roundings.
    """
    before, y = ours.weights(), ours.forward()
    pairs = {"y": (y, theirs.output()), "loss": (ours.train(), theirs.train())}
    for k, (start, own, other) in enumerate(
        zip(before, ours.weights(), theirs.weights(), strict=True)
    ):
        pairs[f"step of weight {k}"] = own - start, other - start
    terms = max(y.size // y.shape[-1], *(w.size // w.shape[-1] for w in before))
    for name, (got, right) in pairs.items():
        scale = float(np.abs(right).max())
        still = 0.0 if name in ("y", "loss") else 4.0 * max(float(np.abs(w).max()) for w in before)
        limit = float(np.finfo(np.float32).eps) * (64.0 * terms**0.5 * scale + still)
        if not np.abs(np.asarray(got) - right).max() <= limit:
            raise WrongAnswerError(f"{case}: {name} is not torch's")


def _run(settings: Settings) -> Iterator[list[Row]]:
    lf.set_num_threads(settings.threads)
    for kind in KINDS:
        for batch, sample, sizes in kind.cases:
            yield from against_torch(settings, kind, (batch, *sample), sizes)


def against_torch(
    settings: Settings, kind: Kind, shape: tuple[int, ...], sizes: tuple[int, ...]
) -> Iterator[list[Row]]:
    """Yield the rows of one case, after the answers have been compared."""
    rng = np.random.default_rng(0)
    case = f"{kind.name} {'x'.join(map(str, shape))} {','.join(map(str, sizes))}"
    x: Array = rng.standard_normal(shape, dtype=np.float32)
    if kind.ids:
        x = rng.integers(0, sizes[0], shape).astype(np.int32)
    ours = Ours(kind, x, sizes)

    def entered(engine: Engine) -> Ours | Torchs:
        if engine.name == OWN[0]:
            return ours
        if engine.name != "torch":
            raise UnsupportedError("no layers but the LSTM")
        theirs = Torchs(kind, x, sizes, ours.weights(), settings.threads)
        compare(case, ours, theirs)
        return theirs

    entries = settings.enter(case, "both", entered)
    for mode in settings.modes:
        calls: dict[str, Call] = {
            name: each.forward if mode == "forward" else each.train
            for name, each in entries.items()
        }
        timings, _ = take_turns(calls, settings.seconds, settle=settings.threads > 1)
        goal = CLOSE if shape[0] >= LARGE else AHEAD
        yield [make_row(case, mode, t, name, goal=goal) for name, t in timings.items()]


LAYERS = Suite(
    "layers",
    _run,
    legend="Convolutions: two in a row, with relu. Sizes after the shape of x: those of the layer.",
    takes_shapes=False,
)
