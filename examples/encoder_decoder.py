"""Encoder-decoder LSTM: one LSTM reads a sequence, another writes one of another length.

The problem is addition in text: "  83+612" in, " 695" out, character by character. The encoder
reads the sum into one vector; `RepeatVector` hands it to the decoder at each of four steps. Spaces
fill up texts on the left.
"""

import argparse
import math
from pathlib import Path

import lstmfast as lf
from lstmfast.layers import LSTM, Dense, Embedding, Input, RepeatVector, TimeDistributed


def main(epochs=16, samples=25_000, plot=None):
    task = lf.tasks.load("addition", digits=3, samples=samples)
    x, y, _ = task.train  # ids of characters: (samples, 7) in, (samples, 4) out

    layers = [
        Input((7,), dtype="int32"),
        Embedding(len(task.vocabulary), 16),  # (batch, 7, 16): 16 numbers stand for a character
        LSTM(64, layer_norm=True),  # (batch, 64): the encoder
        RepeatVector(4),  # (batch, 4, 64)
        LSTM(64, layer_norm=True, return_sequences=True),  # (batch, 4, 64): the decoder
        TimeDistributed(Dense(len(task.labels), activation="softmax")),
    ]
    model = lf.Sequential(layers, seed=0)
    rate = lf.optimizers.schedules.CosineDecay(0.01, decay_steps=epochs * math.ceil(len(x) / 64))
    model.compile(lf.optimizers.Adam(rate, clipnorm=1), "sparse_categorical_crossentropy")
    history = model.fit(
        x, y, epochs=epochs, batch_size=64, validation_data=task.validation[:2], verbose=2
    )

    score = task.score(model)
    for example in task.examples(model, 5):
        print(f"{example.input} = {example.predicted}, expected {example.expected}")
    print(f"{task.measure.name} of new sums: {score:.3f}, target: at least {task.target}")
    if plot:
        lf.plot.learning_curves(history).savefig(plot)
    return score


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--plot", metavar="FILE", help="draw the learning curves into FILE: .png, .svg or .pdf"
    )
    plot = parser.parse_args().plot
    if plot and not Path(plot).parent.is_dir():
        parser.error(f"argument --plot: {plot}: there is no such folder")
    main(plot=plot)
