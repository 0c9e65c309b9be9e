"""Sequence to sequence: digits in, the same digits backwards out, one at a time.

One model trains encoder and decoder together, the decoder being given the right digits (teacher
forcing). To decode, two more models are made of the same layers: the encoder returns its states,
and the decoder takes states and one digit, and returns the next digit and its states.

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras

LENGTH, DIGITS, START, UNITS = 4, 10, 10, 64
TOKENS = DIGITS + 1


def one_hot(tokens):
    return np.eye(TOKENS, dtype="float32")[tokens]


def main(seed=0, epochs=15):
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    source = rng.integers(0, DIGITS, (2100, LENGTH))
    target = source[:, ::-1]
    given = np.concatenate([np.full((len(target), 1), START), target[:, :-1]], axis=1)
    train, test = slice(0, 2000), slice(2000, 2100)

    encoder_inputs = keras.Input(shape=(None, TOKENS))
    encoder = keras.layers.LSTM(UNITS, return_state=True)
    _, state_h, state_c = encoder(encoder_inputs)

    decoder_inputs = keras.Input(shape=(None, TOKENS))
    decoder_lstm = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=[state_h, state_c])
    decoder_dense = keras.layers.Dense(TOKENS, activation="softmax")
    decoder_outputs = decoder_dense(decoder_outputs)

    model = keras.Model([encoder_inputs, decoder_inputs], decoder_outputs)
    model.compile(optimizer=keras.optimizers.Adam(0.005), loss="categorical_crossentropy")
    model.fit(
        [one_hot(source[train]), one_hot(given[train])],
        one_hot(target[train]),
        batch_size=32,
        epochs=epochs,
        verbose=0,
    )

    encoder_model = keras.Model(encoder_inputs, [state_h, state_c])
    state_inputs = [keras.Input(shape=(UNITS,)), keras.Input(shape=(UNITS,))]
    step_outputs, *step_states = decoder_lstm(decoder_inputs, initial_state=state_inputs)
    decoder_model = keras.Model(
        [decoder_inputs, *state_inputs], [decoder_dense(step_outputs), *step_states]
    )

    states = encoder_model.predict(one_hot(source[test]), verbose=0)
    token = np.full((100, 1), START)
    decoded = []
    for _ in range(LENGTH):
        output, *states = decoder_model.predict([one_hot(token), *states], verbose=0)
        token = output.argmax(axis=-1)
        decoded.append(token)
    correct = int((np.concatenate(decoded, axis=1) == target[test]).all(axis=1).sum())
    print(source[test][0], "backwards is", np.concatenate(decoded, axis=1)[0])
    print(f"{correct} of 100 sequences are right")
    return correct


def is_right(found):
    return found >= 95


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
