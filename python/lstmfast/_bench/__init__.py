"""Benchmarks that run from an installed package: `lstmfast bench`.

`shapes.py`, `options.py`, `problems.py` and `tasks.py` define the work, `engines/` has one file a
package, `suites/` the kinds of measurement. `protocol.py` times calls in turns, `contest.py` chooses
the engines and compares their answers before anything is timed; `report.py` writes tables and JSON,
`chart.py` the picture. All engines do the same work, in a process whose threads are pinned.
"""
