"""Benchmarks that run from an installed package: `lstmfast bench`.

`shapes.py`, `options.py`, `problems.py` and `tasks.py` have the work, `engines/` one file an
engine, `suites/` one file a suite. `answers.py` compares what engines compute before anything is
timed, `protocol.py` times them in turns, `contest.py` puts both together; `report.py` has tables
and JSON, `chart.py` the picture. The same work for all, in a process whose threads are pinned.
"""
