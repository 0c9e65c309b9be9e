"""Models saved to pipes: standard output, and signals while a save waits for its reader."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lstmfast.models import load_model


def test_standard_output_may_be_a_pipe(tmp_path: Path) -> None:
    """Through a link as /dev/stdout is one: the link must be there afterwards."""
    out = tmp_path / "out"
    out.symlink_to("/proc/self/fd/1")
    program = f"""
from lstmfast.layers import Dense
from lstmfast.models import Sequential
Sequential([Dense(1, input_shape=(2,))], seed=0).save({str(out)!r})
"""
    written = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=60
    ).stdout
    assert out.is_symlink()
    path = tmp_path / "model.safetensors"
    path.write_bytes(written)
    assert load_model(path).output_shape == (None, 1)


_SAVE_TO_PIPE = """
import signal, sys
from lstmfast.layers import Dense
from lstmfast.models import Sequential
model = Sequential([Dense(300, input_shape=(300,))], seed=0)
signal.signal(signal.SIGUSR1, lambda *_: print("handled", flush=True))
print("ready", flush=True)
try:
    model.save(sys.argv[1])
    print("saved", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def signal_until_answer(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """Send the signal until the process says something: once may be before the wait begins."""
    assert process.stdout is not None
    while not select.select([process.stdout], [], [], 0.1)[0]:
        assert process.poll() is None
        process.send_signal(number)
    return process.stdout.readline()


@pytest.mark.parametrize("has_reader", [False, True])
def test_waiting_for_the_reader_of_a_pipe_can_be_interrupted(
    has_reader: bool, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-c", _SAVE_TO_PIPE, str(pipe)]
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) if has_reader else None
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            assert signal_until_answer(process, signal.SIGINT) == "interrupted\n"
        finally:
            process.kill()
    if reader is not None:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_signal_that_raises_nothing_does_not_end_a_save_to_a_pipe(tmp_path: Path) -> None:
    pipe, path = tmp_path / "pipe", tmp_path / "model.safetensors"
    os.mkfifo(pipe)
    command = [sys.executable, "-c", _SAVE_TO_PIPE, str(pipe)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            assert signal_until_answer(process, signal.SIGUSR1) == "handled\n"  # no reader yet
            with open(pipe, "rb") as reader:
                begin = reader.read(1)
                assert signal_until_answer(process, signal.SIGUSR1) == "handled\n"  # pipe full
                path.write_bytes(begin + reader.read())
            assert process.stdout.read().replace("handled\n", "") == "saved\n"
        finally:
            process.kill()
    assert load_model(path).output_shape == (None, 300)
