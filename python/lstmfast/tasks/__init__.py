"""Problems for each LSTM variant: data, a suggested model, and a score with a target.

``lf.tasks.load(name)`` returns a `Task`; ``lstmfast run NAME`` solves it and ``lstmfast tasks``
lists them all. Each is one file here, with one class whose name is the file's in capitals, and one
line in `TASKS`.
"""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from lstmfast._checks import choice, string
from lstmfast._keras_names import explain_missing

from ._measures import Measure
from ._records import Example, Part, Settings, Solution
from ._task import Task

__all__ = ["TASKS", "Example", "Measure", "Part", "Settings", "Solution", "Task", "find", "load"]

# Each name is a module in this folder.
TASKS = (
    # one answer, or one at each step
    "one_to_many",
    "many_to_one",
    "many_to_many",
    "next_number",
    "sequence_prediction",
    "sequence_classification",
    "sequence_generation",
    "sequence_to_sequence",
    # each variant's own problem
    "echo",
    "damped_sine",
    "moving_square",
    "addition",
    "cumulative_sum",
    "rectangles",
    # long memory
    "adding_problem",
    "copy_memory",
    "temporal_order",
    "reber",
    "long_memory",
    # noise and gaps
    "gaps",
    # real data
    "air_passengers",
    "digits",
    "text",
    "csv",
    # the applications of the field
    "translation",
    "summary",
    "programs",
    "captions",
    "handwriting",
    "music",
    "dna",
    "anomaly",
    "sentiment",
    "weather",
    "stock",
    "purchase",
    "video_motion",
    "spoken_words",
    "pole_balancing",
)


def find(name: str) -> type[Task]:
    """Return the class of a task.

    Parameters
    ----------
    name : str
        One of `TASKS`.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.tasks.find("echo").mode
    'many to one'
    """
    return _named(name, "tasks.find")


def _named(name: str, where: str) -> type[Task]:
    if string(name, "name", where) not in TASKS:
        alike = get_close_matches(name, TASKS, n=1)
        hint = f"; did you mean {alike[0]!r}?" if alike else ""
        raise ValueError(f"[{where}] name is {name!r}; expected one of lf.tasks.TASKS{hint}")
    module = import_module(f"lstmfast.tasks.{name}")
    found: type[Task] = getattr(module, name.title().replace("_", ""))
    return found


def load(name: str, seed: int = 0, samples: int | None = None, **options: Any) -> Task:
    """Return a task.

    Parameters
    ----------
    name : str
        One of `TASKS`.
    seed : int
        Of the data and of the model.
    samples : int, optional
        How many to train with; by default as many as the task suggests.
    **options
        What the task's class takes: ``length=25`` of ``"echo"``.

    Returns
    -------
    Task
        With the parts of its data, a suggested model, and a score.

    Raises
    ------
    TypeError, ValueError
        For a name or an option that there is not, or a value that it cannot have.

    Examples
    --------
    >>> import lstmfast as lf
    >>> task = lf.tasks.load("many_to_one")
    >>> solution = task.solve()
    >>> solution.solved
    True
    """
    kind = _named(name, "tasks.load")
    known = [each.name for each in fields(kind)]
    for each in options:
        choice(each, "option", name, *known)
    return kind(seed=seed, samples=samples, **options)


explain_missing(__name__)
