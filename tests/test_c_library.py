"""The C library of the installed package: what it exports, how programs find it, what it loads."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

import lstmfast as lf
from graph_layer_cases import CASES
from lstmfast import _core, layers
from lstmfast.models import EncoderDecoder, Model, Sequential, load_model
from operation_cases import CASES as OPERATIONS
from test_streams import MODELS

pytestmark = pytest.mark.embed
HERE = Path(__file__).parent
INCLUDE, CMAKE = Path(lf.get_include()), Path(lf.get_cmake_dir())
LIBRARY = INCLUDE.parent / "lib" / "liblstmfast.so.1"  # the 1: ABI of lstmfast.h
PKG_CONFIG = LIBRARY.parent / "pkgconfig"
ROWS, STEPS = 6, 5  # rows: those of a stateful model among the golden files


def run(*command: Any, **more: Any) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compiled(source: Path, out: Path, *flags: str) -> Path:
    """A program of C, linked by its full path with the library."""
    strict = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")
    run("cc", *strict, f"-I{INCLUDE}", source, "-o", out, LIBRARY, f"-Wl,-rpath,{LIBRARY.parent}")
    return out


def test_the_c_interface_alone_is_exported() -> None:
    header = (INCLUDE / "lstmfast" / "lstmfast.h").read_text()
    declared = set(re.findall(r"^[\w* ]+\b(lstmfast_\w+)\(", header, re.MULTILINE))
    listed = run("nm", "-D", "--defined-only", LIBRARY).split("\n")
    assert {line.split()[-1] for line in listed if line} == declared
    assert len(declared) > 30


def in_a_row(shape: Sequence[int | None], *of: Any, **options: Any) -> Model:
    return Sequential([layers.Input(shape, **options), *of], seed=0)


# ---- How programs find it ----

# the example of the page
PAGE = (HERE.parent / "docs" / "embedding.md").read_text(encoding="utf-8")
PROGRAM, PROJECT = (
    re.findall(rf"```{of}\n(.*?)```", PAGE, re.DOTALL)[0] for of in ("cpp", "cmake")
)
LINES = "0.5 -1\n2 0.25\n0.5 3\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a program."""
    (tmp_path / "user.cpp").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(PROJECT)
    return tmp_path


def check_program(program: Path) -> None:
    model = in_a_row((None, 2), layers.LSTM(20, return_sequences=True), layers.Dense(1))
    model.save(program.with_name("model"))
    found = run(program, program.with_name("model"), input=LINES).split()
    y = model.stream().process(np.array(LINES.split(), np.float32).reshape(1, 3, 2))
    np.testing.assert_array_equal(np.array(found, np.float32), y.ravel())


def test_a_cmake_project_finds_the_package(project: Path) -> None:
    run("cmake", "-S", project, "-B", project / "build", f"-Dlstmfast_DIR={CMAKE}")
    run("cmake", "--build", project / "build")
    check_program(project / "build" / "user")


def test_pkg_config_finds_the_library(project: Path) -> None:
    environment = {"PKG_CONFIG_PATH": str(PKG_CONFIG)}
    flags = run("pkg-config", "--cflags", "--libs", "lstmfast", env=environment).split()
    assert run("pkg-config", "--modversion", "lstmfast", env=environment).strip() == lf.__version__
    out = project / "user"
    rpath = f"-Wl,-rpath,{LIBRARY.parent}"
    run("c++", "-std=c++11", "-Wall", "-Werror", project / "user.cpp", "-o", out, *flags, rpath)
    check_program(out)


def test_the_package_may_be_moved(tmp_path: Path) -> None:
    files = [*CMAKE.glob("*.cmake"), *PKG_CONFIG.glob("*.pc")]
    assert len(files) >= 4
    for path in files:
        assert str(INCLUDE.parent) not in path.read_text(), path


# ---- What it loads ----


def of_case(case: Any) -> Model:
    inputs = [layers.Input(shape) for shape in case.shapes]
    layer = case.make(layers)
    return Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))


def attention() -> Model:
    x = layers.Input((4, 6))
    kinds = (layers.Attention(), layers.AdditiveAttention(), layers.MultiHeadAttention(2, 3))
    return Model(x, [layer([x, x]) if k < 2 else layer(x, x) for k, layer in enumerate(kinds)])


class Weighted(layers.Layer):
    """With a weight, a constant and a mask."""

    supports_masking = True

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), name="scale")

    def call(self, x: Any, mask: Any = None) -> Any:
        return x * self.scale + np.float32([1.0, 2.0, 3.0]) + mask[:, :, None]


def encoder_decoder() -> Model:
    first = Sequential([layers.Input((None,)), layers.Embedding(6, 4), layers.LSTM(5)])
    return EncoderDecoder(first, 5, tokens=6, start_token=0, length=3, seed=0)


SAVED: dict[str, Callable[[], Model]] = {
    **{f"stream_{name}": make for name, make in MODELS.items()},
    **{
        f"layer_{name}": partial(of_case, case)
        for name, case in (CASES | OPERATIONS).items()
        if not case.masks
    },
    "ids": lambda: in_a_row((None,), layers.Embedding(7, 4), layers.GRU(5), dtype="int32"),
    "conv1d": lambda: in_a_row((None, 2), layers.Conv1D(3, 2, padding="causal"), layers.LSTM(3)),
    "conv2d": lambda: in_a_row((6, 5, 2), layers.Conv2D(3, 2), layers.SpatialDropout2D(0.5)),
    "conv_lstm1d": lambda: in_a_row((None, 5, 2), layers.ConvLSTM1D(3, 2)),
    "conv_lstm2d": lambda: in_a_row((None, 5, 4, 2), layers.ConvLSTM2D(3, 2)),
    "noise": lambda: in_a_row(
        (None, 3),
        layers.GaussianNoise(0.1),
        layers.GaussianDropout(0.1),
        layers.AlphaDropout(0.1),
        layers.SpatialDropout1D(0.1),
        layers.Activation("tanh"),
        layers.ActivityRegularization(0.1),
        layers.BatchNormalization(),
        layers.ELU(),
        layers.LeakyReLU(),
    ),
    "volumes": lambda: in_a_row((2, 3, 4, 2), layers.SpatialDropout3D(0.5)),
    "mixture": lambda: in_a_row((None, 3), layers.LSTM(4), layers.MixtureDensity(2, 3)),
    "inside": lambda: in_a_row((None, 3), in_a_row((None, 3), layers.LSTM(4)), layers.Dense(2)),
    "own": lambda: in_a_row((4, 3), layers.Masking(), Weighted()),
    "attention": attention,
    "encoder_decoder": encoder_decoder,
}


def kinds_in(path: Path) -> set[str]:
    """Kinds of all layers in a file."""
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    return {v for k, v in metadata.items() if k.startswith("model.") and k.endswith(".kind")}


def core_of(model: Model) -> Any:
    """The graph, whatever `predict` makes of it."""
    assert model._core_model is not None
    return model._core_model


def inputs_of(model: Model) -> list[Any]:
    """Arrays of ROWS samples for each input."""
    rng = np.random.default_rng(8)
    arrays = []
    for shape, _, _, ids in core_of(model).inputs:
        sizes = (ROWS, *(STEPS if size in (None, -1) else size for size in shape))
        values = rng.standard_normal(sizes).astype(model.dtype)
        arrays.append(rng.integers(0, ids, sizes).astype(np.int32) if ids else values)
    return arrays


def joined(arrays: Any) -> bytes:
    listed = arrays if isinstance(arrays, list) else [arrays]
    return b"".join(np.ascontiguousarray(each).tobytes() for each in listed)


def test_every_file_loads_and_computes_the_same(tmp_path: Path) -> None:
    paths = []
    for path in sorted((HERE / "golden").glob("*.safetensors")):
        paths.append(Path(shutil.copy(path, tmp_path)))
    for name, make in SAVED.items():
        paths.append(tmp_path / f"{name}.safetensors")
        make().save(paths[-1])
    assert set().union(*map(kinds_in, paths)) >= set(_core.kinds("layer"))
    models = [load_model(path, compile=False) for path in paths]
    for path, model in zip(paths, models, strict=True):
        path.with_name(f"{path.name}.x").write_bytes(joined(inputs_of(model)))
    program = compiled(HERE / "c_library" / "run_files.c", tmp_path / "run")
    reasons = run(program, *paths).splitlines()
    assert len(reasons) == len(paths)
    streamed = 0
    for path, model, reason in zip(paths, models, reasons, strict=True):
        x = inputs_of(model)
        whole = core_of(model).predict(x, ROWS)
        assert path.with_name(f"{path.name}.predicted").read_bytes() == joined(whole), path.name
        try:
            stream, expected = model.stream(ROWS), ""
            ports = zip(x, stream._inputs, strict=True)
            if len({array.shape[1] for array, (_, _, steps) in ports if steps}) > 1:
                expected = "several lengths"
        except ValueError as error:
            expected = str(error)
        assert reason == expected, path.name
        if expected:
            continue
        y = stream.process(x if len(x) > 1 else x[0])
        assert path.with_name(f"{path.name}.streamed").read_bytes() == joined(y), path.name
        streamed += 1
    assert streamed > len(paths) / 3


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model"
    MODELS["last"]().save(path)
    content = path.read_bytes()
    path.write_bytes(content[:-4] + bytes([content[-4] ^ 1]) + content[-3:])
    program = compiled(HERE / "c_library" / "run_files.c", tmp_path / "run")
    assert re.match(r"\[load\] .*model: tensor .* is damaged", run(program, path))
