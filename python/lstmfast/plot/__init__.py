"""Pictures of trainings, forecasts and of what an LSTM does; they need matplotlib.

Each function returns a `matplotlib.figure.Figure`, which notebooks show and whose ``savefig``
writes a file; with ``ax=`` it draws into axes of yours. ``pip install "lstmfast[plot]"`` brings
matplotlib.

======================  ==========================================================================
function                shows
======================  ==========================================================================
`learning_curves`       loss and metrics over the epochs
`forecast`              a series, its forecast with intervals, and what came
`confusion`             which classes are taken for which
`gates`                 gates and cell state of an LSTM at each step of a sequence
`attention`             where each step of the output looks, by the weights of `attention_weights`
`strokes`               handwriting, and polygons drawn point by point
`frames`                the frames of videos
======================  ==========================================================================
"""

from ._drawings import frames, strokes
from ._gates import gates
from ._matrices import attention, attention_weights, confusion
from .series import forecast, learning_curves

__all__ = [
    "attention",
    "attention_weights",
    "confusion",
    "forecast",
    "frames",
    "gates",
    "learning_curves",
    "strokes",
]
