"""A file from which an interrupted training goes on, as if it had not been interrupted."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from lstmfast._checks import count, flag
from lstmfast._files import path_text
from lstmfast._warnings import warn
from lstmfast.callbacks.base import Callback, Logs, Model, State
from lstmfast.callbacks.states import States, checked


class BackupAndRestore(Callback):
    """Keep a backup of the training, and continue from it.

    Where `backup_dir` has a backup, `fit` of a model with the same layers, compiled in the same
    way, takes weights, the optimizer's state, the epoch and the states of callbacks from it, and
    goes on as if training had not ended. The backup is removed where training ends without an
    error.

    Parameters
    ----------
    backup_dir : str or path-like
        The folder, for this training alone.
    save_freq : "epoch" or int
        Write the backup after each epoch, or each time that so many batches are done; in the latter
        case a fit that goes on begins the epoch anew.
    double_checkpoint : bool
        Keep the backup before the latest, too, and take it where that cannot be read.
    delete_checkpoint : bool
        Remove the backup at the end.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from lstmfast.callbacks import BackupAndRestore, LambdaCallback
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> def fail(epoch, logs):
    ...     if epoch == 2:
    ...         raise RuntimeError("power failure")
    >>> x, y = np.zeros((4, 2)), np.zeros((4, 1))
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     calls = [BackupAndRestore(folder), LambdaCallback(on_epoch_begin=fail)]
    ...     try:
    ...         model.fit(x, y, epochs=4, verbose=0, callbacks=calls)
    ...     except RuntimeError:
    ...         run = model.fit(x, y, epochs=4, verbose=0, callbacks=calls[:1])
    >>> run.epoch
    [2, 3]
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        where = "BackupAndRestore"
        if not os.fspath(backup_dir):
            raise ValueError(f"[{where}] backup_dir is empty; expected a folder")
        self.backup_dir = path_text(backup_dir, where)
        self.double_checkpoint = flag(double_checkpoint, "double_checkpoint", where)
        self.delete_checkpoint = flag(delete_checkpoint, "delete_checkpoint", where)
        self._every = 0 if save_freq == "epoch" else count(save_freq, "save_freq", where)
        self.save_freq = save_freq
        self._epoch = 0  # to begin with, where training goes on
        self._batches = 0
        folder = Path(self.backup_dir)
        self._paths = folder / "latest.safetensors", folder / "previous.safetensors"
        if self._every:
            self.on_train_batch_end = self._count_batch  # type: ignore[method-assign]

    def resumed_epoch(self, model: Model) -> int | None:
        """Restore the backup; return the epoch to begin with, or None where there is none."""
        self._epoch = self._batches = 0
        found = [path for path in self._paths if path.exists()]
        for path in found:
            try:
                states: States | None = model._restore_training(path)
                return _epoch_of(states)
            except (OSError, ValueError) as error:
                if path == found[-1]:
                    raise
                warn(f"[BackupAndRestore] the backup before the latest is taken: {error}")
        return None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the epoch's number."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Count the epoch."""
        self._epoch = epoch + 1

    def on_epoch_done(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the backup, with the states of all callbacks."""
        if not self._every:
            self._save()

    def _count_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        if self._batches >= self._every:
            self._batches = 0
            self._save()

    def _save(self) -> None:
        latest, previous = self._paths
        latest.parent.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and latest.exists():
            latest.replace(previous)
        self.model.save(latest)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the backup."""
        if not self.delete_checkpoint:
            return
        for path in self._paths:
            path.unlink(missing_ok=True)
        with suppress(OSError):  # what others put there stays
            os.rmdir(self.backup_dir)

    def get_state(self) -> State:
        """Return the epoch to begin with."""
        return {"epoch": self._epoch}

    def set_state(self, state: State) -> None:
        """Continue from a state."""
        self._epoch = checked(state, "epoch", "an epoch", int)


def _epoch_of(states: States | None) -> int:
    """Return the epoch that the backup's own state names."""
    entries = [] if states is None else json.loads(states.text)
    own = [each["state"] for each in entries if each["class"] == BackupAndRestore.__name__]
    if not own:
        raise ValueError("[BackupAndRestore] the file is no backup; expected one of its own")
    return int(checked(own[0], "epoch", "an epoch", int))
