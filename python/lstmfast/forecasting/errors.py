"""The error for a user's data, in one line."""

from __future__ import annotations

__all__ = ["DataError"]


class DataError(ValueError):
    """Data without a possible forecast; the message names reason and place in one line."""
