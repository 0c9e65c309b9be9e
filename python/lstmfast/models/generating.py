"""Continuing sequences with what a model predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lstmfast._arrays import Array, as_array, as_float, as_ids, shape_text, wrong_shape
from lstmfast._core import Model as CoreModel
from lstmfast.models.given import TakingData
from lstmfast.utils import Seed, as_generator, draw_seed

WHERE, NAME = "generate", "prompt"


class Prompts(NamedTuple):
    """The steps of all prompts, one prompt after the other."""

    steps: Array  # ids, or values with features
    lengths: list[int]
    is_one: bool  # the user gave one prompt, not several


def prompts_of(prompt: Any, core_model: CoreModel, dtype: str) -> Prompts:
    """Return prompts: ids (T,), values (T, features), or several of these."""
    (sample, _, takes_ids, _), *_ = core_model.inputs
    features = 0 if takes_ids or len(sample) != 2 else sample[1] or 0
    each, is_one = _each(prompt, takes_ids, features)
    ids = takes_ids or (features > 1 and all(_are_ids(one, features) for one in each))
    made = []
    for place, one in enumerate(each):
        name = NAME if is_one else f"{NAME}[{place}]"
        array = as_ids(one, 0, WHERE, name) if ids else as_float(one, np.dtype(dtype), WHERE, name)
        expected = ("T",) if ids else ("T", features)
        if array.ndim != len(expected) or (not ids and array.shape[1] != features):
            raise wrong_shape(WHERE, name, array.shape, shape_text(expected))
        made.append(array)
    empty = np.zeros(0, np.int32) if ids else np.zeros((0, features), dtype)
    return Prompts(np.concatenate([*made, empty]), [len(one) for one in made], is_one)


def _like(prompt: Any) -> Any:
    """Return a prompt as one sample: whole numbers are ids."""
    each, _ = _each(prompt, True, 0)
    if each and each[0].dtype.kind not in "iu":
        each, _ = _each(prompt, False, 0)
    return each[0][None] if each else None


def _each(prompt: Any, takes_ids: bool, features: int) -> tuple[Sequence[Any], bool]:
    """Return the prompts, each an array of its own, and whether it is one and not in a list."""
    if isinstance(prompt, list | tuple):
        arrays = [as_array(one, WHERE, f"{NAME}[{place}]") for place, one in enumerate(prompt)]
        if len({one.shape for one in arrays}) != 1:
            return arrays, False  # of different lengths, or none at all
    array = as_array(prompt, WHERE, NAME)
    axes = 1 if takes_ids or (features > 1 and _are_ids(array, features)) else 2
    is_one = array.ndim <= axes
    return ([array] if is_one else list(array)), is_one


def _are_ids(array: Array, features: int) -> bool:
    """Whether whole numbers are ids, and not rows that each have a 1 at an id."""
    if array.dtype.kind not in "iu" or array.ndim > 2:
        return False
    rows = array.ndim == 2 and array.shape[1] == features
    return not (rows and bool(((array == 0) | (array == 1)).all() and (array.sum(1) == 1).all()))


class Generating(TakingData):
    """What continues sequences."""

    _rng: np.random.Generator

    def generate(
        self,
        prompt: Any,
        length: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: Seed = None,
        *,
        from_logits: bool | None = None,
    ) -> Any:
        """Continue sequences: what the model predicts for the next step is its next input.

        What comes next is made of the output: of probabilities of ids (softmax), or of logits, an
        id is drawn; of `MixtureDensity` values are; and any other output is the next input as it
        is. Of several outputs the parts of the next input stand side by side, a drawn id as a 1
        among zeros.

        A model with any number of steps, or with stateful layers, runs one step at a time from
        zero states, in the core. One with a fixed number of steps, as ``Input((40, 65))``, predicts
        from the last so many steps each time. Carried states of stateful layers stay.

        Parameters
        ----------
        prompt : array_like
            What is continued: ids (T,), or values (T, I); or several of these, of one length in an
            array, (N, T) or (N, T, I), of different lengths in a list. A model that takes
            ``Input((None, V))`` and returns probabilities of V ids takes ids, or rows with a 1 at
            an id. A model without weights is built for the first one.
        length : int
            Steps to make.
        temperature : float
            Ids are drawn in proportion to p ** (1 / temperature); 0 takes the best one. Of mixtures
            the logits are divided by it, and the deviations multiplied by its root (Ha and Eck: A
            Neural Representation of Sketch Drawings, 2017); 0 takes the mean of the best one.
        top_k : int, optional
            Draw from the k best ids only.
        top_p : float, optional
            Then from the best of these only, whose probabilities first sum up to this (Holtzman et
            al.: The Curious Case of Neural Text Degeneration, 2020).
        seed : int or numpy.random.Generator, optional
            Of what is drawn; by default from the model's seed. Row n draws the same with any other
            rows, and with any number of threads.
        from_logits : bool, optional
            Whether the scores of ids are logits. By default they are if the last layer has no
            activation.

        Returns
        -------
        numpy.ndarray
            What follows the prompt, without it: int32 ids (N, length), of one output with
            probabilities or logits, else values (N, length, I); without N for one prompt.

        Raises
        ------
        ValueError
            Where the model has a layer that needs all steps at once, as `Bidirectional`, and any
            number of steps; where outputs and input do not fit together; for a prompt without
            steps, or with fewer than the model's fixed number; for scores that are not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from lstmfast.layers import LSTM, Dense, Embedding
        >>> from lstmfast.losses import SparseCategoricalCrossentropy
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([Embedding(5, 8), LSTM(16, return_sequences=True), Dense(5)], seed=0)
        >>> text = np.array([0, 1, 2, 3, 4] * 20)
        >>> model.compile("adam", SparseCategoricalCrossentropy(from_logits=True))
        >>> run = model.fit(text[None, :-1], text[None, 1:], epochs=150, verbose=0)
        >>> model.generate([0, 1, 2], 6, temperature=0)
        array([3, 4, 0, 1, 2, 3], dtype=int32)
        """
        start = _like(prompt) if self._core_model is None else None
        core_model = self._core_model_for(start, WHERE)
        options = {
            "length": length,
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "from_logits": from_logits,
            "seed": seed
            if isinstance(seed, int | np.integer)
            else draw_seed(self._rng if seed is None else as_generator(seed, WHERE)),
        }
        given = prompts_of(prompt, core_model, self._adapter.dtype.name)
        found = core_model.generate(given.steps, given.lengths, options)
        return found[0] if given.is_one else found
