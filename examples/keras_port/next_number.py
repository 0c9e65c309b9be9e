"""Next number: three numbers of a series in, the one that follows out.

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras


def split_sequence(sequence, n_steps):
    X = [sequence[i : i + n_steps] for i in range(len(sequence) - n_steps)]
    return np.array(X), np.array(sequence[n_steps:])


def main(seed=0, epochs=300):
    keras.utils.set_random_seed(seed)
    n_steps = 3
    X, y = split_sequence([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0], n_steps)
    X = X.reshape((X.shape[0], n_steps, 1))

    model = keras.Sequential()
    model.add(keras.layers.LSTM(50, activation="relu", input_shape=(n_steps, 1)))
    model.add(keras.layers.Dense(1))
    model.compile(optimizer="adam", loss="mse")
    model.fit(X, y, epochs=epochs, verbose=0)

    x_input = np.array([70.0, 80.0, 90.0]).reshape((1, n_steps, 1))
    yhat = model.predict(x_input, verbose=0)
    print("after 70, 80, 90:", yhat[0, 0])
    return float(yhat[0, 0])


def is_right(found):
    return abs(found - 100.0) <= 3.0


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
