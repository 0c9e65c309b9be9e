"""Plain answers to tasks, to see where an LSTM is not needed: persistence, a linear map, an MLP."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.tasks import Task

MOST_NUMBERS = 2 * 10**7  # of the training part, side by side
HIDDEN = 64  # of the MLP
# Its epochs: fewer where it no longer learns, or where the training part has many numbers.
EPOCHS, NUMBERS_READ = 300, 8 * 10**8
ORDER = 20  # steps that the autoregression looks back
# How strongly weights are held small; the validation part chooses.
PENALTIES = (1e-8, 1e-3, 1.0, 100.0)
INVERSE_PENALTIES = (0.01, 1.0)


def baselines(task: Task) -> dict[str, Callable[[], float]]:
    """Return what computes the score of the test part, for each baseline that fits a task.

    ``persistence``: the last values go on, where the task says what that means. ``linear`` and
    ``mlp`` look at all steps side by side: a logistic regression where a sample has one class, else
    a linear one (of ones and zeros where each step has a class), and a perceptron with one hidden
    layer. They need scikit-learn. Where a model forecasts and the task judges the errors,
    ``linear`` is an autoregression.
    """
    found: dict[str, Callable[[], float]] = {}
    if task.shapes.is_next:
        return found
    if type(task).judged is not Task.judged:
        x, y, _ = task.train
        return {"linear": lambda: task.score(Autoregression(x, y))} if x.shape == y.shape else found

    def judged(answers: Array) -> float:
        return task.measure.score(task.test.y, answers, task.test.weights)

    if (answers := task.persistence(task.test)) is not None:
        found["persistence"] = lambda: judged(answers)
    if side_by_side(task, task.train.x[:1]).shape[1] * len(task.train.x) <= MOST_NUMBERS:
        found["linear"] = lambda: judged(_of_sklearn(task, linear=True))
        found["mlp"] = lambda: judged(_of_sklearn(task, linear=False))
    return found


class Autoregression:
    """A model whose forecast is a linear function of the last values, fitted by least squares."""

    input_shape = None

    def __init__(self, x: Array, y: Array) -> None:
        seen, wanted = self._last(x)[:, ORDER:], y[:, ORDER:]
        self.weights = np.linalg.lstsq(np.vstack([*seen]), np.vstack([*wanted]), rcond=None)[0]

    def predict(self, x: Array, verbose: int = 0) -> Array:
        """Return the forecast of each step (N, T, F)."""
        found: Array = self._last(x) @ self.weights
        return found

    @staticmethod
    def _last(x: Array) -> Array:
        """Return the last values of each step and a 1 (N, T, ORDER * F + 1); zeros come first."""
        longer = np.pad(x, ((0, 0), (ORDER - 1, 0), (0, 0)))
        last = np.lib.stride_tricks.sliding_window_view(longer, ORDER, axis=1)
        return np.pad(last.reshape(*x.shape[:2], -1), ((0, 0), (0, 0), (0, 1)), constant_values=1.0)


def side_by_side(task: Task, x: Array) -> Array:
    """Return samples (N, numbers): all steps in a row; a token is a 1 among zeros.

    Steps that the task masks are zeros, and one more number of each step says so.
    """
    masked = task.settings.model.get("mask_value")
    if x.dtype.kind in "iu":
        x = np.eye(len(task.vocabulary), dtype=np.float32)[x]
    elif masked is not None:
        hidden = (x == masked).all(axis=-1, keepdims=True)
        x = np.concatenate([np.where(hidden, 0, x), hidden], axis=-1, dtype=np.float32)
    return x.reshape(len(x), -1)


def _of_sklearn(task: Task, linear: bool) -> Array:
    """Return the answers of the regression that validates best, or of a perceptron.

    No weights of samples are needed: those of the tasks leave steps out, in all samples alike.
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, validation, _ = task.parts
    x, *others = (side_by_side(task, each.x) for each in task.parts)
    is_one_class = bool(task.labels) and train.y.ndim == 1
    models: list[Any]
    if not linear:
        perceptron = MLPClassifier if is_one_class else MLPRegressor
        epochs = min(EPOCHS, NUMBERS_READ // x.size)
        stop = {"max_iter": epochs, "early_stopping": True, "n_iter_no_change": 20, "tol": 0.0}
        start = {"learning_rate_init": 3e-3, "random_state": task.seed}
        models = [perceptron(hidden_layer_sizes=(HIDDEN,), **start, **stop)]
    elif is_one_class:
        models = [LogisticRegression(C=each, max_iter=200) for each in INVERSE_PENALTIES]
    else:
        models = [Ridge(each) for each in PENALTIES]
    # a step's class is a 1 among zeros
    wanted = np.eye(len(task.labels))[train.y] if task.labels and not is_one_class else train.y
    flat = wanted if is_one_class else wanted.reshape(len(x), -1)
    best, least = np.empty(0), np.inf
    for model in models:
        fitted = make_pipeline(StandardScaler(), model)
        if not is_one_class:
            fitted = TransformedTargetRegressor(fitted, transformer=StandardScaler())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where it stops before it has converged
            fitted.fit(x, flat)
        found = [fitted.predict(each).reshape(len(each), *wanted.shape[1:]) for each in others]
        if wanted.ndim > train.y.ndim:
            found = [each.argmax(axis=-1) for each in found]
        score = task.measure.score(validation.y, found[0], validation.weights)
        loss = -score if task.measure.higher_is_better else score
        if loss < least:
            best, least = found[1], loss
    return best
