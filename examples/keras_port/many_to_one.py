"""Many to one: three numbers in, their sum out; by one LSTM, and by one that reads both ways.

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras


def fitted(first, epochs):
    X = np.arange(1.0, 46.0).reshape(15, 3, 1)  # 1 2 3, 4 5 6, ...
    Y = X.sum(axis=1)

    model = keras.Sequential([keras.Input(shape=(3, 1)), first, keras.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    model.fit(X, Y, epochs=epochs, validation_split=0.2, batch_size=5, verbose=0)
    return model


def main(seed=0, epochs=1000):
    keras.utils.set_random_seed(seed)
    test_input = np.array([50.0, 51.0, 52.0]).reshape((1, 3, 1))
    found = []
    for first in (
        keras.layers.LSTM(50, activation="relu"),
        keras.layers.Bidirectional(keras.layers.LSTM(50, activation="relu")),
    ):
        test_output = fitted(first, epochs).predict(test_input, verbose=0)
        found.append(float(test_output[0, 0]))
    print("50 + 51 + 52 =", found[0], "and, read both ways,", found[1])
    return np.array(found)


def is_right(found):
    return np.abs(found - 153.0).max() <= 1.0


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
