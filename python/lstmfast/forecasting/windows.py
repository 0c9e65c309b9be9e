"""The model's inputs: scaled steps, in the windows of the past that predict the next step.

Letters: N steps, C columns, L steps of look-back, s steps of season (0 for none). The model sees
(L, C) values, and with a season (L, 2·C): at each step also the value one season before the step
that comes next. So the value a season before the target is in the last row that the LSTM reads, for
any length of the season.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from .outliers import rare_beyond

# The default without a season: a dozen steps.
_PLAIN_LOOKBACK = 12
_LONGEST_LOOKBACK = 64


@dataclass(frozen=True)
class Window:
    """Which past steps a prediction sees.

    Attributes
    ----------
    lookback : int
        L, at least 1.
    season : int
        s; 0 for none.
    """

    lookback: int
    season: int

    @staticmethod
    def default(season: int) -> Window:
        """Return the window for this season: the season and one step; at most 64 steps.

        Examples
        --------
        >>> Window.default(12), Window.default(0)
        (Window(lookback=13, season=12), Window(lookback=12, season=0))
        """
        lookback = season + 1 if season else _PLAIN_LOOKBACK
        return Window(min(lookback, _LONGEST_LOOKBACK), season)

    @property
    def reach(self) -> int:
        """How many steps back a prediction sees."""
        return self.lookback + max(self.season - 1, 0)

    @property
    def first(self) -> int:
        """The first step that is predicted in training.

        One season must precede it, or half the look-back; missing steps before that count as
        average. With full windows only, a short series would lose a fifth of its examples.
        """
        return self.season or (self.lookback + 1) // 2

    def channels(self, columns: int) -> int:
        """Return how many values the model sees at each step."""
        return 2 * columns if self.season else columns

    def tails(self, z: Array, targets: Array, ahead: int = 1) -> tuple[Array, Array]:
        """Return the inputs of `ahead` predictions in a row, zeros before the start.

        Parameters
        ----------
        z : ndarray of shape (N, C)
            Standardised steps: zero is the average.
        targets : ndarray of shape (B,)
            Numbers of the first steps that are predicted, 0 to N; N is the step after the last.
        ahead : int
            How many steps are predicted from each target on.

        Returns
        -------
        recent : ndarray of shape (B, L + ahead - 1, C)
            The steps from L before the target on; zeros from the target on, for predictions.
        past : ndarray of shape (B, L + ahead - 1, C)
            The steps a season before the step that follows each of `recent`; zeros from the target
            on, which is row `reach`. No columns without a season.
        """
        count = self.lookback + ahead - 1
        padded = np.concatenate(
            [np.zeros((self.reach, z.shape[1])), z, np.zeros((ahead, z.shape[1]))]
        )
        rows = targets[:, None] + np.arange(count)
        recent = padded[rows + self.reach - self.lookback]
        past = padded[rows] if self.season else np.empty((*rows.shape, 0))
        recent[:, self.lookback :] = past[:, self.reach :] = 0.0
        return recent, past

    def features(self, recent: Array, past: Array, ahead: int = 0) -> Array:
        """Return the model's inputs (B, L, channels), `ahead` steps after the target."""
        seen = slice(ahead, ahead + self.lookback)
        return np.concatenate([recent[:, seen], past[:, seen]], axis=2)


@dataclass(frozen=True)
class Scaling:
    """From steps to a network's inputs, of mean 0 and spread 1, and back.

    A step a hundred times as large as usual, where a series takes a new level, would reduce all
    others to a hundredth of the spread. Where such steps are rare, they are limited to a few times
    the usual.

    Attributes
    ----------
    low, high : ndarray of shape (C,)
        Steps are limited to these; infinite where no step was far from the others.
    mean, spread : ndarray of shape (C,)
        Mean and standard deviation of the limited steps.
    """

    low: Array
    high: Array
    mean: Array
    spread: Array

    @staticmethod
    def of(steps: Array) -> Scaling:
        """Measure steps (N, C).

        Examples
        --------
        >>> import numpy as np
        >>> steps = np.append(np.linspace(-1.0, 1.0, 99), 500.0)[:, None]
        >>> scaling = Scaling.of(steps)
        >>> scaling.high.round(1), scaling.apply(steps).max().round(1)
        (array([5.5]), np.float64(6.8))
        """
        centre = np.median(steps, axis=0)
        bound = np.array([rare_beyond(column, column) for column in abs(steps - centre).T])
        low, high = centre - bound, centre + bound
        kept = np.clip(steps, low, high)
        mean = kept.mean(axis=0)
        # the squares of tiny deviations would vanish, those of large ones overflow
        unit = abs(kept - mean).max(axis=0)
        unit = np.where(unit > 0, unit, 1.0)
        spread = unit * ((kept - mean) / unit).std(axis=0)
        return Scaling(low, high, mean, np.where(spread > 0, spread, 1.0))

    def apply(self, steps: Array) -> Array:
        """Return limited, standardised steps."""
        return np.asarray((np.clip(steps, self.low, self.high) - self.mean) / self.spread)

    def undo(self, z: Array, column: int) -> Array:
        """Return the steps of one column from standardised ones."""
        return np.asarray(z * self.spread[column] + self.mean[column])
