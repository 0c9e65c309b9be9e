"""The data of the tasks whose models write: texts and lines by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.forecasting import DataError
from lstmfast.tasks.handwriting import _LETTERS, _WORDS, letter, line


def load(*args: Any, **options: Any) -> Any:
    return lf.tasks.load(*args, **options)


def test_sentences_of_the_text_agree_in_number() -> None:
    times = "Today|In the evening|After the rain|When it is cold"
    qualities = {"old", "young", "tall", "happy", "quiet", "clever", "hungry"}
    text = load("text").text
    assert len(text) == 100_000
    whole = text[: text.rindex(".")].split(". ")
    plain = [sentence for sentence in whole if " that " not in sentence]
    assert len(plain) > 200
    for sentence in plain:
        start = re.match(rf"(?:(?:{times}) t|T)he ", sentence)
        assert start, sentence
        words = sentence[start.end() :].split()
        subject, verb = words[1:3] if words[0] in qualities else words[:2]
        assert subject.endswith("s") != (verb == "is" or verb.endswith("s")), sentence


def test_pieces_of_a_text_do_not_leave_their_part(tmp_path: Path) -> None:
    letters = "".join(chr(0x4E00 + place) for place in range(1000))  # each one once
    file = tmp_path / "text.txt"
    file.write_text(letters, "utf-8")
    task = load("text", file=str(file), length=9)
    assert task.vocabulary == list(letters)
    for part, (first, last) in zip(task.parts, [(0, 800), (800, 900), (900, 1000)], strict=True):
        np.testing.assert_array_equal(part.y, part.x + 1)
        np.testing.assert_array_equal(np.diff(part.x), 1)
        assert part.x.min() >= first
        assert part.y.max() < last
    assert task.target == 0.8 * task.chance


def test_lines_of_a_text_end_alike(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(b"\xef\xbb\xbf" + "né\r\nwe".encode() * 20)
    task = load("text", file=file, length=5)
    assert task.vocabulary == ["\n", "e", "n", "w", "é"]
    assert task.show_x(np.array([3, 0, 4])) == "w↵é"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, ": no such file"),
        (b"", ": the file is empty"),
        (b" \n\n", ": the file is empty"),
        (b"x", ": 1 character; expected at least 650 with length=64"),
        (b"abc" * 200, ": 600 characters; expected at least 650 with length=64"),
        (b"good\nb\xe4d", " line 2: not UTF-8 text; save the file as UTF-8"),
        (b"good\0", " line 1: a zero byte; this is no text file"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes | None, problem: str) -> None:
    file = tmp_path / "text.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError) as error:
        load("text", file=file).text  # noqa: B018
    assert str(error.value) == f"{file}{problem}"


def test_a_folder_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r": cannot be read: Is a directory$"):
        load("text", file=tmp_path).text  # noqa: B018


def test_the_shortest_text_has_pieces_in_each_part(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    for length in range(2, 40):
        file.write_text("ab" * 5 * (length + 1))
        parts = load("text", file=file, length=length, samples=50).parts
        assert [part.x.shape[1] for part in parts] == [length] * 3


def test_bits_by_hand() -> None:
    measure = load("text").measure
    answers = np.array([[[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]])
    assert measure.score(np.array([[0, 1]]), answers, None) == 2.0
    assert measure.score(np.array([[0, 1]]), answers, np.array([[1.0, 0.0]])) == 1.0
    assert measure.score(np.array([[0]]), np.zeros((1, 1, 3), np.float32), None) == 126.0


def test_the_chance_of_a_text_follows_from_the_letters_of_its_beginning(tmp_path: Path) -> None:
    """Those of the part to train with; the last tenth has others, as often."""
    file = tmp_path / "text.txt"
    file.write_text("aab" * 450 + "abc" * 50)
    task = load("text", file=file)
    a, b = ((task.train.y == k).sum() for k in (0, 1))
    assert a + b == task.train.y.size
    likely = np.array([a + 1, b + 1, 1]) / (a + b + 3)  # each letter once more: none is impossible
    shares = np.bincount(task.test.y.ravel(), minlength=3) / task.test.y.size
    assert shares.min() > 0.3
    assert task.chance == pytest.approx(-(shares * np.log2(likely)).sum(), rel=1e-6)
    assert task.target == 0.8 * task.chance


def test_training_on_a_file_stops_when_it_learns_by_heart(tmp_path: Path) -> None:
    letters = np.random.default_rng(0).integers(97, 101, 700).astype(np.uint8)
    file = tmp_path / "noise.txt"
    file.write_bytes(letters.tobytes())
    task = load("text", file=file, samples=300, length=10)
    model = task.build(epochs=30, units=64)
    run = task.fit(model, epochs=30)
    losses = run.history["val_loss"]
    assert len(losses) < 30
    x, y, _ = task.validation
    assert model.evaluate(x, y, verbose=0) == pytest.approx(min(losses), rel=1e-5)


def test_letters_are_strokes_of_even_steps() -> None:
    assert {*"".join(_WORDS.split())} == {*_LETTERS}
    for name in _LETTERS:
        points = letter(name)
        assert points[-1, 2] == 1
        assert points[:, 2].sum() == 1 + _LETTERS[name].count("|")
        steps = np.hypot(*np.diff(points[:, :2], axis=0).T)[points[:-1, 2] == 0]
        assert steps.max() < 1.5 * 3.0  # tenths; rounding the number of points makes longer ones


def test_moves_of_handwriting_follow_the_letters() -> None:
    """The moves of a line, its slant and size found by least squares, are those of a word's."""
    task = load("handwriting", length=40, samples=30)
    first_words = {word: line([word, "sea", "sea"])[:42] for word in _WORDS.split()}
    x, y, _ = task.train
    np.testing.assert_array_equal(x[:, 1:, :2], y[:, :-1, :2])
    np.testing.assert_array_equal(x[:, 1:, 3], y[:, :-1, 2])
    np.testing.assert_array_equal(x[..., 2] + x[..., 3], 1.0)
    for moves in x[:, :20]:
        errors = []
        for points in first_words.values():
            ideal = np.diff(points[:21, :2], axis=0)
            style = np.linalg.lstsq(ideal, moves[:, :2], rcond=None)[0]
            errors.append(np.abs(ideal @ style - moves[:, :2]).max())
        lifts = [points[1:21, 2] for points in first_words.values()]
        best = int(np.argmin(errors))
        assert errors[best] < 5 * 0.08  # deviations of the shaking hand
        np.testing.assert_array_equal(moves[:, 3], lifts[best])


def test_likelihood_of_handwriting_by_hand() -> None:
    task = load("handwriting")
    y = np.array([[[1.0, 2.0, 1.0], [0.0, 0.0, 0.0]]])
    alike = np.r_[np.zeros(8), np.zeros(16), np.ones(16)]  # eight standard normal densities
    answers = np.array([[np.r_[alike, 0.75, 0.25], np.r_[alike, 0.5, 0.5]]])
    moved = np.log(2 * np.pi) + 0.5 * np.array([1.0 + 4.0, 0.0])
    by_hand = np.mean(moved - np.log([0.25, 0.5]))
    assert task.measure.score(y, answers, None) == pytest.approx(by_hand, rel=1e-6)
    moves = task.train.y[..., :2].reshape(-1, 2)
    apart = moves.std(axis=0)  # of densities without correlation, which fit a little worse
    worse = np.log(2 * np.pi * apart.prod()) + 1.0
    share = task.train.y[..., 2].mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert task.chance == pytest.approx(worse + entropy, abs=0.2)


def test_handwriting_goes_on_from_the_first_quarter() -> None:
    task = load("handwriting", length=20, samples=10)
    model = task.build(units=4)
    drawn = task.drawn(model, 2)
    assert drawn.shape == (2, 20, 3)
    np.testing.assert_array_equal(drawn[:, :6], task.test.x[:2, :6, [0, 1, 3]])
    assert set(np.unique(drawn[..., 2])) <= {0.0, 1.0}
    pytest.importorskip("matplotlib")
    assert len(task.picture(model).axes) == 8


def test_melodies_keep_the_rules() -> None:
    task = load("music", samples=300)
    x, y, _ = task.train
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
    letters = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    tonics = set()
    for first, rest in zip(x[:, :1], y, strict=True):
        names = [task.vocabulary[i] for i in (*first, *rest)]
        notes = [
            letters[name[0]] + ("#" in name) + 12 * int(re.findall(r"\d", name)[0])
            for name in names
        ]
        beats = [2 if name.endswith("-") else 1 for name in names]
        tonic = notes[-1]
        tonics.add(tonic % 12)
        scale = [tonic + 12 * octave + s for octave in (-2, -1, 0, 1, 2) for s in letters.values()]
        scale.sort()
        degrees = [scale.index(note) - scale.index(tonic) for note in notes]  # fails out of key
        for start in (0, 11, 22):
            motif, second, third, cadence = np.split(degrees[start : start + 11], [3, 6, 9])
            assert motif[0] in (0, 2, 4)
            assert set(second - motif) in ({1}, {-1})
            np.testing.assert_array_equal(third, motif)
            assert cadence.tolist() == [1, 0]
            bars = np.split(beats[start : start + 11], [3, 6, 9])
            assert [bar.sum() for bar in bars] == [4, 4, 4, 4]
            assert bars[0].tolist() == bars[1].tolist() == bars[2].tolist()
    assert len(tonics) == 12
