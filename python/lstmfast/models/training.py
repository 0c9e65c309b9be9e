"""What models learn from: compile, fit and train_on_batch."""

from __future__ import annotations

import weakref
from typing import Any, NoReturn

import numpy as np

from lstmfast import losses, optimizers
from lstmfast._arrays import ArrayLike
from lstmfast._checks import check_unavailable, choice, count, flag, number
from lstmfast._core import Model as CoreModel
from lstmfast.callbacks.base import History
from lstmfast.callbacks.states import States
from lstmfast.layers.weights import Weight
from lstmfast.metrics import Metric
from lstmfast.models.compiled import Compiled
from lstmfast.models.data import NAMES, ArrayNames, Samples
from lstmfast.models.fit import FitRun, Validation
from lstmfast.models.given import VALIDATION
from lstmfast.models.predicting import Predicting
from lstmfast.models.progress import verbosity
from lstmfast.models.ragged import with_lengths
from lstmfast.models.sources import Source, cut
from lstmfast.utils import draw_seed


class Training(Predicting):
    """What trains a model of the core."""

    history: History | None = None
    stop_training = False
    weights: list[Weight]
    _rng: np.random.Generator
    _run: FitRun | None = None  # the fit that is running
    _states: States | None = None  # of the callbacks of the latest fit

    @property
    def optimizer(self) -> optimizers.Optimizer | None:
        """The optimizer that `compile` was given; None before."""
        return self._compiled.optimizer

    @property
    def loss(self) -> losses.Loss | tuple[losses.Loss | None, ...] | None:
        """The loss that `compile` was given, or those of several outputs; None before."""
        return self._compiled.loss

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `compile` was given, those of all outputs."""
        return self._compiled.metrics

    @property
    def metrics_names(self) -> list[str]:
        """What `evaluate` returns in a list, by name; empty before `compile`."""
        return self._compiled.names if self.optimizer else []

    def log_directions(self) -> dict[str, str | None]:
        """Return for each name in logs "min" or "max", whichever is better, or None."""
        return self._compiled.directions()

    def callback_states(self) -> States | None:
        """Return what the callbacks of the running or latest fit remember."""
        return self._states if self._run is None else self._run.states()

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **unknown: NoReturn,
    ) -> None:
        """Say how to train.

        Parameters
        ----------
        optimizer : str or Optimizer
            ``"adam"``, ``"sgd"``, ... or an object of `lstmfast.optimizers`.
        loss : str, Loss or callable, or a list or dictionary of these
            A name such as ``"mse"`` or an object of `lstmfast.losses`, one of your own too; or a
            function of y_true and y_pred, made of operators and `lstmfast.ops`, or one that returns
            the value and its gradient; see `Loss.call`. The latter, and metrics of your own, know
            nothing of masks: where the output has one, they are refused. Of several outputs all
            have this loss, or each its own: in a list, or by the names of the outputs; one that has
            None or none is not trained.
        metrics : list of str, Metric or callable, optional
            What else to report: names, objects of `lstmfast.metrics`, or functions of y_true and
            y_pred, whose mean is reported as `metrics.MeanMetricWrapper` says. Of several outputs
            a list of what each has, or a dictionary.
        loss_weights : float, list or dict, optional
            What the loss of each output counts in their sum; 1 by default.
        weighted_metrics : optional
            Metrics, given as `metrics` are, in which samples count by `sample_weight` and
            `class_weight`. One whose name is also among `metrics` is called ``weighted_NAME``. A
            metric of your own gets the weights as its third argument.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
            Accepted for Keras's sake: they have no meaning here.

        Raises
        ------
        TypeError, ValueError
            For what is not an optimizer, a loss or a metric; the message lists the known names.

        Examples
        --------
        >>> from lstmfast.layers import LSTM, Dense
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([LSTM(4, input_shape=(None, 1)), Dense(1)])
        >>> model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        >>> model.optimizer.learning_rate = 0.01

        With a loss and a metric of one's own (more ways: `Loss`, `Metric`):

        >>> from lstmfast import ops
        >>> def rmse(y_true, y_pred):
        ...     return ops.sqrt(ops.mean(ops.square(y_pred - y_true)))
        >>> def largest(y_true, y_pred):
        ...     return ops.max(ops.abs(y_pred - y_true), axis=-1)
        >>> model.compile(optimizer="adam", loss=rmse, metrics=[largest])
        """
        check_unavailable("compile", unknown, {}, self.compile)
        self._check_trains("compile")
        names = self._names_of_outputs()
        compiled = Compiled.of(names, optimizer, loss, loss_weights, metrics, weighted_metrics)
        if self._core_model is not None:
            self._compile_core(self._core_model, compiled)
        self._compiled, self._states = compiled, None
        self._bind_optimizer(self._core_model)

    def _names_of_outputs(self) -> list[str]:
        raise NotImplementedError

    def _compile_core(self, core_model: CoreModel, compiled: Compiled) -> None:
        optimizer = compiled.optimizer
        if optimizer is None or not compiled.has_loss:
            return
        owner = optimizer._model() if optimizer._model else None
        if owner not in (None, self):
            raise ValueError(
                "[compile] this optimizer object belongs to another model; give each model its own"
            )
        if optimizer.excludes_weights:
            optimizer.find_undecayed(self.weights)
        drawn = self._rng.bit_generator.state
        try:
            compiled.compile(core_model, draw_seed(self._rng))
        except Exception:
            self._rng.bit_generator.state = drawn  # a compile that is refused leaves no trace
            raise

    def _bind_optimizer(self, core_model: CoreModel | None) -> None:
        """Tie the optimizer to the core model, where there is one."""
        if self.optimizer and self._compiled.has_loss and core_model:
            self.optimizer._core_model, self.optimizer._model = core_model, weakref.ref(self)

    # -- training ----------------------------------------------------------------------------

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
        lengths: ArrayLike = None,
        validation_lengths: ArrayLike = None,
        on_nonfinite: str | None = None,
        **unknown: NoReturn,
    ) -> History:
        """Train.

        Parameters
        ----------
        x : array_like
            (N, T, I) or (N, I): the samples; arrays, lists, tensors, data frames. Several inputs
            take a list of these, or a dictionary by the inputs' names. The same goes for y and
            weights, and the outputs. Arrays that lie in files (`numpy.memmap`, h5py) are read a
            batch at a time. Samples may differ in length, in a list of arrays (T_i, I) or of
            sequences of ids: then steps after the end of a sample change nothing, as if it came
            alone, and targets of each step come in a list too.

            Or what gives batches ``(x, y)`` or ``(x, y, sample_weight)``: a generator or another
            iterator, a `lstmfast.utils.PyDataset` or what is like one (``__getitem__`` by the
            number of a batch, ``__len__``, perhaps ``on_epoch_end``), a `lstmfast.utils.Dataset` or
            one of TensorFlow, a torch DataLoader. Where a generator ends and epochs are left,
            training ends with a warning.
        y : array_like
            (N, ...): the targets; None for an output that has neither loss nor metrics, and with
            batches.
        batch_size : int, optional
            Samples in a step of the optimizer; 32 by default, or what makes `steps_per_epoch` of
            arrays. The last step of an epoch may have fewer. Not used with batches.
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
            Other samples to validate with, or what gives batches. Stateful layers go on from
            training to validation and back with the same states, as in Keras: `reset_states` in a
            callback separates them (``on_test_begin``, ``on_epoch_begin``). Each batch, of
            validation too, must have the same number of samples.
        shuffle : bool
            Take the samples, or batches that have numbers, in a new order in each epoch.
        lengths, validation_lengths : array_like of int, optional
            (N,): how many steps of each sample are real, where x, or that of `validation_data`, is
            a padded array; of several inputs a list or dictionary, where an input may have None.
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
            loss and in ``weighted_metrics``. One array goes for all outputs; a list or dictionary
            has one, or None, for each.
        class_weight : dict, optional
            Weights by class, for targets that are labels or one-hot rows; others count 1. They
            weigh the samples of training, not those of validation. For models with one output.
        steps_per_epoch : int, optional
            Batches of an epoch; the next epoch goes on where it ended. None: an epoch is all data.
        validation_steps : int, optional
            Batches to validate with, from the beginning each time; all by default.

        Returns
        -------
        History
            Loss and metrics of each epoch, of several outputs as ``p_loss`` and ``p_mae``; also at
            `history` of the model, where they are found even after an interrupt.

        Raises
        ------
        TypeError
            For arguments of the wrong kind.
        ValueError
            For shapes and values that do not fit.
        FloatingPointError
            For a loss or gradient that is not finite, unless `on_nonfinite` says otherwise.
        KeyboardInterrupt
            For Ctrl-C, within about 0.1 s; the weights are those after the last whole batch.

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
        check_unavailable("fit", unknown, {}, self.fit)
        if on_nonfinite is not None:
            choice(on_nonfinite, "on_nonfinite", "fit", "raise", "stop", "ignore")
        validation_split = number(validation_split, "validation_split", "fit")
        given = with_lengths(x, lengths), y, sample_weight
        core_model, data, size = self._data(
            given, "fit", steps_per_epoch, batch_size, of_steps="steps_per_epoch"
        )
        options = (
            size,
            count(epochs, "epochs", "fit", least=0),
            count(initial_epoch, "initial_epoch", "fit", least=0),
            flag(shuffle, "shuffle", "fit"),
            on_nonfinite,
        )
        held_out: Samples | Source | None = None
        names: ArrayNames = VALIDATION
        if validation_batch_size is not None:
            validation_batch_size = count(validation_batch_size, "validation_batch_size", "fit")
        held_out_size = validation_batch_size or size
        if validation_lengths is not None and validation_data is None:
            raise ValueError("[fit] validation_lengths is given; expected validation_data too")
        if validation_data is not None:
            size_given = validation_batch_size or batch_size
            given_more = validation_steps, size_given, validation_lengths
            held_out, held_out_size = self._held_out(validation_data, *given_more)
        elif validation_split:
            data, held_out, counts = cut(data, validation_split)
            names = [f"{name}[{counts[0]}:]" for name in NAMES]
            if core_model.stateful and any(part % size for part in counts):
                raise ValueError(
                    f"[fit] validation_split={validation_split} parts {sum(counts)} "
                    f"samples into {counts[0]} and {counts[1]}; expected multiples of "
                    f"batch_size={size}, for the model is stateful"
                )
        data = self._class_weighted(data, class_weight)
        self._compiled.warn_of_one_class(self)
        validation = None
        if held_out is not None:
            validation = Validation(held_out, held_out_size, validation_freq, names)
        shown = verbosity(verbose, "fit")
        return FitRun(self, core_model, data, options, validation, callbacks, shown).run()

    def train_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
        *,
        lengths: ArrayLike = None,
    ) -> Any:
        """Take one step with all samples; return loss and metrics as `evaluate` does.

        They are this batch's, from before the step. `lengths` as in `fit`.
        """
        where = "train_on_batch"
        x = with_lengths(x, lengths)
        core_model, data = self._samples(x, y, sample_weight, where)
        as_dict = flag(return_dict, "return_dict", where)
        if class_weight is not None:
            outputs = self._compiled.outputs
            data = self._adapter.with_class_weights(class_weight, data, outputs, where)
        return self._returned(core_model.train_on_batch(data.x, data.y, data.weights), as_dict)
