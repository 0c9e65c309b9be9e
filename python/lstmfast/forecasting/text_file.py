"""The text of a file of the user's, or what is wrong with it in one line."""

from __future__ import annotations

import codecs
from pathlib import Path

from .errors import DataError

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_bytes(path: str | Path) -> bytes:
    """Return what a file holds; raise a `DataError` where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read: {reason}") from None


def decoded(content: bytes, name: str) -> str:
    """Return bytes as text: UTF-8 with or without a byte order mark, or UTF-16 with one."""
    encoding = "utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{name} line {line}: not UTF-8 text; save the file as UTF-8") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(f"{name} line {line}: a zero byte; this is no text file")
    return text


def read_text(path: str | Path) -> str:
    """Return the text of a file, its lines ended by a newline each."""
    return decoded(read_bytes(path), str(path)).replace("\r\n", "\n")
