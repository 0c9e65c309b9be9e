"""Tasks with long memories, noise and gaps: the data are what they claim."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import lstmfast as lf


def paths(longest: int) -> set[str]:
    """Return every string of the inner grammar up to a length, by walking its drawing."""
    arcs = {
        0: "T1 P2", 1: "S1 X3", 2: "T2 V4", 3: "X2 S5", 4: "P3 V5", 5: "",
    }  # fmt: skip
    found, open_ends = set(), [("B", 0)]
    while open_ends:
        text, node = open_ends.pop()
        if node == 5:
            found.add(text + "E")
        elif len(text) < longest:
            open_ends += [(text + arc[0], int(arc[1])) for arc in arcs[node].split()]
    return {text for text in found if len(text) <= longest}


def test_adding_problem_marks_a_number_in_each_half() -> None:
    x, y, _ = lf.tasks.load("adding_problem", length=11, samples=300).train
    places = [np.flatnonzero(marks) for marks in x[..., 1]]
    assert all(len(each) == 2 and each[0] < 5 <= each[1] for each in places)
    assert {each[0] for each in places} == set(range(5))
    assert {each[1] for each in places} == set(range(5, 11))
    sums = [row[a] + row[b] for row, (a, b) in zip(x[..., 0], places, strict=True)]
    np.testing.assert_array_equal(y[:, 0], np.array(sums))
    assert (x[..., 0] >= 0).all()
    assert (x[..., 0] < 1).all()


def test_copy_memory_counts_the_answers_after_the_sign() -> None:
    task = lf.tasks.load("copy_memory", symbols=3, delay=4, samples=50)
    x, y, weights = task.train
    assert weights is not None
    for ids, answers, counts in zip(x, y, weights, strict=True):
        text = "".join(task.vocabulary[i] for i in ids)
        said, sign, silence = text[:3], text.index("?"), text.count(".")
        assert set(said) <= set("abcdefgh")
        assert (sign, silence, len(text)) == (7, 4 + 2, 10)
        assert counts.tolist() == [0] * 7 + [1] * 3
        assert task.show_y(answers) == said
    # one letter for all is right for about an eighth: at most 5 deviations of 1500 draws more
    assert 1 / 8 - 0.043 < task.chance < 1 / 8 + 0.043


def test_temporal_order_hides_two_symbols() -> None:
    task = lf.tasks.load("temporal_order", length=50, samples=400)
    x, y, _ = task.train
    for ids, answer in zip(x, y, strict=True):
        text = task.show_x(ids)
        assert re.fullmatch(r"<[abcd]{4,8}[XY][abcd]{15,24}[XY][abcd]+>", text)
        assert 25 <= max(text.rfind("X"), text.rfind("Y")) < 30
        assert task.labels[answer] == re.sub("[^XY]", "", text)
    assert set(y) == set(range(4))


def test_long_memory_asks_for_the_first_number() -> None:
    task = lf.tasks.load("long_memory", length=30, samples=20)
    x, y, _ = task.train
    np.testing.assert_array_equal(y[:, 0], x[:, 0, 0])
    np.testing.assert_array_equal(x[..., 1], np.eye(30)[[0] * 20])
    assert len(np.unique(x[..., 0])) > 590  # the others are noise of the same kind
    assert task.show_x(x[0]) == f"{y[0, 0]:.3f}, then 29 others"


def strings(task: lf.tasks.Task, part: lf.tasks.Part) -> list[str]:
    """Return whole strings: each symbol, and after the last one of x what y says."""
    x, y, _ = part
    return [
        ("".join(task.vocabulary[i] for i in a) + task.vocabulary[b[-1]]).strip()
        for a, b in zip(x, y, strict=True)
    ]


def test_reber_strings_are_of_the_grammar() -> None:
    task = lf.tasks.load("reber", length=14)
    every = {f"B{branch}{inner}{branch}E" for branch in "TP" for inner in paths(10)}
    assert set(strings(task, task.make(np.random.default_rng(0), 6000))) == every


def test_reber_expects_what_strings_of_the_same_beginning_go_on_with() -> None:
    task = lf.tasks.load("reber", length=14, samples=2000)
    every = sorted({f"B{branch}{inner}{branch}E" for branch in "TP" for inner in paths(13)})
    expected, _, weights = task.judged(task.build(), task.train)
    for text, codes in [*zip(strings(task, task.train), expected, strict=True)][:100]:
        for step in range(1, len(text)):
            after = {other[step] for other in every if other.startswith(text[:step])}
            assert {s for i, s in enumerate(task.vocabulary) if codes[step - 1] >> i & 1} == after
    assert weights is not None
    np.testing.assert_array_equal(weights, task.train.y > 0)


def test_reber_asks_for_strings_that_nobody_has_seen() -> None:
    """Neither after T nor after P; those up to half the length are so common that all train."""
    task = lf.tasks.load("reber")
    inner = [{text[2:-2] for text in strings(task, part)} for part in task.parts]
    assert not inner[0] & (inner[1] | inner[2])
    assert not inner[1] & inner[2]
    lengths = [len(text) for text in strings(task, task.test)]
    assert min(lengths) > 15
    assert min(len(text) for text in strings(task, task.train)) == 9
    branches = [text[1] for text in strings(task, task.test)]
    assert abs(branches.count("T") - 250) < 5 * np.sqrt(500 / 4)
    assert task.chance < 0.01


def test_reber_needs_the_second_symbol() -> None:
    """Who swaps T and P at the last but one symbol gets no string right."""
    task = lf.tasks.load("reber", length=12, samples=100)
    expected, _, weights = task.judged(task.build(), task.train)
    assert weights is not None
    assert task.measure.score(expected, expected, weights) == 1.0
    swapped, rows = expected.copy(), np.arange(100)
    last = weights.sum(axis=1).astype(int) - 2  # the answer at the last but one symbol
    t, p = (1 << task.vocabulary.index(symbol) for symbol in "TP")
    assert set(expected[rows, last]) == {t, p}
    swapped[rows, last] = t + p - expected[rows, last]
    assert task.measure.score(expected, swapped, weights) == 0.0


def test_gaps_of_the_same_waves() -> None:
    """The clean series, the noisy one and the one with gaps are one series."""
    sizes: dict[str, Any] = {"length": 20, "samples": 200}
    clean, _, _ = lf.tasks.load("gaps", missing=0, noise=0, **sizes).parts
    noisy, _, _ = lf.tasks.load("gaps", missing=0, noise=20, **sizes).parts
    task = lf.tasks.load("gaps", missing=30, noise=20, **sizes)
    x, y, _ = task.train
    np.testing.assert_array_equal(clean.y, y)
    missing = x[..., 0] == -9.0
    np.testing.assert_array_equal(missing.sum(axis=1), [6] * 200)
    np.testing.assert_array_equal(x[missing], np.full((1200, 3), -9.0))
    np.testing.assert_array_equal(x[~missing][:, [0, 2]], noisy.x[~missing][:, [0, 2]])
    for row in x:
        known = [step for step in range(1, 21) if row[step - 1, 0] != -9.0]
        since = np.diff([0, *known]) / 10
        until = (21 - np.array(known)) / 10
        found = row[row[:, 0] != -9.0, 1:]
        np.testing.assert_array_equal(found, np.stack([since, until], 1).astype(np.float32))
    assert abs(noisy.x[..., 0]).max() < 5.0
    assert missing.any(axis=0).all()
    noise = (noisy.x - clean.x)[..., 0]
    # of 4000 numbers the standard deviation is known to 1 / sqrt(8000): 5 of these
    assert abs(noise.std() / 0.2 - 1.0) < 5 / np.sqrt(8000)
    # a wave of period P: x(t + 1) + x(t - 1) = 2 cos(2π / P) x(t)
    wave = np.concatenate([clean.x[..., 0], clean.y], axis=1).astype(float)
    cosine = (wave[:, 2:] + wave[:, :-2]) / (2 * wave[:, 1:-1])
    steep = abs(wave[:, 1:-1]) > 0.2
    middle = np.array([np.median(row[kept]) for row, kept in zip(cosine, steep, strict=True)])
    assert (abs(cosine - middle[:, np.newaxis])[steep] < 1e-5).all()
    periods = 2 * np.pi / np.arccos(middle)
    assert periods.min() >= 7.99
    assert periods.max() <= 20.01


def test_gaps_persist_with_the_last_known_value() -> None:
    task = lf.tasks.load("gaps", length=20, missing=60, samples=100)
    known = [[value for value in row if value != -9.0] for row in task.train.x[..., 0]]
    found = task.persistence(task.train)
    assert found is not None
    np.testing.assert_array_equal(found[:, 0], [row[-1] for row in known])
    shown = task.show_x(task.train.x[0])
    assert shown.split()[1:] == [
        "-" if value == -9.0 else f"{value:.2f}" for value in task.train.x[0, -10:, 0]
    ]


def test_gaps_cost_little() -> None:
    scores = [
        task.score(task.solve(units=16, epochs=8).model)
        for task in (
            lf.tasks.load("gaps", length=20, samples=1000, missing=missing, noise=noise)
            for missing, noise in ((0, 0), (30, 20))
        )
    ]
    assert scores[0] > scores[1]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("adding_problem", {"length": 1}, "length is 1; expected at least 2"),
        ("temporal_order", {"length": 9}, "length is 9; expected at least 10"),
        ("long_memory", {"length": 1}, "length is 1; expected at least 2"),
        ("copy_memory", {"delay": -1}, "delay is -1; expected at least 0"),
        ("reber", {"length": 11}, "length is 11; expected at least 12"),
        ("gaps", {"missing": 91}, "missing is 91; expected at most 90"),
        ("gaps", {"noise": 101}, "noise is 101; expected at most 100"),
    ],
)
def test_mistakes_are_named(name: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"[{name}] {message}")):
        lf.tasks.load(name, **options)


@pytest.mark.parametrize(
    ("name", "variant", "options"),
    [
        ("adding_problem", "stacked", {"length": 9}),
        ("copy_memory", "encoder_decoder", {"symbols": 2, "delay": 3}),
        ("temporal_order", "bidirectional", {"length": 12}),
        ("reber", "generative", {}),
        ("long_memory", "vanilla", {"length": 9}),
    ],
)
def test_pictures_show_the_cells(name: str, variant: str, options: dict[str, int]) -> None:
    pytest.importorskip("matplotlib")
    task = lf.tasks.load(name, samples=10, **options)
    figure = task.picture(task.build(variant, units=4))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert {"input gate i", "forget gate f", "cell state c"} <= set(titles)
    if task.vocabulary:
        letters = "".join(label.get_text() for label in figure.axes[0].get_xticklabels())
        assert letters == task.show_x(task.test.x[0])


def test_picture_of_gaps() -> None:
    pytest.importorskip("matplotlib")
    task = lf.tasks.load("gaps", samples=10)
    model = task.build()
    for n, axes in enumerate(task.picture(model).axes):
        known, after, forecast = (line.get_xydata() for line in axes.lines)
        for step, value in enumerate(task.test.x[n, :, 0], 1):
            assert [step, value] in known.tolist() or value == -9.0
        np.testing.assert_array_equal(after, [[41, task.test.y[n, 0]]])
        np.testing.assert_array_equal(forecast, [[41, task.predict(model, task.test.x)[n, 0]]])
