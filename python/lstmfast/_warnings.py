"""Where a warning points: at the caller's line, not at one of ours."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

_PACKAGE = str(Path(__file__).parent)


def warn(text: str) -> None:
    """Warn at the line that called lstmfast."""
    warnings.warn(text, stacklevel=level_of_caller())


def level_of_caller() -> int:
    """Return the ``stacklevel`` that shows a warning at the line that called lstmfast."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level
