"""Every task: its data follow from the seed, every variant that fits runs, and training learns."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.tasks import TASKS
from lstmfast.tasks._networks import VARIANTS
from lstmfast.utils import _seeds

# scikit-learn has the images of digits: where peers are installed, they are tried
NAMES = [pytest.param(name, marks=[pytest.mark.peer] if name == "digits" else []) for name in TASKS]

# What makes a task small, yet large enough to learn: options of `load`, and epochs.
SMALL: dict[str, dict[str, Any]] = {
    "one_to_many": {"samples": 500, "epochs": 30},
    "many_to_one": {"samples": 1000, "epochs": 100},
    "many_to_many": {"samples": 1000, "epochs": 50},
    "next_number": {"samples": 500, "epochs": 30},
    "sequence_prediction": {"samples": 500, "epochs": 30},
    "sequence_classification": {"samples": 2000, "epochs": 30},
    "sequence_generation": {"samples": 1000, "epochs": 50},
    "sequence_to_sequence": {"samples": 1000, "epochs": 50},
    "echo": {"samples": 500, "epochs": 10},
    "damped_sine": {"samples": 200, "epochs": 5, "length": 20},
    "moving_square": {"samples": 300, "epochs": 12, "size": 8, "square": 3},
    "addition": {"digits": 2, "samples": 2000, "epochs": 10},
    "cumulative_sum": {"samples": 200, "epochs": 5},
    "rectangles": {"epochs": 20},
    "adding_problem": {"length": 20, "samples": 2000, "epochs": 10},
    "copy_memory": {"symbols": 2, "delay": 3, "samples": 1000, "epochs": 5},
    "temporal_order": {"length": 20, "samples": 500, "epochs": 5},
    "reber": {"length": 12, "samples": 1000, "epochs": 10},
    "long_memory": {"length": 20, "samples": 300, "epochs": 10},
    "gaps": {"length": 20, "samples": 500, "epochs": 5},
    "air_passengers": {"epochs": 20},
    "digits": {"samples": 300, "epochs": 5},
    "text": {"samples": 300, "length": 30, "epochs": 6},
    "csv": {"epochs": 5},
    "translation": {"largest": 99, "samples": 500, "epochs": 20},
    "summary": {"length": 4, "most": 1, "samples": 600, "epochs": 20},
    "programs": {"lines": 2, "samples": 500, "epochs": 25},
    "captions": {"grid": 2, "samples": 500, "epochs": 20},
    "handwriting": {"samples": 100, "length": 20, "epochs": 4},
    "music": {"phrases": 1, "samples": 300, "epochs": 6},
    "dna": {"samples": 2000, "epochs": 5},
    "anomaly": {"length": 40, "samples": 500, "epochs": 20},
    "sentiment": {"samples": 500, "epochs": 8},
    "weather": {"samples": 300, "epochs": 5},
    "stock": {"samples": 2000, "epochs": 2},
    "purchase": {"weeks": 8, "samples": 2000, "epochs": 8},
    "video_motion": {"frames": 4, "size": 12, "samples": 400, "epochs": 12},
    "spoken_words": {"samples": 300, "epochs": 3},
    "pole_balancing": {"limit": 100, "samples": 4, "epochs": 3},
}
# Small, these have so few different samples that some come again; equal data with every seed.
REPEATED = ("copy_memory", "summary", "music", "purchase")
GIVEN = ("air_passengers",)
SHUFFLES, DEVIATIONS = 200, 6
NO_ANSWERS = ("pole_balancing",)  # nothing to shuffle: test_tasks_control.py judges it


@pytest.fixture(autouse=True)
def _packages(request: pytest.FixtureRequest) -> None:
    """Skip the tests of a task whose data are in a package that is not installed."""
    if "name" in request.fixturenames and request.getfixturevalue("name") == "digits":
        pytest.importorskip("sklearn")


class Stub:
    """A model that keeps what it is fitted to, and answers 1.0 to all."""

    input_shape = None

    def __init__(self, *shape: int) -> None:
        self.shape = shape
        self.asked: list[Any] = []

    def fit(self, x: Any, y: Any, **options: Any) -> None:
        self.given = {"x": x, "y": y, **options}

    def predict(self, x: Any, verbose: int = 0) -> Any:
        self.asked.append(x)
        return np.ones((len(x), *self.shape))


def small(name: str, seed: int = 0) -> tuple[lf.tasks.Task, int]:
    options = dict(SMALL[name])
    epochs = options.pop("epochs")
    return lf.tasks.load(name, seed, **options), epochs


def test_every_task_is_tried_here() -> None:
    assert list(SMALL) == list(TASKS)


@pytest.mark.parametrize("name", NAMES)
def test_a_task_says_what_it_is(name: str) -> None:
    kind = lf.tasks.find(name)
    task = kind()
    assert task.name == name
    assert task.summary.endswith(".")
    assert task.mode in (
        "one to many", "many to one", "many to many", "sequence to sequence", "generation",
        "control",
    )  # fmt: skip
    assert task.source
    assert not task.solved(task.chance)
    assert task.solved(task.target)


@pytest.mark.parametrize("name", NAMES)
def test_data_follow_from_the_seed(name: str) -> None:
    first, again = small(name)[0], small(name)[0]
    for one, other in zip(first.parts, again.parts, strict=True):
        np.testing.assert_equal(tuple(one), tuple(other))
    train, validation, test = first.parts
    assert train.x.dtype == test.x.dtype
    assert train.x.shape[2:] == test.x.shape[2:]
    assert validation.y.shape[1:] == test.y.shape[1:]


@pytest.mark.parametrize("name", NAMES)
def test_parts_and_seeds_share_no_samples(name: str) -> None:
    task, other = small(name)[0], small(name, 1)[0]
    if name not in REPEATED:
        train, validation, test = ({x.tobytes() for x in part.x} for part in task.parts)
        assert not train & validation
        assert not train & test
        assert not validation & test
    for one, another in zip(task.parts, other.parts, strict=True):
        is_same = one.x.shape == another.x.shape and np.array_equal(one.x, another.x)
        assert is_same == (name in GIVEN)


@pytest.mark.parametrize("name", NAMES)
def test_models_follow_from_the_seed(name: str) -> None:
    before = _seeds._package_generator.bit_generator.state

    def built() -> Any:
        return small(name)[0].build(units=3, epochs=1)

    models = built(), built()
    assert _seeds._package_generator.bit_generator.state == before
    for _ in range(2):  # before and after an epoch
        first, again = (model.get_weights() for model in models)
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)
        for model in models:
            small(name)[0].fit(model, epochs=1)


@pytest.mark.parametrize("name", [name for name in TASKS if name not in NO_ANSWERS])
def test_training_learns(name: str) -> None:
    """The answers are better than the best constant and than the same answers to other samples.

    The margin is 6 standard deviations of the score of answers that follow from nothing.
    """
    task, epochs = small(name)
    solution = task.solve(epochs=epochs)
    y, answers, weights = task.judged(solution.model)
    sign = 1.0 if task.measure.higher_is_better else -1.0
    rng = np.random.default_rng(0)
    shuffled = [
        task.measure.score(y, answers[rng.permutation(len(answers))], weights)
        for _ in range(SHUFFLES)
    ]
    lead = sign * (solution.score - np.array([np.mean(shuffled), task.chance]))
    assert lead.min() > DEVIATIONS * np.std(shuffled)
    assert solution.score == task.score(solution.model)
    assert len(solution.history.history["loss"]) == epochs


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_that_fits_runs(name: str) -> None:
    task, _ = small(name)
    assert task.settings.variant in task.variants
    for variant in task.variants:
        model = task.build(variant, units=3, epochs=1)
        task.fit(model, epochs=1)
        examples = task.examples(model, 2)
        assert len(examples) == 2
        assert all(all(example) for example in examples)
    for variant in sorted(VARIANTS.keys() - task.variants):
        with pytest.raises(ValueError, match=rf"\[{name}\] variant is '{variant}', which needs "):
            task.build(variant)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: lf.tasks.load("ecco"),
            ValueError,
            "[tasks.load] name is 'ecco'; expected one of lf.tasks.TASKS; did you mean 'echo'?",
        ),
        (
            lambda: lf.tasks.load("echo", size=3),
            ValueError,
            "[echo] option is 'size'; expected 'seed', 'samples', 'length'",
        ),
        (
            lambda: lf.tasks.load("echo", length=0),
            ValueError,
            "[echo] length is 0; expected at least 1",
        ),
        (
            lambda: lf.tasks.load("echo", length="5"),
            TypeError,
            "[echo] length is of type str; expected an integer",
        ),
        (
            lambda: lf.tasks.load("echo", length=5, place=6),
            ValueError,
            "[echo] place is 6; expected at most length=5",
        ),
        (lambda: lf.tasks.load("echo", seed=-1), ValueError, "[echo] seed is -1; expected"),
        (
            lambda: lf.tasks.load("echo").build(units=(3, 4)),
            ValueError,
            "[build] units is (3, 4); expected one number, for vanilla has one LSTM",
        ),
        (
            lambda: lf.tasks.load("echo").build("plain"),
            ValueError,
            "[echo] variant is 'plain'; expected 'vanilla'",
        ),
        (
            lambda: lf.tasks.find("zzz"),
            ValueError,
            "[tasks.find] name is 'zzz'; expected one of lf.tasks.TASKS",
        ),
        (
            lambda: lf.tasks.load("text", file="nowhere.txt"),
            ValueError,
            "nowhere.txt: no such file",
        ),
        (
            lambda: lf.tasks.load("echo").solve(epochs=0),
            ValueError,
            "[echo] epochs is 0; expected at least 1",
        ),
        (
            lambda: lf.tasks.load("echo").build(learning_rate=0),
            ValueError,
            "[echo] learning_rate is 0; expected more than 0",
        ),
        (
            lambda: lf.tasks.load("echo").score(None),
            TypeError,
            "[echo] model is None; expected a model, as build() returns",
        ),
        (
            lambda: lf.tasks.load("echo").examples(None),
            TypeError,
            "[echo] model is None; expected a model",
        ),
        (
            lambda: lf.tasks.load("echo").examples(Stub(), -1),
            ValueError,
            "[echo] number is -1; expected at least 1",
        ),
        (
            lambda: lf.tasks.load("echo").score(Stub(3)),
            ValueError,
            "[echo] model has outputs (N, 3); expected (N, 10)",
        ),
    ],
)
def test_mistakes_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()


def test_weights_say_which_answers_count() -> None:
    expected, given = np.array([[1, 2], [3, 4]]), np.array([[1, 0], [3, 4]])
    weights = np.array([[1.0, 0.0], [1.0, 1.0]])
    from lstmfast.tasks import _measures as measures

    assert measures.ACCURACY.score(expected, given, None) == 0.75
    assert measures.ACCURACY.score(expected, given, weights) == 1.0
    assert measures.EXACT.score(expected, given, None) == 0.5
    assert measures.EXACT.score(expected, given, weights) == 1.0
    assert measures.within(2.0).score(expected, given, None) == 1.0
    assert measures.within(1.5).score(expected, given, None) == 0.5
    assert measures.error().score(expected, given, None) == 1.0
    assert measures.error().score(expected, given, weights) == 0.0
    assert measures.EXPLAINED.score(expected, given, None) == 1.0 - 4.0 / 5.0


def test_a_model_is_fitted_to_the_training_part_and_judged_by_the_test_part() -> None:
    task, _ = small("copy_memory")
    model = Stub(*task.train.y.shape[1:], len(task.labels))
    task.fit(model)
    assert model.given["x"] is task.train.x
    assert model.given["epochs"] == task.settings.epochs
    assert model.given["y"] is task.train.y
    assert model.given["sample_weight"] is task.train.weights
    for given, part in zip(model.given["validation_data"], task.validation, strict=True):
        assert given is part
    y, answers, weights = task.judged(model)
    assert model.asked == [task.test.x]
    assert y is task.test.y
    assert weights is task.test.weights
    assert not answers.any()  # of equal shares the first
    task.score(model, task.validation)
    assert model.asked[1] is task.validation.x


def test_the_learning_rate_falls_until_the_last_batch() -> None:
    task = lf.tasks.load("echo", samples=70)
    assert task.settings.batch_size == 32
    schedule = task.build(epochs=5, learning_rate=0.5).optimizer.get_config()["learning_rate"]
    assert schedule["class_name"] == "CosineDecay"
    assert schedule["config"]["initial_learning_rate"] == 0.5
    assert schedule["config"]["decay_steps"] == 5 * 3


def test_chance_is_the_best_constant_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the training part; judged with another, in which classes are not as common."""

    def chance(name: str, train: lf.tasks.Part, test: lf.tasks.Part) -> float:
        task = lf.tasks.load(name)
        monkeypatch.setattr(task, "parts", (train, test, test))
        return task.chance

    x = np.zeros((4, 1, 1))
    often, seldom = np.array([2, 2, 2, 5]), np.array([5, 5, 5, 2])
    part = lf.tasks.Part
    assert chance("echo", part(x, often), part(x, seldom)) == 0.25
    steps = np.stack([often, seldom, often], axis=1)  # each step has a class of its own
    weights = np.array([[1.0, 1.0, 0.0]] * 4)
    test = part(x, np.array([[2, 5, 5], [5, 2, 5], [5, 5, 5], [2, 5, 2]]), weights)
    assert chance("copy_memory", part(x, steps, weights), test) == 5 / 8
    wave = part(x, np.array([[1.0], [2.0], [3.0], [6.0]]))
    assert chance("damped_sine", wave, part(x, np.array([[3.0], [5.0]]))) == np.sqrt(2.0)


def test_a_part_shows_its_shapes() -> None:
    text = "Part(x: float32 (500, 5, 10), y: int64 (500,))"
    assert repr(small("echo")[0].train) == text
    assert dir(lf.tasks) == sorted(lf.tasks.__all__)
