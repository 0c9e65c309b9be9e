"""How errors of layers are checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest


def check_layer_error(make: Any, error: type[Exception], message: str) -> None:
    """The call fails with that text, and the error names the layer first."""
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)
    assert str(caught.value).startswith("[layers.")


def check_other_features(layer: Any, x: npt.NDArray[np.floating[Any]]) -> None:
    """A layer with weights for 3 features refuses 2."""
    layer(x)
    with pytest.raises(ValueError, match="expected 3 features, for which the layer has weights"):
        layer(x[..., :2])
