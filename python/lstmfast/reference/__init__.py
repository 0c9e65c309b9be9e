"""The LSTM in plain NumPy: readable equations, independent of the compiled core.

`cell.py` has the equations of one time step and their gradients, `sequence.py` the loop over time,
`rows.py` lengths, masks and resets, `stack.py` layers and directions;
`dense.py`, `losses.py`, `optimizers.py` and `train.py` add a whole training, and
`graph_layers.py` has the layers that reshape, embed and merge, `windows.py` convolution and
pooling, `attention.py` attention, `normalization.py` what normalises, `sampling.py` what generation
draws, `units.py` the GRU and the simple recurrent unit, `conv_lstm.py` the LSTM whose products are
convolutions, `recurrence.py` their loop over time, `quantized.py` layers with kernels of int8.
`operations.py` has the operations of users' code.
Gradients are derived by hand.
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

import inspect

from .activations import *
from .attention import *
from .cell import *
from .conv_lstm import *
from .dense import *
from .graph_layers import *
from .losses import *
from .normalization import *
from .operations import *
from .optimizers import *
from .parameters import *
from .quantized import *
from .sampling import *
from .schedules import *
from .sequence import *
from .stack import *
from .train import *
from .units import *
from .windows import *

# what the modules list, but not the modules themselves
__all__ = [
    name for name, value in globals().items() if name[0] != "_" and not inspect.ismodule(value)
]
