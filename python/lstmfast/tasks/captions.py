"""Images of shapes are to be described in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import number
from lstmfast.layers import BatchNormalization, Conv2D, Dense, Flatten, Input, MaxPooling2D
from lstmfast.models import EncoderDecoder, Sequential

from ._measures import EXACT
from ._networks import Units
from ._pictures import panels
from ._records import Part, Settings
from ._task import Task, option
from ._words import BLANK, ids_of

_COLOURS = {"red": (1.0, 0.2, 0.2), "green": (0.2, 0.9, 0.2), "blue": (0.3, 0.4, 1.0)}
_CELL = 6  # pixels of a place, each way
_Y, _X = np.indices((_CELL, _CELL)) - (_CELL - 1) / 2
_SHAPES = {
    "square": np.maximum(abs(_Y), abs(_X)) < 2,
    "circle": np.hypot(_Y, _X) < 3,
    "triangle": abs(_X) <= (_Y + 2.5) / 2 + 0.5,
}


@dataclass(kw_only=True)
class Captions(Task):
    """Describe in words an image of two shapes: "a red square above a blue circle".

    The one that stands higher, or else further to the left, is named first.

    Parameters
    ----------
    grid : int
        The image has so many places in a row, and so many rows.
    noise : float
        Standard deviation of the brightness of a pixel, where full brightness is 1.
    """

    grid: int = option(3, least=2)
    noise: float = 0.1

    mode = "one to many"
    source = "Vinyals, Toshev, Bengio, Erhan: Show and Tell: A Neural Image Caption Generator, 2015"
    settings = Settings(
        "encoder_decoder", units=64, epochs=40, learning_rate=0.003, samples=(2000, 200, 500)
    )
    measure = EXACT
    target = 0.95
    labels = (BLANK, "a", *_COLOURS, *_SHAPES, "above", "left", "of")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= number(self.noise, "noise", self.name) < math.inf:
            raise ValueError(f"[captions] noise is {self.noise}; expected a finite number >= 0")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return images (N, height, width, 3) and captions, filled up with blanks."""
        colours, shapes = list(_COLOURS), list(_SHAPES)
        is_above = rng.random(samples) < 0.5
        line = rng.integers(0, self.grid, samples)
        places = np.sort(rng.random((samples, self.grid)).argsort(axis=1)[:, :2], axis=1)
        colour, shape = rng.integers(0, 3, (2, samples, 2))
        cells = np.zeros((samples, self.grid, self.grid, _CELL, _CELL, 3), np.float32)
        for which, place in enumerate(places.T):
            row, column = np.where(is_above, (place, line), (line, place))
            drawn = np.array([*_SHAPES.values()])[shape[:, which], ..., np.newaxis]
            paint = np.array([*_COLOURS.values()])[colour[:, which], np.newaxis, np.newaxis]
            cells[np.arange(samples), row, column] = drawn * paint
        size = self.grid * _CELL
        images = cells.swapaxes(2, 3).reshape(samples, size, size, 3)
        images += rng.normal(0.0, self.noise, images.shape)
        relation = np.where(is_above, "above", "left of")
        named = np.char.add(np.array(colours)[colour], np.char.add(" ", np.array(shapes)[shape]))
        texts = [f"a {one} {how} a {two}" for (one, two), how in zip(named, relation, strict=True)]
        return Part(images, ids_of([text.split() for text in texts], self.labels, 8))

    def network(self, variant: str, units: Units, options: dict[str, Any]) -> Any:
        """Return a decoder that starts with what convolutions see."""
        size = units if isinstance(units, int) else units[0]
        row: list[Any] = [
            Input(self.train.x.shape[1:]),
            Conv2D(16, 3, padding="same", activation="relu"),
            BatchNormalization(),
            MaxPooling2D(3),
            Conv2D(32, 3, padding="same", activation="relu"),
            BatchNormalization(),
            Flatten(),
            Dense(size, "tanh"),
        ]
        start = len(self.labels)
        return EncoderDecoder(
            Sequential(row, seed=self.seed), size, tokens=start + 1, embedding_dim=16,
            start_token=start, length=self.shapes.steps_out, seed=self.seed, **options,
        )  # fmt: skip

    def show_x(self, x: Array) -> str:
        """Return the letter of the colour at each place, and a dot where there is none."""
        cells = x.reshape(self.grid, _CELL, self.grid, _CELL, 3).mean(axis=(1, 3))
        letters = np.array([name[0] for name in _COLOURS])[cells.argmax(axis=-1)]
        return " / ".join(map("".join, np.where(cells.max(axis=-1) > 0.25, letters, ".")))

    def picture(self, model: Any) -> Any:
        """Return the first test images with what the model says of them."""
        from lstmfast.plot.looks import RED

        x, y, _ = self.test
        said = self.predict(model, x[:6])
        figure, all_axes = panels([self.show_y(each) for each in said], 3, (3.7, 3.1))
        for axes, image, given, right in zip(all_axes, x, said, y, strict=False):
            axes.imshow(image.clip(0.0, 1.0))
            axes.axis("off")
            if (given != right).any():
                text = f"{self.show_y(given)}\nright: {self.show_y(right)}"
                axes.set_title(text, loc="left", color=RED, fontsize=9)
        return figure
