"""Many to many: three numbers in, the three that follow them out.

One LSTM reads the sequence into a vector, `RepeatVector` hands it to each step of a second one,
and `TimeDistributed` applies one Dense to each of its steps.

Runs with Keras, too: change `lstmfast` to `keras` in the imports.
"""

import numpy as np

from lstmfast.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from lstmfast.models import Sequential
from lstmfast.utils import set_random_seed


def main(epochs=1000):
    set_random_seed(0)
    x = np.arange(5.0, 305.0, 5.0).reshape(20, 3, 1)  # 5 10 15, 20 25 30, ...
    y = x + 15.0

    model = Sequential(
        [
            Input((3, 1)),
            LSTM(100, activation="relu"),
            RepeatVector(3),
            LSTM(100, activation="relu", return_sequences=True),
            TimeDistributed(Dense(1)),
        ]
    )
    model.compile(optimizer="adam", loss="mse")
    model.fit(x, y, epochs=epochs, batch_size=3, validation_split=0.2, verbose=0)

    found = np.asarray(model.predict(np.array([[[100.0], [105.0], [110.0]]]), verbose=0))[0, :, 0]
    print("after 100, 105, 110:", found)
    return float(np.abs(found - [115.0, 120.0, 125.0]).max())


if __name__ == "__main__":
    main()
