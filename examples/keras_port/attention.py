"""Attention: of a sequence of numbers, the one that is marked; and where the model looks for it.

A Dense scores each step of an LSTM, softmax makes weights of the scores, and the weighted steps
are averaged.

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras

STEPS, UNITS = 12, 24


def generate_examples(count, rng):
    numbers = rng.uniform(-1.0, 1.0, (count, STEPS)).astype("float32")
    places = rng.integers(0, STEPS, count)
    marks = np.eye(STEPS, dtype="float32")[places]
    return np.stack([numbers, marks], axis=2), numbers[np.arange(count), places]


def main(seed=0, epochs=30):
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    X, y = generate_examples(1500, rng)
    testX, testy = generate_examples(200, rng)

    inputs = keras.Input(shape=(STEPS, 2))
    steps = keras.layers.LSTM(UNITS, return_sequences=True)(inputs)
    scores = keras.layers.Dense(1, activation="tanh")(steps)
    weights = keras.layers.Activation("softmax")(keras.layers.Flatten()(scores))
    repeated = keras.layers.Permute((2, 1))(keras.layers.RepeatVector(UNITS)(weights))
    attended = keras.layers.Multiply()([steps, repeated])
    context = keras.layers.GlobalAveragePooling1D()(attended)
    outputs = keras.layers.Dense(1)(context)

    model = keras.Model(inputs, outputs)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    model.fit(X, y, batch_size=32, epochs=epochs, verbose=0)

    error = float(np.abs(model.predict(testX, verbose=0).ravel() - testy).mean())
    looks = keras.Model(inputs, weights).predict(testX[:1], verbose=0)[0]
    print(f"mean error: {error:.3f}")
    print("marked is step", int(testX[0, :, 1].argmax()), "- weights:", np.round(looks, 2))
    return error


def is_right(found):
    return found <= 0.05


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
