"""What a model does with data without learning from them."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from lstmfast._arrays import Array, ArrayLike
from lstmfast._checks import check_unavailable, flag
from lstmfast.callbacks.base import CallbackList
from lstmfast.models.compiled import Compiled
from lstmfast.models.data import checked_weights
from lstmfast.models.non_finite import warn_of_non_finite
from lstmfast.models.progress import result_line, verbosity
from lstmfast.models.weighted import BATCH_SIZE


class Predictor(Compiled):
    """A compiled stack that evaluates and predicts."""

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
            The loss alone; with metrics ``[loss, metric, ...]``; or a dictionary. A loss that is
            not finite warns.
        """
        check_unavailable("evaluate", {"steps": steps}, {"steps": None})
        as_dict = flag(return_dict, "return_dict", "evaluate")
        engine, samples = self._compiled_engine(x, "evaluate")
        targets = self._targets(y, len(samples), "evaluate")
        weights = checked_weights(sample_weight, len(samples), self._dtype, "evaluate")
        size = self._batch(batch_size, "evaluate")
        shown = verbosity(verbose, "evaluate")
        steps_done = -(-len(samples) // size)
        listening = CallbackList(callbacks, "evaluate")
        listening.attach(self, {"verbose": shown, "steps": steps_done})
        listening.call("on_test_begin", {})
        started = perf_counter()
        logs = self.renamed(engine.evaluate(samples, targets, size, weights))
        warn_of_non_finite(logs["loss"], engine, (samples, targets, weights), "evaluate")
        if shown:
            print(result_line(steps_done, perf_counter() - started, logs), end="", flush=True)
        listening.call("on_test_end", logs)
        return returned(logs, as_dict)

    def predict(
        self,
        x: ArrayLike,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Array:
        """Return the outputs for all samples.

        Parameters
        ----------
        x : array_like
            (N, T, I) or (N, I): the samples.
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
            (N, *output_shape).
        """
        shown = verbosity(verbose, "predict", auto=0)
        if batch_size is steps is callbacks is None and not shown and self._engine is not None:
            outputs = self._engine.call(x, BATCH_SIZE)
            if outputs is not None:
                return outputs
        engine, samples = self._engine_for(x, "predict")
        size = self._batch(batch_size, "predict")
        if callbacks is None and steps is None and not shown:
            return engine.predict(samples, size)
        check_unavailable("predict", {"steps": steps}, {"steps": None})
        steps_done = -(-len(samples) // size)
        listening = CallbackList(callbacks, "predict")
        listening.attach(self, {"verbose": shown, "steps": steps_done})
        listening.call("on_predict_begin", {})
        started = perf_counter()
        outputs = engine.predict(samples, size)
        if shown:
            print(result_line(steps_done, perf_counter() - started, {}), end="", flush=True)
        listening.call("on_predict_end", {})
        return outputs

    def __call__(self, x: ArrayLike, training: bool | None = None, mask: ArrayLike = None) -> Array:
        """Return the outputs for all samples, computed as one batch.

        Parameters
        ----------
        x : array_like
            (N, T, I) or (N, I): the samples.
        training : bool, optional
            Do what is random, as dropout is; None is False. Nothing is learnt.
        mask : array_like of bool, optional
            (N, T): False where a step does not count.

        Returns
        -------
        numpy.ndarray
            (N, *output_shape).
        """
        random = training is not None and flag(training, "training", "call")
        if not random and mask is None:
            return self.predict_on_batch(x)
        _, outputs = self._engine_for(x, "call")
        for layer in self._layers:
            after = layer.compute_mask(outputs, mask)
            outputs, mask = layer(outputs, mask=mask, training=random), after
        return outputs

    def predict_on_batch(self, x: ArrayLike) -> Array:
        """Return the outputs for all samples, computed as one batch."""
        engine, samples = self._engine_for(x, "predict_on_batch")
        return engine.predict(samples, max(1, len(samples)))

    def test_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike = None,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return loss and metrics of all samples, computed as one batch, as `evaluate` does."""
        as_dict = flag(return_dict, "return_dict", "test_on_batch")
        engine, samples = self._compiled_engine(x, "test_on_batch")
        targets = self._targets(y, len(samples), "test_on_batch")
        weights = checked_weights(sample_weight, len(samples), self._dtype, "test_on_batch")
        logs = self.renamed(engine.test_on_batch(samples, targets, weights))
        warn_of_non_finite(logs["loss"], engine, (samples, targets, weights), "test_on_batch")
        return returned(logs, as_dict)


def returned(logs: dict[str, Any], as_dict: bool) -> Any:
    """Return a call's values in the form that Keras gives them."""
    if as_dict:
        return logs
    return list(logs.values()) if len(logs) > 1 else logs["loss"]
