"""Benchmarks that run from an installed package: `lstmfast bench`.

`shapes.py` has the problems, `engines/` one file an engine, `protocol.py` how they are timed
against each other, `report.py` the table. The same work for all, answers checked before anything
is timed.
"""
