"""`lstmfast.models.Sequential`: layers, shapes, weights, configuration."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lstmfast import initializers, layers, models, utils
from lstmfast.layers import LSTM, Dense, Dropout, Input
from lstmfast.models import Sequential


def forecaster(**options: object) -> Sequential:
    return Sequential(
        [Input((3, 1)), LSTM(5, activation="relu"), Dropout(0.1), Dense(2)],
        **options,  # type: ignore[arg-type]
    )


def data(samples: int = 15, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((samples, 3, 1), dtype=np.float32), rng.random((samples, 2), dtype=np.float32)


def test_the_three_ways_to_say_the_input_shape() -> None:
    by_input = Sequential([Input((3, 1)), LSTM(5), Dense(2)], seed=0)
    by_argument = Sequential([LSTM(5, input_shape=(3, 1)), Dense(2)], seed=0)
    by_data = Sequential([LSTM(5), Dense(2)], seed=0)
    x, _ = data()
    assert by_input.built
    assert by_argument.built
    assert not by_data.built
    y = by_data.predict(x)
    assert by_input.input_shape == by_argument.input_shape == (None, 3, 1)
    assert by_data.input_shape == (None, None, 1)
    for model in (by_input, by_argument):
        np.testing.assert_array_equal(model.predict(x), y)
    built = Sequential([LSTM(5), Dense(2)], seed=0)
    built.build((None, 3, 1))
    np.testing.assert_array_equal(built.predict(x), y)


def test_add_and_pop_keep_the_other_layers_weights() -> None:
    model = Sequential(seed=0)
    model.add(Input((None, 2)))
    model.add(LSTM(3, return_sequences=True))
    assert model.output_shape == (None, None, 3)
    first = model.get_weights()
    model.add(LSTM(4))
    model.add(Dense(1))
    assert model.output_shape == (None, 1)
    for before, after in zip(first, model.get_weights(), strict=False):
        np.testing.assert_array_equal(before, after)
    removed = model.pop()
    assert removed is not None
    assert removed.name == "dense"
    assert model.output_shape == (None, 4)
    np.testing.assert_equal(model.layers[0].get_weights(), first)


def test_the_list_of_layers_is_the_callers() -> None:
    model = Sequential([LSTM(2, input_shape=(3, 1)), Dense(1)])
    x, _ = data()
    before = model.predict(x), model(x)
    model.layers.pop()
    model.layers.append(Dense(7))
    model.layers[0] = Dense(2)
    with pytest.raises(AttributeError, match=r"layers cannot be set; call add\(\) and pop\(\)"):
        model.layers = []  # type: ignore[misc]
    assert [layer.name for layer in model.layers] == ["lstm", "dense"]
    np.testing.assert_array_equal((model.predict(x), model(x)), before)


def test_names() -> None:
    model = Sequential([LSTM(2, return_sequences=True), LSTM(2), Dense(1, name="head")])
    assert [layer.name for layer in model.layers] == ["lstm", "lstm_1", "head"]
    assert model.get_layer("head") is model.layers[2] is model.get_layer(index=2)
    with pytest.raises(
        ValueError, match="no layer is called 'dense'; there are: lstm, lstm_1, head"
    ):
        model.get_layer("dense")
    with pytest.raises(ValueError, match="two layers would be called 'head'"):
        model.add(Dense(1, name="head"))


def test_a_layer_may_stand_in_several_models() -> None:
    layer = Dense(1, input_shape=(2,))
    model = Sequential([layer])
    other = Sequential([layer])
    x = np.ones((3, 2))
    other.set_weights([[[1.0], [2.0]], [0.5]])
    np.testing.assert_array_equal(model.predict(x), np.full((3, 1), 3.5))
    with pytest.raises(ValueError, match="is in this model already"):
        model.add(layer)
    weights = model.get_weights()
    assert model.pop() is layer
    np.testing.assert_equal(Sequential([layer]).get_weights(), weights)


def test_add_undoes_itself_where_the_layer_does_not_fit() -> None:
    model = Sequential([LSTM(2, input_shape=(3, 1))])
    with pytest.raises(ValueError, match="lstm"):
        model.add(LSTM(2))  # after one without return_sequences
    assert [layer.name for layer in model.layers] == ["lstm"]
    model.add(Dense(1))
    assert model.predict(data()[0]).shape == (15, 1)


def test_first_weights_are_keras_s() -> None:
    model = Sequential([LSTM(40, input_shape=(None, 20)), Dense(7)], seed=0)
    kernel, recurrent, bias, dense, dense_bias = model.get_weights()
    limit = np.sqrt(6 / (20 + 160))
    assert 0.95 * limit < abs(kernel).max() <= limit
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(bias, [0] * 40 + [1] * 40 + [0] * 80)
    limit = np.sqrt(6 / (40 + 7))
    assert 0.9 * limit < abs(dense).max() <= limit
    assert not dense_bias.any()


def test_first_weights_of_variants() -> None:
    model = Sequential(
        [LSTM(4, coupled=True, peephole=True, layer_norm=True, input_shape=(None, 2))]
    )
    parts = dict(
        zip([n for n, _ in model.layers[0].weight_parts()], model.get_weights(), strict=True)
    )
    np.testing.assert_array_equal(parts["bias"], [1] * 4 + [0] * 8)
    assert parts["peephole"].shape == (2, 4)
    assert not parts["peephole"].any()
    assert (parts["norm_z_weight"] == 1).all()
    assert (parts["norm_c_weight"] == 1).all()
    assert not parts["norm_z_bias"].any()


def test_initializers_by_name_object_and_configuration() -> None:
    ones = {"class_name": "Ones", "config": {}}
    for given in ("ones", "Ones", initializers.Ones, initializers.Ones(), ones):
        model = Sequential([Dense(2, kernel_initializer=given, input_shape=(3,))])
        assert (model.get_weights()[0] == 1).all()
    fixed = initializers.RandomNormal(seed=3)
    np.testing.assert_array_equal(fixed((2, 3)), fixed((2, 3)))
    with pytest.raises(ValueError, match=r"unknown initializer 'onse'; known: .*ones"):
        Dense(2, kernel_initializer="onse")


def test_seeds() -> None:
    x, _ = data()
    np.testing.assert_array_equal(forecaster(seed=3).predict(x), forecaster(seed=3).predict(x))
    utils.set_random_seed(7)
    first = [forecaster().predict(x) for _ in range(2)]
    utils.set_random_seed(7)
    np.testing.assert_array_equal(forecaster().predict(x), first[0])
    assert (first[0] != first[1]).any()


def test_weights() -> None:
    model = forecaster(seed=0)
    weights = model.get_weights()
    assert [w.shape for w in weights] == [(1, 20), (5, 20), (20,), (5, 2), (2,)]
    assert model.count_params() == sum(w.size for w in weights) == 152
    assert [layer.count_params() for layer in model.layers] == [140, 0, 12]
    weights[0][:] = 9
    assert (model.get_weights()[0] != 9).all()
    model.set_weights([w + 1 for w in model.get_weights()])
    assert (model.get_weights()[-1] == 1).all()
    model.layers[2].set_weights([np.zeros((5, 2)), [3, 4]])
    np.testing.assert_array_equal(model.predict(data()[0]), [[3, 4]] * 15)


def test_set_weights_changes_all_or_nothing() -> None:
    model = forecaster(seed=0)
    before = model.get_weights()
    changed = [w + 1 for w in before]
    with pytest.raises(
        ValueError, match=r"Sequential.set_weights\] weights has 4 arrays; expected 5"
    ):
        model.set_weights(changed[:-1])
    with pytest.raises(ValueError, match=r"dense.bias has shape \(3,\); expected \(2,\)"):
        model.set_weights([*changed[:-1], np.zeros(3)])
    with pytest.raises(ValueError, match=r"\[layers.Dense.set_weights\] bias has shape \(3,\)"):
        model.layers[2].set_weights([changed[3], np.zeros(3)])
    np.testing.assert_equal(model.get_weights(), before)


def test_predict() -> None:
    model = forecaster(seed=0)
    x, _ = data(70)
    y = model.predict(x)
    assert y.shape == (70, 2)
    for other in (
        model.predict(x, batch_size=1),
        model.predict(x.tolist(), batch_size=70),
        model.predict(x.astype(np.float64)[::-1])[::-1],
        model(x),
        model.predict_on_batch(x),
    ):
        np.testing.assert_array_equal(other, y)
    assert model.predict(x[:0]).shape == (0, 2)


def test_any_number_of_steps() -> None:
    model = Sequential([LSTM(4, input_shape=(None, 1), return_sequences=True), Dense(1)])
    assert model.output_shape == (None, None, 1)
    for steps in (1, 5, 2):
        assert model.predict(np.zeros((3, steps, 1))).shape == (3, steps, 1)


def test_float64() -> None:
    for model in (
        forecaster(dtype="float64"),
        Sequential([Input((2,), dtype="float64"), Dense(1)]),
    ):
        assert model.dtype == "float64"
        assert all(w.dtype == np.float64 for w in model.get_weights())
    x, y = data()
    model = forecaster(dtype="float64")
    model.compile("sgd", "mse")
    assert model.predict(x).dtype == np.float64
    assert model.fit(x, y, verbose=0).epoch == [0]


def test_configuration() -> None:
    model = forecaster(name="mine", dtype="float64")
    config = model.get_config()
    twin = Sequential.from_config(config)
    assert twin.get_config() == config
    assert twin.name == "mine"
    assert [w.shape for w in twin.get_weights()] == [w.shape for w in model.get_weights()]
    unbuilt = Sequential([LSTM(2), Dense(1)])
    assert not Sequential.from_config(unbuilt.get_config()).built
    layer = layers.from_config({"class_name": "LSTM", "config": model.layers[0].get_config()})
    assert layer.get_config() == model.layers[0].get_config()


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    model = forecaster()
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert 'Model: "sequential"' in text
    for part in ("lstm (LSTM)", "(None, 5)", "140", "dropout (Dropout)", "dense (Dense)"):
        assert part in text
    assert "Total params: 152 (608.00 B)" in text
    assert capsys.readouterr().out == ""
    model.summary(line_length=100)
    out = capsys.readouterr().out
    assert {len(line) for line in out.splitlines()[1:-3]} == {100}
    Sequential([LSTM(2)]).summary()
    assert "0 (unbuilt)" in capsys.readouterr().out


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_continue_alike(duplicate: object) -> None:
    x, y = data()
    model = forecaster(seed=0, name="mine")
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(x, y, epochs=2, batch_size=4, verbose=0)
    twin: models.Sequential = duplicate(model)  # type: ignore[operator]
    assert twin.name == "mine"
    assert twin.optimizer is not model.optimizer
    runs = [m.fit(x, y, epochs=3, batch_size=4, verbose=0).history for m in (model, twin)]
    assert runs[0] == runs[1]
    np.testing.assert_equal(model.get_weights(), twin.get_weights())
    bare = duplicate(Sequential([LSTM(2), Dense(1)]))  # type: ignore[operator]
    assert bare.predict(x).shape == (15, 1)


def test_a_model_goes_with_its_last_reference() -> None:
    x, y = data()
    model = forecaster()
    model.compile("adam", "mse")
    history = model.fit(x, y, verbose=0)
    assert history.model is model
    watched = weakref.ref(model)
    gc.collect()
    gc.disable()
    try:
        del model
        assert watched() is None
        assert history.model is None
        assert pickle.loads(pickle.dumps(history)).history == history.history
    finally:
        gc.enable()


def test_concurrent_prediction_with_one_model() -> None:
    model = forecaster(seed=0)
    inputs = [data(100, seed)[0] for seed in range(8)]
    expected = [model.predict(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for y, want in zip(pool.map(model.predict, inputs), expected, strict=True):
                np.testing.assert_array_equal(y, want)


@pytest.mark.parametrize("stateful", [False, True])
def test_predict_takes_lists_as_arrays(stateful: bool) -> None:
    """An array of the model's dtype goes straight to the core, anything else by way of NumPy."""
    model = Sequential([Input((4, 2), batch_size=5 if stateful else None)])
    model.add(layers.LSTM(3, stateful=stateful))
    model.add(layers.Dense(2))
    x = np.random.default_rng(0).standard_normal((5, 4, 2)).astype(np.float32)
    straight = [model.predict(x) for _ in range(2)]
    assert np.array_equal(*straight) is not stateful  # the second call goes on with the state
    if stateful:
        model.reset_states()
    for expected in straight:
        np.testing.assert_array_equal(model.predict(x.tolist()), expected)
    with pytest.raises(
        ValueError, match=r"\[predict\] x has shape \(5, 4, 3\); expected \(N, 4, 2\)"
    ):
        model.predict(np.zeros((5, 4, 3), np.float32))
