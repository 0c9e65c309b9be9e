"""Next number: three numbers of a series in, the one that follows out.

Runs with Keras, too: change `lstmfast` to `keras` in the imports.
"""

import numpy as np

from lstmfast.layers import LSTM, Dense
from lstmfast.models import Sequential
from lstmfast.utils import set_random_seed

STEPS = 3


def main(epochs=300):
    set_random_seed(0)
    series = np.arange(10.0, 100.0, 10.0)
    x = np.stack([series[i : i + STEPS] for i in range(len(series) - STEPS)])[..., None]
    y = series[STEPS:]

    model = Sequential()
    model.add(LSTM(50, activation="relu", input_shape=(STEPS, 1)))
    model.add(Dense(1))
    model.compile(optimizer="adam", loss="mse")
    model.fit(x, y, epochs=epochs, verbose=0)

    found = float(np.asarray(model.predict(np.array([[[70.0], [80.0], [90.0]]]), verbose=0))[0, 0])
    print("after 70, 80, 90:", found)
    return abs(found - 100.0)


if __name__ == "__main__":
    main()
