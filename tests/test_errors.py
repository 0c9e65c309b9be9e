"""Messages of `lf.LSTM`: what goes wrong is said in the user's words, with what was expected."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import _core, functional


def lstm(**options: Any) -> lf.LSTM:
    return lf.LSTM(4, 7, 2, **options)


x4 = np.zeros((3, 5, 4))
state = np.zeros((2, 3, 7))
call_of_x4: Any = (x4, None, None, None, False, None, True, True, False)  # as the core takes it


# what is called, the kind of error, and a pattern that its message must match
CALLS: dict[str, tuple[Any, type[Exception], str]] = {
    # -- lf.LSTM
    "size kind": (
        lambda: lf.LSTM(4.0, 7),
        TypeError,
        r"\[LSTM\] input_size is of type float; expected an",
    ),
    "size": (
        lambda: lf.LSTM(4, 0),
        ValueError,
        r"\[LSTM\] hidden_size is 0; expected an integer from 1 to 16777216",
    ),
    "dtype": (
        lambda: lstm(dtype="int8"),
        ValueError,
        r"dtype is int8; expected float32 or float64",
    ),
    "dtype kind": (lambda: lstm(dtype="x"), ValueError, r"\[LSTM\] dtype is 'x'; expected"),
    "dropout": (
        lambda: lstm(dropout=1.0),
        ValueError,
        r"\[LSTM\] dropout is 1; expected a number from 0 to below 1",
    ),
    "activation": (lambda: lstm(activation="rleu"), ValueError, r"\"?rleu\"?.*relu"),
    "seed kind": (lambda: lstm(seed="1"), TypeError, r"seed is of type str; expected an integer"),
    "seed": (lambda: lstm(seed=-1), ValueError, r"seed is -1; expected 0 or more"),
    "bidirectional": (
        lambda: lstm(bidirectional=2),
        TypeError,
        r"\[LSTM\] bidirectional is of type int; expected True or False",
    ),
    "proj_size": (
        lambda: lstm(proj_size=-1),
        ValueError,
        r"\[LSTM\] proj_size is -1; expected an integer from 0 to 16777216",
    ),
    "core, arguments": (
        lambda: lstm()._core.forward(x4),
        TypeError,
        r"expected 9 arguments, got 1",
    ),
    "core, kind": (lambda: _core.Rnn.forward(3, *call_of_x4), TypeError, r"Rnn.*int"),
    "core, not made": (
        lambda: _core.Rnn.__new__(_core.Rnn).forward(*call_of_x4),
        TypeError,
        r"Rnn.__init__\(\) was not called",
    ),
    "state rank": (
        lambda: lf.LSTM(4, 7)(np.zeros((1, 1, 4), "f"), (np.zeros((1,) * 8, "f"),) * 2),
        ValueError,
        r"h0 has 8 axes; expected at most 5",
    ),
    "x rank": (
        lambda: lstm()(np.zeros(4)),
        ValueError,
        r"x has shape \(4,\); expected \(B, T, I\)",
    ),
    "x rank, time major": (
        lambda: lstm(batch_first=False)(np.zeros((1, 2, 3, 4))),
        ValueError,
        r"x has shape \(1, 2, 3, 4\); expected \(T, B, I\), or \(T, I\) for one sequence",
    ),
    "x features": (
        lambda: lstm()(np.zeros((3, 5, 9))),
        ValueError,
        r"x has shape .*9.*expected .*4",
    ),
    "x of text": (lambda: lstm()([["a"]]), TypeError, r"x holds <U1 values; expected real numbers"),
    "x of objects": (
        lambda: lstm()(np.array([[None]])),
        TypeError,
        r"\[lstm.forward\] x holds None values; expected real numbers",
    ),
    "x complex": (
        lambda: lstm()(np.zeros((5, 4), complex)),
        TypeError,
        "x holds complex128 values",
    ),
    "x ragged": (
        lambda: lstm()([[1.0], [1.0, 2.0]]),
        ValueError,
        r"\[lstm.forward\] x is not a full array",
    ),
    "state kind": (
        lambda: lstm()(x4, state),
        TypeError,
        r"\[lstm.forward\] state is of type ndarray; expected a pair \(h0, c0\)",
    ),
    "state shape": (
        lambda: lstm()(x4, (state, state[:, :2])),
        ValueError,
        r"c0 has shape .*2.*; expected .*3",
    ),
    "state unbatched": (
        lambda: lstm()(x4[0], (state, state)),
        ValueError,
        r"h0 has shape \(2, 3, 7\); expected \(L=2, H=7\)",
    ),
    "lengths kind": (lambda: lstm()(x4, lengths=[1.0, 2, 3]), TypeError, "lengths holds float64"),
    "lengths shape": (lambda: lstm()(x4, lengths=[1, 2]), ValueError, r"lengths .*2.*expected .*3"),
    "lengths too long": (lambda: lstm()(x4, lengths=[1, 6, 2]), ValueError, r"lengths.*6.*5"),
    "lengths negative": (lambda: lstm()(x4, lengths=[1, -1, 2]), ValueError, r"lengths.*-1.*0"),
    "resets kind": (lambda: lstm()(x4, resets=np.zeros((3, 5))), TypeError, "expected booleans"),
    "resets shape": (lambda: lstm()(x4, resets=np.zeros((5, 3), bool)), ValueError, r"resets .*5"),
    "out kind": (lambda: lstm()(x4, out=[]), TypeError, "out is of type list; expected a NumPy"),
    "out dtype": (
        lambda: lstm()(x4, out=np.zeros((3, 5, 7))),
        TypeError,
        r"\[lstm.forward\] out has dtype float64; expected float32",
    ),
    "out shape": (
        lambda: lstm()(x4, out=np.zeros((3, 5, 8), np.float32)),
        ValueError,
        r"out has shape .*8.*; expected .*7",
    ),
    "functional without w_hh": (
        lambda: functional.lstm(x4, np.zeros((28, 4))),
        ValueError,
        "w_hh is missing",
    ),
    "functional w_hh": (
        lambda: functional.pack(np.zeros((28, 4)), np.zeros((27, 7))),
        ValueError,
        r"w_hh has shape \(27, 7\); expected \(4\*H, H\)",
    ),
    "functional w_ih": (
        lambda: functional.pack(np.zeros((24, 4)), np.zeros((28, 7))),
        ValueError,
        r"w_ih has shape \(24, 4\); expected \(4\*H=28, I\)",
    ),
    "functional norm": (
        lambda: functional.pack(np.zeros((28, 4)), np.zeros((28, 7)), norm_c_bias=np.zeros(7)),
        ValueError,
        "norm_z_weight is missing",
    ),
    # -- the rest
    "threads": (lambda: lf.set_num_threads(0), ValueError, r"n is 0; expected at least 1"),
    "threads kind": (
        lambda: lf.set_num_threads(1.5),
        TypeError,
        r"n is of type float; expected an integer",
    ),
    "random seed": (lambda: lf.utils.set_random_seed(-1), ValueError, "seed is -1; expected 0 to"),
    "config": (lambda: lf.show_config("x"), ValueError, "expected 'stdout' or 'dict'"),
    "attribute": (lambda: lf.LTSM, AttributeError, "module 'lstmfast' has no attribute 'LTSM'"),
}


@pytest.mark.parametrize("name", CALLS)
def test_message(name: str) -> None:
    call, kind, pattern = CALLS[name]
    if name == "x ragged" and np.lib.NumpyVersion(np.__version__) < "1.24.0":
        pytest.skip("older NumPy makes an array of objects of it, and warns")
    with pytest.raises(kind, match=f"(?s){pattern}") as caught:
        call()
    assert type(caught.value) is kind


def test_unknown_isa_is_an_error() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import lstmfast; lstmfast.LSTM(1, 1)([[1.0]])"],
        env={"LSTMFAST_ISA": "doesnotexist"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "doesnotexist" in run.stderr
    assert "baseline" in run.stderr or "neon" in run.stderr


@pytest.mark.parametrize(
    ("files", "note"),
    [
        ([], "is not built for Python 3"),
        (["_core.cpython-27-x.so"], "is built for another Python (_core.cpython-27-x.so)"),
        ([f"_core{EXTENSION_SUFFIXES[0]}"], "does not load: "),
    ],
    ids=["missing", "other", "damaged"],
)
def test_a_missing_core_says_what_to_do(tmp_path: Path, files: list[str], note: str) -> None:
    package = Path(lf.__file__).parent
    copy = tmp_path / "lstmfast"
    copy.mkdir()
    for source in package.glob("*.py"):
        (copy / source.name).write_bytes(source.read_bytes())
    for name in files:
        (copy / name).touch()
    whole = note != "does not load: "
    for ask in ("lstmfast.LSTM", "lstmfast.__version__", "lstmfast._core", "import lstmfast.rnn"):
        code = f"import lstmfast\ntry: {ask}\nexcept ImportError as error: print(error)"
        # without site, for the import hook of an editable install finds the core wherever it is
        run = subprocess.run(
            [sys.executable, "-S", "-c", code],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(np.__file__).parents[1])},
            capture_output=True,
            text=True,
            check=True,
        )
        if whole:
            assert note in run.stdout
            assert "pip install" in run.stdout
        elif not ask.startswith("import"):  # whose message is the loader's own
            assert run.stdout.count(note) == 1
            assert files[0] in run.stdout
