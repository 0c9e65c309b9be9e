"""Bidirectional LSTM: one LSTM reads from the start, another from the end, and both answer.

The problem is a running sum: say at each step whether the sum of the numbers so far exceeds a
threshold, a quarter of their count. `Bidirectional` puts both outputs side by side.
"""

import argparse
import math
from pathlib import Path

import lstmfast as lf
from lstmfast.layers import LSTM, Bidirectional, Dense, Input, TimeDistributed


def main(epochs=30, samples=1000, plot=None):
    task = lf.tasks.load("cumulative_sum", length=10, samples=samples)
    x, y, _ = task.train  # (samples, 10, 1), and 0 or 1 at each step (samples, 10)

    layers = [
        Input((10, 1)),
        Bidirectional(LSTM(20, return_sequences=True)),  # (batch, 10, 40): 20 numbers a direction
        TimeDistributed(Dense(2, activation="softmax")),  # (batch, 10, 2)
    ]
    model = lf.Sequential(layers, seed=0)
    rate = lf.optimizers.schedules.CosineDecay(0.02, decay_steps=epochs * math.ceil(len(x) / 32))
    model.compile(lf.optimizers.Adam(rate, clipnorm=1), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=epochs, batch_size=32, validation_data=task.validation[:2], verbose=2)

    score = task.score(model)
    for example in task.examples(model):
        print(f"{example.input}:\n  {example.predicted}, expected\n  {example.expected}")
    print(f"{task.measure.name}, all steps: {score:.3f}, target: at least {task.target}")
    if plot:
        x, y, _ = task.test
        lf.plot.confusion(y, task.predict(model, x), task.labels).savefig(plot)
    return score


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--plot", metavar="FILE", help="draw right and wrong answers into FILE: .png, .svg or .pdf"
    )
    plot = parser.parse_args().plot
    if plot and not Path(plot).parent.is_dir():
        parser.error(f"argument --plot: {plot}: there is no such folder")
    main(plot=plot)
