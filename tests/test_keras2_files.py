"""`.h5` files of Keras 2 load, predict and go on training as there; written by make_keras2.py."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from lstmfast.models import load_model

pytest.importorskip("h5py")
HERE = Path(__file__).parent / "golden"
with zipfile.ZipFile(HERE / "keras2.zip") as archive:
    FILES = {name.removesuffix(".h5"): archive.read(name) for name in archive.namelist()}
with np.load(HERE / "keras2.npz") as stored:
    ARRAYS = {key: stored[key] for key in stored.files}
TARGETS = np.array([[0.0], [1.0], [1.0], [0.0]], np.float32)
# float32 on both sides: sums of at most 60 terms in each of some ten steps that follow each other
TOLERANCE = 10 * 60 * 2.0**-23


@pytest.mark.parametrize("name", FILES)
def test_model(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(FILES[name])
    model = load_model(path)
    given = {"tokens": ["ids"], "states": ["ids", "steps"]}.get(name, ["steps"])
    x = [ARRAYS[each] for each in given]
    x = x if len(x) > 1 else x[0]
    np.testing.assert_allclose(model.predict(x, verbose=0), ARRAYS[f"{name}.y"], atol=TOLERANCE)
    assert int(model.optimizer.iterations) == 4
    run = model.fit(x, TARGETS, epochs=2, batch_size=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(run.history["loss"], ARRAYS[f"{name}.loss"], atol=TOLERANCE)
