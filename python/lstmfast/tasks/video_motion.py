"""What a textured patch does in a noisy video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from ._records import Part, Settings
from ._task import option
from ._videos import Videos


@dataclass(kw_only=True)
class VideoMotion(Videos):
    """Tell what a patch with stripes does in a noisy video: move, come nearer, go away, or turn.

    It moves to the left or the right, grows as it comes nearer, shrinks as it goes away, or turns
    with the clock or against it; its place, size, angle, stripes and speed are random. Played
    backwards each motion is another one of them, so no single frame tells which it is.

    Parameters
    ----------
    frames : int
        Frames of a video.
    size : int
        Pixels of a frame's side.
    """

    frames: int = option(8, least=2)
    size: int = option(16, least=8)

    mode = "many to one"
    source = (
        "Koenderink: Optic Flow, 1986; Donahue and others: Long-term Recurrent Convolutional "
        "Networks, 2015"
    )
    settings = Settings(
        "cnn_lstm", units=32, epochs=12, learning_rate=0.005, samples=(2000, 200, 500),
        model={"filters": (8, 16)},
    )  # fmt: skip
    target = 0.9
    labels = ("left", "right", "farther", "nearer", "anticlockwise", "clockwise")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return videos (samples, frames, size, size, 1), and motions."""
        y = rng.integers(0, len(self.labels), samples)
        motions = (y // 2 == np.arange(3)[:, np.newaxis]) * np.float32(2 * (y % 2) - 1)
        across, nearer, clockwise = motions[..., np.newaxis, np.newaxis, np.newaxis]

        def each(low: float, high: float) -> Array:
            return rng.uniform(low, high, (samples, 1, 1, 1)).astype(np.float32)

        time = np.linspace(-0.5, 0.5, self.frames, dtype=np.float32)[:, np.newaxis, np.newaxis]
        side = np.linspace(-1.0, 1.0, self.size, dtype=np.float32)
        right = side - each(-0.3, 0.3) - across * each(0.5, 0.9) * time
        down = side[:, np.newaxis] - each(-0.3, 0.3)
        scale = each(0.8, 1.2) * np.exp(nearer * each(0.6, 1.0) * time)
        angle = each(0.0, np.pi) + clockwise * each(1.0, 2.0) * time
        along = (np.cos(angle) * right + np.sin(angle) * down) / scale
        beside = (np.cos(angle) * down - np.sin(angle) * right) / scale
        stripes = np.cos(each(6.0, 10.0) * along + each(0.0, 2.0 * np.pi))
        patch = np.exp(-np.square(along / 0.8) - np.square(beside / 0.25)) * (1.0 + 0.5 * stripes)
        x = patch + 0.3 * rng.standard_normal(patch.shape, np.float32)
        return Part(x[..., np.newaxis], y)

    def show_x(self, x: Array) -> str:
        """Return the brightest pixel of each frame, row and column."""
        places = [np.unravel_index(frame.argmax(), frame.shape[:2]) for frame in x[..., 0]]
        return "brightest at " + " ".join(f"{row},{column}" for row, column in places)
