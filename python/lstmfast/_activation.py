"""An activation with its parameters, and how arguments name one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from lstmfast._checks import wrong_kind
from lstmfast._core import check, describe, kinds
from lstmfast._names import snake_case

# name -> the default parameters
_DEFAULTS: dict[str, tuple[float, ...]] = {
    name: tuple(row["default"] for row in describe("activation", name))
    for name in sorted(kinds("activation"))
    if name != "softmax"
}
ELEMENTWISE = tuple(_DEFAULTS)
_ROWS = ("softmax", "log_softmax", "sparsemax", "glu")
_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}
# ONNX's default parameters, where they are not ours; its other names differ in form alone
_ONNX = {"HardSigmoid": "hard_sigmoid:0.2", "LeakyRelu": "leaky_relu:0.01"}
_NUMBERS = ("alpha", "beta")


@dataclass(frozen=True, repr=False)
class Activation:
    """A function of single elements, with its parameters.

    Parameters
    ----------
    name : str
        One of the names of `lstmfast.activations`.
    alpha, beta : float, optional
        Its first and second parameter, where it has them.

    Raises
    ------
    ValueError
        If the name is unknown, or a number is not one that the function takes.

    Examples
    --------
    >>> from lstmfast.activations import Activation
    >>> Activation("hard_sigmoid", 0.2)
    Activation('hard_sigmoid', alpha=0.2, beta=0.5)
    >>> str(Activation("hard_sigmoid", 0.2)), str(Activation("relu"))
    ('hard_sigmoid:0.2:0.5', 'relu')
    """

    name: str
    alpha: float | None = None
    beta: float | None = None

    def __post_init__(self) -> None:
        given = {key: getattr(self, key) for key in _NUMBERS if getattr(self, key) is not None}
        for key, value in check("activation", str(self.name), given, "Activation").items():
            object.__setattr__(self, key, value)

    @property
    def parameters(self) -> tuple[float, ...]:
        """Alpha and beta, those that the function has."""
        return tuple(value for value in (self.alpha, self.beta) if value is not None)

    def __call__(self, x: Any) -> Any:
        """Return the function of a tensor or an array, element by element (softmax: of rows)."""
        apply = getattr(x, "_activated", None)
        # operations know activations; for arrays it is the other way round
        return import_module("lstmfast.ops")._activated(x, self) if apply is None else apply(self)

    def get_config(self) -> dict[str, Any]:
        """Return name, alpha and beta, from which `get` makes an equal one."""
        return {"name": self.name, **dict(zip(_NUMBERS, self.parameters, strict=False))}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Activation:
        """Make the activation that `get_config` described."""
        return cls(**config)

    def __str__(self) -> str:
        """The text from which `get` makes an equal one, with all bits of the numbers."""
        if self.parameters == _DEFAULTS.get(self.name, ()):
            return self.name
        return ":".join([self.name, *map(repr, self.parameters)])

    def __repr__(self) -> str:
        shown = [f"{key}={value!r}" for key, value in list(self.get_config().items())[1:]]
        return f"Activation({', '.join([repr(self.name), *shown])})"


def activation_text(
    identifier: Any, where: str, name: str = "activation", *, rows: bool = False
) -> str:
    """Return an activation argument as the core reads it; with `rows` softmax is allowed too."""
    found = find(identifier, where, name, rows)
    if found.name == "softmax" and not rows:
        raise _unknown("softmax", where, name, rows)
    return str(found)


def find(identifier: Any, where: str, name: str, rows: bool) -> Activation:
    """Return the activation that an argument stands for; `rows`: errors speak of softmax too."""
    if identifier is None:
        return Activation("linear")
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, str):
        return _parsed(identifier, where, name, rows)
    if isinstance(identifier, Mapping):
        # Keras: {"class_name": "function", "config": "relu", ...}
        inner = identifier.get("config", identifier) if "class_name" in identifier else identifier
        if isinstance(inner, str):
            return _parsed(inner, where, name, rows)
        if isinstance(inner, Mapping) and {"name"} <= inner.keys() <= {"name", "alpha", "beta"}:
            found = _parsed(str(inner["name"]), where, name, rows)
            return Activation(found.name, *(inner.get(k, getattr(found, k)) for k in _NUMBERS))
        raise ValueError(f"[{where}] {name} is a dict; expected its keys to be name, alpha, beta")
    known = of_function(identifier)
    if known is not None:
        return known
    expected = "a name such as 'relu' or an lstmfast activation"
    if callable(identifier):
        expected += (
            "; other functions go into a layer of their own after this one, Lambda(function)"
        )
    raise wrong_kind(where, name, identifier, expected)


def of_function(identifier: Any) -> Activation | None:
    """Return the activation that a function of `activations` or `ops` computes, if one does."""
    made_by = getattr(identifier, "__name__", "")
    if made_by in _DEFAULTS and identifier.__module__ == "lstmfast.activations":
        return Activation(made_by)
    known = getattr(identifier, "_activation", None)
    return known() if callable(known) and not isinstance(known, Activation) else known


def _parsed(text: str, where: str, name: str, rows: bool) -> Activation:
    head, *numbers = text.split(":")
    known, *defaults = _ONNX.get(head, _ALIASES.get(head, snake_case(head))).split(":")
    if known not in _DEFAULTS and known != "softmax":
        raise _unknown(text, where, name, rows)
    most = len(_DEFAULTS.get(known, ()))
    if len(numbers) > most:
        raise ValueError(f"[{where}] {name} is {text!r}; {known} has {most} parameters")
    try:
        return Activation(known, *map(float, numbers or defaults))
    except ValueError as error:
        reason = str(error).removeprefix("[Activation] ")
        raise ValueError(f"[{where}] {name} is {text!r}: {reason}") from None


def _unknown(text: str, where: str, name: str, rows: bool) -> ValueError:
    why = ""
    if text in _ROWS:
        why = f"; {text} is a function of a whole row"
        why += " and not available in this version" if rows else ", not of a gate's one number"
    return ValueError(f"[{where}] {name} is {text!r}; expected one of {_listed(rows)}{why}")


def _listed(rows: bool) -> str:
    return ", ".join(sorted({*_DEFAULTS, *_ALIASES, *(["softmax"] if rows else [])}))
