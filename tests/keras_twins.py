"""The same net in lstmfast and in live Keras 3: one function builds both.

A builder takes the library's module (``of.layers``, ``of.models``, ``of.losses``, ...) and uses
names that both have. Keras's weights, moved at random so that no two biases are alike, go to ours
layer by layer, through `get_weights` and `set_weights`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lstmfast

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

OURS: Any = lstmfast
KERAS: Any = keras

# Keras warns a lot; where a warning is the point, `pytest.warns` sees it all the same
peer = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

# float32 on both sides, values of order 1, sums of at most some hundred terms: √200 · 6e-8 is
# 8e-7, and activations and steps add their own
ATOL = 4e-6
# three steps of each of two optimizers: six times that, less what steps make smaller
TRAINED = 1e-5
# what a weight moves in these steps at least, so that an error of its gradient would show
MOVED = 20 * TRAINED
EPOCHS = 3
B, T = 5, 6

# padded right, padded left, with gaps, with nothing left, whole
MASK = np.array(
    [
        [True, True, True, True, False, False],
        [False, False, True, True, True, True],
        [False, True, False, True, True, False],
        [False, False, False, False, False, False],
        [True, True, True, True, True, True],
    ]
)
OTHER_MASK = MASK[[1, 2, 0, 4, 3]]

Build = Callable[[Any], Any]


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def masked_numbers(features: int = 3, mask: np.ndarray = MASK, seed: int = 0) -> np.ndarray:
    """(B, T, features) with zeros, which `Masking` takes for padding, where `mask` is false."""
    x = numbers(B, T, features, seed=seed)
    x[~mask] = 0.0
    return x


def lstm(of: Any, units: int, **options: Any) -> Any:
    """An LSTM by Keras's plain loop: its fused kernels for torch forget masks of some kinds."""
    return of.layers.LSTM(units, use_cudnn=False, **options)


def resumed(of: Any, layer: Any, x: Any, masking: Any, states: Any) -> Any:
    """Call a recurrent layer with initial states and a sequence masked by `masking`.

    Ours takes the mask of its sequence, always. Keras 3.15 passes it to no layer that takes states
    as well (keras/src/layers/layer.py, step 6 of `__call__`), so that its call needs ``mask=``.
    """
    options = {"mask": masking.compute_mask(x)} if of.module is KERAS else {}
    return layer(masking(x), initial_state=states, **options)


class Recorder:
    """The module of a library that remembers the layers it makes, in that order."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.made: list[Any] = []
        self.layers = _Layers(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


class _Layers:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._recorder.module.layers, name)
        if not isinstance(found, type):
            return found

        def make(*args: Any, **keywords: Any) -> Any:
            layer = found(*args, **keywords)
            if hasattr(layer, "weights"):  # our Input is a class, and no layer
                self._recorder.made.append(layer)
            return layer

        return make


# each model of `twins` with its layers, in the order in which they were made
_LAYERS: list[tuple[Any, list[Any]]] = []


def twins(build: Build) -> tuple[Any, Any]:
    """Our model and Keras's, with the same weights.

    Layers are paired as the builder makes them, for in Keras `get_weights` of a graph with masks
    depends on how masks are computed: their operations are nodes, and move layers in the order.
    """
    keras.utils.set_random_seed(0)
    ours_of, theirs_of = Recorder(OURS), Recorder(KERAS)
    theirs, ours = build(theirs_of), build(ours_of)
    assert len(ours_of.made) == len(theirs_of.made)
    inside = [getattr(layer, "layer", None) for layer in theirs_of.made]  # of TimeDistributed
    pairs = [
        pair
        for pair, held in zip(zip(ours_of.made, theirs_of.made, strict=True), inside, strict=True)
        # a layer in a wrapper comes with that, a model in a wrapper by its own layers
        if pair[1].weights
        and not isinstance(held, KERAS.Model)
        and not any(pair[1] is other for other in inside)
    ]
    _LAYERS[:] = [*_LAYERS[-6:], (ours, [p[0] for p in pairs]), (theirs, [p[1] for p in pairs])]
    assert sum(w.size for w in weights_of(theirs)) == theirs.count_params() == ours.count_params()
    for n, (mine, other) in enumerate(pairs):
        share_weights(mine, other, n)
    return ours, theirs


def share_weights(ours: Any, theirs: Any, seed: int = 0) -> None:
    """Of layers, or of models without masks."""
    weights = theirs.get_weights()
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in weights]
    weights = [w + 0.1 * numbers(*w.shape, seed=9 * seed + n) for n, w in enumerate(weights)]
    theirs.set_weights(weights)
    ours.set_weights(weights)


def weights_of(model: Any) -> list[np.ndarray]:
    """The weights as arrays of their own; of the models of `twins` as their layers were made."""
    layers = next((made for known, made in _LAYERS if known is model), [model])
    return [np.array(w) for layer in layers for w in layer.get_weights()]


def same(ours: Any, theirs: Any, atol: float = ATOL) -> None:
    """Compare arrays, and lists and dictionaries of them."""
    if isinstance(theirs, dict):
        assert sorted(ours) == sorted(theirs)
        ours, theirs = [ours[key] for key in theirs], list(theirs.values())
    if isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            same(mine, other, atol)
        return
    expected = np.asarray(theirs.detach() if hasattr(theirs, "detach") else theirs)
    found = np.asarray(ours.detach() if hasattr(ours, "detach") else ours)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=atol, atol=atol)


def same_outputs(ours: Any, theirs: Any, x: Any, atol: float = ATOL) -> None:
    expected = theirs.predict(x, verbose=0)
    # nothing is proved by outputs that are the same for all rows
    for y in expected if isinstance(expected, list) else [expected]:
        assert np.ptp(y, axis=0).max() > 100 * atol
    same(ours.predict(x, verbose=0), expected, atol)


def compile_both(ours: Any, theirs: Any, **options: Any) -> None:
    """Compile; options are values, or functions of the library's module."""
    for model, of in ((ours, OURS), (theirs, KERAS)):
        model.compile(**{k: v(of) if callable(v) else v for k, v in options.items()})


def same_fit(ours: Any, theirs: Any, x: Any, y: Any, **options: Any) -> dict[str, Any]:
    """Fit both: the same history, key for key; return Keras's."""
    how: dict[str, Any] = {"epochs": EPOCHS, "shuffle": False, "verbose": 0} | options
    found, expected = (model.fit(x, y, **how).history for model in (ours, theirs))
    assert sorted(found) == sorted(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=TRAINED, atol=TRAINED, err_msg=key)
    return dict(expected)


def same_training(
    ours: Any,
    theirs: Any,
    x: Any,
    y: Any,
    *,
    frozen: int = 0,
    rate: float = 0.2,
    fit: dict[str, Any] | None = None,
    **options: Any,
) -> None:
    """Some steps of SGD, then of Adam: the same losses, and the same weights afterwards.

    All but `frozen` of the weights must move visibly, those not at all. `rate` is SGD's.
    """
    for optimizer in (
        lambda of: of.optimizers.SGD(rate),
        # epsilon of the size of gradients: where one is all rounding error, its sign must not count
        lambda of: of.optimizers.Adam(rate / 10, epsilon=1e-2),
    ):
        before = weights_of(theirs)
        compile_both(ours, theirs, **({"loss": "mse"} | options | {"optimizer": optimizer}))
        same_fit(ours, theirs, x, y, **(fit or {}))
        moves = [np.abs(w - v).max() for w, v in zip(weights_of(theirs), before, strict=True)]
        assert sum(move == 0.0 for move in moves) == frozen, moves
        assert all(move == 0.0 or move > MOVED for move in moves), moves
        same(weights_of(ours), weights_of(theirs), TRAINED)


def same_nets(build: Build, x: Any, y: Any, **options: Any) -> tuple[Any, Any]:
    """The twins of a builder: their outputs, trainings, and outputs after them."""
    ours, theirs = twins(build)
    same_outputs(ours, theirs, x)
    same_training(ours, theirs, x, y, **options)
    same_outputs(ours, theirs, x, TRAINED)
    return ours, theirs
