"""The LSTM in plain NumPy: readable equations, independent of the compiled core.

`cell.py` has the equations of one time step and `cell_gradient.py` their gradients, `sequence.py`
the loop over time, `rows.py` lengths, masks and resets, `stack.py` layers and directions;
`dense.py`, `losses.py`, `optimizers.py` and `train.py` add a whole training, and
`graph_layers.py` has the layers that reshape, embed and merge. Gradients are derived by hand.
Nothing here imports from the rest of the package: the core is tested against this reference, and
the reference against central differences, golden values and live engines.

Letters: T steps, B rows, I inputs, H hidden units, P outputs (H, or `proj_size`), G gates.
Parameters are dicts in logical layout: kernel (I, G·H), recurrent_kernel (P, G·H), bias (G·H),
gates in the order i, f, g, o (f, g, o when coupled).

Examples
--------
>>> import numpy as np
>>> from lstmfast import reference
>>> rng = np.random.default_rng(0)
>>> shapes = reference.parameter_shapes(input_size=2, hidden_size=3)
>>> params = {name: rng.uniform(-0.5, 0.5, shape) for name, shape in shapes.items()}
>>> y, (h, c), cache = reference.lstm_forward(rng.normal(size=(4, 5, 2)), params)
>>> dx, dh0, dc0, grads = reference.lstm_backward(np.ones_like(y), None, None, cache)
>>> y.shape, dx.shape, grads["kernel"].shape
((4, 5, 3), (4, 5, 2), (2, 12))
"""

from __future__ import annotations

from .activations import ACTIVATIONS, Activation, get_activation
from .dense import DenseCache, dense_backward, dense_forward, softmax
from .graph_layers import (
    concatenate_backward,
    concatenate_forward,
    concatenate_mask,
    dot_backward,
    dot_forward,
    embedding_backward,
    embedding_forward,
    merge_backward,
    merge_forward,
    merge_mask,
    permute_backward,
    permute_forward,
    repeat_vector_backward,
    repeat_vector_forward,
    time_distributed,
)
from .losses import (
    LOSSES,
    binary_crossentropy,
    categorical_crossentropy,
    huber,
    mae,
    mse,
    sparse_categorical_crossentropy,
)
from .optimizers import Adam, Clip, Sgd
from .options import CellOptions, Masks, Params, parameter_shapes
from .run import LstmCache
from .sequence import lstm_backward, lstm_forward
from .stack import StackCache, stack_backward, stack_forward
from .train import Chain, DenseLayer, DropoutLayer, History, Layer, LstmLayer, fit, in_order

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "Activation",
    "Adam",
    "CellOptions",
    "Chain",
    "Clip",
    "DenseCache",
    "DenseLayer",
    "DropoutLayer",
    "History",
    "Layer",
    "LstmCache",
    "LstmLayer",
    "Masks",
    "Params",
    "Sgd",
    "StackCache",
    "binary_crossentropy",
    "categorical_crossentropy",
    "concatenate_backward",
    "concatenate_forward",
    "concatenate_mask",
    "dense_backward",
    "dense_forward",
    "dot_backward",
    "dot_forward",
    "embedding_backward",
    "embedding_forward",
    "fit",
    "get_activation",
    "huber",
    "in_order",
    "lstm_backward",
    "lstm_forward",
    "mae",
    "merge_backward",
    "merge_forward",
    "merge_mask",
    "mse",
    "parameter_shapes",
    "permute_backward",
    "permute_forward",
    "repeat_vector_backward",
    "repeat_vector_forward",
    "softmax",
    "sparse_categorical_crossentropy",
    "stack_backward",
    "stack_forward",
    "time_distributed",
]
