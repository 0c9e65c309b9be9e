"""Any problem at all, for Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cases import Case

ACTIVATIONS = ("tanh", "relu", "softsign", "softplus", "elu", "hard_sigmoid")
GATE_ACTIVATIONS = ("sigmoid", "softsign", "softplus", "elu", "hard_sigmoid")


@st.composite
def any_case(draw: st.DrawFn, dtypes: tuple[str, ...] = ("float32", "float64")) -> Case:
    """Sizes, calls and options that go together; plain cells too."""

    def some(values: st.SearchStrategy[Any], off: Any) -> Any:
        return draw(values) if draw(st.integers(0, 3)) == 0 else off

    rates = st.sampled_from((0.2, 0.5, 0.9))
    bounds = st.sampled_from((0.2, 0.5, 1.0))
    flag = st.booleans()
    cell: dict[str, Any] = {}
    if draw(flag):
        coupled = draw(flag)
        proj_size = some(st.integers(1, 40), 0)
        cell = {
            "activation": some(st.sampled_from(ACTIVATIONS), "tanh"),
            "recurrent_activation": some(st.sampled_from(GATE_ACTIVATIONS), "sigmoid"),
            "output_activation": some(st.sampled_from(ACTIVATIONS), None),
            "peephole": draw(flag),
            "coupled": coupled,
            "layer_norm": draw(flag),
            "input_gate": coupled or some(st.just(False), True),
            "forget_gate": coupled or some(st.just(False), True),
            "output_gate": some(st.just(False), True),
            "preact_clip": some(bounds, None),
            "cell_clip": some(bounds, None),
            "proj_size": proj_size,
            "proj_clip": some(bounds, None) if proj_size else None,
            "zoneout_h": some(rates, 0.0),
            "zoneout_c": some(rates, 0.0),
            "input_dropout": some(rates, 0.0),
            "recurrent_dropout": some(rates, 0.0),
            "recurrent_dropout_kind": draw(st.sampled_from(("sequence", "step"))),
            "weight_drop": some(rates, 0.0),
        }
    layers = draw(st.integers(1, 2))
    return Case(
        T=draw(st.integers(1, 7)),
        B=draw(st.integers(1, 11)),
        I=draw(st.integers(1, 24)),
        H=draw(st.integers(1, 40)),
        layers=layers,
        dtype=draw(st.sampled_from(dtypes)),
        dropout=some(rates, 0.0) if layers > 1 else 0.0,
        bidirectional=draw(flag),
        return_cell_states=draw(flag),
        bptt_steps=some(st.integers(1, 4), None),
        recompute_every=some(st.sampled_from((1, 2, 3, "sqrt")), None),
        lengths=draw(flag),
        resets=draw(flag),
        state=draw(flag),
        **cell,
    )
