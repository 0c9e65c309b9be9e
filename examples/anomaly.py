"""Prints the lines whose number comes as a surprise, as soon as they are read.

    python examples/anomaly.py < numbers.txt
    tail -f log.csv | python examples/anomaly.py --column 2 --train past.csv

An LSTM learns to predict the next number, from a file or the first lines, and then runs beside the
input, a step a line. The score of a line is the error of its prediction in robust standard
deviations of the latest errors. A line without a number is reported on standard error, and for the
model it has the one that was expected. --save keeps what was learned; with --model it is not
learned again, and the first lines or the file only say which numbers and errors are usual.
"""

import argparse
import math
import sys
from collections import deque
from itertools import islice
from pathlib import Path

import numpy as np

import lstmfast as lf
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential, load_model

STEPS = 32  # of a training example
RECENT = 1000  # errors that say what is usual


def numbers(lines, column):
    """Yield the place and the number of each line, NaN if it has none."""
    for place, line in enumerate(lines, 1):
        cells = line.split(",")
        try:
            value = float(cells[column - 1])
        except (ValueError, IndexError):
            value = math.nan
        if not math.isfinite(value):
            value = math.nan
            print(
                f"line {place}: no number in column {column}: {line.strip()[:40]}", file=sys.stderr
            )
        yield place, value


def trained(x):
    """Return a model that predicts the next of scaled values."""
    windows = np.lib.stride_tricks.sliding_window_view(x, STEPS + 1)[..., None]
    model = Sequential([Input((None, 1)), LSTM(24, return_sequences=True), Dense(1)], seed=0)
    model.compile(lf.optimizers.Adam(5e-3, clipnorm=1), lf.losses.Huber())
    model.fit(windows[:, :-1], windows[:, 1:], epochs=20, batch_size=32, verbose=0)
    return model


class Detector:
    """Scores values one after the other, after those that it learns from."""

    def __init__(self, past, model=None):
        low, self.middle, high = np.percentile(past, [25, 50, 75]).tolist()
        self.scale = high - low or float(np.std(past)) or 1.0
        x = np.clip((np.array(past) - self.middle) / self.scale, -10, 10).astype(np.float32)
        self.model = trained(x) if model is None else model
        self.stream = self.model.stream()
        y = self.stream.process(x[:, None])[:, 0]
        self.errors = deque((x[STEPS:] - y[STEPS - 1 : -1]).tolist(), RECENT)
        self.next, self.surprised = float(y[-1]), False

    def step(self, x):
        """Take a scaled value as it is."""
        self.next = float(self.stream.step([x])[0])

    def score(self, value, threshold):
        """Return the value that was expected, and how far from it the given one is."""
        expected, error = self.next, (value - self.middle) / self.scale - self.next
        bias = np.median(self.errors)
        usual = max(1.4826 * np.median(np.abs(np.array(self.errors) - bias)), 1e-6)
        self.errors.append(error)
        score = abs(error - bias) / usual
        # A single surprise is kept from the model, which would predict from it; of those after it
        # the model gets as much as is usual, so that it follows to a new level.
        limit = 0 if score > threshold and not self.surprised else threshold * usual
        self.surprised = score > threshold
        self.step(expected + np.clip(error, -limit, limit))
        return expected * self.scale + self.middle, score


def main():
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--column", type=int, default=1, help="of comma-separated lines (1)")
    parser.add_argument("--train", type=Path, help="file of usual lines to learn from")
    parser.add_argument(
        "--first", type=int, default=500, help="lines to learn from if no file (500)"
    )
    parser.add_argument("--model", type=Path, help="file that --save wrote")
    parser.add_argument("--save", type=Path, help="file for the model")
    parser.add_argument("--threshold", type=float, default=8, help="score of an anomaly (8)")
    options = parser.parse_args()
    for name, value in (("column", options.column), ("first", options.first)):
        if value < 1:
            parser.error(f"argument --{name}: {value}; expected 1 or more")
    if not 0 <= options.threshold < math.inf:
        parser.error(f"argument --threshold: {options.threshold}; expected a number from 0 on")
    sys.stdin.reconfigure(errors="replace")
    lines = numbers(sys.stdin, options.column)
    learned = islice(lines, options.first)
    if options.train is not None:
        try:
            text = options.train.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            parser.error(f"argument --train: {error}")
        learned = numbers(text.splitlines(), options.column)
    past = [value for _, value in learned if not math.isnan(value)]
    if len(past) <= 2 * STEPS:
        parser.error(f"{len(past)} numbers to learn from; expected more than {2 * STEPS}")
    try:
        detector = Detector(past, options.model and load_model(options.model))
        if options.save is not None:
            detector.model.save(options.save, include_optimizer=False)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for place, value in lines:
        if math.isnan(value):
            detector.step(detector.next)
            continue
        expected, score = detector.score(value, options.threshold)
        if score > options.threshold:
            print(
                f"line {place}: {value:g}, expected {expected:.4g}, score {score:.3g}", flush=True
            )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
