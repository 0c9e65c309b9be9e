"""Layers other than the LSTM against torch: inference, and a step of training with SGD.

Each case is a model of lstmfast's layers, and a module of torch's that gets the same weights. Both
learn to give zeros. Of several layers in a row all but the first compute the gradient of their
input, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import OWN, Settings, Suite, WrongAnswerError
from lstmfast._bench.engines import Engine, UnsupportedError
from lstmfast._bench.engines.vs_torch import import_torch
from lstmfast._bench.layer_kinds import KINDS, Kind
from lstmfast._bench.problems import Array
from lstmfast._bench.protocol import Call, Goal, Row, make_row, take_turns
from lstmfast.layers import Input
from lstmfast.models import Model
from lstmfast.optimizers import SGD
from lstmfast.utils import set_random_seed

RATE = 0.01
AHEAD, CLOSE = Goal("ratio", 1.0), Goal("ratio", 0.8)
LARGE = 64  # rows of a batch, from which CLOSE is the goal


class Ours:
    """A model of lstmfast's."""

    def __init__(self, kind: Kind, x: Array, sizes: Sequence[int]) -> None:
        self.x, start = x, Input(x.shape[1:], dtype="int32" if kind.ids else "float32")
        set_random_seed(0)
        y = start
        for layer in kind.ours(*sizes):
            y = layer(y)
        self.model = Model(start, y)
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
        """Return copies of the weights that are trained."""
        return [weight.numpy() for weight in self.model.trainable_weights]


class Torchs:
    """The same of torch's; its weights in Keras's layout at first."""

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
        self.zeros = self.torch.zeros(self.forward().shape)

    def forward(self) -> Any:
        """Return the outputs as torch has them."""
        self.module.eval()
        with self.torch.inference_mode():
            return self.module(self.x)

    def train(self) -> Any:
        """Do a step; return the loss before it."""
        self.module.train()
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
        """Return the weights as torch has them."""
        return [own.detach().numpy() for own in self.module.parameters()]


def compare(case: str, ours: Ours, theirs: Torchs) -> None:
    """Compare outputs, losses and what a step of training changes.

    Raises
    ------
    WrongAnswerError
        Where they differ by more than rounding: of sums of `terms` random roundings.
    """
    to_torch = theirs.kind.to_torch
    before, y = to_torch(ours.weights()), ours.forward()
    pairs = {"y": (y, theirs.output()), "loss": (ours.train(), theirs.train())}
    still = {"y": 0.0, "loss": 0.0}
    for k, (start, own, other) in enumerate(
        zip(before, to_torch(ours.weights()), theirs.weights(), strict=True)
    ):
        name = f"step of weight {k}"
        pairs[name], still[name] = (own - start, other - start), 4.0 * float(np.abs(start).max())
    terms = max(y.size // y.shape[-1], *(w.size // len(w) for w in before))
    for name, (got, right) in pairs.items():
        scale = float(np.abs(right).max())
        limit = float(np.finfo(np.float32).eps) * (64.0 * terms**0.5 * scale + still[name])
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
        goal = None if not kind.to_beat else CLOSE if shape[0] >= LARGE else AHEAD
        yield [make_row(case, mode, t, name, goal=goal) for name, t in timings.items()]


LAYERS = Suite(
    "layers",
    _run,
    legend=(
        "conv and batch_norm: two in a row, with relu. Sizes after the shape of x: those of the "
        "layer."
    ),
    takes_shapes=False,
)
