"""`lstmfast.LSTM` as a user meets it: layouts, states, parameters, copies."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lstmfast as lf

B, T, I, H, L = 3, 5, 4, 7, 2
CELLS = [{}, {"peephole": True, "coupled": True}, {"layer_norm": True}]
CELL_IDS = ["plain", "coupled_peephole", "layer_norm"]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@pytest.fixture(params=CELLS, ids=CELL_IDS)
def rnn(request: pytest.FixtureRequest) -> lf.LSTM:
    return lf.LSTM(I, H, L, seed=1, **request.param)


def test_shapes(rnn: lf.LSTM) -> None:
    y, (h, c) = rnn(normal(B, T, I))
    assert (y.shape, h.shape, c.shape) == ((B, T, H), (L, B, H), (L, B, H))
    assert y.dtype == h.dtype == c.dtype == np.float32
    np.testing.assert_array_equal(y[:, -1], h[-1])


def test_time_major_is_the_same_layer(rnn: lf.LSTM) -> None:
    x, dy = normal(B, T, I), normal(B, T, H, seed=1)
    resets = np.random.default_rng(2).random((B, T)) < 0.3
    other = lf.LSTM(
        I,
        H,
        L,
        batch_first=False,
        peephole=rnn.peephole,
        coupled=rnn.coupled,
        layer_norm=rnn.layer_norm,
    )
    other.load_state_dict(rnn.state_dict())
    y, state = rnn(x, resets=resets, training=True)
    y2, state2 = other(x.swapaxes(0, 1), resets=resets.T, training=True)
    np.testing.assert_array_equal(y, y2.swapaxes(0, 1))
    np.testing.assert_array_equal(state, state2)
    dx, _ = rnn.backward(dy)
    dx2, _ = other.backward(dy.swapaxes(0, 1))
    np.testing.assert_array_equal(dx, dx2.swapaxes(0, 1))


def test_batch_first_may_change() -> None:
    rnn = lf.LSTM(3, 5, seed=0)
    x = np.random.default_rng(0).standard_normal((4, 7, 3)).astype(np.float32)
    y, (h, _) = rnn(x)
    rnn.batch_first = np.bool_(False)  # type: ignore[assignment]
    time_major, (h_time_major, _) = rnn(np.ascontiguousarray(x.transpose(1, 0, 2)))
    np.testing.assert_array_equal(time_major.transpose(1, 0, 2), y)
    np.testing.assert_array_equal(h_time_major, h)
    rnn.batch_first = np.bool_(True)  # type: ignore[assignment]
    np.testing.assert_array_equal(rnn(x)[0], y)
    with pytest.raises(TypeError, match=r"\[LSTM\] batch_first is of type str; expected True or"):
        rnn.batch_first = "no"  # type: ignore[assignment]
    np.testing.assert_array_equal(rnn(x)[0], y)


@pytest.mark.parametrize("batch_first", [True, False])
def test_one_sequence_is_a_batch_of_one(batch_first: bool) -> None:
    rnn = lf.LSTM(I, H, L, batch_first=batch_first, seed=0)
    x, h0, c0 = normal(T, I), normal(L, H, seed=1), normal(L, H, seed=2)
    dy, dh = normal(T, H, seed=3), normal(L, H, seed=4)
    axis = 0 if batch_first else 1
    y, (h, c) = rnn(x, (h0, c0), resets=[0, 0, 1, 0, 0], training=True)
    dx, (dh0, _) = rnn.backward(dy, (dh, None))
    assert (y.shape, h.shape, dx.shape, dh0.shape) == ((T, H), (L, H), (T, I), (L, H))
    one = {"resets": np.expand_dims([0, 0, 1, 0, 0], axis), "training": True}
    y2, (h2, c2) = rnn(np.expand_dims(x, axis), (h0[:, None], c0[:, None]), **one)
    dx2, (dh02, _) = rnn.backward(np.expand_dims(dy, axis), (dh[:, None], None))
    np.testing.assert_array_equal(y, y2.squeeze(axis))
    np.testing.assert_array_equal((h, c), (h2[:, 0], c2[:, 0]))
    np.testing.assert_array_equal(dx, dx2.squeeze(axis))
    np.testing.assert_array_equal(dh0, dh02[:, 0])


def test_state_is_carried(rnn: lf.LSTM) -> None:
    x = normal(B, T, I)
    y, (h, c) = rnn(x)
    first, state = rnn(x[:, :2])
    second, (h2, c2) = rnn(x[:, 2:], state)
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), y)
    np.testing.assert_array_equal((h, c), (h2, c2))


def test_lengths(rnn: lf.LSTM) -> None:
    x = normal(B, T, I)
    y, (h, _) = rnn(x, lengths=[2, 5, 1])
    for row, length in enumerate([2, 5, 1]):
        alone, (h_row, _) = rnn(x[row, :length])
        np.testing.assert_array_equal(y[row, :length], alone)
        np.testing.assert_array_equal(h[:, row], h_row)
        assert not y[row, length:].any()


def test_out(rnn: lf.LSTM) -> None:
    x = normal(B, T, I)
    out = np.full((B, T, H), np.nan, np.float32)
    y, _ = rnn(x, out=out)
    assert y is out or y.base is out or np.shares_memory(y, out)
    np.testing.assert_array_equal(out, rnn(x)[0])
    out = np.empty((T, H), np.float32)
    rnn(x[0], out=out)
    np.testing.assert_array_equal(out, rnn(x[0])[0])


def test_parameters_have_torchs_names_and_shapes() -> None:
    shapes = {name: value.shape for name, value in lf.LSTM(I, H, L).state_dict().items()}
    assert shapes == {
        "weight_ih_l0": (4 * H, I),
        "weight_hh_l0": (4 * H, H),
        "bias_ih_l0": (4 * H,),
        "bias_hh_l0": (4 * H,),
        "weight_ih_l1": (4 * H, H),
        "weight_hh_l1": (4 * H, H),
        "bias_ih_l1": (4 * H,),
        "bias_hh_l1": (4 * H,),
    }
    extra = lf.LSTM(I, H, peephole=True, layer_norm=True).state_dict()
    assert extra["weight_peephole_l0"].shape == (3, H)
    assert extra["norm_z_weight_l0"].shape == extra["norm_z_bias_l0"].shape == (4 * H,)
    assert extra["norm_c_weight_l0"].shape == extra["norm_c_bias_l0"].shape == (H,)
    coupled = lf.LSTM(I, H, coupled=True, peephole=True).state_dict()
    assert coupled["weight_hh_l0"].shape == (3 * H, H)
    assert coupled["weight_peephole_l0"].shape == (2, H)
    assert "bias_ih_l0" not in lf.LSTM(I, H, bias=False).state_dict()


def test_first_weights_are_torchs() -> None:
    state = lf.LSTM(I, 100, layer_norm=True, peephole=True, seed=0).state_dict()
    for name, value in state.items():
        if name.startswith("norm"):
            assert (value == (1.0 if "weight" in name else 0.0)).all()
        else:
            assert 0.9 * 0.1 < abs(value).max() <= 0.1


def test_seeds() -> None:
    assert_same = np.testing.assert_equal
    assert_same(lf.LSTM(2, 3, seed=5).state_dict(), lf.LSTM(2, 3, seed=5).state_dict())
    rng = np.random.default_rng(5)
    assert_same(lf.LSTM(2, 3, seed=rng).state_dict(), lf.LSTM(2, 3, seed=5).state_dict())
    lf.utils.set_random_seed(3)
    first = [lf.LSTM(2, 3).state_dict()["weight_hh_l0"] for _ in range(2)]
    lf.utils.set_random_seed(3)
    np.testing.assert_array_equal(lf.LSTM(2, 3).state_dict()["weight_hh_l0"], first[0])
    assert (first[0] != first[1]).any()


def test_load_then_state_dict_is_identity(rnn: lf.LSTM) -> None:
    state = {name: value + 1 for name, value in rnn.state_dict().items()}
    rnn.load_state_dict(state)
    back = rnn.state_dict()
    assert list(back) == list(state)
    np.testing.assert_equal(back, state)
    back["weight_hh_l0"][:] = 0
    np.testing.assert_equal(rnn.state_dict(), state)


def test_load_state_dict_is_strict_and_atomic(rnn: lf.LSTM) -> None:
    before = rnn.state_dict()
    good = {name: value + 1 for name, value in before.items()}
    last = list(good)[-1]
    for bad, message in [
        ({k: v for k, v in good.items() if k != last}, f"misses {last}"),
        ({**good, "weight_hh_l9": good["weight_hh_l0"]}, "has the unknown weight_hh_l9"),
        ({**good, last: good[last][:-1]}, rf"{last} has shape \(.*\); expected"),
    ]:
        with pytest.raises(ValueError, match=rf"\[LSTM.load_state_dict\] .*{message}"):
            rnn.load_state_dict(bad)
        np.testing.assert_equal(rnn.state_dict(), before)


def test_gradients_accumulate(rnn: lf.LSTM) -> None:
    x, dy = normal(B, T, I), normal(B, T, H, seed=1)
    rnn(x, training=True)
    rnn.backward(dy)
    once = rnn.grads()
    assert list(once) == list(rnn.state_dict())
    np.testing.assert_array_equal(once["bias_ih_l1"], once["bias_hh_l1"])
    rnn(x, training=True)
    rnn.backward(dy)
    for name, value in rnn.grads().items():
        np.testing.assert_allclose(value, 2 * once[name], rtol=1e-6, atol=1e-7)
    rnn.zero_grad()
    assert not any(value.any() for value in rnn.grads().values())


def test_backward_needs_a_training_call(rnn: lf.LSTM) -> None:
    dy = normal(B, T, H)
    rnn(normal(B, T, I))
    with pytest.raises(ValueError, match="training"):
        rnn.backward(dy)
    rnn(normal(B, T, I), training=True)
    rnn.backward(dy)
    with pytest.raises(ValueError, match="training"):
        rnn.backward(dy)


def test_dropout_is_for_training_between_layers() -> None:
    rnn = lf.LSTM(I, H, 2, dropout=0.5, seed=0)
    x = normal(B, T, I)
    np.testing.assert_array_equal(rnn(x)[0], rnn(x)[0])
    assert (rnn(x, training=True)[0] != rnn(x)[0]).any()
    with pytest.warns(UserWarning, match=r"\[LSTM\] dropout=0.5 has no effect with num_layers=1"):
        one_layer = lf.LSTM(I, H, 1, dropout=0.5, seed=0)
    assert pickle.loads(pickle.dumps(one_layer)).dropout == 0.5  # which is no occasion to warn
    np.testing.assert_array_equal(one_layer(x, training=True)[0], one_layer(x)[0])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies(rnn: lf.LSTM, duplicate: object) -> None:
    twin = duplicate(rnn)  # type: ignore[operator]
    assert repr(twin) == repr(rnn)
    x = normal(B, T, I)
    np.testing.assert_array_equal(twin(x)[0], rnn(x)[0])
    twin.load_state_dict({k: v * 0 for k, v in twin.state_dict().items()})
    assert rnn.state_dict()["weight_ih_l0"].any()


def test_repr() -> None:
    assert repr(lf.LSTM(2, 3)) == "LSTM(2, 3)"
    rnn = lf.LSTM(2, 3, 2, bias=False, dropout=0.1, peephole=True, dtype=np.float64)
    assert repr(rnn) == (
        "LSTM(2, 3, num_layers=2, bias=False, dropout=0.1, peephole=True, dtype='float64')"
    )


class Tensor:
    """A stranger's array: no ndarray, wants gradients, and hands itself out by protocol."""

    def __init__(self, value: np.ndarray) -> None:
        self._value = value

    def detach(self) -> Detached:
        return Detached(self._value)


class Detached:
    def __init__(self, value: np.ndarray) -> None:
        self._value = value

    def __dlpack__(self, **kwargs: object) -> object:
        return self._value.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._value.__dlpack_device__()


def test_subclass_that_looks_up_attributes() -> None:
    class Named(lf.LSTM):
        def __init__(self) -> None:
            self.names: dict[str, int] = {"width": 7}
            super().__init__(I, H, seed=0)

        def __getattr__(self, name: str) -> int:
            return self.names[name]

    rnn = Named()
    assert rnn.width == 7
    with pytest.raises(AttributeError, match="hidden_size cannot be set; make a new LSTM"):
        rnn.hidden_size = 3
    with pytest.raises(AttributeError, match="weight_ih_l0 cannot be set; use load_state_dict"):
        rnn.weight_ih_l0 = 3


ELSEWHERE = {
    "weight_ih_l0": "state_dict() returns a copy of it, load_state_dict() replaces all weights",
    "bias_hh_l1": "state_dict() returns a copy of it, load_state_dict() replaces all weights",
    "eval": "pass training=True to a call, or leave it out",
    "train": "pass training=True to a call, or leave it out",
    "parameters": "state_dict() returns the weights and grads() their gradients",
    "to": "it computes on CPUs, in the dtype of its constructor",
    "forward": "call the object itself",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_torchs_names_say_what_there_is_instead(rnn: lf.LSTM, name: str) -> None:
    expected = f"'LSTM' object has no attribute '{name}': {ELSEWHERE[name]}"
    with pytest.raises(AttributeError) as caught:
        getattr(rnn, name)
    assert str(caught.value) == expected
    assert not hasattr(rnn, name)
    assert not hasattr(lf.LSTM, name)
    assert name not in dir(rnn)
    assert "state_dict" in dir(rnn)


def test_objects_leave_their_class_alone() -> None:
    before = dict(vars(lf.LSTM))
    lf.LSTM(I, H, num_layers=6, bidirectional=True, peephole=True, proj_size=2)
    assert dict(vars(lf.LSTM)) == before


def test_a_subclass_may_have_torchs_names() -> None:
    class Module(lf.LSTM):
        def eval(self) -> str:
            return "here"

    rnn = Module(I, H)
    assert rnn.eval() == "here"
    rnn.train = "there"
    assert rnn.train == "there"
    with pytest.raises(AttributeError, match="'Module' object has no attribute 'weight_hh_l0': st"):
        rnn.weight_hh_l0  # noqa: B018


def test_hx_is_state(rnn: lf.LSTM) -> None:
    with pytest.raises(TypeError, match=r"\[lstm.forward\] hx is given; expected state, as it is"):
        rnn(normal(B, T, I), hx=(normal(L, B, H), normal(L, B, H)))  # type: ignore[arg-type]


def test_foreign_arrays(rnn: lf.LSTM) -> None:
    x = normal(B, T, I)
    y, _ = rnn(x)
    for other in [x.tolist(), x.astype(np.float64), np.asfortranarray(x), Tensor(x), Detached(x)]:
        np.testing.assert_array_equal(rnn(other)[0], y)
    half = x.astype(np.float16)
    np.testing.assert_array_equal(rnn(half)[0], rnn(half.astype(np.float32))[0])
    swapped = x.astype(x.dtype.newbyteorder())
    np.testing.assert_array_equal(rnn(swapped)[0], y)
    readonly = x.copy()
    readonly.flags.writeable = False
    np.testing.assert_array_equal(rnn(readonly)[0], y)


def test_concurrent_inference_on_one_object(rnn: lf.LSTM) -> None:
    inputs = [normal(8, 50, I, seed=seed) for seed in range(8)]
    expected = [rnn(x)[0] for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            results = pool.map(lambda x: rnn(x)[0], inputs)
            for y, want in zip(results, expected, strict=True):
                np.testing.assert_array_equal(y, want)
