"""The scripts of `examples/` that work on streams: what they compute, and what they print."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no examples next to the tests")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(name).stem, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.peer
def test_voice_activity_is_that_of_onnx_runtime() -> None:
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package)
    if importlib.util.find_spec("silero_vad") is None:
        pytest.skip("silero_vad is not installed")
    voice_activity = script("voice_activity")
    (ours, theirs), _ = voice_activity.compare(20)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    assert 0.2 < np.mean(ours > 0.5) < 0.8
    chunks = voice_activity.chunks_of(voice_activity.speech_like(20))
    whole = voice_activity.build().predict(chunks[None])
    np.testing.assert_array_equal(whole[0, :, 0].astype(ours.dtype), ours)
