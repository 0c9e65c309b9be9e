"""One to many: a number in, the two that follow it out.

Runs with Keras, too: change `lstmfast` to `keras` in the imports.
"""

import numpy as np

from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential
from lstmfast.utils import set_random_seed


def main(epochs=1000):
    set_random_seed(0)
    x = np.arange(1.0, 46.0, 3.0)  # 1, 4, 7, ...
    y = np.stack([x + 1, x + 2], axis=1)

    model = Sequential([Input((1, 1)), LSTM(50, activation="relu"), Dense(2)])
    model.compile(optimizer="adam", loss="mse")
    model.fit(x.reshape(-1, 1, 1), y, epochs=epochs, batch_size=3, validation_split=0.2, verbose=0)

    found = np.asarray(model.predict(np.array([[[20.0]]]), verbose=0))[0]
    print("after 20:", found)
    return float(np.abs(found - [21.0, 22.0]).max())


if __name__ == "__main__":
    main()
