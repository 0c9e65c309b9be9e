"""`lf.plot`: what is drawn, from which data, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import plot

pytest.importorskip("matplotlib")


def image_of(axes: Any) -> np.ndarray:
    return np.asarray(axes.images[0].get_array())


def title_of(axes: Any) -> str:
    return str(axes.get_title(loc="left"))


def legend_of(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def axes_of_mine() -> Any:
    from matplotlib.figure import Figure

    return Figure().add_subplot()


# -- all of them -----------------------------------------------------------------------------

SERIES = np.sin(np.arange(12.0))
CALLS: dict[str, Callable[..., Any]] = {
    "learning_curves": lambda **more: plot.learning_curves({"loss": [2.0, 1.0]}, **more),
    "forecast": lambda **more: plot.forecast(SERIES, SERIES[:3], **more),
    "confusion": lambda **more: plot.confusion([0, 1], [1, 1], **more),
    "attention": lambda **more: plot.attention(np.eye(3), **more),
    "strokes": lambda **more: plot.strokes([[0, 0], [1, 0], [1, 1]], **more),
    "frames": lambda **more: plot.frames(np.eye(4)[:, None], **more),
}


@pytest.mark.parametrize("name", CALLS)
def test_figures_without_a_display(name: str) -> None:
    """A figure of matplotlib's, which notebooks show and which can be kept in a file."""
    from matplotlib.figure import Figure

    figure = CALLS[name]()
    assert type(figure) is Figure
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert len(pickle.loads(pickle.dumps(figure)).axes) == len(figure.axes)


@pytest.mark.parametrize("name", CALLS)
def test_axes_of_the_callers(name: str) -> None:
    axes = axes_of_mine()
    assert CALLS[name](ax=axes) is axes.figure
    assert axes.lines or axes.images
    with pytest.raises(TypeError, match=rf"\[plot.{name}\] ax is of type int; expected axes of"):
        CALLS[name](ax=3)


@pytest.mark.parametrize("name", CALLS)
def test_without_matplotlib(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstmfast.plot.looks.available", lambda: False)
    with pytest.raises(ImportError, match="a plot needs matplotlib: pip install matplotlib"):
        CALLS[name]()


# -- lines over time -------------------------------------------------------------------------


def test_curves_of_a_fit() -> None:
    model = lf.variants.vanilla(1, units=2, seed=0)
    model.compile("adam", "mse", metrics=["mae"])
    x, y = np.ones((8, 3, 1)), np.ones(8)
    run = model.fit(x, y, epochs=4, validation_data=(x, y), validation_freq=2, verbose=0)
    figure = plot.learning_curves(run)
    loss, mae = figure.axes
    assert [title_of(loss), title_of(mae)] == ["loss", "mae"]
    assert loss.get_xlabel() == "epoch"
    for axes, name in ((loss, "loss"), (mae, "mae")):
        training, validation = axes.lines[:2]
        np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3, 4])
        np.testing.assert_array_equal(training.get_ydata(), run.history[name])
        np.testing.assert_array_equal(validation.get_xdata(), [2, 4])
        np.testing.assert_array_equal(validation.get_ydata(), run.history[f"val_{name}"])


def test_the_lowest_validation_loss_is_marked() -> None:
    (axes,) = plot.learning_curves({"loss": [3, 2, 1], "val_loss": [3, 1.5, 2]}).axes
    assert legend_of(axes) == ["training", "validation, lowest 1.5 in epoch 2"]
    assert (axes.lines[2].get_xdata(), axes.lines[2].get_ydata()) == ([2], [1.5])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([5.0, 1.0, 0.5], "log"),
        ([5.0, 1.0, 0.51], "linear"),
        ([0.1, 0.5, 1.0], "linear"),  # as an accuracy rises
        ([5.0, 1.0, 0.0], "linear"),
        ([np.nan, np.nan, np.nan], "linear"),
    ],
)
def test_powers_where_a_curve_falls(values: list[float], kind: str) -> None:
    (axes,) = plot.learning_curves({"loss": values}).axes
    assert axes.get_yscale() == kind


@pytest.mark.parametrize("values", [[3, 3, 3], [1], [0, 0, 0]])
def test_losses_in_whole_numbers(values: list[int]) -> None:
    (line,) = plot.learning_curves({"loss": values}).axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), values)


@pytest.mark.parametrize(
    ("values", "dots"),
    [
        ([1.0, np.nan, 2.0], [0, 2]),
        ([1.0], [0]),
        ([1.0, 2.0, np.nan, 3.0], [3]),
        ([1.0, 2.0], None),
    ],
)
def test_values_to_which_no_line_leads_are_dots(
    values: list[float], dots: list[int] | None
) -> None:
    (line,) = plot.learning_curves({"loss": values}).axes[0].lines
    assert line.get_markevery() == dots
    assert line.get_marker() == ("None" if dots is None else "o")


def test_many_powers_have_no_ticks_between_them() -> None:
    for lowest, most in ((0.01, 9), (1e-8, 10)):
        axes = plot.learning_curves({"loss": np.geomspace(1.0, lowest, 9)}).axes[0]
        low, high = axes.get_ylim()
        ticks = [tick for tick in axes.get_yticks() if low <= tick <= high]
        powers = [np.isclose(np.log10(tick) % 1.0, [0.0, 1.0]).any() for tick in ticks]
        assert len(ticks) <= most
        assert all(powers) == (lowest < 1e-4)


def test_the_loss_comes_first() -> None:
    history = {"each": [np.array([1.0, 2.0])], "learning_rate": [0.1], "loss": [1.0]}
    figure = plot.learning_curves(history)
    assert [title_of(axes) for axes in figure.axes] == ["loss", "each", "learning rate"]
    assert [line.get_ydata().tolist() for line in figure.axes[1].lines] == [[1.0], [2.0]]
    axes = axes_of_mine()
    plot.learning_curves(history, ax=axes)
    assert title_of(axes) == "loss"


def test_forecast() -> None:
    levels = (0.8, 0.95)
    lower, upper = ({k: [4.0 + s * k] * 2 for k in levels} for s in (-1, 1))
    (axes,) = plot.forecast(
        [1, 2, 3], [[4.0, 5.0]], lower, upper, truth=[4.5], name="sales", title="Next"
    ).axes
    assert title_of(axes) == "Next"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "sales")
    assert legend_of(axes) == ["sales", "truth", "forecast", "80% interval", "95% interval"]
    known, mean, truth = axes.lines
    assert known.get_xydata().tolist() == [[0, 1], [1, 2], [2, 3]]
    assert mean.get_xydata().tolist() == [[2, 3], [3, 4], [4, 5]]
    assert truth.get_xydata().tolist() == [[3, 4.5]]
    outer, inner = axes.collections
    for band, level in ((outer, 0.95), (inner, 0.8)):
        ends = band.get_paths()[0].vertices
        assert {tuple(point) for point in ends if point[0] > 2} == {
            (x, 4.0 + s * level) for x in (3, 4) for s in (-1, 1)
        }


def test_forecast_with_times() -> None:
    times = [f"{2020 + n // 12}-{n % 12 + 1:02d}" for n in range(40)]
    (axes,) = plot.forecast(SERIES[:4].repeat(9), SERIES[:4], times=times).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["2020", "2021", "2022", "2023"]
    days = [f"2024-01-{day:02d} 00:00" for day in range(1, 16)]
    (axes,) = plot.forecast(SERIES, SERIES[:3], times=days).axes
    shown = [text.get_text() for text in axes.get_xticklabels()]
    assert shown == days[::3]  # as many as there is room for


# -- matrices --------------------------------------------------------------------------------


def test_confusion() -> None:
    truth, predicted = [0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]
    axes = plot.confusion(truth, predicted, ["good", "bad", "none"]).axes[0]
    np.testing.assert_array_equal(image_of(axes), [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]])
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["3\n75%", "1\n25%", "", "", "2\n100%", "", "", "", ""]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["good", "bad", "none"]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true", "predicted")
    assert title_of(axes) == "83.3% of 6 right"


def test_confusion_of_named_classes() -> None:
    truth, predicted = ["cat", "cat", "ant"], ["cat", "ant", "ant"]
    axes = plot.confusion(truth, np.array(predicted)).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["ant", "cat"]
    np.testing.assert_array_equal(image_of(axes), [[1, 0], [0.5, 0.5]])
    axes = plot.confusion(truth, predicted, ["cat", "bee", "ant"]).axes[0]
    np.testing.assert_array_equal(image_of(axes), [[0.5, 0, 0.5], [0, 0, 0], [0, 0, 1]])


def test_shares_that_are_nearly_none_or_all() -> None:
    axes = plot.confusion([0] * 1000, [1] * 3 + [0] * 997).axes[0]
    assert [text.get_text() for text in axes.texts[:2]] == ["997\n>99%", "3\n<1%"]


def test_confusion_of_many_classes() -> None:
    classes = np.arange(20)
    axes = plot.confusion(classes, classes).axes[0]
    assert axes.texts[21].get_text() == "1"
    assert len(axes.get_xticks()) == 20


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [
        ([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
        ([[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
        ([[0], [1], [1]], [[0.3], [0.7], [0.5]]),
        ([[0, 1, 1]], [[[0.3], [0.7], [0.5]]]),
        ([[0.0, 1.0, 1.0]], [[0, 1, 0]]),
        (np.eye(2)[[0, 1, 1]], np.eye(2)[[0, 1, 0]]),
        ([0.0, 1.0, 1.0], [False, True, False]),
    ],
    ids=["scores", "one-hot", "sigmoid", "steps", "floats", "both one-hot", "flags"],
)
def test_forms_of_classes(truth: Any, predicted: Any) -> None:
    axes = plot.confusion(truth, predicted).axes[0]
    np.testing.assert_array_equal(image_of(axes), [[1.0, 0.0], [0.5, 0.5]])


def test_attention() -> None:
    weights = np.array([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]])
    axes = plot.attention(weights, source=["the", "cat", "sat"], target="ab").axes[0]
    np.testing.assert_array_equal(image_of(axes), weights)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["the", "cat", "sat"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("source", "target")
    heads = plot.attention(np.stack([weights, 1 - weights])).axes[:2]
    assert [title_of(axes) for axes in heads] == ["Attention, head 1", "Attention, head 2"]
    np.testing.assert_array_equal(image_of(heads[1]), 1 - weights)


# -- strokes and frames ----------------------------------------------------------------------


def test_strokes_of_a_pen() -> None:
    moves = [[1, 1, 0], [1, 0, 1], [0, -2, 0], [1, 0, 0], [0, 1, 1]]
    (axes,) = plot.strokes(moves, "an h").axes
    *parts, start = [line.get_xydata().tolist() for line in axes.lines]
    assert parts == [[[1, 1], [2, 1]], [[2, -1], [3, -1], [3, 0]]]
    assert start == [[1, 1]]
    assert title_of(axes) == "an h"
    assert not axes.axison


def test_polygons_in_a_grid() -> None:
    one, other = np.array([[0, 0], [2, 0], [2, 1.0]]), np.array([[1, 1], [3, 4.0]])
    figure = plot.strokes([one, other], ["one", "other"], closed=True, columns=1)
    drawn = [axes.lines[0].get_xydata().tolist() for axes in figure.axes]
    assert drawn == [[*one.tolist(), [0, 0]], [*other.tolist(), [1, 1]]]
    first, second = figure.axes
    assert first.get_xlim() == second.get_xlim()  # places can be compared
    assert first.get_xlim()[0] < 0 < 3 < first.get_xlim()[1]
    assert first.get_subplotspec().get_gridspec().get_geometry() == (2, 1)
    assert len(plot.strokes(np.stack([one] * 5)).axes) == 5


def test_frames() -> None:
    video = np.arange(24.0).reshape(4, 2, 3)
    figure = plot.frames([video, video[:2]], ["goes up", "stops"])
    strip = image_of(figure.axes[0])
    assert strip.shape == (2 + 2, 4 * (3 + 1) + 1)
    for n, frame in enumerate(video):
        np.testing.assert_array_equal(strip[1:3, 1 + 4 * n : 4 + 4 * n], frame)
    assert [title_of(axes) for axes in figure.axes] == ["goes up", "stops"]
    assert [text.get_text() for text in figure.axes[1].get_xticklabels()] == ["1", "2"]
    assert figure.axes[0].get_xticks().tolist() == [2, 6, 10, 14]
    (axes,) = plot.frames(video, most=2).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "4"]


def test_frames_in_colours() -> None:
    video = np.zeros((2, 3, 3, 3), np.uint8)
    video[1, 0, 0] = 255, 0, 51
    (axes,) = plot.frames(video).axes
    strip = image_of(axes)
    np.testing.assert_allclose(strip[1, 5], [1, 0, 0.2])
    assert (strip[0] > 0.8).all()  # the gaps
    (axes,) = plot.frames(video[..., :1]).axes
    assert axes.images[0].get_clim() == (0.0, 255.0)
    assert image_of(axes)[1, 5] == 255.0
    assert len(plot.frames(np.zeros((3, 2, 4, 4, 1))).axes) == 3
    assert len(plot.frames(np.zeros((3, 2, 4, 5))).axes) == 3
