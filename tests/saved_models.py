"""Small saved models, and files of data, for tests of the commands that use them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast.layers import LSTM, Dense, Embedding, Input
from lstmfast.models import Model, Sequential

LETTERS = list("\n abc")
WORDS = ["", "a", "good", "bad", "film"]


def of_numbers(steps: int | None = None, features: int = 2, **options: Any) -> Sequential:
    layers = [Input((steps, features)), LSTM(3, **options), Dense(1)]
    return Sequential(layers, seed=0)


def of_classes(**options: Any) -> Sequential:
    layers = [Input((None, 1)), LSTM(3, **options), Dense(2, activation="softmax")]
    model = Sequential(layers, seed=0)
    model.metadata = {"labels": ["down", "up, or not"]}
    return model


def of_text(
    names: list[str] = LETTERS, classes: int | None = None, named: bool = True
) -> Sequential:
    """A model of the next token, or with `classes` of a whole text."""
    is_next = classes is None
    layers = [
        Embedding(len(names), 4),
        LSTM(3, return_sequences=is_next),
        Dense(classes or len(names), activation="softmax"),
    ]
    model = Sequential([Input((None,), dtype="int32"), *layers], seed=0)
    model.metadata = {"vocabulary": names} if named else {}
    return model


def saved(model: Model) -> str:
    model.save("m.safetensors")
    return "m.safetensors"


def table(path: str, rows: np.ndarray, names: str = "x,y") -> str:
    lines = [",".join(map(repr, row)) for row in rows.tolist()]
    Path(path).write_text("\n".join([names, *lines]) + "\n")
    return path


def series(steps: int, features: int = 2) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((steps, features)).round(3)


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines()))
