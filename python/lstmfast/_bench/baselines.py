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


def baselines(task: Task) -> dict[str, Callable[[], Array]]:
    """Return what computes the answers to a task's test part, for each baseline that fits.

    ``persistence``: the last values go on, where the task says what that means. ``linear`` and
    ``mlp`` look at all steps side by side: a linear or logistic regression, and a perceptron with
    one hidden layer. They need scikit-learn.
    """
    own = any(getattr(type(task), each) is not getattr(Task, each) for each in ("score", "judged"))
    if own or task.shapes.is_next:
        return {}
    found: dict[str, Callable[[], Array]] = {}
    if (answers := task.persistence(task.test)) is not None:
        found["persistence"] = lambda: answers
    if side_by_side(task, task.train.x[:1]).shape[1] * len(task.train.x) <= MOST_NUMBERS:
        found["linear"] = lambda: _of_sklearn(task, linear=True)
        found["mlp"] = lambda: _of_sklearn(task, linear=False)
    return found


def side_by_side(task: Task, x: Array) -> Array:
    """Return samples (N, numbers): all steps in a row; a token is a 1 among zeros."""
    if x.dtype.kind in "iu":
        x = np.eye(len(task.vocabulary), dtype=np.float32)[x]
    return x.reshape(len(x), -1)


def _of_sklearn(task: Task, linear: bool) -> Array:
    """Return the answers of a regression or a perceptron that is fitted to the training part."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it stops before it has converged
        return _fitted(task, linear)


def _fitted(task: Task, linear: bool) -> Array:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y, _ = task.train
    perceptron = {
        "hidden_layer_sizes": (HIDDEN,),
        "early_stopping": True,
        "max_iter": 50,
        "random_state": task.seed,
    }
    is_one_class = bool(task.labels) and y.ndim == 1
    model: Any
    if is_one_class:
        model = LogisticRegression(max_iter=300) if linear else MLPClassifier(**perceptron)
    else:
        model = Ridge() if linear else MLPRegressor(**perceptron)
    fitted = make_pipeline(StandardScaler(), model)
    tests = side_by_side(task, task.test.x)
    if is_one_class:
        return np.asarray(fitted.fit(side_by_side(task, x), y).predict(tests))
    targets = np.eye(len(task.labels), dtype=np.float32)[y] if task.labels else y
    flat = targets.reshape(len(targets), -1)
    center, scale = flat.mean(axis=0), flat.std(axis=0) + 1e-9
    goal = (flat - center) / scale
    fitted.fit(side_by_side(task, x), goal[:, 0] if goal.shape[1] == 1 else goal)
    answers = np.reshape(fitted.predict(tests), (len(tests), -1)) * scale + center
    answers = answers.reshape(len(tests), *targets.shape[1:])
    found: Array = answers.argmax(axis=-1) if task.labels else answers
    return found
