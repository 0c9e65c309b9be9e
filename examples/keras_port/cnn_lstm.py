"""CNN-LSTM: does a dot move left or right through a video? In both ways in which it is written.

Either a whole `Sequential` of convolutions is wrapped in one `TimeDistributed`, or each layer is in
one of its own. With the same weights both are the same model.

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras

FRAMES, SIZE = 6, 10


def generate_examples(n_patterns, rng):
    X = np.zeros((n_patterns, FRAMES, SIZE, SIZE, 1), "float32")
    y = rng.integers(0, 2, n_patterns)
    for video, right in zip(X, y, strict=True):
        row, start = rng.integers(0, SIZE), rng.integers(0, SIZE - FRAMES + 1)
        columns = start + np.arange(FRAMES)
        video[np.arange(FRAMES), row, columns if right else columns[::-1]] = 1.0
    return X, y


def wrapped():
    cnn = keras.Sequential()
    cnn.add(keras.Input(shape=(SIZE, SIZE, 1)))
    cnn.add(keras.layers.Conv2D(4, (3, 3), activation="relu"))
    cnn.add(keras.layers.MaxPooling2D(pool_size=(2, 2)))
    cnn.add(keras.layers.Flatten())

    model = keras.Sequential()
    model.add(keras.Input(shape=(FRAMES, SIZE, SIZE, 1)))
    model.add(keras.layers.TimeDistributed(cnn))
    model.add(keras.layers.LSTM(24))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    return model


def layer_by_layer():
    each = keras.layers.TimeDistributed
    model = keras.Sequential()
    model.add(keras.Input(shape=(FRAMES, SIZE, SIZE, 1)))
    model.add(each(keras.layers.Conv2D(4, (3, 3), activation="relu")))
    model.add(each(keras.layers.MaxPooling2D(pool_size=(2, 2))))
    model.add(each(keras.layers.Flatten()))
    model.add(keras.layers.LSTM(24))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    return model


def main(seed=0, epochs=8):
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    X, y = generate_examples(400, rng)
    testX, testy = generate_examples(100, rng)

    found = []
    for model in (wrapped(), layer_by_layer()):
        model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
        model.fit(X, y, batch_size=16, epochs=epochs, verbose=0)
        found.append(float(model.evaluate(testX, testy, verbose=0)[1]))
    print("right:", *(f"{100 * each:.0f} %" for each in found))

    twin = wrapped()
    twin.set_weights(model.get_weights())
    away = np.abs(twin.predict(testX, verbose=0) - model.predict(testX, verbose=0)).max()
    if not away <= 1e-5:
        sys.exit(f"with the same weights the outputs differ by {away}")
    return min(found)


def is_right(found):
    return found >= 0.97


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
