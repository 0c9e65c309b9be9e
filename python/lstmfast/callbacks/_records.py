"""Callbacks that record what training reports: tables, TensorBoard, Weights & Biases."""

from __future__ import annotations

import csv
import os
from typing import IO, Any

import numpy as np

from lstmfast._checks import check_unavailable, choice, count, flag, string
from lstmfast._files import path_text
from lstmfast.callbacks.base import Callback, Logs, State
from lstmfast.callbacks.monitor import MonitorCallback
from lstmfast.callbacks.states import checked


class CSVLogger(Callback):
    """Write a line with the logs of each epoch to a table.

    Parameters
    ----------
    filename : str or path-like
        The file.
    separator : str
        What stands between the columns.
    append : bool
        Add to the file, with no heading where it has one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from lstmfast.callbacks import CSVLogger
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = CSVLogger(f"{folder}/log.csv")
    ...     x, y = np.zeros((4, 2)), np.zeros((4, 1))
    ...     run = model.fit(x, y, epochs=2, verbose=0, callbacks=[log])
    ...     print(Path(f"{folder}/log.csv").read_text())
    epoch,loss,val_loss
    0,0.0,NA
    1,0.0,NA
    <BLANKLINE>
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.filename = path_text(filename, "CSVLogger")
        self.sep = string(separator, "separator", "CSVLogger")
        self.append = flag(append, "append", "CSVLogger")
        self._file: IO[str] | None = None
        self._names: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        self.close()
        self._has_heading = (
            self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        )
        self._file = open(  # noqa: SIM115  closed where training ends
            self.filename, "a" if self.append else "w", newline="", encoding="utf-8"
        )
        self._names = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a line; the first one decides on the columns."""
        logs = logs or {}
        assert self._file is not None
        table = csv.writer(self._file, delimiter=self.sep, lineterminator="\n")
        if not self._names:
            self._names = sorted(logs)
            # where the first epochs have no validation, later ones may
            if not any(name.startswith("val_") for name in self._names):
                self._names += [f"val_{name}" for name in self._names]
            if not self._has_heading:
                table.writerow(["epoch", *self._names])
        table.writerow([epoch, *(_cell(logs.get(name, "NA")) for name in self._names)])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file, where it is open."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _cell(value: Any) -> Any:
    if not isinstance(value, str) and np.ndim(value):
        return f'"[{", ".join(map(str, value))}]"'
    return value


class TensorBoard(Callback):
    """Write loss and metrics for TensorBoard, by the package tensorboardX.

    Needs ``pip install "lstmfast[tensorboard]"``. Values have Keras's names: ``epoch_loss`` in the
    folders ``train`` and ``validation``, ``batch_loss`` with `update_freq`.

    Parameters
    ----------
    log_dir : str or path-like
        The folder.
    histogram_freq : int
        Write histograms of all weights after every so many epochs; 0: never.
    write_graph
        Accepted for Keras's sake: there is no graph of TensorFlow to write.
    write_images, profile_batch, embeddings_freq, embeddings_metadata
        Not available in this version: must have their defaults.
    write_steps_per_second : bool
        Write also the speed of each epoch.
    update_freq : "epoch", "batch" or int
        Write also means over the epoch so far, after every batch or every so many batches.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        where = "TensorBoard"
        given = {
            "write_images": write_images,
            "profile_batch": profile_batch,
            "embeddings_freq": embeddings_freq,
            "embeddings_metadata": embeddings_metadata,
        }
        defaults = {
            "write_images": False,
            "profile_batch": 0,
            "embeddings_freq": 0,
            "embeddings_metadata": None,
        }
        check_unavailable(where, given, defaults)
        self.log_dir = path_text(log_dir, where)
        self.histogram_freq = count(histogram_freq, "histogram_freq", where, least=0)
        self.write_steps_per_second = flag(write_steps_per_second, "write_steps_per_second", where)
        if isinstance(update_freq, str):
            choice(update_freq, "update_freq", where, "epoch", "batch")
        self.update_freq = {"epoch": 0, "batch": 1}.get(str(update_freq)) or (
            0 if update_freq == "epoch" else count(update_freq, "update_freq", where)
        )
        self._writers: dict[str, Any] = {}
        self._batches = 0
        self._writer_class()  # an error now, not after the first epoch
        if self.update_freq:
            self.on_train_batch_end = self._write_batch  # type: ignore[method-assign]

    @staticmethod
    def _writer_class() -> Any:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError(
                '[TensorBoard] needs the package tensorboardX: pip install "lstmfast[tensorboard]"'
            ) from error
        return SummaryWriter

    def _write(self, part: str, name: str, value: Any, step: int) -> None:
        if part not in self._writers:
            self._writers[part] = self._writer_class()(os.path.join(self.log_dir, part))
        self._writers[part].add_scalar(name, float(value), step)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock."""
        from time import perf_counter

        self._started, self._first = perf_counter(), self.model.optimizer.iterations

    def _write_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        if self._batches % self.update_freq == 0:
            for name, value in (logs or {}).items():
                self._write("train", f"batch_{name}", value, self._batches)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the values of the epoch."""
        from time import perf_counter

        for name, value in (logs or {}).items():
            part = "validation" if name.startswith("val_") else "train"
            self._write(part, f"epoch_{name.removeprefix('val_')}", value, epoch)
        if self.write_steps_per_second:
            seconds = perf_counter() - self._started
            steps = self.model.optimizer.iterations - self._first
            self._write("train", "epoch_steps_per_second", steps / max(seconds, 1e-9), epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight, values in zip(self.model.weights, self.model.get_weights(), strict=True):
                self._writers["train"].add_histogram(f"{weight.path}/histogram", values, epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def get_state(self) -> State:
        """Return how many batches there were."""
        return {"batches": self._batches} if self.update_freq else {}

    def set_state(self, state: State) -> None:
        """Continue from a state."""
        self._batches = checked(state, "batches", "a count", int)


class WandbCallback(MonitorCallback):
    """Log loss, metrics and settings to the run of Weights & Biases that ``wandb.init`` began.

    Needs ``pip install "lstmfast[wandb]"``. The run's summary gets the best value as
    ``best_val_loss`` and its epoch as ``best_epoch``.

    Parameters
    ----------
    monitor : str
        The value's key in the logs.
    verbose : int
        1 prints a line for each best value.
    mode : {"auto", "min", "max"}
        Whether less or more is better.
    log_batch_frequency : int, optional
        Log also means over the epoch so far, after every so many batches.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        verbose: int = 0,
        mode: str = "auto",
        log_batch_frequency: int | None = None,
    ) -> None:
        super().__init__(monitor, mode, verbose)
        self._run: Any = None
        self._every = 0
        if log_batch_frequency is not None:
            self._every = count(log_batch_frequency, "log_batch_frequency", "WandbCallback")
            self.on_train_batch_end = self._log_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take the run, and log the settings of the fit and of the optimizer."""
        try:
            import wandb
        except ImportError as error:
            raise ImportError(
                '[WandbCallback] needs the package wandb: pip install "lstmfast[wandb]"'
            ) from error
        self._run = wandb.run
        if self._run is None:
            raise RuntimeError("[WandbCallback] there is no run; expected wandb.init() before fit")
        self.best = None
        settings = {name: value for name, value in self.params.items() if value is not None}
        self._run.config.update(
            {**settings, **self.model.optimizer.config()}, allow_val_change=True
        )

    def _log_batch(self, batch: int, logs: Logs | None = None) -> None:
        if (batch + 1) % self._every == 0:
            values = {f"batch/{name}": float(value) for name, value in (logs or {}).items()}
            self._run.log(values)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the values of the epoch."""
        logs = logs or {}
        self._run.log({"epoch": epoch, **{name: float(value) for name, value in logs.items()}})
        value = logs.get(self.monitor)
        if value is not None and self.is_better(float(value), self.best):
            self.best = float(value)
            self._run.summary[f"best_{self.monitor}"] = self.best
            self._run.summary["best_epoch"] = epoch
            if self.verbose > 0:
                print(f"Epoch {epoch + 1}: {self.monitor} is {self.best:.5f}, the best so far")

    def get_state(self) -> State:
        """Return the best value."""
        return {"monitor": self.monitor, "best": self.best}

    def set_state(self, state: State) -> None:
        """Continue from a state."""
        self.best = self.best_of(state)
