"""Against live Keras 3: graphs of layers by the functional API, what they compute and learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keras_twins import B, T, lstm, numbers, peer, same_nets

pytestmark = peer

X, ALSO = numbers(B, T, 3), numbers(B, T, 3, seed=1)
FLAT = numbers(B, 4, seed=2)


def used_twice(of: Any) -> Any:
    """One value goes two ways: its gradients add."""
    x = of.layers.Input((T, 3))
    h = lstm(of, 4, return_sequences=True)(x)
    a, b = lstm(of, 3)(h), lstm(of, 2, go_backwards=True)(h)
    return of.models.Model(x, of.layers.Dense(2)(of.layers.concatenate([a, b])))


def one_value_as_both_inputs(of: Any) -> Any:
    x = of.layers.Input((4,))
    h = of.layers.Dense(3, activation="tanh")(x)
    return of.models.Model(x, of.layers.Dense(2)(of.layers.multiply([h, h])))


def skip(of: Any) -> Any:
    x = of.layers.Input((T, 3))
    h = lstm(of, 3, return_sequences=True)(x)
    h = of.layers.Add()([x, h])
    h = of.layers.Add()([h, lstm(of, 3, return_sequences=True)(h)])
    return of.models.Model(x, of.layers.Dense(2)(h))


def skip_of_a_dense_net(of: Any) -> Any:
    """Two values travel far: the input over two layers, the first layer's over one."""
    x = of.layers.Input((4,))
    a = of.layers.Dense(3, activation="tanh")(x)
    b = of.layers.Dense(3, activation="sigmoid")(a)
    return of.models.Model(x, of.layers.Dense(2)(of.layers.concatenate([x, b, a])))


def shared_dense(of: Any) -> Any:
    """One Dense at two depths: x, and what it made of x."""
    x = of.layers.Input((4,))
    layer = of.layers.Dense(4, activation="tanh")
    return of.models.Model(x, of.layers.Dense(1)(layer(layer(x))))


def shared_lstm(of: Any) -> Any:
    """One LSTM reads two sequences: the weights once, the gradients of both."""
    a, b = of.layers.Input((T, 3)), of.layers.Input((T, 3))
    layer = lstm(of, 4)
    both = of.layers.concatenate([layer(a), layer(b)])
    return of.models.Model([a, b], of.layers.Dense(1, activation="sigmoid")(both))


def siamese(of: Any) -> Any:
    """Keras's classic: two texts through one encoder, their distance out."""
    a, b = of.layers.Input((T, 3)), of.layers.Input((T, 3))
    x = of.layers.Input((T, 3))
    # without a bias, which would cancel
    encoder = of.models.Model(x, of.layers.Dense(3, use_bias=False)(lstm(of, 4)(x)))
    distance = of.layers.subtract([encoder(a), encoder(b)])
    return of.models.Model([a, b], of.layers.Dense(1)(distance))


def two_inputs(of: Any) -> Any:
    sequence, fixed = of.layers.Input((T, 3)), of.layers.Input((4,))
    h = of.layers.concatenate([lstm(of, 3)(sequence), of.layers.Dense(2)(fixed)])
    return of.models.Model([sequence, fixed], of.layers.Dense(2)(h))


def input_for_two(of: Any) -> Any:
    x = of.layers.Input((None, 3))
    return of.models.Model(x, of.layers.Average()([lstm(of, 2)(x), lstm(of, 2, dropout=0.0)(x)]))


def nested(of: Any) -> Any:
    """A model with two inputs and two outputs as a layer of another."""
    a, b = of.layers.Input((T, 3)), of.layers.Input((4,))
    h = lstm(of, 3)(a)
    inner = of.models.Model([a, b], [of.layers.Dense(2)(h), of.layers.Dense(3)(b)])
    x, y = of.layers.Input((T, 3)), of.layers.Input((4,))
    first, second = inner([x, y])
    return of.models.Model([x, y], of.layers.Dense(2)(of.layers.concatenate([second, first])))


def nested_twice(of: Any) -> Any:
    """A model in a model in a model, the innermost used at two depths."""
    x = of.layers.Input((4,))
    inner = of.models.Model(x, of.layers.Dense(4, activation="tanh")(x))
    x = of.layers.Input((4,))
    middle = of.models.Model(x, of.layers.Dense(4)(inner(x)))
    x = of.layers.Input((4,))
    return of.models.Model(x, inner(middle(x)))


def sequential_inside(of: Any) -> Any:
    part = of.models.Sequential(
        [of.layers.Input((T, 3)), lstm(of, 3, return_sequences=True), of.layers.Dense(2)]
    )
    x = of.layers.Input((T, 3))
    return of.models.Model(x, lstm(of, 2)(of.layers.concatenate([part(x), x])))


def model_in_a_sequential(of: Any) -> Any:
    x = of.layers.Input((T, 3))
    h = lstm(of, 3, return_sequences=True)(x)
    part = of.models.Model(x, of.layers.add([x, h]))
    return of.models.Sequential([part, lstm(of, 3), of.layers.Dense(1)])


def state_starts_another(of: Any) -> Any:
    """An encoder's state is where the decoder begins: gradients of h and of c."""
    a, b = of.layers.Input((T, 3)), of.layers.Input((4, 3))
    _, h, c = lstm(of, 4, return_state=True)(a)
    y = lstm(of, 4, return_sequences=True)(b, initial_state=[h, c])
    return of.models.Model([a, b], of.layers.Dense(2)(y))


def every_result(of: Any) -> Any:
    """Outputs of each step, h and c of one layer all go on."""
    x = of.layers.Input((T, 3))
    y, h, c = lstm(of, 3, return_sequences=True, return_state=True)(x)
    last = lstm(of, 2)(y)
    return of.models.Model(x, of.layers.Dense(2)(of.layers.concatenate([last, h, c])))


def state_from_dense(of: Any) -> Any:
    """What is known of a row starts its sequence; the state is used twice."""
    x, fixed = of.layers.Input((T, 3)), of.layers.Input((4,))
    h = of.layers.Dense(3, activation="tanh")(fixed)
    y = lstm(of, 3)(x, initial_state=[h, h])
    return of.models.Model([x, fixed], of.layers.Dense(1)(y))


def states_of_both_directions(of: Any) -> Any:
    """Bidirectional takes and returns four states: forward h, c, backward h, c."""
    x, fixed = of.layers.Input((T, 3)), of.layers.Input((4,))
    begin = [of.layers.Dense(2, activation="tanh")(fixed) for _ in range(4)]
    layer = of.layers.Bidirectional(lstm(of, 2, return_sequences=True, return_state=True))
    y, *states = layer(x, initial_state=begin)
    last = of.layers.concatenate([*states, lstm(of, 2)(y)])
    return of.models.Model([x, fixed], of.layers.Dense(2)(last))


def both_directions_encode(of: Any) -> Any:
    """The states of both directions, joined, start a decoder."""
    a, b = of.layers.Input((T, 3)), of.layers.Input((4, 2))
    _, fh, fc, bh, bc = of.layers.Bidirectional(lstm(of, 2, return_state=True))(a)
    h, c = of.layers.concatenate([fh, bh]), of.layers.concatenate([fc, bc])
    y = lstm(of, 4, return_sequences=True)(b, initial_state=[h, c])
    return of.models.Model([a, b], of.layers.Dense(2)(y))


def activations_and_dropout(of: Any) -> Any:
    x = of.layers.Input((T, 3))
    h = of.layers.Activation("relu")(lstm(of, 4, return_sequences=True)(x))
    h = of.layers.Activation("tanh")(of.layers.Dense(3)(of.layers.Dropout(0.0)(h)))
    return of.models.Model(x, of.layers.Activation("softmax")(of.layers.Dense(2)(h)))


# name -> builder, inputs, shape of the targets
NETS: dict[str, tuple[Callable[[Any], Any], Any, tuple[int, ...]]] = {
    "used_twice": (used_twice, X, (B, 2)),
    "one_value_as_both_inputs": (one_value_as_both_inputs, FLAT, (B, 2)),
    "skip": (skip, X, (B, T, 2)),
    "skip_of_a_dense_net": (skip_of_a_dense_net, FLAT, (B, 2)),
    "shared_dense": (shared_dense, FLAT, (B, 1)),
    "shared_lstm": (shared_lstm, [X, ALSO], (B, 1)),
    "siamese": (siamese, [X, ALSO], (B, 1)),
    "two_inputs": (two_inputs, [X, FLAT], (B, 2)),
    "input_for_two": (input_for_two, X, (B, 2)),
    "nested": (nested, [X, FLAT], (B, 2)),
    "nested_twice": (nested_twice, FLAT, (B, 4)),
    "sequential_inside": (sequential_inside, X, (B, 2)),
    "model_in_a_sequential": (model_in_a_sequential, X, (B, 1)),
    "state_starts_another": (state_starts_another, [X, numbers(B, 4, 3, seed=4)], (B, 4, 2)),
    "every_result": (every_result, X, (B, 2)),
    "state_from_dense": (state_from_dense, [X, FLAT], (B, 1)),
    "states_of_both_directions": (states_of_both_directions, [X, FLAT], (B, 2)),
    "both_directions_encode": (both_directions_encode, [X, numbers(B, 4, 2, seed=4)], (B, 4, 2)),
    "activations_and_dropout": (activations_and_dropout, X, (B, T, 2)),
}


@pytest.mark.parametrize("name", NETS)
def test_nets(name: str) -> None:
    build, x, shape = NETS[name]
    same_nets(build, x, numbers(*shape, seed=9))
