"""Every engine of the benchmarks that is installed gives the reference's answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast._bench import protocol
from lstmfast._bench.contest import Settings, WrongAnswerError, check_answers, timed_calls
from lstmfast._bench.engines import ENGINES, Engine, UnsupportedError, vs_litert
from lstmfast._bench.engines.vs_lstmfast import LSTMFAST
from lstmfast._bench.engines.vs_numpy import NUMPY
from lstmfast._bench.layer_kinds import KINDS, Kind
from lstmfast._bench.options import OPTIONS, PLAIN, Option
from lstmfast._bench.problems import TOYS, draw_lengths, make_problem
from lstmfast._bench.shapes import Shape, choose_shapes
from lstmfast._bench.suites import fit, other_layers, trainings, tutorials
from lstmfast._bench.trained_models import TRAININGS, Training

pytestmark = pytest.mark.filterwarnings("ignore")  # of the rivals' own

SHAPE = Shape("test", 6, 9, 5, 12)
INFERENCE_ALONE = (
    "onnxruntime",
    "openvino",
    "keras_predict",
    "litert",
    "opencv",
    "ncnn",
)


@pytest.fixture(autouse=True)
def same_threads() -> Any:
    before = lf.get_num_threads()
    yield
    lf.set_num_threads(before)


def settings_for(engine: Engine) -> Settings:
    """Return settings with the engine, or skip the test where it is not installed."""
    if not engine.installed:
        pytest.skip(f"needs {engine.module}")
    try:
        engine.version()
    except (ImportError, RuntimeError) as error:  # broken, or Keras on another backend
        pytest.skip(str(error))
    others = [other for other in (LSTMFAST, NUMPY) if other.name != engine.name]
    return Settings([*others, engine], seconds=1e-4)


def marks(engine: Engine) -> list[Any]:
    return [] if engine.module in ("numpy", "lstmfast") else [pytest.mark.peer]


def each_option() -> list[Any]:
    pairs = []
    for engine in ENGINES:
        options = [option for option in OPTIONS if option.name in engine.options]
        for option in [PLAIN, *options] if engine.plain else options:
            name = f"{engine.name}-{option.name}"
            pairs.append(pytest.param(engine, option, id=name, marks=marks(engine)))
    return pairs


@pytest.mark.parametrize(("engine", "option"), each_option())
def test_answers(engine: Engine, option: Option) -> None:
    settings = settings_for(engine)
    problem = make_problem(SHAPE, option)
    assert engine.name in timed_calls(settings, problem, "forward", "case")
    assert settings.left_out == []
    calls = timed_calls(settings, problem, "training", "case")
    if engine.name in calls:
        calls[engine.name]()
    else:
        assert [each.reason for each in settings.left_out] == ["no training"]
        assert engine.name in INFERENCE_ALONE


@pytest.mark.parametrize(
    "engine", [pytest.param(each, id=each.name, marks=marks(each)) for each in ENGINES]
)
def test_steps(engine: Engine) -> None:
    settings = settings_for(engine)
    calls = timed_calls(settings, make_problem(SHAPE), "step", "case")
    left_out = [(each.engine, each.reason) for each in settings.left_out]
    if engine.name in ("torch_by_hand", "keras_predict"):
        assert left_out == [(engine.name, "no single steps")]
    else:
        assert left_out == []
        calls[engine.name]()


@pytest.mark.peer
@pytest.mark.parametrize("name", ["litert", "opencv", "ncnn"])
def test_each_sequence_begins_from_zeros(name: str) -> None:
    engine = next(each for each in ENGINES if each.name == name)
    settings_for(engine)
    runner = engine.prepare(make_problem(SHAPE), 1)
    np.testing.assert_array_equal(runner.output(), runner.output())


@pytest.mark.peer
@pytest.mark.parametrize("time_major", [True, False])
def test_both_layouts_of_litert(time_major: bool) -> None:
    """The one that a trial finds slower is not timed, so that `test_answers` may not see it."""
    pytest.importorskip("ai_edge_litert")
    problem = make_problem(SHAPE)
    y = vs_litert.LitertRunner(problem, problem.x, 1, time_major=time_major).output()
    expected = NUMPY.prepare(problem, 1).output()
    check_answers(problem, "litert", {"y": y}, {"y": expected})


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.name)
@pytest.mark.parametrize(
    "engine", [each for each in ENGINES if each.name in ("lstmfast", "keras")], ids=lambda e: e.name
)
def test_fits(engine: Engine, toy: Any) -> None:
    fitter = fit.checked_fitter(settings_for(engine), toy, engine)
    fitter.fit(2)
    fitter.fit_printing(2)
    assert np.shape(fitter.predict()) == (min(3, len(toy.x)), toy.y.shape[1])


@pytest.mark.peer
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_other_layers(kind: Kind) -> None:
    """Smaller ones than are timed; another step of training than torch's is noticed."""
    batch, sample, sizes = kind.cases[0]
    settings = settings_for(next(each for each in ENGINES if each.name == "torch"))
    groups = list(other_layers.against_torch(settings, kind, (batch, *sample), sizes))
    assert [[row.engine for row in rows] for rows in groups] == [["lstmfast", "torch"]] * 2
    x = np.random.default_rng(0).standard_normal((batch, *sample), np.float32)
    if kind.ids:
        x = np.ones(x.shape, np.int32)
    ours = other_layers.Ours(kind, x, sizes)
    theirs = other_layers.Torchs(kind, x, sizes, ours.weights(), 1)
    theirs.optimizer.param_groups[0]["lr"] *= 1.01
    with pytest.raises(WrongAnswerError, match="step of weight 0 is not torch's"):
        other_layers.compare("case", ours, theirs)


@pytest.mark.peer
@pytest.mark.parametrize("tutorial", tutorials.TUTORIALS, ids=lambda each: each.name)
def test_tutorials(tutorial: tutorials.Tutorial) -> None:
    """Fewer samples than are timed; another learning rate is noticed."""
    few = replace(tutorial, samples=min(tutorial.samples, 100), count=2)
    settings = settings_for(next(each for each in ENGINES if each.name == "keras"))
    rows = tutorials.against_keras(settings, few)
    assert [row.engine for row in rows] == ["lstmfast", "keras"]
    ours, other = tutorials.Fit(lf, few), tutorials.Fit(lf, few)
    other.model.set_weights(ours.model.get_weights())
    other.model.optimizer.learning_rate = 0.0011
    limit = tutorials.tolerance(ours)
    assert not np.allclose(other.losses(), ours.losses(), rtol=limit, atol=0.0)


@pytest.mark.peer
@pytest.mark.parametrize("training", TRAININGS, ids=lambda each: each.name)
def test_whole_trainings(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer batches than are timed; another learning rate is noticed."""
    few = replace(training, batches=trainings.CHECKED)
    settings = settings_for(next(each for each in ENGINES if each.name == "torch"))
    monkeypatch.setattr(protocol, "LEAST_ROUNDS", 1)
    rows = trainings.against_torch(settings, few)
    assert [row.engine for row in rows] == ["lstmfast", "torch"]
    other = trainings.Ours(few)
    weights, right = other.model.get_weights(), other.losses()
    theirs = trainings.Torchs(other, weights, 1)
    theirs.optimizer.param_groups[0]["lr"] *= 1.01
    assert not np.allclose(theirs.losses(), right, rtol=other.tolerance(), atol=0.0)


@pytest.mark.parametrize("training", TRAININGS, ids=lambda each: each.name)
def test_flops_of_whole_trainings(training: Training) -> None:
    """Twice the kernels' sizes for each step or row that they are applied to."""
    ours = trainings.Ours(replace(training, batches=trainings.CHECKED, batch_size=3))
    N, T = ours.x.shape[:2]
    words = np.count_nonzero(ours.x)
    tokens = ours.y.size
    of_lstms = {"windows": [N * T] * 2, "tagger": [words] * 2, "translation": [N * T, tokens]}
    of_dense = {"tagger": words, "translation": tokens}.get(training.name, N)
    rows = [n for lstm in of_lstms.get(training.name, [N * T]) for n in (lstm, lstm)] + [of_dense]
    kernels = [w for w in ours.model.weights if "kernel" in w.name]
    products = sum(2 * n * w.numpy().size for n, w in zip(rows, kernels, strict=True))
    assert ours.flops() == 3 * products


def test_an_option_that_an_engine_has_not() -> None:
    option = next(option for option in OPTIONS if option.name == "peephole")
    torch = next(engine for engine in ENGINES if engine.name == "torch")
    with pytest.raises(UnsupportedError, match=r"^no peephole$"):
        torch.prepare(make_problem(SHAPE, option), 1)


def test_check_answers_names_what_is_off() -> None:
    problem = make_problem(SHAPE)
    right = {"dx": np.ones((2, 3)), "dbias": np.ones(4)}
    check_answers(problem, "x", right, right)
    with pytest.raises(WrongAnswerError, match=r"^x at plain test \(6,9,5,12\): dbias is missing"):
        check_answers(problem, "x", {"dx": right["dx"]}, right)
    with pytest.raises(WrongAnswerError, match=r"dbias differs by 0\.1 from the reference"):
        check_answers(problem, "x", right | {"dbias": np.full(4, 1.1)}, right)
    with pytest.raises(WrongAnswerError, match="dbias differs by nan"):
        check_answers(problem, "x", right | {"dbias": np.full(4, np.nan)}, right)


def test_without_noise_keeps_the_road() -> None:
    for option in OPTIONS:
        quiet = option.without_noise()
        assert quiet.keywords.keys() == option.keywords.keys()
        assert quiet.random == option.random
        if option.random:
            rate = min(v for v in quiet.keywords.values() if isinstance(v, float))
            assert 0.0 < rate < np.finfo(np.float32).eps / 4


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_lengths_hold_their_share(share: float) -> None:
    shape = Shape("s", 32, 100, 1, 1)
    lengths = draw_lengths(shape, share, np.random.default_rng(0))
    assert lengths.min() >= 1
    assert lengths.max() <= 100
    assert lengths.sum() == pytest.approx(share * 3200, rel=0.02)


def test_flops() -> None:
    plain = PLAIN.forward_flops(SHAPE)
    assert plain == 8 * 12 * (5 + 12) * 6 * 9
    of = {option.name: option.forward_flops(SHAPE) / plain for option in OPTIONS}
    assert of["coupled"] == 0.75
    assert of["bidirectional"] == 2.0
    assert of["lengths_half"] == 0.5
    assert of["projection"] == (8 * 12 * (5 + 6) + 2 * 12 * 6) / (8 * 12 * (5 + 12))


def test_shapes_by_sizes() -> None:
    assert choose_shapes(["toy", "2x3x4x5"]) == (
        Shape("toy", 3, 3, 1, 50),
        Shape("2x3x4x5", 2, 3, 4, 5),
    )
