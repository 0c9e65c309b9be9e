"""`lstmfast run TASK`: train the model of a task, and show how well it does."""

from __future__ import annotations

import argparse
import inspect
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from time import perf_counter
from typing import Any

from .common import (
    Parser,
    UserError,
    check_outputs,
    number,
    progress_bar,
    reason,
    whole_number,
    write_file,
)
from .forecast import plot_kind
from .shown import painter, print_text, table

HELP = "train the model of a task and show how well it does (lstmfast tasks lists the tasks)"

_FLAGS = {"learning_rate": "lr"}  # of arguments that have another name in Python
# What stands for a value in help, and what makes it of text, by the annotation of a task's option.
_KINDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "int": ("N", int),
    "float": ("X", number(float, math.isfinite, "a number")),
    "str": ("TEXT", str),
    "Path": ("FILE", Path),
}
_EXAMPLES, _FEW = 5, 3  # how many are shown, and of long ones
_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}"


def add_arguments(parser: Parser) -> None:
    """Add the arguments once the task is known: some are its own."""
    parser.late = _add


def _add(parser: Parser, given: Sequence[str]) -> None:
    from lstmfast.tasks import TASKS, find
    from lstmfast.tasks._networks import VARIANTS

    name = next((each for each in map(_task_name, given) if each in TASKS), None)
    task = None if name is None else find(name)()
    parser.usage = "lstmfast run TASK [options]"
    add = parser.add_argument
    add("task", metavar="TASK", type=_task, help="what to train; lstmfast tasks lists them")
    add(
        "--variant",
        metavar="V",
        choices=list(VARIANTS),
        help=f"another model, where it fits: {', '.join(VARIANTS)}" + _default(task, "variant"),
    )
    add(
        "--units",
        metavar="N",
        type=_units,
        help="units of the LSTM, or of each, as 64,32" + _default(task, "units"),
    )
    epochs = "passes over the training samples" + _default(task, "epochs")
    parser.add_number("--epochs", 1, epochs)
    add(
        "--lr",
        metavar="X",
        dest="learning_rate",
        type=number(float, lambda value: 0.0 < value < math.inf, "a number above 0"),
        help="learning rate at the start" + _default(task, "learning_rate"),
    )
    parser.add_number("--seed", 0, "seed of the data and of the model", default=0)
    many = f" (default {task.settings.samples[0]})" if task else ""
    parser.add_number("--samples", 1, f"samples to train with{many}")
    parser.add_file(
        "--save", "F", "save the model: F.safetensors, or F.keras or F.h5 (files of Keras)"
    )
    parser.add_file(
        "--plot",
        "F.png",
        "draw the answers to test samples into F.png and the learning curves into "
        "F_learning.png, or the curves into F.png for a task without such a picture; also .svg "
        "and .pdf",
    )
    parser.add_file("--json", "F.json", "write all figures and the examples")
    add("--quiet", action="store_true", help="print nothing: the exit code and --json tell all")
    if task is None:
        parser.epilog = (
            "lstmfast run TASK --help shows the options of a task. Exit codes: 0, the score "
            "reaches the task's target; 1, it does not; 2, a mistake in the command or its data."
        )
        return
    parser.usage = f"lstmfast run {name} [options]"
    parser.description = f"{task.summary} ({task.mode}; {task.source})"
    _add_own(parser, task)


def _add_own(parser: Parser, task: Any) -> None:
    """Add the options of a task, with the texts of its docstring."""
    group = parser.add_argument_group(f"options of {task.name}")
    texts = parameter_texts(type(task))
    for each in _own(task):
        text = _uncapitalised(texts[each.name]).rstrip(".")
        if each.default not in (None, ""):
            text += f" (default {each.default})"
        metavar, convert = _KINDS[str(each.type).partition(" | ")[0]]
        if convert is int:
            convert = whole_number(each.metadata.get("least", 1))
        group.add_argument(
            _flag(each.name),
            metavar=metavar,
            type=convert,
            default=each.default,
            help=text.replace("%", "%%"),
        )


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def parameter_texts(kind: type) -> dict[str, str]:
    """Return what the section Parameters of a class's numpydoc says of each."""
    section = inspect.cleandoc(kind.__doc__ or "").partition("\nParameters\n")[2]
    section = re.split(r"\n\n\w[\w ]*\n-+\n", section.partition("\n")[2])[0]
    parts = re.split(r"^(\w[\w, ]*) : .*\n", section, flags=re.MULTILINE)[1:]
    return {
        name: " ".join(text.split()).replace("``", "")
        for names, text in zip(parts[::2], parts[1::2], strict=True)
        for name in names.split(", ")
    }


def _own(task: Any) -> list[Any]:
    """Return the fields of a task that not every task has."""
    return [each for each in fields(task) if each.name not in ("seed", "samples")]


def _default(task: Any, name: str) -> str:
    if task is None:
        return ""
    value = getattr(task.settings, name)
    return f" (default {','.join(map(str, value)) if isinstance(value, tuple) else value})"


def _flag(name: str) -> str:
    return f"--{_FLAGS.get(name, name).replace('_', '-')}"


def _task_name(text: str) -> str:
    return text.replace("-", "_").lower()


def _task(text: str) -> str:
    from lstmfast.tasks import TASKS

    if (name := _task_name(text)) in TASKS:
        return name
    alike = get_close_matches(name, TASKS, n=1)
    hint = f"did you mean {alike[0]}? " if alike else ""
    raise argparse.ArgumentTypeError(f"there is no task {text!r}; {hint}lstmfast tasks lists them")


def _units(text: str) -> tuple[int, ...]:
    one = number(int, lambda value: value >= 1, "whole numbers from 1 on, with commas between them")
    return tuple(int(one(part)) for part in text.split(","))


def run(args: argparse.Namespace) -> int:
    """Train, judge, print and write; all checks come before training."""
    from lstmfast.tasks import find, load

    own = _own(find(args.task))
    options = {each.name: getattr(args, each.name, each.default) for each in own}
    plots = _plots(args.plot)
    used = [value for value in options.values() if isinstance(value, Path)]
    check_outputs([args.save, args.json, *plots], used)
    if args.plot is not None:
        plot_kind(args.plot)
    wanted = args.variant, args.units, args.epochs, args.learning_rate
    with _naming_flags(args, options):
        task = load(args.task, args.seed, args.samples, **options)
        if args.save is not None:
            _check_savable(task, args.save, wanted)
    bar = progress_bar(args.task, disable=args.quiet or None, layout=_BAR)
    with _naming_flags(args, options), bar as advance:
        listeners = [] if args.quiet else [_progress(task, advance)]
        solution = task.solve(*wanted, callbacks=listeners)
        examples = task.examples(solution.model, _EXAMPLES)
    facts = _facts(args, task, solution, options) | {
        "examples": [example._asdict() for example in examples]
    }
    try:
        written = _write(args, task, solution, facts, plots)
    finally:  # what was reached is shown even if a file cannot be written
        if not args.quiet:
            _print(task, facts, examples)
    if written and not args.quiet:
        print_text(f"\nWritten: {', '.join(map(str, written))}")
    return 0 if solution.solved else 1


@contextmanager
def _naming_flags(args: argparse.Namespace, options: dict[str, Any]) -> Iterator[None]:
    """Make errors of a task one line that begins with the flag of the argument."""
    try:
        yield
    except (ArithmeticError, ImportError, MemoryError, OSError, ValueError) as error:
        text = reason(error) or type(error).__name__
        name, _, rest = text.partition(" is ")
        if name in options or name in vars(args):
            text = f"argument {_flag(name)}: {rest.replace('None;', 'not given;', 1)}"
        raise UserError(text) from None


def _check_savable(task: Any, path: Path, wanted: Sequence[Any]) -> None:
    """Refuse a name of a file that cannot hold the model, before it is trained."""
    from lstmfast._files import check_path, is_of_keras
    from lstmfast.models import keras_writing

    if is_of_keras(check_path(path, "save")):
        keras_writing.content(task.build(*wanted), str(path), include_optimizer=True)


def _progress(task: Any, advance: Any) -> Any:
    """Return a callback that moves the bar, and judges the model on the validation part.

    Judging takes at most a thirtieth of the time.
    """
    from lstmfast.callbacks import Callback

    class Progress(Callback):
        steps, score, judged, cost = 0, "", -math.inf, 0.0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.steps += 1
            every = self.params["epochs"] * self.params["steps"]
            advance(self.steps, every, f"loss {logs['loss']:.4g}{self.score}")

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            begun = perf_counter()
            if begun - self.judged > 30.0 * self.cost:
                value = task.score(self.model, task.validation)
                self.score = f", score {task.measure.text(value)}"
                self.judged, self.cost = perf_counter(), perf_counter() - begun

    return Progress()


def _facts(
    args: argparse.Namespace, task: Any, solution: Any, options: dict[str, Any]
) -> dict[str, Any]:
    """Return all figures of a training."""
    from lstmfast import show_config

    suggested = task.settings
    names = "variant", "units", "learning_rate"
    used = {
        name: getattr(suggested if getattr(args, name) is None else args, name) for name in names
    }
    return {
        "task": task.name,
        "options": {
            name: str(value) if isinstance(value, Path) else value
            for name, value in options.items()
        },
        "seed": task.seed,
        "samples": len(task.train.x),
        **used,
        "epochs": len(solution.history.epoch),  # fewer where training stopped by itself
        "batch_size": suggested.batch_size,
        "parameters": solution.model.count_params(),
        "measure": task.measure.name,
        "higher_is_better": task.measure.higher_is_better,
        "score": solution.score,
        "target": task.target,
        "chance": task.chance,
        "persistence": None
        if (answers := task.persistence(task.test)) is None
        else task.measure.score(task.test.y, answers, task.test.weights),
        "solved": solution.solved,
        "seconds": round(solution.seconds, 3),
        "losses": dict(solution.history.history),
        "config": show_config("dict"),
    }


def _print(task: Any, facts: dict[str, Any], examples: Sequence[Any]) -> None:
    text = task.measure.text
    relation = "at least" if task.measure.higher_is_better else "at most"
    units = facts["units"] if isinstance(facts["units"], tuple) else (facts["units"],)
    sizes = " and ".join(map(str, units))
    rows = [
        (task.measure.name, text(facts["score"])),
        ("target", f"{relation} {text(task.target)}"),
        ("chance", text(facts["chance"])),
        *([] if facts["persistence"] is None else [("persistence", text(facts["persistence"]))]),
        ("model", f"{facts['variant']}, {sizes} units, {facts['parameters']:,} parameters"),
        (
            "training",
            f"{facts['epochs']} epochs of {facts['samples']} samples, {facts['seconds']:.1f} s",
        ),
    ]
    verdict, colour = ("reached", "green") if facts["solved"] else ("missed", "red")
    print_text(f"{task.name}: {task.summary}\n\n{table(rows)}")
    print_text(painter()(f"The target is {verdict}.", f"bold {colour}"))
    head = "input", "expected", "predicted"
    shown = table([head, *examples])
    if shown.count("\n") > len(examples):  # some are too long for a line: one below another
        blocks = [table([*zip(head, example, strict=True)]) for example in examples[:_FEW]]
        shown = "\n\n".join(blocks)
    print_text(f"\n{shown}")


def _plots(path: Path | None) -> list[Path]:
    """Return where the picture of the answers goes, and the learning curves."""
    if path is None:
        return []
    return [path, path.with_name(f"{path.stem}_learning{path.suffix}")]


def _write(
    args: argparse.Namespace, task: Any, solution: Any, facts: dict[str, Any], plots: list[Path]
) -> list[Path]:
    """Write the files that are asked for; return their names."""
    written = []
    if args.save is not None:
        try:
            solution.model.save(args.save)
        except (OSError, ValueError) as error:
            text = reason(error).removeprefix(f"{args.save}: ")
            raise UserError(f"{args.save}: {text}") from None
        written.append(args.save)
    if args.json is not None:
        write_file(args.json, f"{json.dumps(facts, indent=2)}\n".encode())
        written.append(args.json)
    if plots:
        from lstmfast import plot
        from lstmfast.plot._looks import content

        drawn = [task.picture(solution.model), plot.learning_curves(solution.history)]
        figures = [figure for figure in drawn if figure is not None]
        for path, figure in zip(plots[: len(figures)], figures, strict=True):
            write_file(path, content(figure, plot_kind(path)))
            written.append(path)
    return written
