"""Save the model while it trains."""

from __future__ import annotations

import os
from pathlib import Path

from lstmfast._checks import flag
from lstmfast._files import check_path
from lstmfast.callbacks.base import Callback, LambdaCallback, Logs, State
from lstmfast.callbacks.monitor import MonitorCallback
from lstmfast.callbacks.states import checked


class ModelCheckpoint(MonitorCallback):
    """Save the model after epochs, or after so many batches.

    At the end of an epoch the file is written when all callbacks have seen the epoch, at any
    position in the list, so that it holds their states after the epoch: ``fit`` of the loaded
    model, with callbacks of the same classes and ``initial_epoch`` set to the epochs that are done,
    continues as if training had not ended. A file from the middle of an epoch has the states from
    the epoch's beginning.

    Parameters
    ----------
    filepath : str or path-like
        Where to; may hold format fields for ``epoch`` (from 1), ``batch`` (from 1) and the logs:
        ``"{epoch:02d}-{val_loss:.4f}.safetensors"``. It is tried before the first epoch. Folders
        are made.
    monitor : str
        The value's key in the logs.
    verbose : int
        1 prints a line for each file.
    save_best_only : bool
        Save only where the value has improved.
    save_weights_only : bool
        Leave out the optimizer's state, which only further training needs. The file loads in the
        same way.
    mode : {"auto", "min", "max"}
        Whether less or more is better.
    save_freq : "epoch" or int
        Save after each epoch, or each time that so many batches are done.
    initial_value_threshold : float, optional
        The value that the first one must improve on.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from lstmfast.callbacks import ModelCheckpoint
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential, load_model
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save = ModelCheckpoint(f"{folder}/{{epoch}}.safetensors", monitor="loss")
    ...     x, y = np.zeros((4, 2)), np.zeros((4, 1))
    ...     run = model.fit(x, y, epochs=2, verbose=0, callbacks=[save])
    ...     load_model(f"{folder}/2.safetensors").output_shape
    (None, 1)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, verbose, best=initial_value_threshold)
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(
                f"[ModelCheckpoint] save_freq is {save_freq!r}; expected 'epoch' or a number of "
                "batches"
            )
        self.filepath = check_path(filepath, "ModelCheckpoint")
        self.save_best_only = flag(save_best_only, "save_best_only", "ModelCheckpoint")
        self.save_weights_only = flag(save_weights_only, "save_weights_only", "ModelCheckpoint")
        self.save_freq = save_freq
        self._epoch = 0
        self._batches = 0
        self._due: Path | None = None  # the file to write once the epoch is done
        if save_freq != "epoch":
            # set here, so that an epoch-wise checkpoint does not listen to batches
            self.on_train_batch_end = self._count_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Fill in the path with the names that the logs will have: an error now, not later."""
        run = self.model._run
        if run is None:
            return
        by_epochs = self.save_freq == "epoch"
        names = run.log_names(at_epochs=by_epochs)
        try:
            self._path(0, None if by_epochs else 0, dict.fromkeys(names, 0.5))
        except KeyError:
            if not any(map(_may_add_names, run.callbacks.callbacks)):
                raise

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the epoch's number."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Decide whether to save, where files are written by epochs."""
        if self.save_freq == "epoch":
            self._due = self._wanted(epoch, None, logs or {})

    def on_epoch_done(self, epoch: int, logs: Logs | None = None) -> None:
        """Save."""
        self._save(epoch, self._due)

    def _count_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._save(self._epoch, self._wanted(self._epoch, batch, logs or {}))

    def _wanted(self, epoch: int, batch: int | None, logs: Logs) -> Path | None:
        path = Path(self._path(epoch, batch, logs))
        return None if self.save_best_only and not self._improved(epoch, logs) else path

    def _save(self, epoch: int, path: Path | None) -> None:
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self.model.save(path, include_optimizer=not self.save_weights_only)
        if self.verbose > 0:
            print(f"Epoch {epoch + 1}: saved the model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        fields = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            path = self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f"[ModelCheckpoint] filepath {self.filepath!r} wants {error}; there are: "
                f"{', '.join(fields)}"
            ) from None
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ValueError(
                f"[ModelCheckpoint] filepath {self.filepath!r} cannot be filled in: {error}"
            ) from None
        return check_path(path, "ModelCheckpoint")

    def _improved(self, epoch: int, logs: Logs) -> bool:
        value = self.value(logs)
        if value is None:  # rather write a file too many than none
            return True
        better = self.is_better(value, self.best)
        if self.verbose > 0:
            best = "None" if self.best is None else f"{self.best:.5f}"
            end = f" to {value:.5f}" if better else ""
            how = "improved" if better else "did not improve"
            print(f"Epoch {epoch + 1}: {self.monitor} {how} from {best}{end}")
        if better:
            self.best = value
        return better

    def get_state(self) -> State:
        """Return the best value, and the batches since the last file."""
        return {"monitor": self.monitor, "best": self.best, "batches": self._batches}

    def set_state(self, state: State) -> None:
        """Continue from a state."""
        best = self.best_of(state)
        self._batches = checked(state, "batches", "a count", int)
        self.best = best


def _may_add_names(callback: Callback) -> bool:
    """Tell whether a callback may add values to the logs: ours do not."""
    is_ours = type(callback).__module__.startswith("lstmfast.")
    return not is_ours or isinstance(callback, LambdaCallback)
