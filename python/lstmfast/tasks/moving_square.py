"""The way a square moves in a video, or appears line by line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import choice

from ._apart import Apart
from ._records import Part, Settings
from ._task import option
from ._videos import Videos


@dataclass(kw_only=True)
class MovingSquare(Apart, Videos):
    """Say which way a square in a video moves, or grows line by line: left, right, up, down.

    Parameters
    ----------
    video : str
        "moves": the square moves by one pixel a frame; what leaves the image on one side comes back
        on the other, so that no frame alone tells the way. "appears": one more line of it is there
        in each frame.
    frames : int
        Images of a video.
    size : int
        Pixels of an image, each way.
    square : int
        Pixels of a square, each way.
    """

    video: str = "moves"
    frames: int = option(6, least=2)
    size: int = option(12, least=3)
    square: int = option(4, least=2)

    mode = "many to one"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017, chapter 8"
    settings = Settings(
        "cnn_lstm", units=32, epochs=40, learning_rate=0.005,
        model={"filters": (8, 16), "dropout": 0.3, "recurrent_dropout": 0.2},
    )  # fmt: skip
    target = 0.9
    labels = ("left", "right", "up", "down")

    def __post_init__(self) -> None:
        super().__post_init__()
        choice(self.video, "video", self.name, "moves", "appears")
        if self.square >= self.size:
            raise ValueError(
                f"[{self.name}] square is {self.square}; expected less than size={self.size}"
            )

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return videos (N, frames, size, size, 1) of zeros and ones, and their ways."""
        way = rng.integers(0, len(self.labels), samples)
        moves = self.video == "moves"
        pixel, frame = np.arange(self.size), np.arange(self.frames)[:, np.newaxis]
        first = rng.integers(0, self.size if moves else self.size - self.square + 1, samples)
        top = rng.integers(0, self.size - self.square + 1, samples)[:, np.newaxis]
        # columns and rows of a square that goes right; it is turned round for the other ways
        column = (pixel - first[:, np.newaxis, np.newaxis] - frame * moves) % self.size
        columns = (column < self.square) & (moves | (column <= frame))
        rows = (pixel >= top) & (pixel < top + self.square)
        videos = columns[:, :, np.newaxis, :] & rows[:, np.newaxis, :, np.newaxis]
        names = np.array(self.labels)[way]
        back, upright = np.isin(names, ("left", "up")), np.isin(names, ("up", "down"))
        videos[back] = videos[back][..., ::-1]
        videos[upright] = videos[upright].swapaxes(2, 3)
        return Part(videos[..., np.newaxis].astype(np.float32), way)

    def show_x(self, x: Array) -> str:
        """Return where the square is in the first frame and in the last one."""
        first, last = (
            f"rows {_span(frame.any(axis=1))} columns {_span(frame.any(axis=0))}"
            for frame in x[[0, -1], ..., 0] > 0
        )
        return f"{first} ... {last}"


def _span(lit: Array) -> str:
    """Return the first and the last of neighbouring pixels; the first of all follows the last."""
    first, end = int((lit & ~np.roll(lit, 1)).argmax()), len(lit) - 1
    last = first + int(lit.sum()) - 1
    return f"{first}-{last}" if last <= end else f"{first}-{end} and 0-{last - end - 1}"
