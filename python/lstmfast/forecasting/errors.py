"""The error for a user's data, in one line, and what its messages are made of."""

from __future__ import annotations


class DataError(ValueError):
    """Data without a possible forecast; the message names reason and place in one line."""


def short(cell: str) -> str:
    """Return text for a one-line message: printable and of limited length."""
    cell = "".join(letter if letter.isprintable() else " " for letter in cell)
    return cell if len(cell) <= 40 else cell[:37] + "..."


def counted(number: float, what: str) -> str:
    """Return a number of things: ``1 step``, ``2 steps``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
