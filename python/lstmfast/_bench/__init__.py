"""Benchmarks that run from an installed package: `lstmfast bench`.

`shapes.py`, `options.py` and `problems.py` define the work, `engines/` runs it with each package,
`suites/` has the kinds of measurement. `contest.py` compares the engines' answers before anything
is timed, `protocol.py` times them in turns; `report.py` writes tables and JSON, `chart.py` the
picture. All engines do the same work, in a process whose threads are pinned.
"""
