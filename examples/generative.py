"""Generative LSTM: it says where the next point may be; a point drawn from there is its next input.

The problem is to draw rectangles, corner by corner, from a random first corner. Many corners may
follow, so the answer is no point but a mixture of four normal densities, and the loss is how
unlikely they make the corner that follows: its negative log-likelihood.
"""

import argparse
import math
from pathlib import Path

import numpy as np

import lstmfast as lf
from lstmfast.layers import LSTM, Input, MixtureDensity
from lstmfast.losses import MixtureNegativeLogLikelihood


def main(epochs=50, samples=2000, plot=None):
    task = lf.tasks.load("rectangles", samples=samples)
    x, y, _ = task.train  # corners (samples, 4, 2), and the next of each (samples, 4, 2)

    layers = [
        Input((None, 2)),
        LSTM(32, return_sequences=True),  # (batch, 4, 32)
        MixtureDensity(4, 2),  # at each step four weights, means and deviations
    ]
    model = lf.Sequential(layers, seed=0)
    rate = lf.optimizers.schedules.CosineDecay(0.02, decay_steps=epochs * math.ceil(len(x) / 32))
    model.compile(lf.optimizers.Adam(rate, clipnorm=1), MixtureNegativeLogLikelihood(4))
    model.fit(x, y, epochs=epochs, batch_size=32, validation_data=task.validation[:2], verbose=2)

    score = task.score(model)
    first = task.test.x[:3, :1]
    corners = model.generate(first, 4, seed=0)  # the model draws from its own answers
    for start, others in zip(first, corners, strict=True):
        print(" -> ".join(f"({a:.2f}, {b:.2f})" for a, b in [*start, *others]))
    print(f"{task.measure.name}: {score:.3f}, target: at least {task.target}")
    if plot:
        lf.plot.strokes(np.concatenate([first, corners], axis=1), columns=3).savefig(plot)
    return score


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--plot", metavar="FILE", help="draw the rectangles into FILE: .png, .svg or .pdf"
    )
    plot = parser.parse_args().plot
    if plot and not Path(plot).parent.is_dir():
        parser.error(f"argument --plot: {plot}: there is no such folder")
    main(plot=plot)
