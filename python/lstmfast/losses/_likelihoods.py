"""Negative log likelihoods: losses of predictions that describe a density of the targets."""

from __future__ import annotations

from dataclasses import dataclass

from lstmfast.losses.base import CoreLoss


@dataclass(frozen=True)
class GaussianNegativeLogLikelihood(CoreLoss):
    """Mean of log σ + (y - μ)²/(2σ²) + log(2π)/2: -log of the normal density of each target.

    A prediction has twice as many values as a target: first the means μ of all of them, then their
    spreads. Layers `Dense` for both and `Concatenate` make such an output.

    Parameters
    ----------
    spread : {"standard_deviation", "variance", "log_variance"}
        What the second half is. The first two must be positive, as of an activation
        ``"softplus"``: they are limited to at least 1e-6, where they have no gradient.
        ``"log_variance"``, log(σ²), may be any number, as of a `Dense` without an activation.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.losses import GaussianNegativeLogLikelihood
    >>> mean, deviation, y = 1.0, 2.0, 3.0
    >>> loss = GaussianNegativeLogLikelihood()([[y]], [[mean, deviation]])
    >>> print(f"{loss - np.log(2.0) - 0.5 - 0.5 * np.log(2.0 * np.pi):.4f}")
    0.0000
    """

    spread: str = "standard_deviation"


@dataclass(frozen=True)
class MixtureNegativeLogLikelihood(CoreLoss):
    """Mean of -log Σ w·N(y; μ, σ) over a mixture of normal densities, after `MixtureDensity`.

    y may have several dimensions, independent of each other within a component; the density is
    that of all of them.

    Parameters
    ----------
    components : int
        How many densities, as in ``MixtureDensity(components, dimensions)``.

    Notes
    -----
    C. M. Bishop, "Mixture density networks", Aston University (1994).

    Examples
    --------
    Targets that are -1 or 1, so that their mean says little:

    >>> import numpy as np
    >>> from lstmfast.initializers import RandomNormal
    >>> from lstmfast.layers import MixtureDensity
    >>> from lstmfast.losses import MixtureNegativeLogLikelihood
    >>> from lstmfast.models import Sequential
    >>> from lstmfast.optimizers import Adam
    >>> apart = RandomNormal(stddev=1.0, seed=0)  # or both densities would move as one at first
    >>> model = Sequential([MixtureDensity(2, bias_initializer=apart, input_shape=(1,))], seed=1)
    >>> model.compile(Adam(0.05), MixtureNegativeLogLikelihood(2))
    >>> y = np.where(np.arange(64) % 2, 1.0, -1.0)
    >>> run = model.fit(np.zeros((64, 1)), y, epochs=50, verbose=0)
    >>> np.round(model.predict(np.zeros((1, 1)))[0, 2:4]).tolist()
    [1.0, -1.0]
    """

    components: int
