"""Data that come batch by batch: what they are, and how the core gets them.

`batches_of` finds the adapter for what a user gives: `streams` has those for iterators and things
like Keras's data sets, `rows` those for arrays that are read a batch at a time. They share one
interface, `Batches`; `Source` brings its batches into the core's form.
"""

from __future__ import annotations

from lstmfast.models.sources.base import Batches, Source, unpacked
from lstmfast.models.sources.find import batches_of, is_batches
from lstmfast.models.sources.rows import Rows, taken
from lstmfast.models.sources.samples import cut, evaluated, in_rows, test_hooks

__all__ = [
    "Batches",
    "Rows",
    "Source",
    "batches_of",
    "cut",
    "evaluated",
    "in_rows",
    "is_batches",
    "taken",
    "test_hooks",
    "unpacked",
]
