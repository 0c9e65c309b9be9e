"""`lstmfast run TASK`: train the model of a task, and show how well it does."""

from __future__ import annotations

import argparse
import inspect
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields, replace
from difflib import get_close_matches
from pathlib import Path
from time import perf_counter
from typing import Any

from . import common
from .common import Parser, UserError, number, whole_number
from .forecast import plot_kind
from .shown import painter, print_text, table

HELP = "train the model of a task and show how well it does (lstmfast tasks lists the tasks)"

# What stands for a value in help, and what makes it of text, by the annotation of a task's option.
_KINDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "int": ("N", int),
    "float": ("X", number(float, math.isfinite, "a number")),
    "str": ("TEXT", str),
    "Path": ("FILE", Path),
}
_POSITIVE = number(float, lambda value: 0.0 < value < math.inf, "a number above 0")
_SETTINGS = ("variant", "units", "epochs", "learning_rate")
_EXAMPLES, _FEW = 5, 3  # how many are shown, and of long ones
_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}"
_SHORT_BAR = "{percentage:3.0f}%{postfix}, {remaining}"
_NARROW = 70  # columns of a terminal that has room for the short one alone
_CODES = (
    "lstmfast run TASK --help shows the options of a task. Exit codes: 0, the score reaches the "
    "task's target; 1, it does not; 2, a mistake in the command or its data."
)


def add_arguments(parser: Parser) -> None:
    """Add the arguments once the task is known: some are its own."""
    parser.late = _add


def _add(parser: Parser, given: Sequence[str]) -> None:
    from lstmfast import variants
    from lstmfast.tasks import TASKS, find

    pairs = zip(["", *given], given, strict=False)  # a word, and what stands before it
    words = [_name(word) for before, word in pairs if not _takes_value(before)]
    name = next((word for word in words if word in TASKS), None)
    task = find(name)() if name else None

    def told(text: str, setting: str) -> str:
        """Return a text with the default that the task suggests."""
        value = getattr(task.settings, setting) if task else ""
        value = ",".join(map(str, value)) if isinstance(value, tuple) else value
        return f"{text} (default {value})" if task else text

    add, fitting = parser.add_option, variants.__all__
    if name and {"-h", "--help"} & {*given}:
        with suppress(ImportError):  # of scikit-learn, which brings the digits
            fitting = find(name)(samples=20).variants
    add("task", "TASK", "what to train; lstmfast tasks lists them", task_name)
    add("--variant", "V", told(f"the model, one of {', '.join(fitting)}", "variant"))
    add("--units", "N", told("units of the LSTM, or of each: 64,32", "units"), _units)
    parser.add_number("--epochs", 1, told("passes over the training samples", "epochs"))
    rate = told("learning rate at the start", "learning_rate")
    add("--lr", "X", rate, _POSITIVE, dest="learning_rate")
    parser.add_number("--seed", 0, "seed of the data and of the model", default=0)
    many = f" (default {task.settings.samples[0]})" if task else ""
    parser.add_number("--samples", 1, f"samples to train with{many}")
    kinds = "F.safetensors, or for Keras F.keras or F.h5 where it has all that the model uses"
    parser.add_file("--save", "F", f"save the model: {kinds}")
    pictures = (
        "draw the answers to test samples into F.png and the learning curves into "
        "F_learning.png, or the curves into F.png for a task without such a picture; also .svg "
        "and .pdf"
    )
    parser.add_file("--plot", "F.png", pictures)
    parser.add_file("--json", "F.json", "write all figures and the examples")
    quiet = "print nothing: the exit code and --json tell all"
    parser.add_argument("--quiet", action="store_true", help=quiet)
    parser.usage, parser.epilog = f"lstmfast run {name or 'TASK'} [options]", _CODES
    if task:
        parser.description, parser.epilog = f"{task.summary} ({task.mode}; {task.source})", None
        _add_own(parser.add_argument_group(f"options of {task.name}"), task)


def _add_own(group: Any, task: Any) -> None:
    """Add the options of a task, with the texts of its docstring."""
    texts = parameter_texts(type(task))
    for each in own_options(task):
        text = texts[each.name].rstrip(".").replace("%", "%%")
        if text[1:2].islower():
            text = text[0].lower() + text[1:]
        if each.default not in (None, ""):
            text += " (default %(default)s)"
        metavar, kind = _KINDS[str(each.type).partition(" | ")[0]]
        kind = whole_number(each.metadata.get("least", 1)) if kind is int else kind
        flag = _flag(each.name)
        group.add_argument(flag, metavar=metavar, type=kind, default=each.default, help=text)


def parameter_texts(kind: type) -> dict[str, str]:
    """Return what the sections Parameters of a class and its bases say of each, in numpydoc."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        found |= _documented(each.__doc__ or "")
    return found


def _documented(docstring: str) -> dict[str, str]:
    section = inspect.cleandoc(docstring).partition("\nParameters\n")[2]
    section = re.split(r"\n\n\w[\w ]*\n-+\n", section.partition("\n")[2])[0]
    parts = re.split(r"^(\w[\w, ]*) : .*\n", section, flags=re.MULTILINE)[1:]
    return {
        name: " ".join(text.split()).replace("``", "")
        for names, text in zip(parts[::2], parts[1::2], strict=True)
        for name in names.split(", ")
    }


def own_options(task: Any) -> list[Any]:
    """Return the fields of a task, or of its class, that not every task has."""
    return [each for each in fields(task) if each.name not in ("seed", "samples")]


def _takes_value(word: str) -> bool:
    """Tell whether the next word of a command line is the value of this one, an option."""
    return word.startswith("--") and "=" not in word and word not in ("--quiet", "--help", "--")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _name(text: str) -> str:
    return text.replace("-", "_").lower()


def task_name(text: str) -> str:
    """Return the name of a task, a kind of argument."""
    from lstmfast.tasks import TASKS

    if (name := _name(text)) in TASKS:
        return name
    hint = "".join(f"did you mean {alike}? " for alike in get_close_matches(name, TASKS, n=1))
    raise argparse.ArgumentTypeError(f"there is no task {text!r}; {hint}lstmfast tasks lists them")


def _units(text: str) -> Any:
    expected = "whole numbers from 1 on, with commas between them"
    one, *more = map(number(int, lambda value: value >= 1, expected), text.split(","))
    return (one, *more) if more else one


def run(args: argparse.Namespace) -> int:
    """Train, judge, print and write; all checks come before training."""
    from lstmfast.tasks import find, load

    given = vars(args)
    defaults = {each.name: each.default for each in own_options(find(args.task))}
    options = {name: given[name] for name in defaults if name in given}
    plots = [] if args.plot is None else [args.plot, _learning(args.plot)]
    inputs = [value for value in options.values() if isinstance(value, Path)]
    common.check_outputs([args.save, args.json, *plots], inputs)
    for path in plots:
        plot_kind(path)
    wanted = {name: given[name] for name in _SETTINGS}
    layout = _SHORT_BAR if (common.columns() or _NARROW) < _NARROW else _BAR
    bar = common.progress_bar(args.task, disable=args.quiet or None, layout=layout)
    with _naming_flags(given, defaults), bar as advance:
        task = load(args.task, args.seed, args.samples, **options)
        _check_savable(task, args.save, wanted)
        callbacks = [] if args.quiet else [_progress(task, advance)]
        solution = task.solve(**wanted, callbacks=callbacks)
        examples = task.examples(solution.model, _EXAMPLES)
        facts = _facts(task, solution, wanted) | {"options": options}
    facts["examples"] = [example._asdict() for example in examples]
    try:
        written = _write(task, solution, facts, args)
    finally:  # what was reached is shown even if a file cannot be written
        if not args.quiet:
            _print(task, facts, examples)
    if written and not args.quiet:
        print_text(f"\nWritten: {', '.join(map(str, written))}")
    return 0 if solution.solved else 1


@contextmanager
def _naming_flags(given: dict[str, Any], defaults: dict[str, Any]) -> Iterator[None]:
    """Make errors of a task one line that begins with the flag of the argument."""
    try:
        yield
    except (ArithmeticError, ImportError, MemoryError, OSError, ValueError) as error:
        text = common.reason(error) or type(error).__name__
        name, _, rest = text.partition(" is ")
        if name in given:
            is_default = name in defaults and given[name] == defaults[name]
            hint = f" (its default; choose {_flag(name)})" if is_default else ""
            text = f"argument {_flag(name)}: {rest}{hint}"
        raise UserError(text) from None


def _check_savable(task: Any, path: Path | None, wanted: dict[str, Any]) -> None:
    """Refuse a name of a file that cannot hold the model, before it is trained."""
    from lstmfast._files import check_path
    from lstmfast.models import saving

    writer = None if path is None else saving.writer_of(check_path(path, "save"))
    if writer is not None:
        writer(task.build(**wanted), True)


def _progress(task: Any, advance: Callable[..., None]) -> Any:
    """Return a callback that moves the bar, and judges the model on the validation part.

    Judging takes at most a thirtieth of the time.
    """
    from lstmfast.callbacks import Callback

    class Progress(Callback):
        steps, score, judged, cost = 0, "", -math.inf, 0.0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.steps += 1
            self.show(logs)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            begun = perf_counter()
            if begun - self.judged > 30.0 * self.cost:
                value = task.score(self.model, task.validation)
                self.score = f", score {task.measure.text(value)}"
                self.judged, self.cost = perf_counter(), perf_counter() - begun
            self.steps = (epoch + 1) * self.params["steps"]  # some tasks tell of no batches
            self.show(logs)

        def show(self, logs: dict[str, float]) -> None:
            every = self.params["epochs"] * self.params["steps"]
            advance(self.steps, every, f"loss {logs['loss']:.3g}{self.score}")

    return Progress()


def _facts(task: Any, solution: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return all figures of a training."""
    from lstmfast import show_config

    given = {name: value for name, value in wanted.items() if value is not None}
    units = task.settings.units_of(wanted["variant"] or task.settings.variant)
    settings = replace(task.settings, **{"units": units, **given})
    y, weights, answers = task.test.y, task.test.weights, task.persistence(task.test)
    return {
        "task": task.name,
        "seed": task.seed,
        **asdict(settings),
        "samples": [len(part.x) for part in task.parts],  # to train, validate and test with
        "epochs": len(solution.history.epoch),  # fewer where training stopped by itself
        "parameters": solution.model.count_params(),
        "measure": task.measure.name,
        "higher_is_better": task.measure.higher_is_better,
        "target": task.target,
        "chance": task.chance,
        "persistence": answers if answers is None else task.measure.score(y, answers, weights),
        **{name: getattr(solution, name) for name in ("score", "solved", "seconds")},
        "losses": solution.history.history,
        "config": show_config("dict"),
    }


def _print(task: Any, facts: dict[str, Any], examples: Sequence[Any]) -> None:
    from lstmfast.forecasting.errors import counted
    from lstmfast.tasks import Task

    text, persistence = task.measure.text, facts["persistence"]
    units = facts["units"] if isinstance(facts["units"], tuple) else (facts["units"],)
    sizes = f"{' and '.join(map(str, units))} units, {facts['parameters']:,} parameters"
    relation = "at least" if task.measure.higher_is_better else "at most"
    passes = f"{counted(facts['epochs'], 'epoch')} of {counted(facts['samples'][0], 'sample')}"
    is_constant = type(task).chance is Task.chance
    rows = [
        (task.measure.name, text(facts["score"])),
        ("target", f"{relation} {text(task.target)}"),
        ("chance", text(facts["chance"]) + " (best constant answer)" * is_constant),
        *([] if persistence is None else [("persistence", text(persistence))]),
        ("model", f"{facts['variant']}, {sizes}"),
        ("training", f"{passes}, {facts['seconds']:.1f} s"),
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


def _learning(path: Path) -> Path:
    """Return where the learning curves go, next to the picture of the answers."""
    return path.with_name(f"{path.stem}_learning{path.suffix}")


def _write(task: Any, solution: Any, facts: dict[str, Any], args: argparse.Namespace) -> list[Path]:
    """Write the files that are asked for; return their names."""
    if args.save is not None:
        common.save_model(solution.model, args.save)
    contents: dict[Path, bytes] = {}
    if args.json is not None:
        contents[args.json] = f"{json.dumps(facts, indent=2, default=str)}\n".encode()
    if args.plot is not None:
        from lstmfast import plot
        from lstmfast.plot.looks import content

        kind = plot_kind(args.plot)
        picture, curves = task.picture(solution.model), plot.learning_curves(solution.history)
        contents[args.plot] = content(picture or curves, kind)
        if picture is not None:
            contents[_learning(args.plot)] = content(curves, kind)
    for path, each in contents.items():
        common.write_file(path, each)
    return [*([] if args.save is None else [args.save]), *contents]
