"""A model's table in Keras's form, and its drawing for graphviz."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lstmfast import layers
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Model, Sequential
from lstmfast.utils import model_to_dot, plot_model

TABLE = """\
Model: "sums"
┏━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━┓
┃ Layer (type)          ┃ Output Shape     ┃ Param # ┃ Tr… ┃
┡━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━┩
│ a_layer_that_is_well… │ (None, 50)       │  10,400 │  N  │
│ (LSTM)                │                  │         │     │
├───────────────────────┼──────────────────┼─────────┼─────┤
│ rest (Dropout)        │ (None, 50)       │       0 │  -  │
├───────────────────────┼──────────────────┼─────────┼─────┤
│ dense (Dense)         │ (None, 1)        │      51 │  Y  │
└───────────────────────┴──────────────────┴─────────┴─────┘
 Total params: 10,451 (40.82 KB)
 Trainable params: 51 (204.00 B)
 Non-trainable params: 10,400 (40.62 KB)
"""


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def row() -> Sequential:
    first = LSTM(50, name="a_layer_that_is_well_named", trainable=False)
    return Sequential(
        [Input((3, 1)), first, layers.Dropout(0.1, name="rest"), Dense(1)], name="sums"
    )


def text_of(model: Model, **options: Any) -> str:
    texts: list[str] = []
    model.summary(print_fn=texts.append, **options)
    return "".join(texts)


def nested() -> Model:
    x = Input((3, 4), name="x")
    inner = Sequential([Input((3, 4)), LSTM(4, name="deep")], name="inner")
    shared = Dense(4, name="shared")
    joined = layers.Add(name="joined")([inner(x), shared(shared(inner(x)))])
    return Model([x], [joined], name="outer")


def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """As Keras 3.15 prints it."""
    assert text_of(row(), line_length=60, show_trainable=True) == TABLE
    assert capsys.readouterr().out == ""
    row().summary(60, None, None, False, True)
    assert capsys.readouterr().out == TABLE


def test_widths_of_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, expected in (("200", 88), ("80", 76)):
        monkeypatch.setenv("COLUMNS", columns)
        assert {len(line) for line in text_of(row()).splitlines()[1:-3]} == {expected}
    monkeypatch.setenv("COLUMNS", "200")
    assert {len(line) for line in text_of(nested()).splitlines()[1:-3]} == {108}


def test_positions() -> None:
    shares = text_of(row(), line_length=80, positions=[0.5, 0.75, 1.0])
    assert text_of(row(), line_length=80, positions=[40, 60, 80]) == shares != text_of(row())


def test_uses_of_layers() -> None:
    text = text_of(nested())
    for part in ("x[0][0], x[0][0]", "inner[1][0], shared[0][0]", "inner[0][0], shared[1][0]"):
        assert part in text
    assert "deep" not in text
    expanded = text_of(nested(), expand_nested=True)
    assert re.search(r"│ inner \(Sequential\) .*\n.*\n│    └ deep \(LSTM\) .*- +│", expanded)


def test_layers_of_a_range() -> None:
    def names(*ends: str) -> list[str]:
        return re.findall(r"[│├] (\w+) ?\(?", text_of(row(), line_length=120, layer_range=ends))

    assert names("rest", "dense") == ["rest", "dense"]
    assert names("rest", "a_.*") == ["a_layer_that_is_well_named", "rest"]


def test_shapes_of_several_outputs() -> None:
    x = Input(batch_shape=(2, 3, 1))
    model = Model(x, LSTM(4, return_state=True)(x))
    assert "[(2, 4), (2, 4), (2, 4)]" in re.sub(r" *│ *", " ", text_of(model, line_length=150))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"positions": [0.5, 1.0]}, r"\[summary\] positions is \[0\.5, 1\.0\]; expected the"),
        ({"positions": [0.5, float("nan"), 1.0]}, r"\[summary\] positions is .*nan.*; expected"),
        ({"positions": [0.5, 0.5, 1.0]}, r"\[summary\] a column would be 0 wide; expected"),
        ({"line_length": 9}, r"\[summary\] a column would be 2 wide; expected at least 4"),
        ({"layer_range": ["rest"]}, r"\[summary\] layer_range has 1 items; expected two names"),
        ({"layer_range": ["(", "rest"]}, r"\[summary\] layer_range is \['\(', 'rest'\]: missing"),
        ({"layer_range": ["rest", "best"]}, r"layer_range is 'rest' to 'best'; there are: a_"),
    ],
)  # fmt: skip
def test_what_a_table_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        row().summary(**options)


# -- drawings ------------------------------------------------------------------------------------


def boxes(dot: str) -> dict[str, str]:
    """The numbers of boxes, by the names of their layers."""
    return {
        name: number
        for number, name in re.findall(r"^(\d+) \[label=.*?<b>(.*?)</b>", dot, flags=re.MULTILINE)
    }


def edges(dot: str) -> set[tuple[str, str]]:
    names = {number: name for name, number in boxes(dot).items()}
    return {(names[a], names[b]) for a, b in re.findall(r"^(\d+) -> (\d+) \[", dot, re.MULTILINE)}


def test_a_drawing() -> None:
    dot = model_to_dot(nested())
    assert edges(dot) == {
        ("x", "inner"), ("inner", "shared"), ("shared", "shared"), ("inner", "joined"),
        ("shared", "joined"),
    }  # fmt: skip
    assert dot.count("->") == 5
    expanded = model_to_dot(nested(), expand_nested=True)
    assert ("x", "deep") in edges(expanded)
    assert ("deep", "joined") in edges(expanded)
    assert 'label="inner"' in expanded
    assert "inner" not in boxes(expanded)
    assert edges(model_to_dot(row())) == {("a_layer_that_is_well_named", "rest"), ("rest", "dense")}


def test_nested_models_are_drawn_into_each_other() -> None:
    x, y = Input((4,), name="x"), Input((4,), name="y")
    body = Model([x, y], [Dense(1, name="p")(x), Dense(1, name="q")(y)], name="body")
    middle = Sequential([Input((4,)), Sequential([Input((4,)), Dense(4, name="core")])])
    a, b = Input((4,), name="a"), Input((4,), name="b")
    p, q = body([b, middle(a)])
    dot = model_to_dot(Model([a, b], layers.Add(name="sum")([q, p])), expand_nested=True)
    assert edges(dot) == {
        ("a", "core"), ("b", "x"), ("core", "y"), ("x", "p"), ("y", "q"), ("p", "sum"),
        ("q", "sum"),
    }  # fmt: skip
    assert dot.count("subgraph") == 3


@pytest.mark.parametrize(
    ("option", "texts"),
    [
        ("show_shapes", ["Input shape: <b>(None, 3, 1)</b>", "Output shape: <b>(None, 50)</b>"]),
        ("show_dtype", ["Output dtype: <b>float32</b>"]),
        ("show_layer_activations", ["Activation: <b>tanh</b>", "Activation: <b>linear</b>"]),
        ("show_trainable", ["<b>Trainable</b>", "<b>Non-trainable</b>"]),
    ],
)
def test_what_boxes_say(option: str, texts: list[str]) -> None:
    shown: dict[str, Any] = {option: True}
    plain, more = model_to_dot(row()), model_to_dot(row(), **shown)
    for text in texts:
        assert text in more
        assert text not in plain
    assert "rest" not in model_to_dot(row(), show_layer_names=False)


def test_the_look_of_a_drawing() -> None:
    dot = model_to_dot(row(), rankdir="LR", dpi=60, splines="curved")
    for setting in ('rankdir="LR"', "dpi=60", 'splines="curved"', "concentrate=true"):
        assert setting in dot
    assert model_to_dot(row(), subgraph=True).startswith("subgraph")
    assert dot.to_string() == dot
    model = Sequential([Input((2,)), Dense(1, name="<a & b>")])
    assert "&lt;a &amp; b&gt;" in model_to_dot(model)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a program `dot` of a shell's lines the only one there is."""

    def make(lines: str) -> None:
        path = tmp_path / "bin" / "dot"
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}/bin{os.pathsep}/usr/bin")

    return make


def test_files_of_drawings(tmp_path: Path, program: Callable[[str], None]) -> None:
    program('echo "$@"; cat')
    text = model_to_dot(row(), show_layer_names=False)
    for name, head in (("m.dot", ""), ("m.png", "-Tpng\n"), ("m.svg", "-Tsvg\n"), ("m", "-Tpng\n")):
        assert plot_model(row(), tmp_path / name) is None
        assert (tmp_path / name).read_text() == head + text


def test_a_program_that_fails(tmp_path: Path, program: Callable[[str], None]) -> None:
    program("cat > /dev/null; echo Format not recognized >&2; exit 1")
    path = tmp_path / "m.jpeg2"
    with pytest.raises(ValueError, match="dot -Tjpeg2 ends with 1: Format not recognized"):
        plot_model(row(), path)
    assert not path.exists()


def test_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImportError, match="needs graphviz's program dot: install graphviz"):
        plot_model(row(), tmp_path / "m.png")
    plot_model(row(), tmp_path / "m.gv")
    assert (tmp_path / "m.gv").read_text().startswith("digraph")


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(TypeError, match=r"\[model_to_dot\] model is .*; expected a model"):
        model_to_dot(3)
    with pytest.raises(ValueError, match=r"\[model_to_dot\] the model has no weights yet"):
        model_to_dot(Sequential([LSTM(2)]))
    with pytest.raises(ValueError, match="layer_range is not available"):
        model_to_dot(row(), layer_range=["a", "b"])
    with pytest.raises(TypeError, match="show_shape'; did you mean 'show_shapes'"):
        plot_model(row(), show_shape=True)
    with pytest.raises(TypeError, match=r"\[model_to_dot\] show_dtype is of type str"):
        model_to_dot(row(), show_dtype="yes")
