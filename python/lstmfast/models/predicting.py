"""What models do with data without learning from them: evaluate and predict.

Long, because both take data of every kind.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any, NoReturn, TypeAlias

import numpy as np

from lstmfast._arrays import ArrayLike, Data, shape_text
from lstmfast._checks import LARGEST_COUNT, check_unavailable, flag
from lstmfast._core import Model as CoreModel
from lstmfast.callbacks.base import CallbackList
from lstmfast.layers._symbolic import one_or_all
from lstmfast.models.data import Adapter, first_of, samples_of
from lstmfast.models.given import BATCH_SIZE
from lstmfast.models.progress import AUTO, result_line, verbosity, warn_of_non_finite
from lstmfast.models.ragged import Padded, lengths_of, unpadded, with_lengths
from lstmfast.models.sources import Batches, Source, evaluated, taken, test_hooks, unpacked
from lstmfast.models.streaming import Streaming

Compute: TypeAlias = Callable[[list[Data], int, bool], list[Any]]
"""What makes outputs of samples, so many at a time; the flag is that of `_outputs`."""


def _outputs(core_model: CoreModel, samples: list[Data], size: int, whole: bool) -> list[Any]:
    """Return the outputs; unless `whole`, those with a mask as lists of samples without its steps.

    That is for samples that came in a list and differ in length.
    """
    if whole or all(lengths_of(each) is None for each in samples):
        return core_model.predict(samples, size)
    outputs, masks = core_model.predict_masked(samples, size)
    return list(map(unpadded, outputs, masks))


_AT_BATCHES = "on_predict_batch_begin", "on_predict_batch_end"


class Predicting(Streaming):
    """What a model of the core computes."""

    stop_evaluating = stop_predicting = False

    _output_keys: list[str] | None = None  # of a dictionary

    def _packed(self, outputs: list[Any]) -> Any:
        """Return what a call returns: one output, a list of them, or a dictionary."""
        if self._output_keys is not None:
            return dict(zip(self._output_keys, outputs, strict=True))
        return one_or_all(outputs)

    def _returned(self, values: Mapping[str, Any], as_dict: bool) -> Any:
        """Return a call's values in the form that Keras gives them."""
        compiled = self._compiled
        return compiled.renamed(values) if as_dict else compiled.listed(values)

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
        *,
        lengths: ArrayLike = None,
        **unknown: NoReturn,
    ) -> Any:
        """Return the loss, and the metrics where there are any, over all samples.

        Parameters
        ----------
        x, y : array_like
            Samples and targets, or what gives batches of them, as in `fit`.
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
        steps : int, optional
            How many batches; by default all.
        lengths : array_like of int, optional
            As in `fit`.

        Returns
        -------
        float, list of float or dict
            The loss alone; with metrics ``[loss, metric, ...]``, after the loss those of several
            outputs; or a dictionary. A loss that is
            not finite warns.
        """
        if unknown:
            check_unavailable("evaluate", unknown, {}, self.evaluate)
        as_dict = flag(return_dict, "return_dict", "evaluate")
        where = "evaluate"
        given = with_lengths(x, lengths), y, sample_weight
        core_model, data, size = self._data(given, where, steps, batch_size)
        shown = verbosity(verbose, where)
        batches = data.batches if isinstance(data, Source) else math.ceil(len(data) / size)
        listening, end = self._begin_stage(where, "test", callbacks, shown, batches)
        self.stop_evaluating = False
        hooks = test_hooks(listening, self)
        values = evaluated(core_model, data, size, hooks)
        logs = self._compiled.renamed(values)
        warn_of_non_finite(logs["loss"], core_model, data, where)
        end(logs, data.given.number if isinstance(data, Source) else None)
        return logs if as_dict else self._compiled.listed(values)

    def _begin_stage(
        self, where: str, stage: str, callbacks: Any, shown: int, steps: int | None
    ) -> tuple[CallbackList, Callable[..., None]]:
        """Tell callbacks that a stage begins; return them, and what tells them of its end.

        The latter shows its logs, too.
        """
        listening = CallbackList(callbacks, where)
        listening.attach(self, {"verbose": shown, "steps": steps})
        listening.call(f"on_{stage}_begin", {})
        started = perf_counter()

        def end(logs: dict[str, Any], done: int | None = None) -> None:
            if shown:
                seconds = perf_counter() - started
                print(result_line(done or steps, seconds, logs), end="", flush=True)
            listening.call(f"on_{stage}_end", logs)

        return listening, end

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = AUTO,
        steps: int | None = None,
        callbacks: Any = None,
        *,
        lengths: ArrayLike = None,
        **unknown: NoReturn,
    ) -> Any:
        """Return the outputs for all samples.

        Parameters
        ----------
        x : array_like
            (N, T, I) or (N, I): the samples, or what gives batches of them, as in `fit`; targets
            in the batches are not used.
        batch_size : int, optional
            Samples computed at a time; 32 by default. The outputs do not depend on it.
        verbose : {"auto", 0, 1, 2}
            1 and 2 print a line; 0 and "auto" do not, for predict is often called in a loop.
        callbacks : list of Callback, optional
            Objects of `lstmfast.callbacks`.
        steps : int, optional
            How many batches; by default all.
        lengths : array_like of int, optional
            As in `fit`.

        Returns
        -------
        numpy.ndarray or list of numpy.ndarray
            (N, *output_shape); a list of these, or a dictionary, of several outputs. Of samples in
            a list that differ in length, an output with steps is a list of arrays, each as long as
            its sample; next to `lengths` it is an array, whose masked steps repeat the last one or,
            with ``zero_output_for_mask``, are 0.

        Examples
        --------
        >>> import numpy as np
        >>> from lstmfast.layers import LSTM
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([LSTM(4, return_sequences=True)])
        >>> [y.shape for y in model.predict([np.ones((3, 2)), np.ones((5, 2))])]
        [(3, 4), (5, 4)]
        >>> model.predict(np.ones((2, 5, 2)), lengths=[3, 5]).shape
        (2, 5, 4)
        """
        if unknown:
            check_unavailable("predict", unknown, {}, self.predict)
        # a small model takes 2 us, and each call of Python a tenth of one
        x = x if lengths is None else with_lengths(x, lengths)
        is_quiet = verbose is AUTO or (type(verbose) is int and verbose == 0)
        shown = 0 if is_quiet else verbosity(verbose, "predict", auto=0)
        plain = batch_size is steps is callbacks is self._text is None
        if plain and not shown and self._core_model is not None:
            outputs = self._core_model.call(x, BATCH_SIZE)
            if outputs is not None:
                return outputs
        return self._predicted(x, batch_size, shown, steps, callbacks)

    def _predicted(
        self,
        x: Any,
        batch_size: int | None,
        shown: int,
        steps: int | None,
        callbacks: Any,
        compute: Compute | None = None,
        adapter: Adapter | None = None,
    ) -> Any:
        """Return what `compute` makes of all samples, by default the outputs."""
        where = "predict"
        given = self._batches((x, None, None), where, steps, batch_size)
        compute = compute or partial(_outputs, self._core_model_for(x, where))
        adapter = adapter or self._adapter
        if given is not None:
            listening, end = self._begin_stage(where, where, callbacks, shown, given.batches)
            batches = self._checked_batches(adapter, given)
            outputs = self._packed(self._predict_each(compute, batches, listening))
            end({}, given.number)
            return outputs
        samples = adapter.checked(x, where)
        size = self._batch(batch_size, where, samples_of(samples), steps)
        if steps is not None:
            samples = first_of(samples, size * steps)
        whole = isinstance(x, Padded)
        if callbacks is None and not shown:
            return self._packed(compute(samples, size, whole))
        count = math.ceil(samples_of(samples) / size)
        listening, end = self._begin_stage(where, where, callbacks, shown, count)
        if any(map(listening.listeners, _AT_BATCHES)):
            starts = range(0, samples_of(samples), size)
            cuts = ((taken(samples, slice(at, at + size)), whole) for at in starts)
            outputs = self._packed(self._predict_each(compute, cuts, listening))
        else:
            outputs = self._packed(compute(samples, size, whole))
        end({})
        return outputs

    def _checked_batches(
        self, adapter: Adapter, given: Batches
    ) -> Iterator[tuple[list[Data], bool]]:
        """Yield batches in the core's form, and whether their outputs stay whole."""
        given.begin()
        while (batch := given.next()) is not None:
            where = f"predict, batch {given.number}"
            x = unpacked(batch, where)[0]
            yield adapter.checked(x, where), isinstance(x, Padded)
        given.end()

    def _predict_each(
        self,
        compute: Compute,
        batches: Iterable[tuple[list[Data], bool]],
        listening: CallbackList,
    ) -> list[Any]:
        """Return the outputs of all batches, joined."""
        begin, end = map(listening.listeners, _AT_BATCHES)
        self.stop_predicting = False
        found: list[list[Any]] = []
        for number, (samples, whole) in enumerate(batches):
            for listener in begin:
                listener(number, {})
            found.append(compute(samples, max(1, samples_of(samples)), whole))
            for listener in end:
                listener(number, {"outputs": self._packed(found[-1])})
            if self.stop_predicting:
                break
        return [self._joined_batches(each) for each in zip(*found, strict=True)]

    def _joined_batches(self, each: Sequence[Any]) -> Any:
        """Return an output of all batches: an array, or a list of samples."""
        if any(isinstance(batch, list) for batch in each):
            return list(itertools.chain.from_iterable(each))
        shapes = {array.shape[1:] for array in each}
        if len(shapes) > 1:
            first, other = [shape_text(("N", *shape)) for shape in sorted(shapes)[:2]]
            raise ValueError(
                f"[predict] batches of x have outputs of shapes {first} and {other}; expected "
                "one shape: call predict for each batch"
            )
        return np.concatenate(each)

    def predict_on_batch(self, x: Any, *, lengths: ArrayLike = None) -> Any:
        """Return the outputs for all samples, computed as one batch; `lengths` as in `predict`."""
        x = with_lengths(x, lengths)
        if self._core_model is not None and self._text is None and not self.stateful:
            outputs = self._core_model.call(x, LARGEST_COUNT)
            if outputs is not None:
                return outputs
        core_model = self._core_model_for(x, "predict_on_batch")
        samples = self._adapter.checked(x, "predict_on_batch")
        size = max(1, samples_of(samples))
        return self._packed(_outputs(core_model, samples, size, isinstance(x, Padded)))

    def test_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike = None,
        sample_weight: Any = None,
        return_dict: bool = False,
        *,
        lengths: ArrayLike = None,
    ) -> Any:
        """Return loss and metrics of all samples, computed as one batch, as `evaluate` does."""
        as_dict = flag(return_dict, "return_dict", "test_on_batch")
        x = with_lengths(x, lengths)
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
