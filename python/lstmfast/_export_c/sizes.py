"""What the compiler makes of a source: bytes of code, and of stack in the deepest call."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
_COMPILERS = {"arm-none-eabi-gcc": CORTEX_M4, "gcc": (), "cc": ()}
_FLAGS = ("-std=c99", "-Os", "-ffp-contract=off", "-c")


class Measured(NamedTuple):
    """Bytes by a compiler; code without weights and library functions; None: not known."""

    compiler: str
    code: int
    stack: int | None


def measure(source: Path, weights: int) -> Measured | None:
    """Return what the first compiler that is found makes of a source; None without one."""
    for compiler, target in _COMPILERS.items():
        size = f"{compiler.removesuffix('gcc').removesuffix('cc')}size"
        if shutil.which(compiler) is None or shutil.which(size) is None:
            continue
        command = [compiler, *_FLAGS, *target, str(source.resolve())]
        with tempfile.TemporaryDirectory() as scratch:
            graph = [*command, "-fcallgraph-info=su", "-o", "a.o"]
            for attempt in (graph, [*command, "-o", "a.o"]):  # clang draws no graph
                done = subprocess.run(attempt, cwd=scratch, capture_output=True, check=False)
                if done.returncode == 0:
                    break
            else:
                continue
            listed = subprocess.run(
                [size, "-A", "a.o"], cwd=scratch, capture_output=True, text=True, check=True
            ).stdout
            found = re.findall(r"^\.(?:text|rodata)\S*\s+(\d+)", listed, re.MULTILINE)
            drawn = next(Path(scratch).glob("*.ci"), None)
            stack = None if drawn is None else deepest(drawn.read_text(), f"{source.stem}_step")
            shown = " ".join([compiler, "-Os", *target])
            return Measured(shown, sum(map(int, found)) - weights, stack)
    return None


def deepest(graph: str, start: str) -> int:
    """Return the bytes of stack of a function and of the deepest chain of calls below it."""
    frames = {
        title: int(size)
        for title, size in re.findall(r'node: \{ title: "([^"]*)"[^}]*?\\n(\d+) bytes', graph)
    }
    calls = defaultdict(list)
    for caller, called in re.findall(r'sourcename: "([^"]*)" targetname: "([^"]*)"', graph):
        calls[caller].append(called)

    @cache
    def depth(title: str) -> int:
        return frames.get(title, 0) + max(map(depth, calls[title]), default=0)

    return max(depth(title) for title in frames if title.rpartition(":")[2] == start)
