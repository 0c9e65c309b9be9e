"""Vanilla LSTM: one layer reads a sequence, and its last output answers.

The problem is an echo: of five random symbols, say the second. Each symbol is a vector of ten
numbers, a one among zeros, as is the answer's probability. The layer must keep one symbol and
ignore those that follow.
"""

import argparse
import math
from pathlib import Path

import lstmfast as lf
from lstmfast.layers import LSTM, Dense, Input


def main(epochs=20, samples=2000, plot=None):
    task = lf.tasks.load("echo", length=5, symbols=10, place=2, samples=samples)
    x, y, _ = task.train  # (samples, 5, 10), and the symbols' numbers (samples,)

    layers = [
        Input((5, 10)),
        LSTM(32),  # (batch, 32): the output of the last step
        Dense(10, activation="softmax"),
    ]
    model = lf.Sequential(layers, seed=0)
    rate = lf.optimizers.schedules.CosineDecay(0.02, decay_steps=epochs * math.ceil(len(x) / 32))
    model.compile(lf.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=epochs, batch_size=32, validation_data=task.validation[:2], verbose=2)

    score = task.score(model)
    for example in task.examples(model, 5):
        print(f"{example.input}: {example.predicted}, expected {example.expected}")
    print(f"{task.measure.name} on new sequences: {score:.3f}, target: at least {task.target}")
    if plot:
        lf.plot.gates(model, task.test.x[0], symbols=task.show_x(task.test.x[0]).split()).savefig(
            plot
        )
    return score


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--plot",
        metavar="FILE",
        help="draw the gates at each step of a sequence into FILE: .png, .svg or .pdf",
    )
    plot = parser.parse_args().plot
    if plot and not Path(plot).parent.is_dir():
        parser.error(f"argument --plot: {plot}: there is no such folder")
    main(plot=plot)
