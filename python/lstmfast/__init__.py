"""The LSTM for CPUs.

Every variant of the LSTM at full speed, from NumPy arrays, in a small package:

- `lstmfast.LSTM`: LSTM layers with the weights and states of `torch.nn.LSTM`;
- `lstmfast.models.Sequential`, `lstmfast.models.Model` and `lstmfast.layers`: models in the shape
  of Keras;
- `lstmfast.functional`: the same LSTM as pure functions;
- `lstmfast.reference`: its equations in plain NumPy, to read and to test against.

Submodules load when they are first used, so `import lstmfast` costs next to nothing.

Examples
--------
>>> import numpy as np
>>> import lstmfast as lf
>>> rnn = lf.LSTM(8, 16, seed=0)
>>> y, (h, c) = rnn(np.zeros((4, 10, 8), np.float32))
>>> y.shape, h.shape
((4, 10, 16), (1, 4, 16))
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmfast import forecasting, functional, keras, plot, reference, runtime, tasks, variants
    from lstmfast._export_c import export_c
    from lstmfast.keras import *
    from lstmfast.rnn import LSTM
    from lstmfast.runtime import *

# name -> the module that defines it
_EXPORTS = {
    "LSTM": "rnn",
    "Input": "layers",
    "Model": "models",
    "Sequential": "models",
    "available_isas": "runtime",
    "get_cmake_dir": "runtime",
    "get_include": "runtime",
    "export_c": "_export_c",
    "get_num_threads": "runtime",
    "isa": "runtime",
    "set_num_threads": "runtime",
    "show_config": "runtime",
}
__all__ = [
    "LSTM",
    "Input",
    "Model",
    "Sequential",
    "__version__",
    "activations",
    "available_isas",
    "backend",
    "callbacks",
    "constraints",
    "datasets",
    "export_c",
    "forecasting",
    "functional",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "initializers",
    "isa",
    "keras",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "plot",
    "preprocessing",
    "random",
    "reference",
    "regularizers",
    "runtime",
    "saving",
    "set_num_threads",
    "show_config",
    "tasks",
    "utils",
    "variants",
]
_SUBMODULES = set(__all__) - _EXPORTS.keys() - {"__version__"}


def __getattr__(name: str) -> Any:
    if name == "_core" or name in _SUBMODULES:
        return _import(name)
    if name in _EXPORTS:
        value = getattr(_import(_EXPORTS[name]), name)
    elif name == "__version__":
        value = _import("_core").__version__
    else:
        from lstmfast._keras_names import missing_name

        raise missing_name(__name__, name, sys._getframe(1))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _import(name: str) -> Any:
    """Import a module; where the compiled core exists but does not load, say so."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ImportError as error:
        file = (error.path or "").rpartition("/")[2]
        if not file.startswith("_core.") or error.__cause__ is not None:
            raise
        raise ImportError(
            f"the compiled core of lstmfast ({file}) does not load: {error}",
            name=error.name,
            path=error.path,
        ) from error
