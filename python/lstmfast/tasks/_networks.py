"""The models of tasks: a variant, with sizes that follow from the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lstmfast import variants
from lstmfast.layers import LSTM, Embedding, Input
from lstmfast.models import EncoderDecoder, Model, Sequential

from ._shapes import Shapes

Units = int | tuple[int, ...]

_EMBEDDING = 16  # numbers that stand for a token, where a task says nothing


def _ends(shapes: Shapes, options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that say what goes in and what comes out."""
    tokens = shapes.tokens or None
    embedding = options.pop("embedding", _EMBEDDING)
    return {
        "features": embedding if tokens else shapes.features,
        "outputs": shapes.outputs,
        "output_activation": "softmax" if shapes.classes else None,
        "tokens": tokens,
        **options,
    }


def _vanilla(shapes: Shapes, units: tuple[int, ...], **options: Any) -> Model:
    ends = _ends(shapes, options)
    return variants.vanilla(**ends, units=units[0], return_sequences=shapes.each_step)


def _stacked(shapes: Shapes, units: tuple[int, ...], **options: Any) -> Model:
    sizes = units if len(units) > 1 else units * 2
    return variants.stacked(
        **_ends(shapes, options), units=sizes, return_sequences=shapes.each_step
    )


def _bidirectional(shapes: Shapes, units: tuple[int, ...], **options: Any) -> Model:
    ends = _ends(shapes, options)
    return variants.bidirectional(**ends, units=units[0], return_sequences=shapes.each_step)


def _cnn_lstm(shapes: Shapes, units: tuple[int, ...], **options: Any) -> Model:
    activation = "softmax" if shapes.classes else None
    return variants.cnn_lstm(
        shapes.frame, shapes.outputs, units=units[0], output_activation=activation, **options
    )


def _encoder_decoder(
    shapes: Shapes, units: tuple[int, ...], attention: Any = None, **options: Any
) -> Model:
    """Return a model that writes all steps at once, or with `attention` step by step."""
    if attention is None or not shapes.tokens:
        ends = _ends(shapes, options)
        return variants.encoder_decoder(**ends, steps_out=shapes.steps_out, units=units[0])
    embedding = options.get("embedding", _EMBEDDING)
    fills = options.get("mask_value") == 0
    read = Embedding(shapes.tokens, embedding, mask_zero=fills)
    row = [read, LSTM(units[0], return_sequences=True)]
    seed, start = options["seed"], shapes.outputs
    encoder = Sequential([Input((None,), dtype="int32"), *row], seed=seed)
    return EncoderDecoder(
        encoder, units[0], tokens=start + 1, embedding_dim=embedding, start_token=start,
        length=shapes.steps_out, attention=attention, seed=seed,
    )  # fmt: skip


def _generative(shapes: Shapes, units: tuple[int, ...], **options: Any) -> Model:
    return variants.generative(shapes.tokens, units=units, **options)


# Of each variant: what makes it, and what is wrong where shapes are not for it.
VARIANTS: dict[str, tuple[Callable[..., Model], Callable[[Shapes], str]]] = {
    "vanilla": (_vanilla, lambda shapes: shapes.problem_of_steps()),
    "stacked": (_stacked, lambda shapes: shapes.problem_of_steps()),
    "bidirectional": (
        _bidirectional,
        lambda shapes: shapes.problem_of_steps() or shapes.problem_of_next_steps(),
    ),
    "cnn_lstm": (
        _cnn_lstm,
        lambda shapes: (
            "" if shapes.frame and not shapes.steps_out else "frames in and one answer out"
        ),
    ),
    "encoder_decoder": (
        _encoder_decoder,
        lambda shapes: "a sequence out" if not shapes.steps_out else shapes.problem_of_next_steps(),
    ),
    "generative": (
        _generative,
        lambda shapes: "" if shapes.is_next_token else "tokens in and the next tokens out",
    ),
}


def problem_of(variant: str, shapes: Shapes) -> str:
    """Return what a variant would need that a task has not, or ""."""
    return VARIANTS[variant][1](shapes)


def network(variant: str, shapes: Shapes, units: Units, **options: Any) -> Model:
    """Return a variant for these shapes, not compiled; `units` of one LSTM or of each."""
    if options.get("forget_bias") == "chrono":  # a model that takes any number of steps has none
        options["forget_bias"] = ("chrono", shapes.steps_in)
    sizes = (units,) if isinstance(units, int) else units
    if len(sizes) > 1 and variant not in ("stacked", "generative"):
        raise ValueError(
            f"[build] units is {units}; expected one number, for {variant} has one LSTM"
        )
    return VARIANTS[variant][0](shapes, sizes, **options)
