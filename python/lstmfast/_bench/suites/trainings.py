"""Trainings as people have them: epochs of `fit`, against a loop in torch with the same model.

Both begin with the same weights, and the losses of the first steps are compared before anything is
timed; then epochs go on, each with the weights that the one before it left.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import OWN, Settings, WrongAnswerError
from lstmfast._bench.engines import Engine, UnsupportedError
from lstmfast._bench.engines.vs_torch import import_torch
from lstmfast._bench.problems import Array
from lstmfast._bench.protocol import Call, Goal, Row, make_row, take_turns
from lstmfast._bench.trained_models import TRAININGS, WORDS, Training
from lstmfast.optimizers import Adam
from lstmfast.utils import set_random_seed

CHECKED = 5  # steps whose losses are compared
# Keras's Adam adds it before, torch's after correcting the means: it is so small that both agree.
EPSILON = 1e-12
SPEEDUP = Goal("relative", 1.85)  # on more threads
ALONE = "lstmfast, one thread"


class Ours:
    """A model of lstmfast's, and its data."""

    def __init__(self, training: Training) -> None:
        set_random_seed(0)
        self.training, self.model = training, training.ours()
        self.model.compile(Adam(epsilon=EPSILON), training.loss)
        samples = training.batches * training.batch_size
        self.x, self.y = training.data(np.random.default_rng(0), samples)

    def batches(self) -> Iterator[tuple[Array, Array]]:
        """Yield the first batches in order."""
        size = self.training.batch_size
        for start in range(0, CHECKED * size, size):
            yield self.x[start : start + size], self.y[start : start + size]

    def losses(self) -> Array:
        """Do the first steps; return their losses."""
        size = self.training.batch_size
        fit = partial(self.model.fit, batch_size=size, shuffle=False, verbose=0)
        runs = [fit(*batch) for batch in self.batches()]
        return np.array([run.history["loss"][0] for run in runs])

    def epoch(self) -> None:
        """Train on."""
        self.model.fit(self.x, self.y, self.training.batch_size, verbose=0)

    def flops(self) -> float:
        """Return the FLOP of the products of an epoch: three times those of forward."""
        return 3.0 * self.training.forward_flops(self.x, self.y)

    def tolerance(self) -> float:
        """Return by how much of themselves losses may differ.

        A step's sums have up to as many terms as the largest kernel has rows, at each step of x. In
        float32 their errors grow with the square root of that number, also over the steps.
        """
        kernels = (w for w in self.model.get_weights() if w.ndim == 2 and len(w) != WORDS)
        terms = CHECKED * max(map(len, kernels)) * self.x.shape[1]
        return float(np.finfo(np.float32).eps * terms**0.5)


class Torchs:
    """The same in torch."""

    def __init__(self, ours: Ours, weights: list[Array], threads: int) -> None:
        self.torch, self.training = import_torch(threads), ours.training
        nn = self.torch.nn
        self.layers = self.training.theirs(nn)
        modules = nn.ModuleList(self.layers)
        with self.torch.no_grad():
            self._take(weights)
        self.batches = [tuple(map(self.torch.from_numpy, batch)) for batch in ours.batches()]
        self.x, self.y = map(self.torch.from_numpy, (ours.x, ours.y))
        # of its three loops over the weights the fastest, on one thread and on two
        self.optimizer = self.torch.optim.Adam(modules.parameters(), eps=EPSILON, fused=True)

    def _take(self, values: list[Array]) -> None:
        """Copy weights in Keras's layouts; the second bias of an LSTM stays 0, as Keras has one."""
        weights = map(self.torch.from_numpy, values)
        for layer in self.layers:
            if isinstance(layer, self.torch.nn.LSTM):
                for kernel, recurrent_kernel, bias, other_bias in layer.all_weights:
                    kernel.copy_(next(weights).T)
                    recurrent_kernel.copy_(next(weights).T)
                    bias.copy_(next(weights))
                    other_bias.zero_().requires_grad_(False)
            else:
                for own in layer.parameters():
                    value = next(weights)
                    own.copy_(value.t() if isinstance(layer, self.torch.nn.Linear) else value)

    def _step(self, x: Any, y: Any) -> Any:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.training.theirs_loss(self.torch, self.layers, x, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def losses(self) -> Array:
        """Do the first steps; return their losses."""
        return np.array([self._step(*batch).item() for batch in self.batches])

    def epoch(self) -> None:
        """Train on."""
        order = self.torch.randperm(len(self.x))
        size = self.training.batch_size
        for batch in zip(self.x[order].split(size), self.y[order].split(size), strict=True):
            self._step(*batch)


def trainings(settings: Settings) -> Iterator[list[Row]]:
    """Yield the rows of one training after the other."""
    for training in TRAININGS:
        yield against_torch(settings, training)


def against_torch(settings: Settings, training: Training) -> list[Row]:
    """Return the rows of one training, after the losses have been compared."""
    lf.set_num_threads(settings.threads)
    ours = Ours(training)
    first = ours.model.get_weights()
    expected = ours.losses()

    def entered(engine: Engine) -> Call:
        if engine.name == OWN[0]:
            return ours.epoch
        if engine.name != "torch":
            raise UnsupportedError("no whole models")
        theirs = Torchs(ours, first, settings.threads)
        got = theirs.losses()
        if not np.allclose(got, expected, rtol=ours.tolerance(), atol=0.0):
            raise WrongAnswerError(f"{training.name}: losses {expected}; torch has {got}")
        return theirs.epoch

    epochs = settings.enter(training.name, "fit", entered)
    return _timed(settings, training, ours, epochs)


def _timed(
    settings: Settings, training: Training, ours: Ours, epochs: dict[str, Call]
) -> list[Row]:
    """Time epochs in turns; on more threads also those of a twin on one.

    A model remembers for a while how many threads were best for it.
    """
    threads, goal = settings.threads, training.goal
    if threads > 1:
        epochs = {ALONE: Ours(training).epoch, **epochs}
        goal = goal if goal.figure == "ratio" else SPEEDUP
    timings, peak = take_turns(
        epochs,
        settings.seconds,
        before=lambda name: lf.set_num_threads(1 if name == ALONE else threads),
        settle=threads > 1,
    )
    alone = timings.pop(ALONE, None)
    rows = []
    for name, timing in timings.items():
        share = ours.flops() / timing.median / (peak * threads)
        gain = alone.over(timing) if alone is not None and name == OWN[0] else None
        more: dict[str, Any] = {"peak_share": share, "relative": gain, "goal": goal}
        note = f"an epoch: {training.batches} steps of {training.batch_size} rows"
        rows.append(make_row(training.name, "fit", timing, name, note=note, **more))
    return rows
