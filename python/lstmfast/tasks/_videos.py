"""What tasks have in common whose samples are videos of one class each."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._task import Task


class Videos(Task):
    """A task whose x are videos (N, T, height, width, 1) and whose answers are classes."""

    def picture(self, model: Any) -> Any:
        """Return a figure of a test video of each class, with the model's answer."""
        from lstmfast.plot import frames

        x, y, _ = self.test
        shown = np.unique(y, return_index=True)[1]
        names = [
            f"{self.show_y(y[n])}; the model says {self.show_y(answer)}"
            for n, answer in zip(shown, self.predict(model, x[shown]), strict=True)
        ]
        return frames([*x[shown].clip(0.0)], names)
