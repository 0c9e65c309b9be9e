"""Wrong calls of `lf.LSTM` and `lf.functional`: the message of each error, in full.

A message names the operation, the argument, what came and what was expected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import functional

B, T, I, H = 3, 5, 4, 7
f = np.float32
x = np.zeros((B, T, I), f)
one = x[0]
major = np.zeros((T, B, I), f)
st, st1 = np.zeros((2, B, H), f), np.zeros((2, H), f)
W = np.zeros((4 * H, I), f), np.zeros((4 * H, H), f)


def lstm(**options: Any) -> lf.LSTM:
    return lf.LSTM(I, H, 2, **options)


def trained(x: Any = x, **options: Any) -> lf.LSTM:
    rnn = lstm(**options)
    rnn(x, training=True)
    return rnn


def vjp(x: Any = x, **options: Any) -> Callable[..., Any]:
    return functional.lstm_vjp(x, *W, **options)[1]


def ro(shape: tuple[int, ...]) -> np.ndarray:
    array = np.zeros(shape, f)
    array.flags.writeable = False
    return array


class PackedSequence(tuple):
    """torch's, by its name."""


Row = tuple[Callable[[], Any], type[Exception], str]


def kind(call: Callable[[], Any], message: str) -> Row:
    return call, TypeError, message


def value(call: Callable[[], Any], message: str) -> Row:
    return call, ValueError, message


# by the operation that the message names
# fmt: off
CALLS: dict[str, list[Row]] = {
    "lstm.forward": [
        value(lambda: lstm()(np.zeros((B, T, 9))),
              "x has shape (B=3, T=5, I=9); expected I=4 to match input_size"),
        value(lambda: lstm()(np.zeros((T, 9))),
              "x has shape (T=5, I=9); expected I=4 to match input_size"),
        value(lambda: lstm(batch_first=False)(np.zeros((T, B, 9))),
              "x has shape (T=5, B=3, I=9); expected I=4 to match input_size"),
        value(lambda: lstm()(np.zeros(I)),
              "x has shape (4,); expected (B, T, I), or (T, I) for one sequence"),
        value(lambda: lstm(batch_first=False)(np.zeros((1, T, B, I))),
              "x has shape (1, 5, 3, 4); expected (T, B, I), or (T, I) for one sequence"),
        value(lambda: lstm()(np.zeros((1,) * 7)), "x has 7 axes; expected at most 5"),
        value(lambda: lstm()(1.0),
              "x has shape (); expected (B, T, I), or (T, I) for one sequence"),
        value(lambda: lstm()(x[:, :0]), "x has shape (B=3, T=0, I=4); expected at least one step"),
        value(lambda: lstm()(one[:0]), "x has shape (T=0, I=4); expected at least one step"),
        kind(lambda: lstm()(None), "x is None; expected an array"),
        kind(lambda: lstm()({"x": x}), "x is of type dict; expected an array"),
        kind(lambda: lstm()(PackedSequence((x,))),
              "x is of type PackedSequence; expected a padded array, as "
              "torch.nn.utils.rnn.pad_packed_sequence returns it, and lengths= of lf.LSTM or "
              "mask= of layers"),
        value(lambda: lstm()(np.ma.masked_array(x, x == 0)),
              "x is a masked array with 60 masked values; expected values everywhere: fill "
              "them with .filled(value)"),
        kind(lambda: lstm()("abc"), "x holds <U3 values; expected real numbers"),
        kind(lambda: lstm()(x.astype(complex)), "x holds complex128 values; expected real numbers"),
        kind(lambda: lstm()(x, st), "state is of type ndarray; expected a pair (h0, c0)"),
        value(lambda: lstm()(x, (st, st, st)), "state is a tuple of 3; expected a pair (h0, c0)"),
        kind(lambda: lstm()(x, (None, st)), "h0 is None; expected an array"),
        value(lambda: lstm()(x, (st[:1], st)), "h0 has shape (1, 3, 7); expected (L=2, B=3, H=7)"),
        value(lambda: lstm()(x, (st, st[:, :2])),
              "c0 has shape (2, 2, 7); expected (L=2, B=3, H=7)"),
        value(lambda: lstm(bidirectional=True)(x, (st, st)),
              "h0 has shape (2, 3, 7); expected (2*L=4, B=3, H=7)"),
        value(lambda: lstm(proj_size=3)(x, (st, st)),
              "h0 has shape (2, 3, 7); expected (L=2, B=3, P=3)"),
        value(lambda: lstm()(one, (st, st)), "h0 has shape (2, 3, 7); expected (L=2, H=7)"),
        value(lambda: lstm()(x, (st1, st1)), "h0 has shape (2, 7); expected (L=2, B=3, H=7)"),
        kind(lambda: lstm()(x, ([["a"]], st)), "h0 holds <U1 values; expected real numbers"),
        value(lambda: lstm()(x, lengths=[1, 2]), "lengths has shape (2,); expected (B=3)"),
        value(lambda: lstm()(x, lengths=[[1, 2, 3]]), "lengths has shape (1, 3); expected (B=3)"),
        value(lambda: lstm()(x, lengths=[1, 6, 2]), "lengths[1] is 6; expected 0 to T=5"),
        value(lambda: lstm()(x, lengths=[1, -1, 2]), "lengths[1] is -1; expected 0 to T=5"),
        kind(lambda: lstm()(x, lengths=[1.0, 2.0, 3.0]),
              "lengths holds float64 values; expected integers"),
        value(lambda: lstm()(x, lengths=np.array([1, 2 ** 63, 1], np.uint64)),
              "lengths holds 9223372036854775808; expected at most 9223372036854775807"),
        value(lambda: lstm()(one, lengths=[1, 2]),
              "lengths has shape (2,); expected one length for one sequence"),
        value(lambda: lstm()(one, lengths=9), "lengths[0] is 9; expected 0 to T=5"),
        value(lambda: lstm()(x, lengths=3), "lengths has shape (); expected (B=3)"),
        value(lambda: lstm()(x, resets=np.zeros((T, B), bool)),
              "resets has shape (5, 3); expected (B=3, T=5)"),
        value(lambda: lstm(batch_first=False)(major, resets=np.zeros((B, T), bool)),
              "resets has shape (3, 5); expected (T=5, B=3)"),
        value(lambda: lstm()(one, resets=np.zeros((1, T), bool)),
              "resets has shape (1, 5); expected (T=5)"),
        value(lambda: lstm()(x, resets=np.full((B, T), 2)),
              "resets holds other values than 0 and 1; expected booleans"),
        kind(lambda: lstm()(x, resets=np.zeros((B, T))),
              "resets holds float64 values; expected booleans"),
        kind(lambda: lstm()(x, training=1), "training is of type int; expected True or False"),
        kind(lambda: lstm()(x, out=[]), "out is of type list; expected a NumPy array"),
        kind(lambda: lstm()(x, out=np.zeros((B, T, H))), "out has dtype float64; expected float32"),
        value(lambda: lstm()(x, out=np.zeros((B, T, 8), f)),
              "out has shape (3, 5, 8); expected (3, 5, 7)"),
        value(lambda: lstm()(one, out=np.zeros((T, 8), f)),
              "out has shape (5, 8); expected (5, 7)"),
        value(lambda: lstm()(one, out=np.zeros((1, T, H), f)),
              "out has shape (1, 5, 7); expected (5, 7)"),
        value(lambda: lstm()(x, out=np.zeros((T, H), f)),
              "out has shape (5, 7); expected (3, 5, 7)"),
        value(lambda: lstm()(x, out=np.zeros((B, T, H), f, order="F")),
              "out is in Fortran order; expected C order"),
        value(lambda: lstm()(x, out=np.zeros((B, T, 2 * H), f)[..., ::2]),
              "out is not contiguous; expected C order"),
        value(lambda: lstm()(x, out=ro((B, T, H))), "out is read-only; expected an array to write"),
        kind(lambda: lstm()(x, out=np.ma.zeros((B, T, H), f)),
              "out is of type MaskedArray; expected a NumPy array"),
        kind(lambda: lstm()(x, hx=(st, st)), "hx is given; expected state, as it is called here"),
    ],
    "lstm.trace": [
        value(lambda: lstm().trace(np.zeros((B, T, 9))),
              "x has shape (B=3, T=5, I=9); expected I=4 to match input_size"),
        kind(lambda: lstm().trace(x, 3), "state is of type int; expected a pair (h0, c0)"),
        value(lambda: lstm().trace(x, lengths=[9, 1, 1]), "lengths[0] is 9; expected 0 to T=5"),
    ],
    "lstm.backward": [
        value(lambda: lstm().backward(np.zeros((B, T, H), f)),
              "there is nothing to go back through; call with training=True first"),
        value(lambda: trained().backward(np.zeros((B, T, 8), f)),
              "dy has shape (3, 5, 8); expected (3, 5, 7)"),
        value(lambda: trained(one).backward(np.zeros((1, T, H), f)),
              "dy has shape (1, 5, 7); expected (5, 7)"),
        value(lambda: trained(one).backward(np.zeros((T, 8), f)),
              "dy has shape (5, 8); expected (5, 7)"),
        kind(lambda: trained().backward("abc"), "dy holds <U3 values; expected real numbers"),
        kind(lambda: trained().backward(None, 3),
              "dstate is of type int; expected a pair (dh_n, dc_n)"),
        value(lambda: trained().backward(None, (st[:1], None)),
              "dh_n has shape (1, 3, 7); expected (2, 3, 7)"),
        value(lambda: trained().backward(None, (None, st[:, :1])),
              "dc_n has shape (2, 1, 7); expected (2, 3, 7)"),
        value(lambda: trained(one).backward(None, (st, None)),
              "dh_n has shape (2, 3, 7); expected (2, 7)"),
        kind(lambda: trained().backward(None, ([["a"]], None)),
              "dh_n holds <U1 values; expected real numbers"),
        value(lambda: trained().backward(None, None, np.zeros((B, T, H), f)),
              "dcells is given; expected None without return_cell_states"),
        value(lambda: trained(return_cell_states=True).backward(None, None, np.zeros((B, T, 8), f)),
              "dcells has shape (3, 5, 8); expected (3, 5, 7)"),
    ],
    "LSTM.load_state_dict": [
        value(lambda: lstm().load_state_dict({**lstm().state_dict(), "bias_ih_l1": np.zeros(3)}),
              "bias_ih_l1 has shape (3,); expected (28,)"),
        value(lambda: lstm().load_state_dict({**lstm().state_dict(), "bias": np.zeros(3)}),
              "state_dict has the unknown bias"),
        kind(lambda: lstm().load_state_dict({**lstm().state_dict(), "bias_ih_l1": "abc"}),
              "bias_ih_l1 holds <U3 values; expected real numbers"),
        kind(lambda: lstm().load_state_dict([1]),
              "state_dict is of type list; expected a mapping of names to arrays"),
    ],
    "functional.lstm": [
        value(lambda: functional.lstm(np.zeros((B, T, 9)), *W),
              "x has shape (B=3, T=5, I=9); expected I=4 to match input_size"),
        value(lambda: functional.lstm(np.zeros(9), *W),
              "x has shape (9,); expected (B, T, I), or (T, I) for one sequence"),
        value(lambda: functional.lstm(x, W[0][:-1], W[1]),
              "w_ih has shape (27, 4); expected (4*H=28, I)"),
        value(lambda: functional.lstm(x, W[0], W[1][:-1]),
              "w_hh has shape (27, 7); expected (4*H, H)"),
        value(lambda: functional.lstm(x, W[0], W[1][0]), "w_hh has shape (7,); expected two axes"),
        value(lambda: functional.lstm(x, W[0]), "w_hh is missing"),
        value(lambda: functional.lstm(x, *W, np.zeros(3)), "b_ih has shape (3,); expected (28,)"),
        value(lambda: functional.lstm(x, *W, w_hr=np.zeros((2, H))),
              "w_hh has shape (28, 7); expected (28, 2)"),
        value(lambda: functional.lstm(x, W[0], np.zeros((4 * H, 2), f), w_hr=np.zeros((2, H + 1))),
              "w_hr has shape (2, 8); expected (2, 7)"),
        value(lambda: functional.lstm(x, *W, w_peephole=np.zeros((2, H))),
              "w_peephole has shape (2, 7); expected (3, 7)"),
        value(lambda: functional.lstm(x, *W, norm_z_weight=np.zeros(4 * H)),
              "norm_z_bias is missing"),
        value(lambda: functional.lstm(x, *W, h0=st, c0=st[0]),
              "h0 has shape (2, 3, 7); expected (B=3, H=7)"),
        value(lambda: functional.lstm(x, *W, h0=st[0]),
              "got one of h0 and c0; expected both or none"),
        value(lambda: functional.lstm(one, *W, h0=st[0], c0=st1[0]),
              "h0 has shape (3, 7); expected (H=7,)"),
        value(lambda: functional.lstm(x, W[0], np.zeros((4 * H, 2), f), h0=st[0], c0=st[0],
                                      w_hr=np.zeros((2, H), f)),
              "h0 has shape (3, 7); expected (B=3, P=2)"),
        value(lambda: functional.lstm(x, *W, lengths=[1]),
              "lengths has shape (1,); expected (B=3)"),
        kind(lambda: functional.lstm(x, *W, resets=np.zeros(3)),
              "resets holds float64 values; expected booleans"),
        value(lambda: functional.lstm(x, *W, out=np.zeros((B, T, 8), f)),
              "out has shape (3, 5, 8); expected (3, 5, 7)"),
        value(lambda: functional.lstm(one, *W, out=np.zeros((1, T, H), f)),
              "out has shape (1, 5, 7); expected (5, 7)"),
        kind(lambda: functional.lstm(x, *W, batch_first=1),
              "batch_first is of type int; expected True or False"),
        kind(lambda: functional.lstm(x, *W, seed="a"),
              "seed is of type str; expected an integer, a numpy.random.Generator or None"),
        kind(lambda: functional.lstm(x, *W, hx=3),
              "got an unexpected keyword argument 'hx'; expected h0 and c0"),
        kind(lambda: functional.lstm(x, *W, training=True),
              "got an unexpected keyword argument 'training'; expected a seed for what is "
              "random in training"),
        kind(lambda: functional.lstm(x, *W, units=3), "got an unexpected keyword argument 'units'"),
        value(lambda: functional.lstm(x, *W, dtype="int8"),
              "dtype is int8; expected float32 or float64"),
        value(lambda: functional.lstm(x, functional.pack(*W), W[1]),
              "got packed weights and others; expected one of them"),
        value(lambda: functional.lstm(x, functional.pack(*W), activation="relu"),
              "got packed weights and others; expected one of them"),
    ],
    "functional.pack": [
        value(lambda: functional.pack(W[0].T, W[1]),
              "w_ih has shape (4, 28); expected (4*H=28, I)"),
    ],
    "functional.lstm_vjp": [
        value(lambda: vjp()(np.zeros((B, T, 8), f)), "dy has shape (3, 5, 8); expected (3, 5, 7)"),
        value(lambda: vjp(one)(np.zeros((1, T, H), f)), "dy has shape (1, 5, 7); expected (5, 7)"),
        kind(lambda: vjp()(None, 3), "dstate is of type int; expected a pair (dh, dc)"),
        value(lambda: vjp()(None, (st, None)), "dh has shape (2, 3, 7); expected (B=3, H=7)"),
        kind(lambda: vjp()(None, ("a", None)), "dh holds <U1 values; expected real numbers"),
        value(lambda: vjp()(None, None, np.zeros((B, T, H), f)),
              "dcells is given; expected None without return_cell_states"),
        kind(lambda: vjp("abc"), "x holds <U3 values; expected real numbers"),
        value(lambda: vjp(seed=-1), "seed is -1; expected 0 or more"),
    ],
    "LSTM": [
        kind(lambda: lf.LSTM(4.0, 7),
              "input_size is of type float; expected an integer from 1 to 16777216"),
        value(lambda: lf.LSTM(4, 0), "hidden_size is 0; expected an integer from 1 to 16777216"),
        value(lambda: lf.LSTM(4, 7, 0), "num_layers is 0; expected an integer from 1 to 1000"),
        value(lambda: lf.LSTM(1, 1, 2000),
              "num_layers is 2000; expected an integer from 1 to 1000"),
        value(lambda: lf.LSTM(2**31 - 1, 1),
              "input_size is 2147483647; expected an integer from 1 to 16777216"),
        value(lambda: lf.LSTM(2**63, 1),
              "input_size is 9223372036854775808; expected an integer from 1 to 16777216"),
        value(lambda: lf.LSTM(10**400, 1),
              "input_size is 10**399 or more; expected an integer from 1 to 16777216"),
        value(lambda: lf.LSTM(1, 1, dtype=None), "dtype is None; expected float32 or float64"),
        value(lambda: lf.LSTM(1, 1, dtype="float16"),
              "dtype is float16; expected float32 or float64"),
        value(lambda: lf.LSTM(1, 1, 2, dropout=1.0),
              "dropout is 1; expected a number from 0 to below 1"),
        kind(lambda: lf.LSTM(1, 1, 2, dropout=None),
              "dropout is None; expected a number from 0 to below 1"),
        kind(lambda: lf.LSTM(1, 1, bias=0), "bias is of type int; expected True or False"),
        value(lambda: lf.LSTM(1, 1, proj_size=-1),
              "proj_size is -1; expected an integer from 0 to 16777216"),
        value(lambda: lf.LSTM(1, 1, proj_clip=1.0),
              "proj_clip is 1; expected None without proj_size: there is no projection to clip"),
        value(lambda: lf.LSTM(1, 1, coupled=True, input_gate=False),
              "coupled is True; expected False with input_gate=False: it ties i to 1 - f"),
        value(lambda: lf.LSTM(1, 1, recurrent_dropout_kind="x"),
              'recurrent_dropout_kind is "x"; expected one of "sequence", "step"'),
        kind(lambda: lf.LSTM(1, 1, recurrent_dropout_kind=["step"]),
             'recurrent_dropout_kind is of type list; expected one of "sequence", "step"'),
        value(lambda: lf.LSTM(1, 1, cell_clip=0),
              "cell_clip is 0; expected a number above 0, or None"),
        value(lambda: lf.LSTM(1, 1, bptt_steps=0),
              "bptt_steps is 0; expected an integer from 1 to 2147483647, or None"),
        value(lambda: lf.LSTM(1, 1, recompute_every="x"),
              'recompute_every is "x"; expected an integer from 1 to 2147483647, or "sqrt", or '
              "None"),
        kind(lambda: lf.LSTM(1, 1, seed="a"),
              "seed is of type str; expected an integer, a numpy.random.Generator or None"),
        value(lambda: lf.LSTM(1, 1, forget_bias="x"),
              "forget_bias is 'x'; expected a number, 'chrono' or None"),
        value(lambda: lf.LSTM(1, 1, bias=False, forget_bias=1.0),
              "forget_bias is 1.0, but there is no bias; expected None"),
    ],
    "Chrono": [
        value(lambda: lf.LSTM(1, 1, forget_bias=("chrono", 0)),
              "max_steps is 0; expected at least 2"),
    ],
}
# fmt: on
ROWS = [(f"[{where}] ", *row) for where, rows in CALLS.items() for row in rows]


@pytest.mark.parametrize(
    ("where", "call", "error", "message"), ROWS, ids=[row[0] + row[3][:40] for row in ROWS]
)
def test_message(where: str, call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert str(caught.value) == where + message
