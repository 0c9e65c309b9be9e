"""Errors about Keras's names that this version lacks; the names stand in data/keras_names.txt."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lstmfast._elsewhere import explain

# alternatives to some of them
_HINTS = {
    "CuDNNLSTM": "use LSTM",
}
# kind of object: what to use in place of attributes of Keras's objects of that kind, their names.
# Setting one with a "!" would change the behaviour of Keras's object, so it is refused here; the
# other names are free for attributes of derived classes.
_INSTEAD = {
    "model": {
        "use fit() or train_on_batch()": "fit_generator train_step!",
        "use evaluate() or test_on_batch()": "evaluate_generator test_step!",
        "use predict()": "predict_generator predict_proba predict_step!",
        "use predict(x).argmax(axis=-1)": "predict_classes",
        "use output_shape": "compute_output_shape",
        "call the object itself": "call!",
        "use save()": "export",
        "use to_json()": "to_yaml",
        "": """
            add_loss add_metric add_weight compile_from_config compute_dtype compute_loss!
            compute_metrics! dtype_policy! get_compile_config get_metrics_result input_spec
            jit_compile losses make_predict_function! make_test_function! make_train_function!
            quantize run_eagerly supports_masking! total_loss
        """,
    },
    "layer": {
        "use output_shape": "compute_output_shape",
        "call the object itself": "build call!",
        "use return_state=True": "states",
        "use the layer's own attributes": "cell",
        "": """
            add_loss add_metric add_weight compute_dtype dtype_policy! enable_lora input_spec!
            losses quantize supports_masking!
        """,
    },
    "optimizer": {
        "use learning_rate": "lr",
        "": "apply apply_gradients decay minimize update_step variables weights",
    },
}


@cache
def all_names() -> dict[str, frozenset[str]]:
    """Return the names of Keras's modules that lstmfast's lack, or lacked, by that module."""
    path = Path(__file__).parent / "data" / "keras_names.txt"
    text = re.sub(r"#[^D].*", "", path.read_text(encoding="utf-8"))
    parts = re.findall(r"\[(.*)\]([^\[]*)", text)
    return {
        part: frozenset(name.replace("#", digit) for name in names.split() for digit in "123")
        for part, names in parts
    }


def names_of(module: str) -> frozenset[str]:
    """Return the names of a module of Keras that lstmfast's of the same name lacks, or lacked."""
    return all_names().get(module, frozenset())


def explain_missing(module: str) -> None:
    """Let the errors for names that a module lacks tell which are Keras's; list its own alone."""

    def missing(name: str) -> Any:
        raise missing_name(module, name, sys._getframe(1))

    # set from here: were it written there, type checkers would take every name for known
    names = vars(sys.modules[module])
    names |= {"__getattr__": missing, "__dir__": lambda: names["__all__"]}


def missing_name(module: str, name: str, frame: Any) -> Exception:
    """Return the error for a name that a module lacks; `frame` is that of the code that asks."""
    part = module.partition(".")[2]
    public = sys.modules[module].__all__
    if name in names_of(part):
        theirs = ".".join(filter(None, ("keras", part)))
        instead = _HINTS.get(name) or nearest(name, module, public)
        text = (
            f"{module}.{name} is not available in this version: the name is Keras's "
            f"({theirs}.{name}); {instead}"
        )
    else:
        alike = [each for each in public if each.lower() == name.lower()]
        hint = f"; did you mean {alike[0]!r}?" if alike else ""
        text = f"module {module!r} has no attribute {name!r}{hint}"
        if not alike:
            return AttributeError(text)
    # `from module import name` would replace an AttributeError by an ImportError with another text
    return ImportError(text, name=module) if _imports(frame) else AttributeError(text)


def nearest(name: str, module: str, public: Sequence[str]) -> str:
    """Say which names of a module are the most like one that it lacks."""
    from difflib import get_close_matches

    near = get_close_matches(name, public, n=10, cutoff=0.4)
    return f"the nearest names are {', '.join(near)}" if near else f"dir({module}) has the others"


def _imports(frame: Any) -> bool:
    """Tell whether a frame is in the middle of ``from module import name``."""
    from opcode import opname

    instruction: int = frame.f_code.co_code[frame.f_lasti]
    return opname[instruction] == "IMPORT_FROM"


def explain_attributes(of: type, kind: str) -> None:
    """Let a class raise errors for Keras's attributes that it lacks; they name the alternative.

    kind: "model", "layer" or "optimizer".
    """

    def missing(hint: str, owner: type, name: str) -> AttributeError:
        text = f"{owner.__name__}.{name} is Keras's and not available in this version"
        return AttributeError("; ".join(filter(None, (text, hint))), name=name)

    explain(of, _INSTEAD[kind], missing)
