"""`examples/compressor.py`: texts come back with any number of threads; errors are one line."""

from __future__ import annotations

import importlib.util
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import lstmfast as lf

FILE = Path(__file__).resolve().parents[1] / "examples" / "compressor.py"
TEXT = b"To be, or not to be, that is the question: to be is to do, and to do is to be. " * 8

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="no examples next to the tests")


@pytest.fixture(scope="module")
def compressor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compressor", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def packed(compressor: ModuleType) -> bytes:
    return bytes(compressor.compress(TEXT))


def refusal(compressor: ModuleType, packed: bytes) -> str:
    with pytest.raises(ValueError) as error:
        compressor.decompress(packed)
    return str(error.value)


def sealed(packed: bytes) -> bytes:
    """The file with a checksum that fits what it holds now."""
    return packed[:-4] + struct.pack("<I", zlib.crc32(packed[:-4]))


def test_command_line_and_threads(packed: bytes, tmp_path: Path) -> None:
    """Each side in a process of its own, with other threads. The model has learned something."""
    (tmp_path / "text").write_bytes(TEXT)
    for action, source, target, threads in (
        ("compress", "text", "packed", "2"),
        ("decompress", "packed", "again", "1"),
    ):
        subprocess.run(
            [sys.executable, FILE, action, source, target],
            env={**os.environ, "LSTMFAST_NUM_THREADS": threads},
            cwd=tmp_path,
            check=True,
            timeout=120,
        )
    assert (tmp_path / "again").read_bytes() == TEXT
    assert (tmp_path / "packed").read_bytes() == packed
    assert len(packed) < 0.75 * len(TEXT)


@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_threads(compressor: ModuleType, packed: bytes, threads: int) -> None:
    before = lf.get_num_threads()
    lf.set_num_threads(threads)
    try:
        assert compressor.decompress(packed) == TEXT
    finally:
        lf.set_num_threads(before)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"a", b"12345", bytes(range(256)), b"\xff" * 200],
    ids=lambda data: len(data),
)
def test_any_bytes(compressor: ModuleType, data: bytes) -> None:
    assert compressor.decompress(compressor.compress(data)) == data


def test_a_carry_goes_through_bytes_of_255(compressor: ModuleType) -> None:
    encoder = compressor.Encoder()
    encoder.bytes, encoder.low = bytearray(b"\x07\xff\xff"), 2**32 - 1
    encoder.encode(1, 2, 2)
    assert encoder.bytes[:3] == b"\x08\x00\x00"
    assert encoder.low == 2**31 - 2


def test_rare_symbols(compressor: ModuleType) -> None:
    """Tables at the limits of what quantising gives: one byte has nearly all of the interval."""
    rng = np.random.default_rng(0)
    tables = []
    for symbol in rng.integers(0, 256, 3000):
        frequencies = np.ones(256, np.int64)
        frequencies[symbol] = 2**16
        tables.append((np.concatenate([[0], np.cumsum(frequencies)]), symbol))
    tables = [(sums, s if rng.random() < 0.9 else rng.integers(0, 256)) for sums, s in tables]
    encoder = compressor.Encoder()
    for sums, symbol in tables:
        encoder.encode(int(sums[symbol]), int(sums[symbol + 1]), int(sums[-1]))
    for _ in range(4):
        encoder.write_byte()
    decoder = compressor.Decoder(encoder.bytes)
    assert [decoder.decode(sums) for sums, _ in tables] == [symbol for _, symbol in tables]
    entropy = sum(np.log2(sums[-1] / (sums[s + 1] - sums[s])) for sums, s in tables)
    # A narrow interval is cut to whole parts, of which there are at least 2**24 // 2**16.2 = 222:
    # a symbol costs at most 1/222 more of its interval, log2(1 + 1/222) < 0.0065 bits.
    assert entropy - 8 < 8 * len(encoder.bytes) < entropy + 0.0065 * len(tables) + 32


@pytest.mark.parametrize("place", [8, 24, 40, 45, 48, 60, -1])
def test_a_changed_byte_is_found(compressor: ModuleType, packed: bytes, place: int) -> None:
    damaged = bytearray(packed)
    damaged[place] ^= 1
    assert refusal(compressor, bytes(damaged)) == "the file is damaged or cut off"


@pytest.mark.parametrize("size", [8, 47, 51, 52, 100, -1])
def test_a_cut_file_is_found(compressor: ModuleType, packed: bytes, size: int) -> None:
    assert refusal(compressor, packed[:size]) == "the file is damaged or cut off"


@pytest.mark.parametrize("data", [b"", b"lstm", b"PK\3\4" + bytes(100), TEXT])
def test_other_files_are_refused(compressor: ModuleType, data: bytes) -> None:
    assert refusal(compressor, data) == "the file is not one that this program compressed"


def test_what_would_round_differently_is_refused(compressor: ModuleType, packed: bytes) -> None:
    def changed(place: int, name: bytes) -> str:
        return refusal(compressor, sealed(packed[:place] + name + packed[place + len(name) :]))

    isa, version = lf.isa(), lf.__version__
    assert changed(7, b"2") == "the file has format lstmzip2; expected lstmzip1"
    assert changed(24, b"9.9.9") == f"the file has lstmfast version 9.9.9; expected {version}"
    assert (
        changed(8, b"sve2".ljust(16, b"\0")) == f"the file has instruction set sve2; expected {isa}"
    )
    others = [name for name in lf.available_isas() if name != isa]
    if others:
        assert changed(8, others[0].encode().ljust(16, b"\0")) == (
            f"the file has instruction set {others[0]}; expected {isa}: "
            f"set LSTMFAST_ISA={others[0]} to decompress it"
        )


def test_wrong_probabilities_are_found(compressor: ModuleType, packed: bytes) -> None:
    """A body that was coded with others: the checksum of the text differs."""
    body = packed[compressor.HEADER.size : -4]
    wrong = sealed(
        packed[: compressor.HEADER.size] + bytes(255 - byte for byte in body) + packed[-4:]
    )
    assert refusal(compressor, wrong) == (
        "the text has another checksum than before: probabilities differ here"
    )


def test_mistakes_at_the_command_line(
    compressor: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text"
    text.write_bytes(TEXT)
    missing, target = tmp_path / "missing", tmp_path / "target"
    for arguments, message in (
        (["decompress", str(text), str(target)], f"{text}: the file is not one that this program"),
        (["compress", str(missing), str(target)], f"No such file or directory: '{missing}'"),
        (["compress", str(text), str(missing / "target")], f"there is no folder {missing}"),
        (["compress", str(text)], "compress needs two files, IN and OUT"),
        (["expand"], "invalid choice: 'expand'"),
    ):
        with pytest.raises(SystemExit) as end:
            compressor.main(arguments)
        assert end.value.code == 2
        error = capsys.readouterr().err
        assert message in error.splitlines()[-1]
        assert not target.exists()
