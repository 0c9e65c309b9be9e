"""Against live Keras 3: convolutions and pooling alone, at each step, before recurrent layers."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

from graph_layer_cases import CONVS
from keras_twins import (
    KERAS,
    MASK,
    OURS,
    B,
    T,
    lstm,
    masked_numbers,
    numbers,
    peer,
    same,
    same_nets,
    same_outputs,
    twins,
)

pytestmark = peer


# where all taps are padding, outputs are equal and nothing is learned
@pytest.mark.parametrize("name", sorted(CONVS.keys() - {"padding_alone"}))
def test_convolutions(name: str) -> None:
    case = CONVS[name]

    def build(of: Any) -> Any:
        x = of.layers.Input(case.shape)
        h = of.layers.Dense(case.shape[-1])(x)
        h = case.make(of.layers, activation="tanh")(h)
        if "long" in name:  # sums over so many windows diverge
            h = getattr(of.layers, f"GlobalAveragePooling{len(case.shape) - 1}D")()(h)
        else:
            h = of.layers.Flatten()(h)
        return of.models.Model(x, of.layers.Dense(2)(h))

    rate = 0.2 if "long" in name else 0.02
    same_nets(build, numbers(B, *case.shape), numbers(B, 2, seed=9), rate=rate)


ROWS: dict[str, Any] = {
    "strided": lambda l: [l.Conv1D(4, 3, strides=2, activation="relu"), l.MaxPooling1D(2, 1)],
    "regularised": lambda l: [
        l.Conv1D(4, (2,), kernel_regularizer="l2", bias_regularizer="l1",
                 kernel_constraint="non_neg", activity_regularizer="l2"),
        l.AvgPool1D(2),
    ],
    "no_bias": lambda l: [l.Convolution1D(4, 3, padding="causal", use_bias=False), l.MaxPool1D(3)],
    "he": lambda l: [l.Conv1D(4, 1, kernel_initializer="he_normal", bias_initializer="ones")],
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_before_an_lstm(name: str) -> None:
    def build(of: Any) -> Any:
        rows = [
            of.layers.Input((2 * T, 3)),
            *ROWS[name](of.layers),
            lstm(of, 3),
            of.layers.Dense(2),
        ]
        return of.models.Sequential(rows)

    same_nets(build, numbers(B, 2 * T, 3), numbers(B, 2, seed=9), rate=0.1)


@pytest.mark.parametrize("wrapped", [False, True])
def test_at_each_step(wrapped: bool) -> None:
    def build(of: Any) -> Any:
        l, x = of.layers, of.layers.Input((None, 2 * T, 2))
        read = [l.Conv1D(4, 3, activation="tanh"), l.MaxPooling1D(2), l.Flatten()]
        if wrapped:
            whole = of.models.Sequential([l.Input((2 * T, 2)), *read])
            h = l.TimeDistributed(whole)(x)
        else:
            h = x
            for layer in read:
                h = l.TimeDistributed(layer)(h)
        return of.models.Model(x, l.Dense(2)(lstm(of, 3)(h)))

    same_nets(build, numbers(B, 3, 2 * T, 2), numbers(B, 2, seed=9))


ENDING: dict[str, Any] = {
    "conv": lambda l: l.Conv1D(2, 3),
    "max": lambda l: l.MaxPooling1D(2),
    "mean": lambda l: l.AveragePooling1D(2),
    "max_of_all": lambda l: l.GlobalMaxPooling1D(),
}


@pytest.mark.parametrize("name", ENDING)
def test_masks_end(name: str) -> None:
    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = ENDING[name](of.layers)(of.layers.Masking()(x))
        return of.models.Model(x, lstm(of, 3)(h) if "all" not in name else of.layers.Dense(3)(h))

    for of in (OURS, KERAS):
        with pytest.warns(UserWarning, match="mask"):
            build(of).predict(masked_numbers(), verbose=0)
    same_nets(build, masked_numbers(), numbers(B, 3, seed=9))


def test_mean_heeds_the_mask() -> None:
    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = of.layers.Dense(3)(of.layers.Masking()(x))
        return of.models.Model(x, of.layers.Dense(2)(of.layers.GlobalAveragePooling1D()(h)))

    x = masked_numbers()
    x[~MASK.any(axis=1)] = 1.0  # of nothing, the mean is NaN
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(OURS)
    same_nets(build, x, numbers(B, 2, seed=9))
    of_nothing = [
        np.asarray(of.layers.GlobalAveragePooling1D()(numbers(B, T, 3), mask=MASK))
        for of in (OURS, KERAS)
    ]
    same(*of_nothing)
    assert np.isnan(of_nothing[0][3]).all()


def test_ties() -> None:
    """The first of equal elements gets the gradient of a maximum."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = of.layers.Dense(3, activation="relu")(x)
        return of.models.Model(x, of.layers.MaxPooling1D(3, 2, "same")(h))

    x = numbers(B, T, 3)
    same_nets(build, np.repeat(x[:, ::2], 2, axis=1), numbers(B, 3, 3, seed=9))


def test_images() -> None:
    def build(of: Any) -> Any:
        l = of.layers
        return of.models.Sequential(
            [l.Input((12, 10, 1)), l.Conv2D(4, (3, 3), activation="tanh"), l.MaxPooling2D((2, 2)),
             l.Conv2D(5, 2, padding="same", strides=2), l.AveragePooling2D((2, 1)), l.Flatten(),
             l.Dense(2)]
        )  # fmt: skip

    same_nets(build, numbers(B, 12, 10, 1), numbers(B, 2, seed=9), rate=0.1)


def test_means_with_padding_on_one_side() -> None:
    """Keras on torch repeats the last element there; elsewhere padding is left out."""

    def build(of: Any) -> Any:
        rows = [of.layers.Input((5, 2)), of.layers.AveragePooling1D(2, 1, "same")]
        return of.models.Sequential(rows)

    ours, theirs = twins(build)
    x = numbers(B, 5, 2)
    # a window of the last element twice, or of it alone: the mean is the same
    same_outputs(ours, theirs, x)


def test_attributes_and_defaults() -> None:
    pairs = [
        [make(of.layers) for of in (OURS, KERAS)]
        for make in (
            lambda l: l.Conv1D(3, 2),
            lambda l: l.Conv2D(3, (2, 1), dilation_rate=2),
            lambda l: l.MaxPooling1D(),
            lambda l: l.MaxPooling2D(),
            lambda l: l.AveragePooling1D(3),
            lambda l: l.AveragePooling2D((3, 2), padding="same"),
            lambda l: l.GlobalMaxPooling1D(),
            lambda l: l.GlobalAveragePooling2D(keepdims=True),
        )
    ]
    for ours, theirs in pairs:
        config = theirs.get_config()
        for key, value in ours.get_config().items():
            if key in config and key != "name" and "initializer" not in key:
                assert value == config[key], (theirs.name, key)
        for key in {"data_format", "groups"} & config.keys():
            assert getattr(ours, key) == config[key]
        assert ours.kind == re.sub(r"_\d+$", "", theirs.name)
