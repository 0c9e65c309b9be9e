"""Small data sets of tutorials, from Keras's addresses into Keras's cache.

Without a network, the error names where to put the file; each ``load_data(path=...)`` also takes
the path of a file elsewhere.
"""

from __future__ import annotations

from lstmfast._keras_names import explain_missing
from lstmfast.datasets import imdb, mnist, reuters

__all__ = ["imdb", "mnist", "reuters"]

explain_missing(__name__)
