"""Many to one: three numbers in, their sum out; by one LSTM, and by one that reads both ways.

Runs with Keras, too: change `lstmfast` to `keras` in the imports.
"""

import numpy as np

from lstmfast.layers import LSTM, Bidirectional, Dense, Input
from lstmfast.models import Sequential
from lstmfast.utils import set_random_seed


def main(epochs=1000):
    set_random_seed(0)
    x = np.arange(1.0, 46.0).reshape(15, 3, 1)  # 1 2 3, 4 5 6, ...
    y = x.sum(axis=1)

    errors = []
    for layers in (
        [LSTM(50, activation="relu")],
        [Bidirectional(LSTM(50, activation="relu"))],
    ):
        model = Sequential([Input((3, 1)), *layers, Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        model.fit(x, y, epochs=epochs, batch_size=3, validation_split=0.2, verbose=0)
        found = float(
            np.asarray(model.predict(np.array([[[50.0], [51.0], [52.0]]]), verbose=0))[0, 0]
        )
        print("50 + 51 + 52 =", found)
        errors.append(abs(found - 153.0))
    return max(errors)


if __name__ == "__main__":
    main()
