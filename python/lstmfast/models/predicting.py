"""What models do with data without learning from them: evaluate and predict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from lstmfast._arrays import ArrayLike
from lstmfast._checks import check_unavailable, count, flag
from lstmfast._core import Model as CoreModel
from lstmfast.callbacks.base import CallbackList
from lstmfast.layers._symbolic import one_or_all
from lstmfast.models.compiled import Compiled
from lstmfast.models.data import Adapter, Samples, samples_of
from lstmfast.models.progress import result_line, verbosity, warn_of_non_finite

BATCH_SIZE = 32


class Predicting:
    """What a model of the core computes."""

    _core_model: CoreModel | None = None
    _adapter: Adapter
    _compiled = Compiled()
    _output_keys: list[str] | None = None  # of a dictionary

    def _build_for(self, x: Any, where: str) -> None:
        """Make the weights of a model that has none yet, for inputs like x."""
        raise NotImplementedError

    def _packed(self, outputs: list[Any]) -> Any:
        """Return what a call returns: one output, a list of them, or a dictionary."""
        if self._output_keys is not None:
            return dict(zip(self._output_keys, outputs, strict=True))
        return one_or_all(outputs)

    def _core_model_for(self, x: Any, where: str) -> CoreModel:
        if self._core_model is None:
            self._build_for(x, where)
        assert self._core_model is not None
        return self._core_model

    def _samples(self, x: Any, y: Any, sample_weight: Any, where: str) -> tuple[CoreModel, Samples]:
        """Return the core model and the data of a call that needs a loss."""
        compiled = self._compiled
        if compiled.optimizer is None or not compiled.has_loss:
            missing = "compiled" if compiled.optimizer is None else "compiled with a loss"
            raise ValueError(f"[{where}] the model is not {missing}; call compile(loss=...) first")
        core_model = self._core_model_for(x, where)
        return core_model, self._adapter.samples(x, y, sample_weight, compiled.outputs, where)

    def _batch(self, batch_size: int | None, where: str) -> int:
        """Return the number of samples in a step."""
        if batch_size is not None:
            return count(batch_size, "batch_size", where)
        carried = 0 if self._core_model is None else self._core_model.carried_rows
        return carried or BATCH_SIZE

    def _returned(self, values: Mapping[str, Any], as_dict: bool) -> Any:
        """Return a call's values in the form that Keras gives them."""
        logs = self._compiled.renamed(values)
        return logs if as_dict else self._compiled.listed(logs)

    def reset_metrics(self) -> None:
        """Do nothing, for Keras's sake: the values of each call are its own."""

    def evaluate(
        self,
        x: ArrayLike = None,
        y: ArrayLike = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss, and the metrics where there are any, over all samples.

        Parameters
        ----------
        x, y : array_like
            Samples and targets, as in `fit`.
        batch_size : int, optional
            Samples in a step; 32 by default, or what a stateful model has. The result hardly
            depends on it, unless steps are masked: a batch counts by its samples, whatever is
            masked in them.
        verbose : {"auto", 0, 1, 2}
            0 shows nothing, anything else one line.
        callbacks : list of Callback, optional
            Objects of `lstmfast.callbacks`.
        return_dict : bool
            Return a dictionary.
        sample_weight : array_like, optional
            As in `fit`.
        steps
            Not available in this version: must be None.

        Returns
        -------
        float, list of float or dict
            The loss alone; with metrics ``[loss, metric, ...]``, after the loss those of several
            outputs; or a dictionary. A loss that is
            not finite warns.
        """
        check_unavailable("evaluate", {"steps": steps}, {"steps": None})
        as_dict = flag(return_dict, "return_dict", "evaluate")
        core_model, data = self._samples(x, y, sample_weight, "evaluate")
        size = self._batch(batch_size, "evaluate")
        shown = verbosity(verbose, "evaluate")
        end = self._begin_stage("evaluate", "test", callbacks, shown, len(data) / size)
        logs = self._compiled.renamed(core_model.evaluate(data.x, data.y, size, data.weights))
        warn_of_non_finite(logs["loss"], core_model, data, "evaluate")
        end(logs)
        return logs if as_dict else self._compiled.listed(logs)

    def _begin_stage(
        self, where: str, stage: str, callbacks: Any, shown: int, batches: float
    ) -> Callable[[dict[str, Any]], None]:
        """Tell callbacks that a stage begins; return what tells of its end, and shows its logs."""
        steps = math.ceil(batches)
        listening = CallbackList(callbacks, where)
        listening.attach(self, {"verbose": shown, "steps": steps})
        listening.call(f"on_{stage}_begin", {})
        started = perf_counter()

        def end(logs: dict[str, Any]) -> None:
            if shown:
                print(result_line(steps, perf_counter() - started, logs), end="", flush=True)
            listening.call(f"on_{stage}_end", logs)

        return end

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the outputs for all samples.

        Parameters
        ----------
        x : array_like
            (N, T, I) or (N, I): the samples, as in `fit`.
        batch_size : int, optional
            Samples computed at a time; 32 by default. The outputs do not depend on it.
        verbose : {"auto", 0, 1, 2}
            1 and 2 print a line; 0 and "auto" do not, for predict is often called in a loop.
        callbacks : list of Callback, optional
            Objects of `lstmfast.callbacks`.
        steps
            Not available in this version: must be None.

        Returns
        -------
        numpy.ndarray
            (N, *output_shape); a list of these, or a dictionary, of several outputs.
        """
        shown = verbosity(verbose, "predict", auto=0)
        if batch_size is steps is callbacks is None and not shown and self._core_model is not None:
            outputs = self._core_model.call(x, BATCH_SIZE)
            if outputs is not None:
                return outputs
        core_model = self._core_model_for(x, "predict")
        samples = self._adapter.checked(x, "predict")
        size = self._batch(batch_size, "predict")
        if callbacks is steps is None and not shown:
            return self._packed(core_model.predict(samples, size))
        check_unavailable("predict", {"steps": steps}, {"steps": None})
        batches = samples_of(samples) / size
        end = self._begin_stage("predict", "predict", callbacks, shown, batches)
        outputs = self._packed(core_model.predict(samples, size))
        end({})
        return outputs

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for all samples, computed as one batch."""
        core_model = self._core_model_for(x, "predict_on_batch")
        samples = self._adapter.checked(x, "predict_on_batch")
        return self._packed(core_model.predict(samples, max(1, samples_of(samples))))

    def test_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike = None,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return loss and metrics of all samples, computed as one batch, as `evaluate` does."""
        as_dict = flag(return_dict, "return_dict", "test_on_batch")
        core_model, data = self._samples(x, y, sample_weight, "test_on_batch")
        size = max(1, len(data))
        values = core_model.evaluate(data.x, data.y, size, data.weights, "model.test_on_batch")
        warn_of_non_finite(values["loss"], core_model, data, "test_on_batch")
        return self._returned(values, as_dict)

    @property
    def stateful(self) -> bool:
        """Whether a layer carries its state from batch to batch."""
        return self._core_model is not None and self._core_model.stateful

    def reset_states(self) -> None:
        """Begin anew: the states that stateful layers carry on become zero.

        Examples
        --------
        >>> import numpy as np
        >>> from lstmfast.layers import LSTM, Input
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([Input((3, 1), batch_size=2), LSTM(4, stateful=True)])
        >>> x = np.ones((2, 3, 1))
        >>> first, second = model.predict(x), model.predict(x)
        >>> model.reset_states()
        >>> bool((model.predict(x) == first).all()), bool((second == first).all())
        (True, False)
        """
        if self._core_model is not None:
            self._core_model.reset_states()

    reset_state = reset_states

    def release_memory(self) -> None:
        """Give back the memory that calls keep so that later ones need not ask for it.

        The next call takes what it needs anew. Without this, memory goes back once sixteen calls in
        turn have needed less than a quarter of it. Weights, the optimizer's state and what stateful
        layers carry stay.

        Raises
        ------
        RuntimeError
            While the model is being trained.

        Examples
        --------
        >>> import numpy as np
        >>> from lstmfast.layers import LSTM
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([LSTM(4)])
        >>> y = model.predict(np.ones((100, 3, 1)))
        >>> model.release_memory()
        """
        if self._core_model is not None:
            self._core_model.release_memory()
