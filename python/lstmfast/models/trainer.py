"""What a model learns from: fit and train_on_batch."""

from __future__ import annotations

from typing import Any

from lstmfast._arrays import Array, ArrayLike
from lstmfast._checks import check_unavailable, count, flag, number, wrong_kind
from lstmfast.callbacks.base import History
from lstmfast.callbacks.states import States
from lstmfast.models.data import (
    checked_input,
    checked_weights,
    class_weights,
    split,
)
from lstmfast.models.fit import FitRun, Schedule, Validation
from lstmfast.models.non_finite import NAMES
from lstmfast.models.predictor import Predictor, returned
from lstmfast.models.progress import verbosity

_VALIDATION = "validation_data[0]", "validation_data[1]", "validation_data[2]"
_ON_NONFINITE = ("raise", "stop", "ignore")


class Trainer(Predictor):
    """A predictor that trains."""

    history: History | None = None
    stop_training = False
    _run: FitRun | None = None  # the fit that is running

    def callback_states(self) -> States | None:
        """Return what the callbacks of the running or latest fit remember."""
        return self._states if self._run is None else self._run.states()

    def fit(
        self,
        x: ArrayLike = None,
        y: ArrayLike = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        *,
        on_nonfinite: str | None = None,
    ) -> History:
        """Train.

        Parameters
        ----------
        x : array_like
            (N, T, I) or (N, I): the samples; arrays, lists, tensors, data frames; or a list of one
            of these. The same goes for y and weights.
        y : array_like
            (N, ...): the targets.
        batch_size : int, optional
            Samples in a step of the optimizer; 32 by default. The last step of an epoch may have
            fewer.
        epochs, initial_epoch : int
            Train from epoch `initial_epoch`, counted from 0, up to `epochs`. Above 0, callbacks go
            on where those of their class were when the model was last trained or saved (see
            `Callback.get_state`), so that an interrupted training continues bit for bit; from 0
            they start anew.
        verbose : {"auto", 0, 1, 2}
            0 shows nothing, 1 a bar an epoch (on standard error), 2 a line an epoch; "auto" is 1
            in a terminal or notebook, else 2.
        callbacks : list of Callback, optional
            Objects of `lstmfast.callbacks`.
        validation_split : float
            The share of the samples, taken from the end, to validate with; their `sample_weight`
            goes with them.
        validation_data : (x, y) or (x, y, sample_weight), optional
            Other samples to validate with. Stateful layers go on from training to validation and
            back with the same states, as in Keras: `reset_states` in a callback separates them
            (``on_test_begin``, ``on_epoch_begin``). Each batch, of validation too, must have the
            same number of samples.
        shuffle : bool
            Take the samples in a new order in each epoch.
        validation_batch_size : int, optional
            Samples in a step of validation; `batch_size` by default.
        validation_freq : int or collection of int
            Validate after every so many epochs, or after these, counted from 1.
        on_nonfinite : {"raise", "stop", "ignore"}, optional
            What to do where a loss or gradient is NaN or infinite: raise an error with epoch and
            batch, keeping the weights from before that batch (the default); stop quietly (the
            default with `TerminateOnNaN`); go on, as Keras does. Unless it is "ignore", a loss of
            the validation that is not finite warns.
        sample_weight : array_like, optional
            (N,), or (N, T) for sequences of outputs: the part of each sample, or step, in the
            loss. Metrics do not heed it.
        class_weight : dict, optional
            Weights by class, for targets that are labels or one-hot rows; others count 1. They
            weigh the training loss alone, not that of validation.
        steps_per_epoch, validation_steps
            Not available in this version: must be None.

        Returns
        -------
        History
            Loss and metrics of each epoch; also at `history` of the model, where they are found
            even after an interrupt.

        Raises
        ------
        TypeError
            For arguments of the wrong kind.
        ValueError
            For shapes and values that do not fit.
        FloatingPointError
            For a loss or gradient that is not finite, unless `on_nonfinite` says otherwise.

        Examples
        --------
        >>> import numpy as np
        >>> from lstmfast.layers import LSTM, Dense
        >>> from lstmfast.models import Sequential
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.random((100, 5, 1)), rng.random((100, 1))
        >>> model = Sequential([LSTM(8), Dense(1)])
        >>> model.compile(optimizer="adam", loss="mse")
        >>> run = model.fit(x, y, epochs=2, validation_split=0.2, verbose=0)
        >>> sorted(run.history)
        ['loss', 'val_loss']
        """
        given = {
            "steps_per_epoch": steps_per_epoch,
            "validation_steps": validation_steps,
        }
        check_unavailable("fit", given, dict.fromkeys(given))
        if on_nonfinite is not None and str(on_nonfinite) not in _ON_NONFINITE:
            raise ValueError(
                f"[fit] on_nonfinite is {on_nonfinite!r}; expected 'raise', 'stop' or 'ignore'"
            )
        validation_split = number(validation_split, "validation_split", "fit")
        engine, samples = self._compiled_engine(x, "fit")
        targets = self._targets(y, len(samples), "fit")
        weights = checked_weights(sample_weight, len(targets), self._dtype, "fit")
        size = self._batch(batch_size, "fit")
        schedule = Schedule(
            size,
            count(epochs, "epochs", "fit", least=0),
            count(initial_epoch, "initial_epoch", "fit", least=0),
            flag(shuffle, "shuffle", "fit"),
            on_nonfinite,
        )
        held_out: list[Any] | None = None
        names = _VALIDATION
        if validation_data is not None:
            held_out = self._validation_arrays(validation_data)
        elif validation_split:
            (samples, targets, weights), held_out = split(
                [samples, targets, weights], validation_split
            )
            x_name, y_name, weights_name = (f"{name}[{len(samples)}:]" for name in NAMES)
            names = x_name, y_name, weights_name
            if self.stateful:
                self._check_split(validation_split, len(samples), len(held_out[0]), size)
        if class_weight is not None:  # of training alone, as in Keras
            weights = self._class_weights(class_weight, weights, targets, "fit")
        validation = None
        if held_out is not None:
            if validation_batch_size is not None:
                size = count(validation_batch_size, "validation_batch_size", "fit")
            x_val, y_val, weights_val = held_out
            validation = Validation(x_val, y_val, size, validation_freq, weights_val, names)
        steps = -(-len(samples) // schedule.batch_size)
        shown = verbosity(verbose, "fit")
        run = FitRun(self, engine, schedule, validation, callbacks, shown, steps)
        return run.run(samples, targets, weights)

    def _class_weights(
        self, class_weight: Any, weights: Array | None, targets: Array, where: str
    ) -> Array:
        self._check_weighable("class_weight", where)
        if weights is not None:
            raise ValueError(
                f"[{where}] class_weight is given; expected no sample_weight beside it"
            )
        labels = self.output_shape[-1] == 1 or (
            self.loss is not None and self.loss.kind == "sparse_categorical_crossentropy"
        )
        return class_weights(class_weight, targets, not labels, self._dtype, where)

    def _check_split(self, share: float, first: int, rest: int, size: int) -> None:
        """Refuse parts for training and validation that do not make whole batches."""
        if first % size or rest % size:
            raise ValueError(
                f"[fit] validation_split={share} parts {first + rest} samples into {first} and "
                f"{rest}; expected multiples of batch_size={size}, for the model is stateful"
            )

    def _validation_arrays(self, data: Any) -> list[Any]:
        wanted = "a pair (x, y) or (x, y, sample_weight)"
        if not isinstance(data, tuple | list):
            raise wrong_kind("fit", "validation_data", data, wanted)
        if len(data) not in (2, 3):
            raise ValueError(f"[fit] validation_data has {len(data)} items; expected {wanted}")
        x_name, y_name, name = _VALIDATION
        x = checked_input(data[0], self._dtype, self._sample_shape or (), "fit", x_name)
        y = self._targets(data[1], len(x), "fit", (x_name, y_name))
        given = data[2] if len(data) == 3 else None
        if given is not None:
            self._check_weighable(name, "fit")
        return [x, y, checked_weights(given, len(x), self._dtype, "fit", name)]

    def train_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Take one step with all samples; return loss and metrics as `evaluate` does.

        They are this batch's, from before the step.
        """
        engine, samples = self._compiled_engine(x, "train_on_batch")
        where = "train_on_batch"
        as_dict = flag(return_dict, "return_dict", where)
        targets = self._targets(y, len(samples), where)
        weights = checked_weights(sample_weight, len(targets), self._dtype, where)
        if class_weight is not None:
            weights = self._class_weights(class_weight, weights, targets, where)
        logs = self.renamed(engine.train_on_batch(samples, targets, weights))
        return returned(logs, as_dict)
