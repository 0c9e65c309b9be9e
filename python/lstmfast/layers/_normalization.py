"""Layers that normalise: over the batch, or within each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import Array
from lstmfast.layers._forms import OPEN
from lstmfast.layers.base import Layer, Parts, Sample
from lstmfast.layers.weights import weight


class Normalizing(Layer):
    """A layer whose gamma and beta scale and shift what is normalised, where it has them."""

    center: bool
    scale: Any
    gamma = weight("gamma")
    beta = weight("beta")

    def _lacks(self, weight: str) -> bool:
        return {"gamma": not self.scale, "beta": not self.center}.get(weight, False)


class BatchNormalization(Normalizing):
    """γ·(x - mean) / sqrt(variance + epsilon) + β, as `keras.layers.BatchNormalization`.

    Mean and variance are those of each value along `axis`, over the batch and all other axes. In
    training they are those of the batch, of its real steps where it has a mask; each step moves
    ``moving_mean`` and ``moving_variance`` to ``momentum·moving + (1 - momentum)·batch``, which
    take their place in inference, and where the layer is frozen. In `TimeDistributed` each step has
    a mean and a variance of its own. A step of training that fails leaves the moving averages as
    they were.

    Parameters
    ----------
    axis : int
        Counted with that of the batch, which it cannot be.
    momentum : float
        From 0 to 1: the share that moving averages keep.
    epsilon : float
        What is added to the variance.
    center, scale : bool
        Whether there is a β, and a γ.
    beta_initializer, gamma_initializer : str or Initializer
        What makes the first β and γ.
    moving_mean_initializer, moving_variance_initializer : str or Initializer
        What makes the first moving averages.
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
        What these weights cost.
    beta_constraint, gamma_constraint : str or Constraint, optional
        What these weights are made to satisfy after each training step.
    **options
        As in `Layer`.

    Raises
    ------
    ValueError
        In training with a mask, where `axis` is not the last one.

    Notes
    -----
    Ioffe and Szegedy: Batch normalization, 2015. The weights are γ, β, moving mean and moving
    variance; the last two are not trainable.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import BatchNormalization
    >>> layer = BatchNormalization(momentum=0.5)
    >>> layer(np.array([[1.0], [3.0]]), training=True).round(2).tolist()
    [[-1.0], [1.0]]
    >>> layer.moving_mean.numpy().tolist()
    [1.0]
    >>> [weight.name for weight in layer.non_trainable_weights]
    ['moving_mean', 'moving_variance']
    """

    kind = "batch_normalization"
    axis: int
    momentum: float
    epsilon: float
    unavailable: ClassVar[Mapping[str, Any]] = {
        "renorm": False,
        "renorm_clipping": None,
        "renorm_momentum": 0.99,
        "synchronized": False,
    }
    moving_mean = weight("moving_mean")
    moving_variance = weight("moving_variance")

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class AlongAxes(Layer):
    """A layer that acts along an axis, or along several."""

    axis: int | tuple[int, ...]
    forms: ClassVar = {"axis": OPEN}


class LayerNormalization(AlongAxes, Normalizing):
    """γ·(x - mean) / sqrt(variance + epsilon) + β, as `keras.layers.LayerNormalization`.

    Mean and variance are those of each sample along `axis`; γ and β have the sizes of these axes.

    Parameters
    ----------
    axis : int or list of int
        Counted with that of the batch, which it cannot be.
    epsilon : float
        What is added to the variance.
    center, scale : bool
        Whether there is a β, and a γ.
    beta_initializer, gamma_initializer : str or Initializer
        What makes the first β and γ.
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
        What these weights cost.
    beta_constraint, gamma_constraint : str or Constraint, optional
        What these weights are made to satisfy after each training step.
    rms_scaling : bool
        Keras's older option: γ·x / sqrt(variance + epsilon), without β. `RMSNormalization` divides
        by the root of the mean square instead.
    **options
        As in `Layer`.

    Notes
    -----
    Ba, Kiros and Hinton: Layer normalization, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import LayerNormalization
    >>> LayerNormalization()(np.array([[1.0, 3.0], [0.0, 6.0]])).round(2).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    kind = "layer_normalization"
    epsilon: float
    rms_scaling: bool

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        *,
        rms_scaling: bool = False,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())

    def _lacks(self, weight: str) -> bool:
        if self.rms_scaling:
            return weight == "beta"
        return super()._lacks(weight)


class RMSNormalization(AlongAxes):
    """scale·x / sqrt(mean(x²) + epsilon) along `axis`, as `keras.layers.RMSNormalization`.

    Parameters
    ----------
    axis : int or list of int
        Counted with that of the batch, which it cannot be.
    epsilon : float
        What is added to the mean.
    **options
        As in `Layer`.

    Notes
    -----
    Zhang and Sennrich: Root mean square layer normalization, 2019. The weight is scale, at first 1.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import RMSNormalization
    >>> RMSNormalization(dtype="float64")(np.array([[1.0, 7.0]])).round(2).tolist()
    [[0.2, 1.4]]
    """

    kind = "rms_normalization"
    epsilon: float
    scale = weight("scale")

    def __init__(
        self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **options: Any
    ) -> None:
        self._take_arguments(locals())

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights, for parts given as name and shape."""
        return [np.ones(shape, dtype) for _, shape in parts]


class UnitNormalization(AlongAxes):
    """x / |x|, |x| = sqrt(Σ x²) along `axis`, as `keras.layers.UnitNormalization`.

    A length below 1e-12 counts as 1e-12.

    Parameters
    ----------
    axis : int or list of int
        Counted with that of the batch, which it cannot be.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import UnitNormalization
    >>> UnitNormalization()(np.array([[0.0, 4.0]])).tolist()
    [[0.0, 1.0]]
    """

    kind = "unit_normalization"

    def __init__(self, axis: int | Sequence[int] = -1, **options: Any) -> None:
        self._take_arguments(locals())
