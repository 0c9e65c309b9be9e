"""What fit, evaluate and predict show while they run: nothing, lines, or a bar; and warnings.

Lines go to standard output in Keras's form; the bar goes to standard error and is redrawn in
place. Both get only what the core reports anyway.
"""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np

from lstmfast._core import Model as CoreModel
from lstmfast._warnings import warn
from lstmfast.callbacks.base import Callback
from lstmfast.models.data import NAMES, ArrayNames, Samples

AUTO = "auto"
_KINDS = (str, int, np.integer, np.bool_)


def verbosity(verbose: Any, where: str, auto: int | None = None) -> int:
    """Return 0, 1 or 2 for a ``verbose`` argument.

    "auto" is `auto`; by default 1 where somebody can watch (a terminal, a notebook), else 2.
    """
    if isinstance(verbose, _KINDS):
        if verbose == AUTO and auto is not None:
            return auto
        if verbose == AUTO:
            watched = "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())
            return 1 if watched else 2
        if verbose in (0, 1, 2):
            return int(verbose)
    raise ValueError(f"[{where}] verbose is {verbose!r}; expected 0, 1, 2 or 'auto'")


def values_text(logs: Mapping[str, float]) -> str:
    """Return `` - loss: 0.1234 - val_loss: 1.2345e-05``, with the mean of several values."""
    means = {key: float(np.mean(value)) for key, value in logs.items()}
    return "".join(
        f" - {key}: {value:.4f}" if abs(value) > 1e-3 or value == 0 else f" - {key}: {value:.4e}"
        for key, value in means.items()
    )


def duration_text(seconds: float) -> str:
    """Return a duration in the unit that gives it three digits or fewer."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms"
    return f"{seconds * 1e6:.0f}us"


def result_line(steps: int | None, seconds: float, logs: Mapping[str, float]) -> str:
    """Return one line of the form that Keras gives an epoch with ``verbose=2``."""
    pace = duration_text(seconds / max(1, steps or 1))
    return f"{steps}/{steps} - {seconds:.0f}s - {pace}/step{values_text(logs)}\n"


def warn_of_non_finite(
    loss: float,
    core_model: CoreModel,
    data: object,
    where: str,
    name: str = "loss",
    names: ArrayNames = NAMES,
) -> bool:
    """Warn where a loss is not finite, naming the values it comes from; tell whether it was not.

    The values are looked at only then, unless they came in batches, of which none is kept.
    """
    if math.isfinite(loss):
        return False
    text = ""
    if isinstance(data, Samples):
        found = core_model.non_finite_text(data.x, data.y, data.weights, names)
        grown = f"; {names[0]} and {names[1]} are finite everywhere: the outputs grow too large"
        text = found or grown
    warn(f"[{where}] {name} is {loss}{text}", RuntimeWarning)
    return True


class Lines(Callback):
    """``verbose=2``: a heading and a line for each epoch.

    steps: of an epoch; None: not known before its end.
    """

    def __init__(self, epochs: int, steps: int | None) -> None:
        super().__init__()
        self.epochs = epochs
        self.steps = steps
        self.started = perf_counter()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Write the heading."""
        sys.stdout.write(f"Epoch {epoch + 1}/{self.epochs}\n")
        sys.stdout.flush()
        self.started = perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the line."""
        sys.stdout.write(result_line(self.steps, perf_counter() - self.started, logs))

    def close(self) -> None:
        """Nothing is left open."""
        sys.stdout.flush()


class Bar(Lines):
    """``verbose=1``: a bar for each epoch, redrawn as often as the core reports."""

    _FORMAT = "{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed}"
    _OPEN_FORMAT = "{desc}: {n_fmt}/Unknown {elapsed}"
    _WIDTH = 50  # without the values; the bar takes what the rest leaves

    def __init__(self, epochs: int, steps: int | None) -> None:
        from tqdm import tqdm

        super().__init__(epochs, steps)
        self.format_meter = tqdm.format_meter
        self.stream = sys.stderr if sys.stderr is not None else sys.stdout
        self.ascii = "utf" not in (getattr(self.stream, "encoding", None) or "").lower()
        self.width = shutil.get_terminal_size((120, 24)).columns - 1
        self.drawn = 0  # characters on the open line

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock; an epoch that ends at once is drawn once."""
        self.started = perf_counter()

    def on_tick(self, epoch: int, batch: int, batches: int, logs: Mapping[str, float]) -> None:
        """Redraw the bar."""
        values = values_text(logs)
        meter = self.format_meter(
            n=batch,
            total=batches or None,
            elapsed=perf_counter() - self.started,
            ncols=max(1, min(self._WIDTH, self.width - len(values))),
            ascii=self.ascii,
            prefix=f"Epoch {epoch + 1}/{self.epochs}",
            bar_format=self._FORMAT if batches else self._OPEN_FORMAT,
        )
        line = (meter + values)[: self.width]
        self.stream.write(f"\r{line:{self.drawn}}")
        self.stream.flush()
        self.drawn = len(line)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Draw the full bar and leave it there."""
        self.on_tick(epoch, self.steps or 0, self.steps or 0, logs)
        self.close()

    def close(self) -> None:
        """End the line that an epoch, interrupted or not, leaves open."""
        if self.drawn:
            self.stream.write("\n")
            self.drawn = 0
        self.stream.flush()
