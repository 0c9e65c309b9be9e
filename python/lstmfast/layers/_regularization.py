"""Layers that act in training alone: noise of several kinds, and a penalty on outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lstmfast._options import Value
from lstmfast.layers._forms import DATA_FORMAT
from lstmfast.layers.base import Layer
from lstmfast.regularizers import L1L2


class Noise(Layer):
    """A layer that is random in training. Its noise does not depend on threads.

    The noise of a sample follows from the seed, the layer's place in the model, the number of the
    training step and the sample's place in its batch.
    """

    seed: int | None


class Dropout(Noise):
    """In training, set a share `rate` of the values to 0 and scale the rest by 1/(1 - rate).

    Parameters
    ----------
    rate : float
        From 0 to 1.
    noise_shape : tuple of int or None, optional
        The shape of what is drawn, the batch first: 1 where an axis has the same all along; None
        stands for the size of the input.
    seed : int, optional
        Of the layer's masks; by default they follow the model's seed.
    **options
        As in `Layer`.

    Examples
    --------
    >>> from lstmfast.layers import Dropout
    >>> Dropout(0.2).rate
    0.2
    """

    kind = "dropout"
    rate: float
    noise_shape: tuple[int | None, ...] | None

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class AlphaDropout(Noise):
    """Dropout that keeps mean and variance, as `keras.layers.AlphaDropout`: for layers with selu.

    In training a share `rate` of the values becomes selu's limit, -1.758; then all are scaled and
    shifted, so that of values with mean 0 and variance 1 both stay.

    Parameters
    ----------
    rate : float
        From 0 to below 1.
    noise_shape : tuple of int or None, optional
        As of `Dropout`.
    seed : int, optional
        Of the layer's masks; by default they follow the model's seed.
    **options
        As in `Layer`.

    Notes
    -----
    Klambauer, Unterthiner, Mayr and Hochreiter: Self-normalizing neural networks, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import AlphaDropout
    >>> AlphaDropout(0.5)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    kind = "alpha_dropout"
    rate: float
    noise_shape: tuple[int | None, ...] | None

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class SpatialDropout1D(Noise):
    """Dropout of whole features of (steps, features), as `keras.layers.SpatialDropout1D`.

    Parameters
    ----------
    rate : float
        From 0 to 1: the share of features that are 0 at all steps of a sample.
    seed : int, optional
        Of the layer's masks; by default they follow the model's seed.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import SpatialDropout1D
    >>> y = SpatialDropout1D(0.5, seed=1)(np.ones((1, 3, 8)), training=True)
    >>> bool((y[:, 0] == y[:, 2]).all())
    True
    """

    kind = "spatial_dropout1d"
    rate: float

    def __init__(self, rate: float, seed: int | None = None, **options: Any) -> None:
        self._take_arguments(locals())


class SpatialDropout2D(Noise):
    """Dropout of whole channels of (rows, columns, channels), as `keras.layers.SpatialDropout2D`.

    Parameters
    ----------
    rate : float
        From 0 to 1.
    data_format : {"channels_last", "channels_first"}, optional
        Where the channels stand; by default in the last axis.
    seed : int, optional
        Of the layer's masks; by default they follow the model's seed.
    **options
        As in `Layer`.

    Examples
    --------
    >>> from lstmfast.layers import SpatialDropout2D
    >>> SpatialDropout2D(0.5).data_format
    'channels_last'
    """

    kind = "spatial_dropout2d"
    rate: float
    data_format: str
    forms: ClassVar = {"data_format": DATA_FORMAT}

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class SpatialDropout3D(SpatialDropout2D):
    """Dropout of whole channels of samples with four axes, as `keras.layers.SpatialDropout3D`.

    Parameters
    ----------
    rate : float
        From 0 to 1.
    data_format : {"channels_last", "channels_first"}, optional
        Where the channels stand; by default in the last axis.
    seed : int, optional
        Of the layer's masks; by default they follow the model's seed.
    **options
        As in `Layer`.

    Examples
    --------
    >>> from lstmfast.layers import SpatialDropout3D
    >>> SpatialDropout3D(0.5, "channels_first").data_format
    'channels_first'
    """

    kind = "spatial_dropout3d"


class GaussianDropout(Noise):
    """In training, x·m with m normal, of mean 1 and variance rate/(1 - rate).

    As `keras.layers.GaussianDropout`.

    Parameters
    ----------
    rate : float
        From 0 to below 1.
    seed : int, optional
        Of the layer's noise; by default it follows the model's seed.
    **options
        As in `Layer`.

    Examples
    --------
    >>> from lstmfast.layers import GaussianDropout
    >>> GaussianDropout(0.2).rate
    0.2
    """

    kind = "gaussian_dropout"
    rate: float

    def __init__(self, rate: float, seed: int | None = None, **options: Any) -> None:
        self._take_arguments(locals())


class GaussianNoise(Noise):
    """In training, x + m with m normal, of mean 0, as `keras.layers.GaussianNoise`.

    Parameters
    ----------
    stddev : float
        The standard deviation of m, from 0 to 1.
    seed : int, optional
        Of the layer's noise; by default it follows the model's seed.
    **options
        As in `Layer`.

    Examples
    --------
    >>> from lstmfast.layers import GaussianNoise
    >>> GaussianNoise(0.1).stddev
    0.1
    """

    kind = "gaussian_noise"
    stddev: float

    def __init__(self, stddev: float, seed: int | None = None, **options: Any) -> None:
        self._take_arguments(locals())


class ActivityRegularization(Layer):
    """y = x, which costs l1·Σ|x| + l2·Σx², as `keras.layers.ActivityRegularization`.

    Parameters
    ----------
    l1, l2 : float
        The factors of the penalty, a mean over the samples of a batch.
    **options
        As in `Layer`, without activity_regularizer.

    Examples
    --------
    >>> from lstmfast.layers import ActivityRegularization
    >>> ActivityRegularization(l2=0.1).l2
    0.1
    """

    kind = "activity_regularization"
    activity_regularizer: L1L2

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **options: Any) -> None:
        if "activity_regularizer" in options:
            raise TypeError(
                f"[{self.where}] activity_regularizer is given; expected l1 and l2 in its place"
            )
        super().__init__(activity_regularizer=L1L2(l1, l2), **options)

    @property
    def l1(self) -> float:
        """The factor of Σ|x|."""
        return self.activity_regularizer.l1

    @property
    def l2(self) -> float:
        """The factor of Σx²."""
        return self.activity_regularizer.l2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config() | {"l1": self.l1, "l2": self.l2}
        del config["activity_regularizer"]
        return config

    @classmethod
    def from_core(cls, config: Mapping[str, Value], inside: Mapping[str, Any]) -> Layer:
        """Make the layer that a configuration of the core describes."""
        prefix = "activity_regularizer."
        own = {key.removeprefix(prefix): value for key, value in config.items()}
        own.pop("kind")
        return cls(**own)  # type: ignore[arg-type]
