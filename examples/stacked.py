"""Stacked LSTM: the second layer reads what the first says at each step.

The problem is a damped sine wave: 50 steps are seen, the next 10 are to be forecast. Period,
damping and phase are different in each wave. The first layer hands on its output at each step
(`return_sequences=True`), the second one only its last.
"""

import argparse
import math
from pathlib import Path

import lstmfast as lf
from lstmfast.layers import LSTM, Dense, Input


def main(epochs=15, samples=1000, plot=None):
    task = lf.tasks.load("damped_sine", length=50, horizon=10, samples=samples)
    x, y, _ = task.train  # (samples, 50, 1), and what follows (samples, 10)

    layers = [
        Input((None, 1)),
        LSTM(32, return_sequences=True),  # (batch, 50, 32)
        LSTM(32),  # (batch, 32)
        Dense(10),  # all ten steps at once
    ]
    model = lf.Sequential(layers, seed=0)
    rate = lf.optimizers.schedules.CosineDecay(0.01, decay_steps=epochs * math.ceil(len(x) / 32))
    model.compile(lf.optimizers.Adam(rate, clipnorm=1), "mse")
    model.fit(x, y, epochs=epochs, batch_size=32, validation_data=task.validation[:2], verbose=2)

    score = task.score(model)
    for example in task.examples(model):
        print(f"after {example.input}:\n  {example.predicted}, expected\n  {example.expected}")
    print(f"error of new waves: {score:.3f}, target: at most {task.target}")
    if plot:
        x, y, _ = task.test
        lf.plot.forecast(x[0, :, 0], model.predict(x[:1])[0], truth=y[0]).savefig(plot)
    return score


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--plot", metavar="FILE", help="draw a forecast into FILE: .png, .svg or .pdf"
    )
    plot = parser.parse_args().plot
    if plot and not Path(plot).parent.is_dir():
        parser.error(f"argument --plot: {plot}: there is no such folder")
    main(plot=plot)
