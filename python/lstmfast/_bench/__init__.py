"""Benchmarks that run from an installed package: `lstmfast bench`.

`shapes.py`, `options.py`, `problems.py` and `tasks.py` define the work, `engines/` has one file a
package, `suites/` the kinds of measurement. `contest.py` compares the engines' answers before
anything is timed, `protocol.py` times them in turns; `report.py` writes tables and JSON, `chart.py`
the picture. All engines do the same work, in a process whose threads are pinned.
"""
