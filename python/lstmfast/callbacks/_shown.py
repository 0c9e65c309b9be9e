"""Keras's callback for the progress bar."""

from __future__ import annotations

from lstmfast._checks import choice
from lstmfast.callbacks.base import Callback


class ProgbarLogger(Callback):
    """What Keras shows progress with: `fit` shows it by itself, as its ``verbose`` says.

    In the list of callbacks it changes nothing, as scripts expect that give it there.

    Parameters
    ----------
    count_mode : {"steps"}
        What the bar counts.

    Examples
    --------
    >>> from lstmfast.callbacks import ProgbarLogger
    >>> bar = ProgbarLogger()
    """

    def __init__(self, count_mode: str = "steps") -> None:
        super().__init__()
        if choice(count_mode, "count_mode", "ProgbarLogger", "steps", "samples") == "samples":
            raise ValueError(
                "[ProgbarLogger] count_mode='samples' is not available in this version"
            )
