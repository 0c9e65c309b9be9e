"""torch's names that `lstmfast.LSTM` lacks; the error for each names the alternative."""

from __future__ import annotations

from lstmfast._elsewhere import explain
from lstmfast._layouts import PARAMETERS, suffixes

# what to use in place of torch's names
_INSTEAD = {
    "call the object itself": "forward",
    "pass training=True to a call, or leave it out": "train eval",
    "state_dict() returns the weights and grads() their gradients": (
        "parameters named_parameters all_weights get_weights"
    ),
    "load_state_dict() replaces the weights": "set_weights",
    "it computes on CPUs, in the dtype of its constructor": (
        "to cpu cuda float double half bfloat16"
    ),
    "weights always lie as the core reads them": "flatten_parameters",
    "a new LSTM has new weights": "reset_parameters",
    "calls with training=True allow a backward()": "requires_grad_",
}
_OF_A_WEIGHT = "state_dict() returns a copy of it, load_state_dict() replaces all weights"
_DEEPEST = 4  # layers whose weights get such an error


def explain_names(of: type) -> None:
    """Let a class raise these errors for torch's methods and for torch's weights."""
    ends = suffixes(_DEEPEST, bidirectional=True)
    weights = " ".join(f"{each.torch}_{end}" for end in ends for each in PARAMETERS)
    explain(of, {**_INSTEAD, _OF_A_WEIGHT: weights}, _missing)


def _missing(instead: str, owner: type, name: str) -> AttributeError:
    return AttributeError(f"{owner.__name__!r} object has no attribute {name!r}: {instead}")
