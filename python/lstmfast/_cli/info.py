"""`lstmfast info`: versions, processor, threads; or what a saved model needs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .common import Parser, UserError, reason

HELP = "show versions, processor, instruction sets and threads, or what a saved model needs"


def add_arguments(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        type=Path,
        help="a .safetensors file of a model: its layers, its memory once loaded; reads the header",
    )


def run(args: argparse.Namespace) -> int:
    """Print the configuration, or what a model needs."""
    if args.model is None:
        from lstmfast import show_config

        show_config()
        return 0
    from lstmfast._core import file_facts

    try:
        facts = file_facts(args.model)
    except OSError as error:
        raise UserError(reason(error)) from None
    except ValueError as error:
        raise UserError(_other_format(args.model) or reason(error)) from None
    rows = list(_rows(facts))
    width = max(len(name) for name, _ in rows)
    print("\n".join(f"{name:{width}}  {value}" for name, value in rows))
    return 0


def _other_format(path: Path) -> str | None:
    """Return what to do with a file of another program; None for any other name."""
    from lstmfast._files import is_of_keras
    from lstmfast.models.saving import row_format_of

    if not is_of_keras(str(path)) and row_format_of(str(path)) is None:
        return None
    return (
        f"{path}: is a {path.suffix} file; expected a .safetensors file, which "
        f'load_model("{path}").save("{path.stem}.safetensors") writes'
    )


def _rows(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield lines as a name and a text."""
    for name, shape, ids in facts["inputs"]:
        kind = f"ids below {ids}" if ids else facts["dtype"]
        yield "input", f"{name}: {_shape(shape)}, {kind}".removeprefix(": ")
    for name, kind, shape, count in facts["layers"]:
        yield "layer", f"{name} ({kind}): {_shape(shape)}, {count:,} parameters"
    for shape in facts["outputs"]:
        yield "output", f"{_shape(shape)}, {facts['dtype']}"
    yield "parameters", f"{facts['parameters']:,}"
    yield "weights", _bytes(facts["weight_bytes"])
    yield "loading", f"{_bytes(facts['loading_bytes'])} at most, for inference"
    if facts["cannot_stream"]:
        yield "streams", f"no: {reason(ValueError(facts['cannot_stream']))}"
        return
    of_ids = all(ids for *_, ids in facts["inputs"])
    yield "streams", "yes, of ids" if of_ids else "yes"
    yield "stream", f"about {_bytes(facts['stream_bytes'])} each, next to the weights of all"
    yield "step", f"{facts['multiply_adds']:,} multiply-adds"


def _shape(sizes: Sequence[int | None]) -> str:
    """Return a shape as text, with T for any number of steps."""
    return f"({', '.join('T' if size is None else str(size) for size in sizes)})"


def _bytes(count: int) -> str:
    """Return an amount of memory."""
    for unit in ("B", "KiB", "MiB"):
        if count < 10_240:
            return f"{count:,} {unit}"
        count = -(-count // 1024)
    return f"{count:,} GiB"
