"""Benchmarks that run from an installed package: `lstmfast bench`.

`shapes.py`, `options.py`, `problems.py` and `tasks.py` define the work, `engines/` has one file a
package, `suites/` one file a suite. `answers.py` compares the engines' results before anything is
timed, `protocol.py` times them in turns, `contest.py` combines both; `report.py` writes tables and
JSON, `chart.py` the picture. All engines do the same work, in a process whose threads are pinned.
"""
