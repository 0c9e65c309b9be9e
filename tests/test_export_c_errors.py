"""What `export_c` and its command refuse, and what the command prints."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from cli_runs import runner
from lstmfast import layers


def a_model(*given: Any, steps: int | None = None) -> lf.Sequential:
    return lf.Sequential([layers.Input((steps, 2)), *given], seed=0)


def branching() -> lf.Model:
    x = layers.Input((None, 2))
    return lf.Model(x, layers.Add()([layers.LSTM(2)(x), layers.LSTM(2)(x)]))


def two_outputs() -> lf.Model:
    x = layers.Input((None, 2))
    return lf.Model(x, [layers.LSTM(2)(x), layers.GRU(2)(x)])


def not_finite() -> lf.Sequential:
    model = a_model(layers.Dense(1))
    model.set_weights([np.full((2, 1), np.nan), np.zeros(1)])
    return model


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "bidirectional": (
        lambda: a_model(layers.Bidirectional(layers.LSTM(2), name="both")),
        "layer 'both' (bidirectional) has no form in C; expected layers of activation, batch",
    ),
    "backwards": (
        lambda: a_model(layers.LSTM(2, go_backwards=True)),
        "layer 'lstm' (lstm) has go_backwards=True; expected False to be exported",
    ),
    "same": (
        lambda: a_model(layers.Conv1D(2, 3, padding="same")),
        "layer 'conv1d' (conv1d) has padding='same'; expected 'causal' to be exported",
    ),
    "slopes": (
        lambda: a_model(layers.PReLU(), steps=3),
        "layer 'p_re_lu' (p_re_lu) has slopes of each step; expected shared_axes=[1] to be export",
    ),
    "mask": (
        lambda: lf.Sequential([layers.Input((None,)), layers.Embedding(5, 2, mask_zero=True)]),
        "layer 'embedding' (embedding) has mask_zero=True; expected False to be exported",
    ),
    "training": (
        lambda: lf.Model(x := layers.Input((None, 2)), layers.Dropout(0.5)(x, training=True)),
        "layer 'dropout' (dropout) is called with training=True; expected it as in inference",
    ),
    "branches": (branching, "the model's layers branch; expected a graph in a row"),
    "outputs": (
        two_outputs,
        "the model has 1 inputs and 2 outputs; expected one input and one output",
    ),
    "double": (
        lambda: lf.Sequential([layers.Input((None, 2), dtype="float64"), layers.LSTM(2)]),
        "the model computes in float64; expected float32",
    ),
    "pictures": (
        lambda: lf.Sequential([layers.Input((4, 4, 2)), layers.Dense(2)]),
        "the model takes samples of shape (4, 4, 2); expected (steps, features), (features,), or",
    ),
    "nothing": (
        lambda: a_model(layers.Dropout(0.5)),
        "the model computes nothing; expected a layer that does",
    ),
    "not_finite": (not_finite, "layer 'dense' (dense) has a kernel that is not finite"),
    "unbuilt": (lambda: lf.Sequential([layers.LSTM(2)]), "the model has no weights yet"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_exported_is_named(case: str, tmp_path: Path) -> None:
    make, message = REFUSED[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        lf.export_c(make(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_arguments_are_checked_before_anything_is_written(tmp_path: Path) -> None:
    model = a_model(layers.LSTM(2))
    with pytest.raises(TypeError, match=r"^\[export_c\] model is of type str; expected a Model"):
        lf.export_c("model.safetensors", tmp_path)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^\[export_c\] folder is of type int; expected text or"):
        lf.export_c(model, 5)  # type: ignore[arg-type]
    for name in ("", "1x", "a b", "a-b", "é"):
        with pytest.raises(ValueError, match=r"expected letters, digits and _, as in C"):
            lf.export_c(model, tmp_path, name=name)
    (tmp_path / "model.c").write_text("mine")
    with pytest.raises(FileExistsError, match=r"model\.c exists; pass overwrite=True"):
        lf.export_c(model, tmp_path)
    with pytest.raises(NotADirectoryError, match="is a file; expected a folder"):
        lf.export_c(model, tmp_path / "model.c")
    assert [path.name for path in tmp_path.iterdir()] == ["model.c"]
    done = lf.export_c(model, tmp_path, overwrite=True)
    assert done.source.read_text() != "mine"


def test_the_command_tells_what_it_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(capsys)
    file, out = str(tmp_path / "m.safetensors"), str(tmp_path / "out")
    lf.Sequential([layers.Input((None, 1)), layers.LSTM(16), layers.Dense(1)]).save(file)
    monkeypatch.setenv("PATH", "")  # no compiler
    code, shown, _ = run("export-c", file, "-o", out, "--name", "amp")
    assert code == 0
    for line in (
        "flash, weights  4676 bytes", "flash, code     unknown", "RAM, state      128 bytes",
        "stack           unknown", "multiply-adds   1104 a step", "compiler        none was found",
    ):  # fmt: skip
        assert line in shown
    code, _, error = run("export-c", file, "-o", out, "--name", "amp")
    assert (code, error.count("\n")) == (2, 1)
    assert error.endswith("amp.h exists; use --force to replace it\n")
    code, shown, _ = run("export-c", file, "-o", out, "--name", "amp", "--int8", "--force")
    assert code == 0
    assert "flash, weights  1624 bytes" in shown
