"""Echo: the second of five random numbers, which only memory can tell.

The model learns from one example at a time, each with a call of `fit`.

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras

LENGTH, NUMBERS, PLACE = 5, 10, 1


def generate_example(rng):
    sequence = rng.integers(0, NUMBERS, LENGTH)
    encoded = keras.utils.to_categorical(sequence, num_classes=NUMBERS)
    return encoded.reshape((1, LENGTH, NUMBERS)), encoded[PLACE].reshape(1, NUMBERS)


def main(seed=0, examples=10_000):
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = keras.Sequential()
    model.add(keras.layers.LSTM(25, input_shape=(LENGTH, NUMBERS)))
    model.add(keras.layers.Dense(NUMBERS, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

    for _ in range(examples):
        X, y = generate_example(rng)
        model.fit(X, y, epochs=1, verbose=0)

    correct = 0
    for _ in range(100):
        X, y = generate_example(rng)
        yhat = model.predict(X, verbose=0)
        correct += int(np.argmax(yhat) == np.argmax(y))
    print(f"{correct} of 100 echoes are right")
    return correct


def is_right(found):
    return found == 100


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
