"""Whether layers fit each other, said with the names that the user gave them."""

from __future__ import annotations

from collections.abc import Sequence

from lstmfast._arrays import shape_text
from lstmfast.layers import Layer
from lstmfast.layers._recurrent import Recurrent

Sample = tuple[int | None, ...]


def check_chain(layers: Sequence[Layer], sample: Sample) -> None:
    """Refuse an LSTM that is not given sequences."""
    shape = sample
    last: Recurrent | None = None  # the latest LSTM that left the sequences behind
    giver: Layer | None = None
    for layer in layers:
        if isinstance(layer, Recurrent) and len(shape) != 2:
            what = "a sample is" if giver is None else f"{giver.name} gives"
            hint = f"; pass return_sequences=True to {last.name}" if last is not None else ""
            raise ValueError(
                f"[Sequential] {layer.name} needs sequences (steps, features), but {what} "
                f"{shape_text(shape)}{hint}"
            )
        shape = layer.output_of(shape)
        if isinstance(layer, Recurrent) and not layer.return_sequences:
            last = layer
        giver = layer
