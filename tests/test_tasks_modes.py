"""Data of the tasks of each mode and of each variant's own problem, against what they say."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.tasks.rectangles import are_proper


def told(task: Any, part: Any) -> list[tuple[list[int], list[int]]]:
    """Return the numbers of each sample and of its answer, as shown."""
    return [
        ([int(word) for word in task.show_x(x).split()], [int(w) for w in task.show_y(y).split()])
        for x, y in zip(part.x, part.y, strict=True)
    ]


def series(first: int, step: int, many: int) -> list[int]:
    return [first + step * place for place in range(many)]


COUNTING = {
    "one_to_many": (1, 1, 2),
    "many_to_one": (1, 3, 0),
    "many_to_many": (5, 3, 3),
    "next_number": (1, 3, 1),
    "sequence_prediction": (1, 5, 1),
    "sequence_generation": (2, 1, 4),
    "sequence_to_sequence": (1, 5, 5),
}


@pytest.mark.parametrize("name", COUNTING)
def test_series_go_on(name: str) -> None:
    unit, seen, next_ = COUNTING[name]
    options = {"length": 4} if name == "sequence_generation" else {}
    task: Any = lf.tasks.load(name, samples=100, **options)
    steps = set()
    for x, y in told(task, task.train):
        step = x[1] - x[0] if seen > 3 else unit
        steps.add(step)
        assert len(x) == seen
        if name == "many_to_one":
            assert y == [sum(x)]
            next_ = 0
        assert x + y[:next_] == series(x[0], step, seen + next_)
        assert unit == 2 or x[0] % unit == 0
    assert steps == ({1, 2, 3} if seen == 5 else {unit})
    assert task.train.y.ndim == (3 if name in STEPS else 2)


STEPS = ("many_to_many", "sequence_generation", "sequence_to_sequence")
APART = [
    *COUNTING, "sequence_classification", "moving_square", "addition", "echo", "reber",
    "translation", "sentiment",
]  # fmt: skip


@pytest.mark.parametrize("name", APART)
def test_no_sample_is_in_two_parts(name: str) -> None:
    """With the smallest options there is something in each part, so with larger ones too."""
    smallest: dict[str, dict[str, Any]] = {
        "addition": {"digits": 1}, "moving_square": {"size": 3, "square": 2},
        "echo": {"symbols": 2}, "reber": {"length": 12}, "translation": {"largest": 30},
        "sentiment": {},
    }  # fmt: skip
    options: dict[str, Any] = smallest.get(name, {"largest": 30})
    task = lf.tasks.load(name, **options)
    train, validation, test = ({x.tobytes() for x in part.x} for part in task.parts)
    assert not train & validation
    assert not train & test
    assert not validation & test
    assert min(map(len, (train, validation, test))) >= 2
    if name in COUNTING:  # all there are: three fifths within five standard deviations
        every = len(train) + len(validation) + len(test)
        assert abs(len(train) - 0.6 * every) <= 5.0 * math.sqrt(0.24 * every)


@pytest.mark.parametrize(
    ("given", "expected"),
    [([7.0, 8.0], 1.0), ([7.4, 7.6], 1.0), ([7.6, 8.0], 0.0), ([7.0, 7.4], 0.0)],
)
def test_answers_are_rounded(given: list[float], expected: float) -> None:
    task = lf.tasks.load("one_to_many")
    answers = np.array([[7.0, 8.0], given]) / 100.0
    right = np.array([[7.0, 8.0], [7.0, 8.0]]) / 100.0
    assert task.measure.score(right, answers, None) == (1.0 + expected) / 2.0


def test_good_runs_count_on() -> None:
    task: Any = lf.tasks.load("sequence_classification", samples=300, length=6)
    for x, kind in zip(task.train.x, task.train.y, strict=True):
        run = [int(word) for word in task.show_x(x).split()]
        counted = series(run[0], 1, 6)
        errors = [abs(a - b) for a, b in zip(run, counted, strict=True) if a != b]
        assert task.labels[kind] == ("good" if not errors else "bad")
        assert not errors or (len(errors) == 1 and 2 <= errors[0] <= 9)
    assert abs(task.train.y.mean() - 0.5) < 5.0 * math.sqrt(0.25 / 300)


def test_sums_have_long_terms_and_are_asked_for_once() -> None:
    task = lf.tasks.load("addition")
    sums = [[task.show_x(x) for x in part.x] for part in task.parts]
    both = [all(len(term) == 3 for term in text.split("+")) for text in sums[2]]
    assert sum(both) >= len(both) / 3
    learnt = {frozenset(text.split("+")) for text in sums[0]}
    assert not learnt & {frozenset(text.split("+")) for text in sums[2]}


def test_parts_without_enough_samples_are_refused() -> None:
    task: Any = lf.tasks.load("addition", digits=1)
    task.same = lambda x: b"the same"
    with pytest.raises(ValueError, match=r"\[addition\] too few different samples to train"):
        _ = task.parts


def test_additions_in_words() -> None:
    task = lf.tasks.load("addition", samples=200)
    for x, y in zip(task.train.x, task.train.y, strict=True):
        first, second = task.show_x(x).split("+")
        assert int(first) + int(second) == int(task.show_y(y))
        assert max(len(first), len(second)) <= 3


@pytest.mark.parametrize("extra", [0, 3])
def test_echoes_ask_for_one_place(extra: int) -> None:
    task = lf.tasks.load("echo", samples=100, length=6, symbols=7, place=4, extra=extra)
    for x, y in zip(task.train.x, task.train.y, strict=True):
        words = task.show_x(x).split()
        assert len(words) == 6 + extra
        assert [word for word in words if word != "."][3] == f"[{task.labels[y]}]"


def test_echo_suggests_more_for_longer_sequences() -> None:
    short, long = (lf.tasks.load("echo", length=length).settings for length in (5, 25))
    assert short.samples[0] < long.samples[0]
    assert dict(long.model)["forget_bias"] == ("chrono", 25)
    assert lf.tasks.load("echo", length=1000).settings.samples[0] == 20_000
    lf.tasks.load("echo", length=1, place=1).build()


def test_damped_sines_follow_their_recurrence() -> None:
    """x[t + 2] = 2 r cos(ω) x[t + 1] - r² x[t] of a wave r^t sin(ω t + φ)."""
    task = lf.tasks.load("damped_sine", samples=20, length=30, horizon=12)
    x, y, _ = task.train
    assert (x.shape, y.shape) == ((20, 30, 1), (20, 12))
    for wave, rest in zip(x[..., 0], y, strict=True):
        (a, b), *_ = np.linalg.lstsq(np.stack([wave[1:-1], wave[:-2]], 1), wave[2:], rcond=None)
        damping = -math.log(-b) / 2.0
        period = 2.0 * math.pi / math.acos(a * math.exp(damping) / 2.0)
        assert 0.01 <= damping <= 0.04
        assert 10.0 <= period <= 20.0
        before, last = wave[-2:]
        for value in rest:
            before, last = last, a * last + b * before
            # an error of 1e-15 in a or b grows in proportion to the steps, of which there are 12
            assert last == pytest.approx(value, abs=1e-11)


def one_step(way: str, frame: np.ndarray) -> np.ndarray:
    rows = [list(row) for row in frame]
    if way == "up":
        return np.array(rows[1:] + rows[:1])
    if way == "down":
        return np.array(rows[-1:] + rows[:-1])
    return np.array([row[1:] + row[:1] if way == "left" else row[-1:] + row[:-1] for row in rows])


def test_squares_move_by_one_pixel() -> None:
    task = lf.tasks.load("moving_square", samples=60, frames=5, size=7, square=3)
    x, y, _ = task.train
    assert x.shape == (60, 5, 7, 7, 1)
    assert set(y) == {0, 1, 2, 3}
    for video, way in zip(x[..., 0], y, strict=True):
        assert sorted(video[0].sum(axis=0)) == sorted(video[0].sum(axis=1)) == [0] * 4 + [3] * 3
        for frame, following in pairwise(video):
            np.testing.assert_array_equal(following, one_step(task.labels[way], frame))


def test_squares_appear_line_by_line() -> None:
    task = lf.tasks.load("moving_square", samples=60, video="appears", frames=4, size=7, square=3)
    for video, way in zip(task.train.x[..., 0], task.train.y, strict=True):
        assert [frame.sum() for frame in video] == [3, 6, 9, 9]
        assert video[0].any(axis=1 - way // 2).sum() == 3  # the line stands across the way it grows
        for frame, following in pairwise(video[:3]):
            grown = np.maximum(frame, one_step(task.labels[way], frame))
            np.testing.assert_array_equal(following, grown)


def test_videos_in_words() -> None:
    task = lf.tasks.load("moving_square", frames=2, size=5, square=2)
    first = np.zeros((5, 5))
    first[1:3, [0, 4]] = 1.0
    video = np.stack([first, one_step("right", first)])[..., np.newaxis]
    assert task.show_x(video) == "rows 1-2 columns 4-4 and 0-0 ... rows 1-2 columns 0-1"


def test_cumulative_sums_pass_a_quarter_of_the_length() -> None:
    task = lf.tasks.load("cumulative_sum", samples=50, length=7)
    for numbers, answers in zip(task.train.x[..., 0], task.train.y, strict=True):
        total = 0.0
        for number, answer in zip(numbers, answers, strict=True):
            assert 0.0 <= number < 1.0
            total += number
            assert task.labels[answer] == ("above" if total > 7 / 4 else "below")


def test_chance_is_the_best_answer_to_each_step() -> None:
    task = lf.tasks.load("cumulative_sum", samples=200, length=6)
    guess = [max((0, 1), key=list(step).count) for step in task.train.y.T]
    right = [a == b for answers in task.test.y for a, b in zip(answers, guess, strict=True)]
    assert task.chance == pytest.approx(sum(right) / len(right), rel=1e-12)
    assert guess[0] == 0
    assert guess[-1] == 1


def test_rectangles_are_proper() -> None:
    task = lf.tasks.load("rectangles", samples=100)
    x, y, _ = task.train
    assert (x >= 0.0).all()
    assert (x <= 1.0).all()
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
    assert task.measure.score(y, y, None) == 1.0
    assert task.measure.score(y, y[::-1], None) < 0.1  # they do not end where they are to begin
    np.testing.assert_array_equal(x[:, 0], y[:, -1])


PROPER = [[0.2, 0.1], [0.6, 0.1], [0.6, 0.9], [0.2, 0.9], [0.2, 0.1]]


@pytest.mark.parametrize(
    ("corner", "place", "expected"),
    [
        (1, [0.6, 0.11], True),
        (1, [0.6, 0.2], False),  # slanted
        (4, [0.2, 0.2], False),  # open
        (3, [0.6, 0.9], False),  # a side without length
    ],
)
def test_proper_figures(corner: int, place: list[float], expected: bool) -> None:
    figure = np.array([PROPER, PROPER])
    figure[1, corner] = place
    assert are_proper(figure).tolist() == [True, expected]
    assert not are_proper(figure[:, ::-1]).any()  # clockwise
    assert not are_proper(figure[:, :1].repeat(5, axis=1)).any()


def test_a_model_draws_from_the_first_corner_alone() -> None:
    task = lf.tasks.load("rectangles", samples=50)
    model = task.build(units=4)
    x = task.test.x[:5].copy()
    drawn = task.predict(model, x)
    x[:, 1:] = 0.0
    np.testing.assert_array_equal(task.predict(model, x), drawn)
    assert drawn.shape == (5, 4, 2)
    assert task.chance == 0.0


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        (
            "addition", {"digits": 19}, ValueError,
            "[addition] digits is 19; expected at most 18",
        ),
        (
            "echo", {"length": 2000, "extra": 1}, ValueError,
            "[echo] (length + extra) * symbols is 20010; expected at most 10000",
        ),
        ("stock", {"days": 1001}, ValueError, "[stock] days is 1001; expected at most 1000"),
        (
            "pole_balancing", {"limit": 99}, ValueError,
            "[pole_balancing] limit is 99; expected at least 100",
        ),
        (
            "moving_square", {"video": "jumps"}, ValueError,
            "[moving_square] video is 'jumps'; expected 'moves' or 'appears'",
        ),
        (
            "moving_square", {"video": 1}, TypeError,
            "[moving_square] video is of type int; expected a string",
        ),
        (
            "moving_square", {"size": 5, "square": 5}, ValueError,
            "[moving_square] square is 5; expected less than size=5",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_named(
    name: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        lf.tasks.load(name, **options)


@pytest.mark.parametrize(
    ("name", "options", "titles"),
    [
        ("damped_sine", {"length": 20}, ["A damped sine wave"]),
        ("moving_square", {"size": 5, "square": 2}, ["left", "right", "up", "down"]),
        ("rectangles", {}, ["not proper"] * 6),  # of a model that has not been trained
    ],
)
def test_pictures(name: str, options: dict[str, Any], titles: list[str]) -> None:
    pytest.importorskip("matplotlib")
    task = lf.tasks.load(name, samples=32, **options)
    figure = task.picture(task.build(units=3))
    shown = [axes.get_title(loc="left").partition(";")[0] for axes in figure.axes]
    assert [title for title in shown if title] == titles
