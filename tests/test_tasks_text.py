"""The data of the tasks about words are what the tasks say."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.tasks.text import sentences
from lstmfast.tasks.translation import english, german


def words(names: Any, ids: Any) -> str:
    return " ".join(names[i] for i in ids).strip()


@pytest.mark.parametrize(
    ("number", "in_english", "in_german"),
    [
        (0, "zero", "null"),
        (1, "one", "eins"),
        (12, "twelve", "zwölf"),
        (30, "thirty", "dreißig"),
        (42, "forty two", "zwei und vierzig"),
        (101, "one hundred one", "ein hundert eins"),
        (342, "three hundred forty two", "drei hundert zwei und vierzig"),
        (1000, "one thousand", "ein tausend"),
        (21_017, "twenty one thousand seventeen", "ein und zwanzig tausend siebzehn"),
        (
            101_061,
            "one hundred one thousand sixty one",
            "ein hundert ein tausend ein und sechzig",
        ),
    ],
)
def test_numbers_in_words(number: int, in_english: str, in_german: str) -> None:
    assert english(number) == in_english
    assert german(number) == in_german


def test_translation_pairs_the_same_numbers() -> None:
    values = {english(number): number for number in range(2000)}
    task: Any = lf.tasks.load("translation", samples=200, largest=1999)
    for x, y in zip(*task.train[:2], strict=True):
        number = values[words(task.vocabulary, x)]
        assert words(task.labels, y) == german(number)
    longest = lf.tasks.load("translation", samples=2000).train
    assert longest.x[:, -1].any()  # no step is blank in all samples
    assert longest.y[:, -1].any()


def test_a_translation_of_nothing_is_said_to_be_nothing() -> None:
    task = lf.tasks.load("translation")
    assert task.show_y(np.zeros(11, int)) == "(nothing)"


def test_too_large_numbers_to_translate() -> None:
    with pytest.raises(ValueError, match=r"\[translation\] largest is 1000000; expected at most"):
        lf.tasks.load("translation", largest=1_000_000)


def test_summary_has_the_marked_words_in_order() -> None:
    task: Any = lf.tasks.load("summary", samples=300, length=6, most=3)
    counts = set()
    for x, y in zip(*task.train[:2], strict=True):
        text = words(task.vocabulary, x).split()
        marked = [text[place + 1] for place, word in enumerate(text[:-1]) if word == "*"]
        assert len(text) == 6 + len(marked)
        assert words(task.labels, y).split() == marked
        counts.add(len(marked))
    assert counts == {1, 2, 3}
    with pytest.raises(ValueError, match=r"\[summary\] most is 4; expected at most length=3"):
        lf.tasks.load("summary", length=3)


def test_summaries_are_of_sentences() -> None:
    task: Any = lf.tasks.load("summary", samples=50)
    text = " ".join(words(task.vocabulary, x) for x in task.train.x).replace("* ", "")
    start = sentences(np.random.default_rng(np.random.SeedSequence(0).spawn(3)[0]), 3000)
    assert start.lower().replace(".", "").startswith(text[:2500])
    text = sentences(np.random.default_rng(5), 20_000).lower().replace(".", "")
    assert {*text.split()[:-1]} <= {*task.labels}  # the last word is cut


@pytest.mark.parametrize("lines", [2, 3, 8])
def test_programs_print_what_python_prints(lines: int) -> None:
    task: Any = lf.tasks.load("programs", lines=lines, samples=200)
    seen: list[set[str]] = []
    for part in task.parts:
        texts = ["".join(task.vocabulary[i] for i in x).strip() for x in part.x]
        for text, y in zip(texts, part.y, strict=True):
            assert text.count("=") == lines
            said: list[int] = []
            exec(text, {"print": said.append})
            assert "".join(task.labels[i] for i in y).strip() == str(said[0])
        seen.append({*texts})
    assert all(not one & other for one, other in combinations(seen, 2))


def test_programs_of_too_many_lines() -> None:
    with pytest.raises(ValueError, match=r"\[programs\] lines is 9; expected at most 8"):
        lf.tasks.load("programs", lines=9)
    with pytest.raises(ValueError, match=r"\[captions\] noise is -1; expected a finite number"):
        lf.tasks.load("captions", noise=-1)


def test_captions_say_what_the_images_show() -> None:
    """Cells are found by their colour, and shapes by the number of their pixels."""
    task: Any = lf.tasks.load("captions", noise=0.0, samples=300, grid=4)
    names = {16: "square", 32: "circle", 24: "triangle"}
    found = set()
    for image, y in zip(*task.train[:2], strict=True):
        cells = image.reshape(4, 6, 4, 6, 3).swapaxes(1, 2)
        lit = cells.any(axis=(2, 3, 4))
        places = np.argwhere(lit)
        assert len(places) == 2
        said = []
        for row, column in places:
            pixels = cells[row, column][cells[row, column].any(axis=-1)]
            colour = ("red", "green", "blue")[pixels[0].argmax()]
            said.append(f"a {colour} {names[len(pixels)]}")
        (above, left), (below, right) = places
        assert (above == below) != (left == right)
        relation = "left of" if above == below else "above"
        assert words(task.labels, y) == f"{said[0]} {relation} {said[1]}"
        found.add(relation)
    assert found == {"above", "left of"}


def test_pictures_of_words_show_where_the_decoder_looks() -> None:
    pytest.importorskip("matplotlib")
    task: Any = lf.tasks.load("translation", samples=100)
    model = task.build(units=4)
    task.fit(model, epochs=1)
    axes = task.picture(model).axes[0]
    read = [label.get_text() for label in axes.get_xticklabels()]
    assert " ".join(read) == task.show_x(task.test.x[0])
    said = task.predict(model, task.test.x[:1])[0]
    weights = axes.images[0].get_array()
    assert weights.shape == (max(1, np.count_nonzero(said)), len(read))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)  # of a softmax in float32


def test_the_picture_of_captions_has_the_images() -> None:
    pytest.importorskip("matplotlib")
    task: Any = lf.tasks.load("captions", samples=50, grid=2)
    model = task.build(units=4)
    panels = task.picture(model).axes
    said = task.predict(model, task.test.x[:6])
    titles = [axes.get_title(loc="left").partition("\nright: ") for axes in panels]
    assert [title[0] for title in titles] == [task.show_y(y) for y in said]
    assert [title[2] for title in titles] == [task.show_y(y) for y in task.test.y[:6]]
    shown = panels[5].images[0].get_array()
    np.testing.assert_array_equal(shown, task.test.x[5].clip(0.0, 1.0))
    assert task.show_x(task.test.x[0]).count(".") == 2
