"""What goes into a model of a task and what comes out, found in its data."""

from __future__ import annotations

from dataclasses import dataclass

from lstmfast._arrays import Array


@dataclass(frozen=True)
class Shapes:
    """Sizes of a task's data; a size is 0, and a shape empty, where there is none.

    Attributes
    ----------
    features : int
        Numbers of each step of x; of a frame all its numbers.
    frame : tuple of int
        (height, width, channels), or (length, channels), of each step of x.
    tokens : int
        Size of the vocabulary of x, whose steps are ids.
    outputs : int
        Numbers or classes of an answer.
    classes : bool
        Answers are classes.
    steps_in, steps_out : int
        T of x; of y where answers are sequences.
    is_next : bool
        The answer to each step is the step after it, so no answer may see later steps.
    """

    features: int
    frame: tuple[int, ...]
    tokens: int
    outputs: int
    classes: bool
    steps_in: int
    steps_out: int
    is_next: bool

    @classmethod
    def of(cls, x: Array, y: Array, tokens: int, classes: int, is_next: bool) -> Shapes:
        """Return the shapes of x (N, T, ...) or ids (N, T), and of y with or without steps."""
        is_ids = x.dtype.kind in "iu"
        frame = x.shape[2:] if x.ndim > 3 else ()
        features = 0 if is_ids else int(x[0, 0].size)
        has_steps = y.ndim == (2 if classes else 3)
        outputs = classes or y.shape[-1]
        steps_out = y.shape[1] if has_steps else 0
        return cls(
            features, frame, tokens * is_ids, outputs, classes > 0, x.shape[1], steps_out, is_next
        )

    @property
    def each_step(self) -> bool:
        """Whether there is an answer at each step of x."""
        return self.steps_out == self.steps_in

    @property
    def is_next_token(self) -> bool:
        """Whether the answer to each token is the next token."""
        return self.is_next and self.tokens > 0 and self.classes and self.each_step

    def problem_of_steps(self) -> str:
        """Return what a model with one answer, or one at each step, would need, or ""."""
        fits = not self.steps_out or self.each_step
        return "" if fits else "one answer, or as many steps out as in"

    def problem_of_next_steps(self) -> str:
        """Return what a model that sees all steps at once would need, or ""."""
        return "answers other than the next step, which it would see" if self.is_next else ""
