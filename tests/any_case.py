"""Any problem at all, for Hypothesis and for other random tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from cases import Case
from lstmfast._bench.options import LSTM_OPTIONS

# of results that are compared: softplus doubles its cells at every step
LARGEST = 1e9
KINKED = ("relu", "elu", "hard_sigmoid")


def any_options(
    choose: Callable[[Sequence[Any]], Any], *, layers: int, kinks: bool = True
) -> dict[str, Any]:
    """Options that go together; half of the time those of the plain cell.

    `choose` returns one of several values. Without `kinks`, outputs are smooth in their inputs.
    """
    is_plain = choose((True, False))
    found: dict[str, Any] = {}
    for each in LSTM_OPTIONS:
        values = [value for value in each.drawn if kinks or value not in KINKED]
        # a switch every other time
        is_off = choose((True, False) if values == [True] else (True, True, True, False))
        fits = found.keys() >= each.needs.keys() and not found.keys() & set(each.excludes)
        if each.name == "dropout":
            fits = layers > 1
        if is_off or not fits or (is_plain and each.role != "call"):
            continue
        if kinks or not each.has_kinks:
            found[each.name] = choose(values)
    return found


@st.composite
def any_case(draw: st.DrawFn, dtypes: tuple[str, ...] = ("float32", "float64")) -> Case:
    """Sizes, calls and options that go together; plain cells too."""
    flag = st.booleans()
    layers = draw(st.integers(1, 2))
    return Case(
        T=draw(st.integers(1, 7)),
        B=draw(st.integers(1, 11)),
        I=draw(st.integers(1, 24)),
        H=draw(st.integers(1, 40)),
        layers=layers,
        dtype=draw(st.sampled_from(dtypes)),
        lengths=draw(flag),
        resets=draw(flag),
        state=draw(flag),
        **any_options(lambda values: draw(st.sampled_from(values)), layers=layers),
    )
