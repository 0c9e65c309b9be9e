"""Echo: repeat each sign of a random sequence two steps later.

Nothing but memory helps: no sign tells anything about the others.

Runs with Keras, too: change `lstmfast` to `keras` in the imports.
"""

import numpy as np

from lstmfast.layers import LSTM, Dense, Input, TimeDistributed
from lstmfast.models import Sequential
from lstmfast.utils import set_random_seed

SIGNS, STEPS, LAG = 8, 12, 2


def echoes(count, seed):
    signs = np.random.default_rng(seed).integers(0, SIGNS, (count, STEPS))
    later = np.zeros_like(signs)
    later[:, LAG:] = signs[:, :-LAG]  # until then, sign 0
    return np.eye(SIGNS)[signs], np.eye(SIGNS)[later]


def main(epochs=20):
    set_random_seed(0)
    model = Sequential(
        [
            Input((STEPS, SIGNS)),
            LSTM(48, return_sequences=True),
            TimeDistributed(Dense(SIGNS, activation="softmax")),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(*echoes(1000, seed=1), epochs=epochs, batch_size=16, verbose=0)

    _, right = model.evaluate(*echoes(200, seed=2), verbose=0)
    print(f"{100 * right:.1f} % of the signs come back")
    return float(right)


if __name__ == "__main__":
    main()
