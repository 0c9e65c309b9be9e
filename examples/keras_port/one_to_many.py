"""One to many: a number in, the two that follow it out.

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras


def main(seed=0, epochs=1000):
    keras.utils.set_random_seed(seed)
    X = np.arange(1.0, 46.0, 3.0).reshape(15, 1, 1)
    Y = np.array([[x + 1.0, x + 2.0] for x in X.ravel()])

    model = keras.Sequential()
    model.add(keras.layers.LSTM(50, activation="relu", input_shape=(1, 1)))
    model.add(keras.layers.Dense(2))
    model.compile(optimizer="adam", loss="mse")
    model.fit(X, Y, epochs=epochs, validation_split=0.2, batch_size=3, verbose=0)

    test_input = np.array([10.0]).reshape((1, 1, 1))
    test_output = model.predict(test_input, verbose=0)
    print("after 10:", test_output[0])
    return test_output[0]


def is_right(found):
    return np.abs(found - [11.0, 12.0]).max() <= 0.2


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
