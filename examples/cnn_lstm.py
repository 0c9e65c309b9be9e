"""CNN LSTM: convolutions look at each image of a video, an LSTM remembers what they saw.

The problem is a square that moves by one pixel an image: left, right, up or down. What leaves the
image comes back on the other side, so that no image alone tells the way. `TimeDistributed` applies
a layer to each image by itself, with the same weights.
"""

import argparse
import math
from pathlib import Path

import lstmfast as lf
from lstmfast.layers import LSTM, Conv2D, Dense, Flatten, Input, MaxPooling2D, TimeDistributed


def main(epochs=16, samples=1000, plot=None):
    task = lf.tasks.load("moving_square", frames=6, size=12, samples=samples)
    x, y, _ = task.train  # (samples, 6, 12, 12, 1), and the ways' numbers (samples,)

    layers = [
        Input((6, 12, 12, 1)),
        TimeDistributed(Conv2D(8, 3, padding="same", activation="relu")),  # (batch, 6, 12, 12, 8)
        TimeDistributed(MaxPooling2D(2)),  # (batch, 6, 6, 6, 8)
        TimeDistributed(Flatten()),  # (batch, 6, 288): a vector for each image
        LSTM(32),  # (batch, 32)
        Dense(4, activation="softmax"),
    ]
    model = lf.Sequential(layers, seed=0)
    rate = lf.optimizers.schedules.CosineDecay(0.01, decay_steps=epochs * math.ceil(len(x) / 32))
    model.compile(lf.optimizers.Adam(rate, clipnorm=1), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=epochs, batch_size=32, validation_data=task.validation[:2], verbose=2)

    score = task.score(model)
    for example in task.examples(model, 5):
        print(f"{example.input}: {example.predicted}, expected {example.expected}")
    print(f"{task.measure.name} on new videos: {score:.3f}, target: at least {task.target}")
    if plot:
        videos = task.test.x[:4]
        titles = [f"predicted: {task.labels[way]}" for way in task.predict(model, videos)]
        lf.plot.frames(videos, titles).savefig(plot)
    return score


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--plot", metavar="FILE", help="draw videos with answers into FILE: .png, .svg or .pdf"
    )
    plot = parser.parse_args().plot
    if plot and not Path(plot).parent.is_dir():
        parser.error(f"argument --plot: {plot}: there is no such folder")
    main(plot=plot)
