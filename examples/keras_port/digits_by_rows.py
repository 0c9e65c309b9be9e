"""Digits by rows: an LSTM reads images of handwritten digits, eight rows of eight pixels.

The images come with scikit-learn: pip install scikit-learn

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras


def main(seed=0, epochs=20):
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        sys.exit("digits_by_rows.py needs scikit-learn: pip install scikit-learn")
    keras.utils.set_random_seed(seed)
    digits = load_digits()
    x = (digits.images / 16.0).astype("float32")  # (1797, 8, 8)
    y = keras.utils.to_categorical(digits.target, 10)
    order = np.random.default_rng(0).permutation(len(x))
    train, test = order[:1400], order[1400:]

    model = keras.Sequential(
        [
            keras.Input(shape=(8, 8)),
            keras.layers.LSTM(64),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        loss="categorical_crossentropy",
        optimizer=keras.optimizers.Adam(0.005),
        metrics=["accuracy"],
    )
    model.fit(x[train], y[train], batch_size=32, epochs=epochs, verbose=0)

    _, accuracy = model.evaluate(x[test], y[test], verbose=0)
    print(f"{100 * accuracy:.1f} % of the digits are read right")
    return float(accuracy)


def is_right(found):
    return found >= 0.95


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
