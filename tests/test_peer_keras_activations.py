"""Against live Keras 3: every element-wise activation, in gates, candidate and Dense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast import activations, layers, models, optimizers
from test_peer_keras import RTOL, keras, series

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "celu": [{}, {"alpha": 0.7}],
    "elu": [{}, {"alpha": 0.7}],
    "gelu": [{}, {"approximate": True}],
    "hard_shrink": [{}, {"threshold": 0.3}],
    "leaky_relu": [{}, {"negative_slope": 0.35}],
    "soft_shrink": [{}, {"threshold": 0.3}],
    "squareplus": [{}, {"b": 1.5}],
    "threshold": [{"threshold": -0.2, "default_value": 0.4}],
}
ROWS = {"softmax", "log_softmax", "sparsemax", "glu"}
NAMES = sorted(
    name
    for name in dir(keras.activations)
    if not name.startswith("_") and name not in ROWS | {"get", "serialize", "deserialize"}
)
CASES = [
    pytest.param(name, given, id="-".join([name, *map(str, given.values())]))
    for name in NAMES
    for given in PARAMETERS.get(name, [{}])
]


def both(name: str, given: dict[str, Any]) -> tuple[Any, Any]:
    """The function in both libraries, by its name where there are no parameters."""
    if not given:
        return name, name
    theirs = getattr(keras.activations, name)
    return getattr(activations, name)(**given), lambda x: theirs(x, **given)


@pytest.mark.parametrize(("name", "given"), CASES)
@pytest.mark.parametrize("place", ["activation", "recurrent_activation", "dense"])
def test_predictions_and_training(place: str, name: str, given: dict[str, Any]) -> None:
    """The same predictions, and the same weights after some steps."""
    x, y = 4.0 * series((6, 5, 3)) - 2.0, series((6, 2), 1)
    if name == "exponential" and place != "dense":
        x = 0.1 * x[:, :2]  # or it overflows, in both
    if place == "dense":
        x = np.ascontiguousarray(x[:, 0])

    def build(of: Any, function: Any) -> Any:
        first = of.Dense(9, function) if place == "dense" else of.LSTM(9, **{place: function})
        return [of.Input(x.shape[1:]), first, of.Dense(2)]

    mine, theirs = both(name, given)
    ours = models.Sequential(build(layers, mine))
    other = keras.Sequential(build(keras.layers, theirs))
    ours.set_weights([np.asarray(w) for w in other.get_weights()])
    np.testing.assert_allclose(ours.predict(x, verbose=0), other.predict(x, verbose=0), atol=4e-6)
    ours.compile(optimizers.SGD(0.05), "mse")
    other.compile(keras.optimizers.SGD(0.05), "mse")
    how = {"epochs": 1, "batch_size": 2, "shuffle": False, "verbose": 0}
    ours.fit(x, y, **how)
    other.fit(x, y, **how)
    for mine_w, their_w in zip(ours.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine_w, np.asarray(their_w), rtol=RTOL, atol=RTOL)
