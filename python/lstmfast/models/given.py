"""What models take as data: arrays, or what gives batches; the way of both to the core's form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lstmfast._checks import count, wrong_kind
from lstmfast._core import Model as CoreModel
from lstmfast._warnings import warn
from lstmfast.models.compiled import Compiled
from lstmfast.models.data import NAMES, Adapter, ArrayNames, Samples
from lstmfast.models.ragged import with_lengths
from lstmfast.models.sources import (
    Batches,
    Rows,
    Source,
    batches_of,
    in_rows,
    is_batches,
    unpacked,
)

BATCH_SIZE = 32
VALIDATION = "validation_data[0]", "validation_data[1]", "validation_data[2]"


class TakingData:
    """A model of the core that takes data."""

    _core_model: CoreModel | None = None
    _adapter: Adapter
    _compiled = Compiled()
    _text: Callable[[Any], Any] | None = None  # makes numbers of texts, where the model takes these

    def _build_for(self, x: Any, where: str) -> None:
        """Make the weights of a model that has none yet, for inputs like x."""
        raise NotImplementedError

    def _core_model_for(self, x: Any, where: str) -> CoreModel:
        if self._core_model is None:
            self._build_for(x, where)
        assert self._core_model is not None
        return self._core_model

    def _samples(self, x: Any, y: Any, sample_weight: Any, where: str) -> tuple[CoreModel, Samples]:
        """Return the core model and the data of a call that needs a loss, with arrays in memory."""
        self._check_compiled(where)
        core_model = self._core_model_for(x, where)
        outputs = self._compiled.outputs
        return core_model, self._adapter.samples(x, y, sample_weight, outputs, where)

    def _check_trains(self, where: str) -> None:
        """Refuse what trains, evaluates or extends a model in reduced precision."""
        graph = None if self._core_model is None else self._core_model.graph
        if graph is not None and graph.precision != graph.dtype:
            raise ValueError(
                f"[{where}] the model's kernels are {graph.precision}, for inference alone; "
                f"expected {graph.dtype}: use the model that it was made of"
            )

    def _check_compiled(self, where: str) -> None:
        compiled = self._compiled
        if compiled.optimizer is None or not compiled.has_loss:
            self._check_trains(where)
            missing = "compiled" if compiled.optimizer is None else "compiled with a loss"
            raise ValueError(f"[{where}] the model is not {missing}; call compile(loss=...) first")

    def _batches(
        self,
        parts: tuple[Any, Any, Any],
        where: str,
        steps: Any,
        batch_size: Any,
        names: ArrayNames = NAMES,
        of_steps: str = "steps",
    ) -> Batches | None:
        """Return the adapter of data that come in batches, for which weights are made if need be.

        None: the data are arrays in memory. steps: as the user gives them; of_steps: their name.
        """
        if type(parts[0]) is np.ndarray and type(parts[1]) is np.ndarray and parts[2] is None:
            return None  # to look at what else there may be would cost a third of a call of fit
        epoch = None if steps is None else count(steps, of_steps, where)
        dtype = np.dtype("float32") if self._core_model is None else self._adapter.dtype
        given = batches_of(parts, where, epoch, names, dtype, of_steps)
        if given is None:
            return None
        if batch_size is not None and not isinstance(given, Rows):
            count(batch_size, "batch_size", where)
            warn(f"[{where}] batch_size is not used: {names[0]} brings batches of its own")
        self._core_model_for(unpacked(given.peek(), f"{where}, batch 1")[0], where)
        if isinstance(given, Rows):
            given.batch_size = self._batch(batch_size, where, len(given.samples), epoch)
        return given

    def _data(
        self,
        parts: tuple[Any, Any, Any],
        where: str,
        steps: Any,
        batch_size: Any,
        names: ArrayNames = NAMES,
        of_steps: str = "steps",
    ) -> tuple[CoreModel, Samples | Source, int]:
        """Return the core model, data and batch size of a call that needs a loss."""
        self._check_compiled(where)
        outputs = self._compiled.outputs
        given = self._batches(parts, where, steps, batch_size, names, of_steps)
        if given is not None:
            assert self._core_model is not None

            def convert(x: Any, y: Any, weights: Any, of_batch: str) -> Samples:
                return self._adapter.samples(x, y, weights, outputs, of_batch, names)

            size = given.batch_size if isinstance(given, Rows) else 1
            return self._core_model, Source(given, convert), size
        core_model = self._core_model_for(parts[0], where)
        data = self._adapter.samples(*parts, outputs, where, names)
        if steps is not None:
            steps = count(steps, of_steps, where)
        size = self._batch(batch_size, where, len(data), steps)
        return core_model, data if steps is None else in_rows(data, size, where, steps), size

    def _batch(
        self, batch_size: int | None, where: str, samples: int = 0, steps: int | None = None
    ) -> int:
        """Return the number of samples in a step: by default what makes `steps` of the samples."""
        if batch_size is not None:
            return count(batch_size, "batch_size", where)
        carried = 0 if self._core_model is None else self._core_model.carried_rows
        return carried or (-(-samples // steps) if steps else BATCH_SIZE)

    def _class_weighted(self, data: Samples | Source, class_weight: Any) -> Samples | Source:
        """Return data with weights by class, those of batches as they come."""
        if class_weight is None:
            return data

        def weighted(samples: Samples) -> Samples:
            outputs = self._compiled.outputs
            return self._adapter.with_class_weights(class_weight, samples, outputs, "fit")

        return weighted(data) if isinstance(data, Samples) else data.mapped(weighted)

    def _held_out(
        self, data: Any, steps: Any, batch_size: Any, lengths: Any
    ) -> tuple[Samples | Source, int]:
        """Return what to validate with, and the number of samples in a step."""
        if is_batches(data):
            data, batch_size = (data,), None
            names: ArrayNames = ["validation_data", *VALIDATION[1:]]
        else:
            names = VALIDATION
            self._check_validation(data)
        x, y, weights = (*data, None, None)[:3]
        parts = with_lengths(x, lengths), y, weights
        _, held_out, size = self._data(parts, "fit", steps, batch_size, names, "validation_steps")
        if isinstance(held_out, Source):
            held_out.given.restarts = True
        return held_out, size

    def _check_validation(self, data: Any) -> None:
        wanted = "a pair (x, y) or (x, y, sample_weight)"
        if not isinstance(data, tuple | list):
            raise wrong_kind("fit", "validation_data", data, wanted)
        if len(data) not in (2, 3):
            raise ValueError(f"[fit] validation_data has {len(data)} items; expected {wanted}")
