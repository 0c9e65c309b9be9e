"""Threads: how many, where the number comes from, forks, callers at once, one CPU for two."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import lstmfast as lf
import runs
from cases import Case, make_problem

# large enough to be shared, by rows and by panels of units
SHARED = (Case(8, 40, 32, 96, state=True), Case(8, 6, 64, 256, state=True))
LIMIT = 60.0  # seconds; what hangs is ended by it, and nothing here takes a tenth of that

TASKS = Path("/proc/self/task")


def run_all() -> list[runs.Arrays]:
    problems = [make_problem(case) for case in SHARED]
    rnns = [runs.make_rnn(*each) for each in zip(SHARED, problems, strict=True)]
    return [runs.run(*each) for each in zip(rnns, problems, strict=True)]


def assert_same(found: list[runs.Arrays], expected: list[runs.Arrays]) -> None:
    for results, others in zip(found, expected, strict=True):
        runs.assert_same_bits(results, others)


# -- the number ----------------------------------------------------------------------------------


def test_set_and_get() -> None:
    for n in (1, 2, 7, 1):
        lf.set_num_threads(n)
        assert lf.get_num_threads() == n


@pytest.mark.parametrize("n", [0, -1, 2**40])
def test_a_number_out_of_range(n: int) -> None:
    before = lf.get_num_threads()
    with pytest.raises(ValueError, match="n is"):
        lf.set_num_threads(n)
    assert lf.get_num_threads() == before


@pytest.mark.parametrize("n", ["2", 2.0, None])
def test_something_else_than_a_number(n: Any) -> None:
    with pytest.raises(TypeError, match=r"set_num_threads.* n is .*expected an integer"):
        lf.set_num_threads(n)


@pytest.mark.parametrize(
    ("own", "omp", "expected"),
    [("3", "5", 3), (None, "5", 5), (None, "6,2", 6), ("1", None, 1)],
)
def test_environment(own: str | None, omp: str | None, expected: int) -> None:
    code = "import lstmfast as lf; print(lf.get_num_threads())"
    done = runs.python(code, LSTMFAST_NUM_THREADS=own, OMP_NUM_THREADS=omp)
    assert done.stdout.strip() == str(expected), done.stderr


def test_without_environment_it_is_at_most_the_cpus_of_this_process() -> None:
    code = "import lstmfast as lf; print(lf.get_num_threads())"
    done = runs.python(code, LSTMFAST_NUM_THREADS=None, OMP_NUM_THREADS=None)
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert 1 <= int(done.stdout) <= (cpus or 1), done.stderr


@pytest.mark.parametrize("text", ["two", "0", "-1", "1.5"])
def test_a_malformed_environment(text: str) -> None:
    code = "import lstmfast as lf; lf.get_num_threads()"
    done = runs.python(code, LSTMFAST_NUM_THREADS=text)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError: ")
    assert "LSTMFAST_NUM_THREADS" in last
    assert text in last


@pytest.mark.skipif(not TASKS.exists(), reason="needs /proc")
@pytest.mark.parametrize("case", SHARED, ids=lambda case: case.name)
def test_large_calls_use_the_team_and_small_ones_do_not(case: Case) -> None:
    """Otherwise tests of equal bits would say nothing."""
    code = f"""
import os
import runs
from cases import Case, make_problem
import lstmfast as lf
def threads():
    return len(os.listdir("/proc/self/task"))
def call(case):
    problem = make_problem(case)
    runs.run(runs.make_rnn(case, problem), problem)
lf.set_num_threads(3)
before = threads()
call(Case(3, 3, 1, 50))
small = threads()
call({case!r})
print(small - before, threads() - before)
"""
    done = runs.python(code, OPENBLAS_NUM_THREADS="1")
    assert done.stdout.split() == ["0", "2"], (done.stdout, done.stderr)


# -- where it is used ----------------------------------------------------------------------------


def in_child(work: Callable[[], None]) -> int:
    """Exit status of a fork that does the work: 0 when it did not raise."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("the child hangs")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_after_a_fork() -> None:
    """The team's threads do not survive a fork; the child starts its own."""
    with runs.threads(2):
        expected = run_all()
        assert in_child(lambda: assert_same(run_all(), expected)) == 0
        # a child of a child, and the parent goes on
        assert in_child(lambda: in_child(lambda: assert_same(run_all(), expected)) and 1 / 0) == 0
        assert_same(run_all(), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_fork_while_the_team_works() -> None:
    with runs.threads(2):
        expected = run_all()
        with ThreadPoolExecutor(1) as pool:
            busy = [pool.submit(run_all) for _ in range(20)]
            for _ in range(4):
                assert in_child(lambda: assert_same(run_all(), expected)) == 0
            for future in busy:
                assert_same(future.result(), expected)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_many_callers_at_once(n: int) -> None:
    """One has the team, the others run alone; the bits are the same."""
    expected = run_all()
    with runs.threads(n), ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: run_all(), range(24)):
            assert_same(found, expected)


def test_the_number_changes_while_others_compute() -> None:
    expected = run_all()
    with ThreadPoolExecutor(3) as pool:
        busy = [pool.submit(run_all) for _ in range(12)]
        n = 1
        while not all(future.done() for future in busy):
            n = n % 4 + 1
            lf.set_num_threads(n)
            time.sleep(0.001)
        for future in busy:
            assert_same(future.result(), expected)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
def test_two_threads_on_one_cpu() -> None:
    """Threads that wait for each other must let each other run."""
    code = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import test_threads, lstmfast as lf
expected = None
for n in (1, 2, 4):
    lf.set_num_threads(n)
    for _ in range(3):
        found = test_threads.run_all()
        if expected is None:
            expected = found
        test_threads.assert_same(found, expected)
print("done")
"""
    done = runs.python(code, timeout=LIMIT)
    assert done.stdout.strip() == "done", done.stderr


def test_process_ends_while_the_team_sleeps_or_works() -> None:
    code = """
import threading, lstmfast as lf, test_threads
lf.set_num_threads(2)
test_threads.run_all()
def go_on():
    while True:
        test_threads.run_all()
threading.Thread(target=go_on, daemon=True).start()
"""
    assert runs.python(code, timeout=LIMIT).returncode == 0
