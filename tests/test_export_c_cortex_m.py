"""Exported C on an emulated Cortex-M4F: the bits of the host, and small enough for firmware."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exported_models import write_under_baseline
from lstmfast._export_c.sizes import CORTEX_M4, measure

TOOLS = "arm-none-eabi-gcc", "qemu-system-arm"
BOARD = Path(__file__).with_name("cortex_m")
FLAGS = (
    "-std=c99", "-Os", "-ffp-contract=off", *CORTEX_M4,
    "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-nostartfiles",
)  # fmt: skip
EMULATOR = (
    "qemu-system-arm", "-M", "mps2-an386", "-cpu", "cortex-m4", "-display", "none",
    "-monitor", "none", "-serial", "none", "-chardev", "stdio,id=host",
    "-semihosting-config", "enable=on,target=native,chardev=host", "-kernel",
)  # fmt: skip
# most bytes of weights, code and stack of LSTM(16) on one input and Dense(1)
GOALS = {"amp": (4676, 2048, 512), "amp_int8": (1638, 2048, 512)}
CASES = ("amp", "stack", "convolution", "gru_6", "lstm_clips", "activation_gelu",
         "activation_squareplus")  # fmt: skip

pytestmark = [
    pytest.mark.embed,
    *(pytest.mark.skipif(shutil.which(tool) is None, reason=f"needs {tool}") for tool in TOOLS),
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    write_under_baseline(folder, CASES)
    return folder


def run_on_board(folder: Path, name: str, x: Any, outputs: int) -> tuple[Any, int]:
    """The bits of the answers to x, and the most bytes of stack that a step has used."""
    rows = "".join(f"{{{', '.join(map(str, row.view(np.uint32)))}}},\n" for row in x)
    (folder / "case.h").write_text(
        f'#include "{name}.h"\n'
        f"#define STATE {name}_state\n#define RESET {name}_reset\n#define STEP {name}_step\n"
        f"enum {{ STEPS = {len(x)}, INPUTS = {x.shape[1]}, OUTPUTS = {outputs} }};\n"
        f"static const uint32_t input_bits[STEPS][INPUTS] = {{\n{rows}}};\n"
    )
    sources = [BOARD / "start.c", BOARD / "main.c", folder / f"{name}.c"]
    image = folder / f"{name}.elf"
    linked = ["-I", folder, "-I", BOARD, "-T", BOARD / "mps2.ld", "-o", image]
    subprocess.run([TOOLS[0], *FLAGS, *sources, *linked], check=True)
    done = subprocess.run(
        [*EMULATOR, image], capture_output=True, text=True, check=True, timeout=60
    )
    *answers, stack = [
        [int(word, 16) for word in line.split()] for line in done.stdout.split("\n")[:-1]
    ]
    return np.array(answers, np.uint32), stack[0]


@pytest.mark.parametrize("case", CASES)
def test_the_bits_are_those_of_the_host(exported: Path, case: str) -> None:
    with np.load(exported / f"{case}.npz") as data:
        for name in data.files[1:]:
            expected = data[name]
            found, _ = run_on_board(exported, name, data["x"], expected.shape[1])
            np.testing.assert_array_equal(found, expected.view(np.uint32), err_msg=name)


@pytest.mark.parametrize("name", GOALS)
def test_it_fits_a_small_processor(exported: Path, name: str) -> None:
    most, code, stack = GOALS[name]
    with np.load(exported / "amp.npz") as data:
        _, used = run_on_board(exported, name, data["x"], 1)
    assert used <= stack
    source = exported / f"{name}.c"
    told = re.search(r"Constants of the layers: (\d+) bytes", source.read_text())
    assert told is not None
    weights = int(told[1])
    assert weights <= most
    found = measure(source, weights)
    assert found is not None
    assert found.code <= code
    assert used <= found.stack <= stack
