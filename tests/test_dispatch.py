"""The choice of the instruction set: forced, read, refused; and equal answers from all."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest

import lstmfast as lf
import runs
from cases import CASES, make_problem, run_reference
from lstmfast import _core
from tolerances import assert_close, tolerance

# each cell, tails, lengths and resets, in few calls
CHOSEN = [
    case
    for case in CASES
    if case.name
    in (
        "l1t2b6i3h17",
        "l2t40b3i16h33_lengths_resets_state",
        "l1t5b6i40h257",
        "l1t40b33i2h33_float64_lengths_resets_state",
        "l2t40b7i2h50_peephole_coupled_lengths_resets_state",
        "l2t5b6i4h17_float64_peephole_coupled_lengths_state",
        "l2t40b3i4h33_layer_norm_lengths_resets_state",
        "l2t5b6i4h17_float64_layer_norm_resets_state",
    )
]

FIRST_USES = {
    "isa": "lf.isa()",
    "LSTM": "lf.LSTM(1, 1)",
    "functional": "lf.functional.pack(np.ones((4, 1)), np.ones((4, 1)))",
    "model": "lf.Sequential([lf.Input((2, 1)), lf.layers.LSTM(1)]).build()",
    "show_config": "lf.show_config()",
}


def results_of(isa: str, folder: Path) -> dict[str, runs.Arrays]:
    """Results of the chosen cases, from a process that is forced to an ISA."""
    code = """
import sys
import numpy as np
import lstmfast as lf
import runs, test_dispatch
from cases import make_problem
assert lf.isa() == sys.argv[1]
assert lf.show_config("dict")["isa"] == sys.argv[1]
for case in test_dispatch.CHOSEN:
    problem = make_problem(case)
    found = runs.run(runs.make_rnn(case, problem), problem)
    np.savez(f"{sys.argv[2]}/{case.name}.npz", **found)
"""
    done = runs.python(code, isa, str(folder), LSTMFAST_ISA=isa)
    assert done.returncode == 0, done.stderr
    found = {}
    for case in CHOSEN:
        with np.load(folder / f"{case.name}.npz") as stored:
            found[case.name] = {name: stored[name] for name in stored.files}
    return found


def test_chosen_cases_exist() -> None:
    assert len(CHOSEN) == 8


@pytest.mark.parametrize("isa", lf.available_isas())
def test_every_isa_agrees(isa: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """All within the derived bound of the reference, and this process's own as its bits."""
    found = results_of(isa, tmp_path_factory.mktemp(isa))
    for case in CHOSEN:
        expected = run_reference(case, make_problem(case, "float64"))
        assert_close(found[case.name], expected, tolerance(case, case.dtype))
        if isa == lf.isa():
            problem = make_problem(case)
            here = runs.run(runs.make_rnn(case, problem), problem)
            runs.assert_same_bits(found[case.name], here)


def check_refused(isa: str, statement: str) -> str:
    code = f"import numpy as np, lstmfast as lf\nprint('imported')\n{statement}"
    done = runs.python(code, LSTMFAST_ISA=isa)
    assert done.stdout.strip() == "imported", done.stderr
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("use", FIRST_USES)
def test_a_wrong_name_is_an_error_on_first_use(use: str) -> None:
    """The import succeeds: what can be asked without computing still answers."""
    last = check_refused("avx1024", FIRST_USES[use])
    assert last.startswith("ValueError: [isa] LSTMFAST_ISA is ")
    assert "avx1024" in last
    for name in lf.available_isas():
        assert name in last


def test_names_are_exact() -> None:
    for name in (f" {lf.isa()}", f"{lf.isa()},{lf.isa()}"):
        assert "LSTMFAST_ISA" in check_refused(name, "lf.isa()")


def test_an_isa_that_this_cpu_lacks() -> None:
    missing = sorted(set(_core.compiled_isas()) - set(lf.available_isas()))
    if not missing:
        pytest.skip("this CPU runs all that is compiled in")
    for name in missing:
        assert "which this CPU lacks" in check_refused(name, "lf.isa()")


def test_an_empty_name_is_none() -> None:
    code = "import lstmfast as lf; print(lf.isa())"
    done = runs.python(code, LSTMFAST_ISA="")
    assert done.stdout.strip() == lf.available_isas()[-1], done.stderr


def test_names() -> None:
    assert lf.isa() in lf.available_isas()
    compiled = _core.compiled_isas()
    assert [name for name in compiled if name in lf.available_isas()] == lf.available_isas()
    assert len(set(compiled)) == len(compiled)
    assert set(compiled) in ({"baseline", "avx2", "avx512", "avx512vnni"}, {"neon"})


def test_show_config() -> None:
    table = lf.show_config("dict")
    assert table["isa"] == lf.isa()
    assert table["isas available"].split() == lf.available_isas()
    assert table["threads"] == str(lf.get_num_threads())
    assert table["lstmfast"] == lf.__version__
    assert table["numpy"] == np.__version__
    assert {"python", "compiler", "cpu", "l1d", "l2", "l3"} <= set(table)
    assert all(isinstance(value, str) and value for value in table.values())
    with redirect_stdout(io.StringIO()) as printed:
        assert lf.show_config() is None
    lines = printed.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == [name.split()[0] for name in table]
    with pytest.raises(ValueError, match="mode is 'json'; expected 'stdout' or 'dict'"):
        lf.show_config("json")


def test_the_forced_isa_is_the_one_that_computes() -> None:
    """Its roundings show: one ISA has no fused multiply-add."""
    isas = lf.available_isas()
    if len(isas) < 2 or "baseline" not in isas:
        pytest.skip("there is no second ISA with other roundings")
    code = """
import sys, numpy as np, runs
from cases import Case, make_problem
case = Case(5, 6, 40, 257)
problem = make_problem(case)
sys.stdout.write(runs.forward(runs.make_rnn(case, problem), problem)["y"].tobytes().hex())
"""
    answers = {isa: runs.python(code, LSTMFAST_ISA=isa).stdout for isa in isas}
    assert all(answers.values())
    assert answers["baseline"] != answers[isas[-1]]


def test_names_of_isas_are_known_in_any_case() -> None:
    name = lf.available_isas()[0]
    done = runs.python("import lstmfast as lf; print(lf.isa())", LSTMFAST_ISA=name.upper())
    assert done.stdout.strip() == name
