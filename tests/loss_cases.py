"""Every loss of the core with the reference's formula, and predictions and targets that suit it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstmfast import losses, reference

Array = npt.NDArray[Any]
Generator = np.random.Generator


def numbers(rng: Generator, rows: tuple[int, ...], columns: int) -> Array:
    return rng.standard_normal((*rows, columns))


def signs(rng: Generator, rows: tuple[int, ...], columns: int) -> Array:
    return rng.choice([-1.0, 0.0, 1.0], (*rows, columns))


def shares(rng: Generator, rows: tuple[int, ...], columns: int) -> Array:
    return rng.uniform(0.1, 0.9, (*rows, columns))


def counts(rng: Generator, rows: tuple[int, ...], columns: int) -> Array:
    return rng.integers(0, 5, (*rows, columns)).astype(np.float64)


def one_hot(rng: Generator, rows: tuple[int, ...], columns: int) -> Array:
    return np.eye(columns)[rng.integers(0, columns, rows)]


def labels(rng: Generator, rows: tuple[int, ...], columns: int) -> Array:
    del columns
    return rng.integers(0, 3, rows)


class Case(NamedTuple):
    """A loss with its options, and the layer and targets that it needs."""

    loss: Callable[..., losses.Loss]
    reference: Callable[[Array, Array], tuple[float, Array]]
    activation: str = "linear"  # of the layer before
    columns: int = 3  # of a prediction
    targets: Callable[[Generator, tuple[int, ...], int], Array] = numbers
    target_columns: int = 3

    def target(self, *rows: int) -> Array:
        return self.targets(np.random.default_rng(1), rows, self.target_columns)

    def prediction(self, *rows: int) -> Array:
        """Return numbers of the range of the activation, no two of them equal."""
        x = np.random.default_rng(2).standard_normal((*rows, self.columns))
        return {
            "linear": lambda: x,
            "softplus": lambda: np.log1p(np.exp(x)),
            "sigmoid": lambda: 1.0 / (1.0 + np.exp(-x)),
            "softmax": lambda: reference.softmax(x),
        }[self.activation]()


QUANTILES = (0.1, 0.5, 0.9)

CASES: dict[str, Case] = {
    "mean_squared_error": Case(losses.MeanSquaredError, reference.mse),
    "mean_absolute_error": Case(losses.MeanAbsoluteError, reference.mae),
    "mean_absolute_percentage_error": Case(
        losses.MeanAbsolutePercentageError, reference.mape, targets=shares
    ),
    "mean_squared_logarithmic_error": Case(
        losses.MeanSquaredLogarithmicError, reference.msle, "softplus", targets=counts
    ),
    "huber": Case(losses.Huber, reference.huber),
    "huber, delta": Case(partial(losses.Huber, 0.3), partial(reference.huber, delta=0.3)),
    "log_cosh": Case(losses.LogCosh, reference.log_cosh),
    "poisson": Case(losses.Poisson, reference.poisson, "softplus", targets=counts),
    "hinge": Case(losses.Hinge, reference.hinge, targets=signs),
    "squared_hinge": Case(losses.SquaredHinge, reference.squared_hinge, targets=signs),
    "categorical_hinge": Case(
        losses.CategoricalHinge, reference.categorical_hinge, targets=one_hot
    ),
    "kl_divergence": Case(losses.KLDivergence, reference.kl_divergence, "sigmoid", targets=shares),
    "cosine_similarity": Case(losses.CosineSimilarity, reference.cosine_similarity),
    "binary_crossentropy": Case(
        losses.BinaryCrossentropy, reference.binary_crossentropy, "sigmoid", targets=shares
    ),
    "categorical_crossentropy": Case(
        losses.CategoricalCrossentropy,
        reference.categorical_crossentropy,
        "softmax",
        targets=one_hot,
    ),
    "sparse_categorical_crossentropy": Case(
        losses.SparseCategoricalCrossentropy,
        reference.sparse_categorical_crossentropy,
        "softmax",
        targets=labels,
        target_columns=1,
    ),
    "quantile": Case(losses.Quantile, reference.quantile),
    "quantile, several": Case(
        partial(losses.Quantile, QUANTILES),
        partial(reference.quantile, quantiles=QUANTILES),
        columns=6,
        target_columns=2,
    ),
    "gaussian_negative_log_likelihood": Case(
        losses.GaussianNegativeLogLikelihood,
        reference.gaussian_nll,
        "softplus",
        columns=4,
        target_columns=2,
    ),
    "gaussian_negative_log_likelihood, variance": Case(
        partial(losses.GaussianNegativeLogLikelihood, "variance"),
        partial(reference.gaussian_nll, spread="variance"),
        "softplus",
        columns=4,
        target_columns=2,
    ),
    "gaussian_negative_log_likelihood, log_variance": Case(
        partial(losses.GaussianNegativeLogLikelihood, "log_variance"),
        partial(reference.gaussian_nll, spread="log_variance"),
        columns=2,
        target_columns=1,
    ),
    "mixture_negative_log_likelihood": Case(
        partial(losses.MixtureNegativeLogLikelihood, 2),
        partial(reference.mixture_nll, components=2),
        "softplus",
        columns=10,
        target_columns=2,
    ),
    "esr": Case(losses.ESR, reference.esr, columns=2, target_columns=2),
    "esr, filtered": Case(
        partial(losses.ESR, 0.95, 1.0),
        partial(reference.esr, pre_emphasis=0.95, dc_weight=1.0),
        columns=2,
        target_columns=2,
    ),
}
OF_ROWS = [name for name in CASES if not name.startswith("esr")]
