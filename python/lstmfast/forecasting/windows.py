"""The windows of the past from which the model predicts the next step.

Letters: N steps, C columns, L steps of look-back, s steps of season (0 for none). The model sees
(L, C) values, and with a season (L, 2·C): at each step also the value one season before the step
that comes next. So the value a season before the target is in the last row that the LSTM reads, for
any length of the season.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

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
