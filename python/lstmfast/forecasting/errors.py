"""What is wrong with a user's data, in one line."""

from __future__ import annotations

__all__ = ["DataError"]


class DataError(ValueError):
    """Data that cannot be forecast from; the message says what and where, in one line."""
