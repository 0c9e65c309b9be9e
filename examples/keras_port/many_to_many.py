"""Many to many: three numbers in, the three that follow them out.

One LSTM reads the sequence into a vector, `RepeatVector` hands it to each step of a second one,
and `TimeDistributed` applies one Dense to each of its steps.

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras


def main(seed=0, epochs=1000):
    keras.utils.set_random_seed(seed)
    X = np.arange(5.0, 305.0, 5.0).reshape(20, 3, 1)  # 5 10 15, 20 25 30, ...
    Y = X + 15.0

    model = keras.Sequential()
    model.add(keras.layers.LSTM(100, activation="relu", input_shape=(3, 1)))
    model.add(keras.layers.RepeatVector(3))
    model.add(keras.layers.LSTM(100, activation="relu", return_sequences=True))
    model.add(keras.layers.TimeDistributed(keras.layers.Dense(1)))
    model.compile(optimizer="adam", loss="mse")
    model.fit(X, Y, epochs=epochs, batch_size=4, verbose=0)

    test_input = np.array([300.0, 305.0, 310.0]).reshape((1, 3, 1))
    test_output = model.predict(test_input, verbose=0)
    print("after 300, 305, 310:", test_output.ravel())
    return test_output.ravel()


def is_right(found):
    return np.abs(found / [315.0, 320.0, 325.0] - 1.0).max() <= 0.01


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
