"""Layers that reshape, merge, pool and normalise, with the reference's forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstmfast import reference

Array = npt.NDArray[Any]
B = 3


class Case(NamedTuple):
    """How a layer is made by a library, of inputs of these shapes, and what it computes."""

    make: Callable[[Any], Any]  # with lstmfast.layers or keras.layers
    shapes: list[tuple[int, ...]]
    forward: Callable[[list[Array]], Array]
    backward: Callable[[Array, list[Array]], list[Array]]
    masks: tuple[Array | None, ...] = ()
    weights: tuple[Array, ...] = ()
    slopes: Callable[[Array, list[Array]], list[Array]] | None = None  # of the weights

    def inputs(self) -> list[Array]:
        rng = np.random.default_rng(4)
        return [rng.standard_normal((B, *shape)) for shape in self.shapes]


def _moved(make: Callable[[Any], Any], *target: int) -> Case:
    """A layer that keeps elements in order."""
    return Case(
        make,
        [(4, 3)],
        lambda x: x[0].reshape(B, *target),
        lambda dy, x: [dy.reshape(x[0].shape)],
    )


def _permute(*dims: int) -> Case:
    return Case(
        lambda of: of.Permute(dims),
        [(4, 3, 2)],
        lambda x: reference.permute_forward(x[0], dims),
        lambda dy, x: [reference.permute_backward(dy, dims)],
    )


def _merge(kind: str, shapes: list[tuple[int, ...]], *masks: Array | None) -> Case:
    return Case(
        lambda of: getattr(of, kind.capitalize())(),
        shapes,
        lambda x: reference.merge_forward(kind, x, masks),
        lambda dy, x: reference.merge_backward(kind, dy, x, masks),
        masks,
    )


def _concatenate(axis: int, *shapes: tuple[int, ...]) -> Case:
    return Case(
        lambda of: of.Concatenate(axis),
        list(shapes),
        lambda x: reference.concatenate_forward(x, axis),
        lambda dy, x: reference.concatenate_backward(dy, x, axis),
    )


def _dot(axes: tuple[int, int], normalize: bool, *shapes: tuple[int, ...]) -> Case:
    return Case(
        lambda of: of.Dot(axes, normalize),
        list(shapes),
        lambda x: reference.dot_forward(x[0], x[1], axes, normalize),
        lambda dy, x: reference.dot_backward(dy, x[0], x[1], axes, normalize),
    )


def _pool(
    kind: str, shape: tuple[int, ...], size: Any, strides: Any = None, padding: str = "valid"
) -> Case:
    n = len(shape) - 1
    sizes, steps = (k if isinstance(k, tuple) else (k,) * n for k in (size, strides or size))
    of_axes = [
        reference.window_positions(*sizes_of, 1, padding)
        for sizes_of in zip(shape, sizes, steps, strict=False)
    ]
    short = "max" if kind == "Max" else "mean"
    return Case(
        lambda of: getattr(of, f"{kind}Pooling{n}D")(size, strides, padding),
        [shape],
        lambda x: reference.pool_forward(short, x[0], of_axes),
        lambda dy, x: [reference.pool_backward(short, dy, x[0], of_axes)],
    )


def _pool_all(kind: str, shape: tuple[int, ...], keepdims: bool = False) -> Case:
    n = len(shape) - 1
    of_axes = [reference.window_positions(size, size) for size in shape[:-1]]
    short = "max" if kind == "Max" else "mean"
    ending = (1,) * n * keepdims + shape[-1:]
    return Case(
        lambda of: getattr(of, f"Global{kind}Pooling{n}D")(keepdims=keepdims),
        [shape],
        lambda x: reference.pool_forward(short, x[0], of_axes).reshape(B, *ending),
        lambda dy, x: [reference.pool_backward(short, dy.reshape(B, *(1,) * n, -1), x[0], of_axes)],
    )


def _norm(
    kind: str,
    make: Callable[[Any], Any],
    axes: tuple[int, ...],
    weights: int = 0,
    shape: tuple[int, ...] = (4, 3, 2),
) -> Case:
    """A layer that normalises along axes, with a gamma, a beta, or both."""
    rng = np.random.default_rng(len(axes))
    own = tuple(rng.standard_normal([shape[a - 1] for a in axes]) for _ in range(weights))
    gamma = own[0] if own else 1.0
    epsilon = {"unit": 1e-12, "rms": 1e-6}.get(kind, 1e-3)
    how = {"kind": kind, "axes": axes, "epsilon": epsilon, "gamma": gamma}
    beta = own[1] if weights > 1 else 0.0

    def slopes(dy: Array, x: list[Array]) -> list[Array]:
        return list(reference.row_normalization_backward(dy, x[0], **how)[1 : 1 + weights])

    return Case(
        make,
        [shape],
        lambda x: reference.row_normalization_forward(x[0], **how, beta=beta),
        lambda dy, x: [reference.row_normalization_backward(dy, x[0], **how)[0]],
        weights=own,
        slopes=slopes,
    )


def _up_sampling(name: str, *size: int) -> Case:
    return Case(
        lambda of: getattr(of, name)(size if len(size) > 1 else size[0]),
        [(4, 3, 2)[: len(size) + 1]],
        lambda x: reference.up_sampling_forward(x[0], size),
        lambda dy, x: [reference.up_sampling_backward(dy, size)],
    )


def _edges(name: str, *edges: tuple[int, int]) -> Case:
    """A layer of zero padding, or of cropping, each of which is the gradient of the other."""
    ways = [reference.padding_forward, reference.cropping_forward]
    forward, backward = ways if name.startswith("Zero") else ways[::-1]
    return Case(
        lambda of: getattr(of, name)(edges if len(edges) > 1 else edges[0]),
        [(4, 3, 2)[: len(edges) + 1]],
        lambda x: forward(x[0], edges),
        lambda dy, x: [backward(dy, edges)],
    )


def _relu(slope: float = 0.0, most: float = np.inf, threshold: float = 0.0) -> Case:
    how = {"slope": slope, "most": most, "threshold": threshold}
    return Case(
        lambda of: of.ReLU(None if most == np.inf else most, slope, threshold),
        [(4, 3)],
        lambda x: reference.rectifier_forward(x[0], **how),
        lambda dy, x: [reference.rectifier_backward(dy, x[0], **how)],
    )


def _prelu(*shared: int) -> Case:
    shape = (4, 3)
    sizes = [1 if axis in shared else size for axis, size in enumerate(shape, 1)]
    alpha = np.random.default_rng(3).standard_normal(sizes)

    def slopes(dy: Array, x: list[Array]) -> list[Array]:
        each = (dy * np.minimum(x[0], 0.0)).sum(0)
        return [each.sum(tuple(axis - 1 for axis in shared), keepdims=True)]

    return Case(
        lambda of: of.PReLU(shared_axes=list(shared) or None),
        [shape],
        lambda x: reference.rectifier_forward(x[0], alpha),
        lambda dy, x: [reference.rectifier_backward(dy, x[0], alpha)],
        weights=(alpha,),
        slopes=slopes,
    )


def _softmax(given: Any, *axes: int, shape: tuple[int, ...] = (4, 3, 2)) -> Case:
    return Case(
        lambda of: of.Softmax(given),
        [shape],
        lambda x: reference.softmax_along_forward(x[0], axes),
        lambda dy, x: [reference.softmax_along_backward(dy, x[0], axes)],
    )


MASKS = [np.random.default_rng(k).random((B, 4)) < 0.6 for k in range(3)]
for _mask in MASKS:
    _mask[0, 0] = False  # nothing counts there
MERGES = ("add", "subtract", "multiply", "average", "maximum", "minimum")

CASES: dict[str, Case] = {
    "flatten": _moved(lambda of: of.Flatten(), 12),
    "reshape": _moved(lambda of: of.Reshape((2, -1, 3)), 2, 2, 3),
    "permute": _permute(3, 1, 2),
    "permute_back": _permute(2, 3, 1),
    "repeat_vector": Case(
        lambda of: of.RepeatVector(4),
        [(3,)],
        lambda x: reference.repeat_vector_forward(x[0], 4),
        lambda dy, x: [reference.repeat_vector_backward(dy)],
    ),
    "decoder_input": Case(
        lambda of: of.DecoderInput(-2.0),
        [(4, 3)],
        lambda x: reference.decoder_input_forward(x[0], -2.0),
        lambda dy, x: [reference.decoder_input_backward(dy)],
    ),
    "concatenate": _concatenate(-1, (4, 3), (4, 2), (4, 1)),
    "concatenate_steps": _concatenate(1, (4, 3), (2, 3)),
    "dot": _dot((2, 2), False, (4, 3), (2, 3)),
    "dot_rows": _dot((1, 1), False, (3,), (3,)),
    "dot_normalised": _dot((1, 2), True, (3, 4), (2, 3)),
    "layer_norm": _norm("layer", lambda of: of.LayerNormalization(), (3,), 2),
    "layer_norm_axes": _norm("layer", lambda of: of.LayerNormalization([2, 3]), (2, 3), 2),
    "layer_norm_steps": _norm("layer", lambda of: of.LayerNormalization(1), (1,), 2),
    "layer_norm_scale": _norm("layer", lambda of: of.LayerNormalization(center=False), (3,), 1),
    "layer_norm_bare": _norm(
        "layer", lambda of: of.LayerNormalization([1, 2], center=False, scale=False), (1, 2)
    ),
    "rms_scaling": _norm(
        "variance", lambda of: of.LayerNormalization(2, rms_scaling=True), (2,), 1
    ),
    "rms_norm": _norm("rms", lambda of: of.RMSNormalization(), (3,), 1),
    "unit_norm": _norm("unit", lambda of: of.UnitNormalization(), (3,)),
    "unit_norm_axes": _norm("unit", lambda of: of.UnitNormalization([1, 3]), (1, 3)),
    "layer_norm_wide": _norm("layer", lambda of: of.LayerNormalization(), (2,), 2, (2, 37)),
    "rms_norm_wide": _norm("rms", lambda of: of.RMSNormalization(), (2,), 1, (2, 37)),
    "unit_norm_wide": _norm("unit", lambda of: of.UnitNormalization(), (2,), 0, (2, 37)),
    "softmax_wide": _softmax(-1, 2, shape=(2, 37)),
    "up_sampling": _up_sampling("UpSampling1D", 3),
    "up_sampling_2d": _up_sampling("UpSampling2D", 2, 3),
    "zero_padding": _edges("ZeroPadding1D", (2, 1)),
    "zero_padding_2d": _edges("ZeroPadding2D", (0, 1), (2, 3)),
    "cropping": _edges("Cropping1D", (1, 2)),
    "cropping_2d": _edges("Cropping2D", (1, 0), (0, 2)),
    "relu": _relu(),
    "relu_bounded": _relu(0.1, 0.8),
    "relu_threshold": _relu(0.5, 1.5, 0.3),
    "prelu": _prelu(),
    "prelu_steps": _prelu(1),
    "prelu_all": _prelu(1, 2),
    "softmax": _softmax(-1, 3),
    "softmax_steps": _softmax(1, 1),
    "softmax_axes": _softmax([1, 3], 1, 3),
}
for _kind in MERGES:
    _count = 2 if _kind == "subtract" else 3
    CASES[_kind] = _merge(_kind, [(4, 3)] * _count)
    CASES[f"{_kind}_stretched"] = _merge(_kind, [(4, 3), (1, 3), (4, 1)][:_count])
    CASES[f"{_kind}_of_rank_1"] = _merge(_kind, [(4, 3), (3,)])
    CASES[f"{_kind}_masked"] = _merge(_kind, [(4, 3)] * _count, *MASKS[:_count])
    CASES[f"{_kind}_one_masked"] = _merge(_kind, [(4, 3)] * 2, MASKS[0], None)
for _kind in ("Max", "Average"):
    _name = f"{_kind.lower()}_pool"
    CASES |= {
        f"{_name}": _pool(_kind, (7, 3), 2),
        f"{_name}_wide": _pool(_kind, (9, 18), 3, 1),
        f"{_name}_apart": _pool(_kind, (9, 2), 2, 3),
        f"{_name}_same": _pool(_kind, (7, 3), 3, 2, "same"),
        f"{_name}_one_step": _pool(_kind, (1, 3), 3, 1, "same"),
        f"{_name}_2d": _pool(_kind, (5, 7, 3), (2, 3)),
        f"{_name}_2d_same": _pool(_kind, (5, 7, 17), 3, (2, 1), "same"),
        f"{_name}_of_all": _pool_all(_kind, (5, 3)),
        f"{_name}_of_all_2d": _pool_all(_kind, (3, 4, 5), keepdims=True),
    }


class Conv(NamedTuple):
    """Options of a convolution, and the shape of a sample."""

    shape: tuple[int, ...]
    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: str = "valid"
    dilation_rate: Any = 1

    def make(self, of: Any, **more: Any) -> Any:
        options = self._asdict()
        return getattr(of, f"Conv{len(options.pop('shape')) - 1}D")(**options | more)

    def of_axes(self) -> list[Array]:
        n = len(self.shape) - 1
        sizes = [
            k if isinstance(k, tuple) else (k,) * n
            for k in (self.kernel_size, self.strides, self.dilation_rate)
        ]
        return [
            reference.window_positions(*axis, self.padding)
            for axis in zip(self.shape, *sizes, strict=False)
        ]


CONVS = {
    "plain": Conv((7, 3), 5, 3),
    "one_tap": Conv((7, 3), 20, 1),
    "one_feature": Conv((20, 1), 2, 5, padding="same"),
    "one_step": Conv((1, 2), 3, 3, padding="same"),
    "one_window": Conv((4, 2), 3, 4),
    "large_windows": Conv((9, 2), 3, 6),
    "even": Conv((6, 3), 4, 4, padding="same"),
    "strided": Conv((8, 3), 4, 3, 2),
    "strided_same": Conv((8, 3), 4, 3, 2, "same"),
    "apart": Conv((9, 2), 4, 2, 3),
    "causal": Conv((6, 3), 4, 3, padding="causal"),
    "causal_strided": Conv((7, 3), 4, 4, 3, "causal"),
    "dilated": Conv((9, 3), 4, 3, dilation_rate=3),
    "dilated_causal": Conv((9, 3), 4, 3, padding="causal", dilation_rate=2),
    "dilated_same": Conv((5, 3), 4, 2, padding="same", dilation_rate=4),
    "padding_alone": Conv((2, 3), 4, 2, padding="same", dilation_rate=5),
    "long": Conv((300, 4), 3, 5, padding="same"),
    "wide": Conv((10, 33), 70, 3, padding="causal"),
    "images": Conv((6, 5, 3), 4, (3, 2)),
    "images_same": Conv((6, 5, 3), 33, (3, 4), padding="same"),
    "images_strided": Conv((7, 6, 2), 4, 3, (2, 1), "same"),
    "images_apart": Conv((7, 8, 2), 4, 2, 3),
    "images_dilated": Conv((6, 7, 2), 4, 3, padding="same", dilation_rate=(1, 2)),
    "images_dilated_twice": Conv((7, 7, 2), 4, (2, 3), dilation_rate=2),
    "images_large_windows": Conv((7, 6, 2), 4, 5),
    "lines": Conv((4, 5, 2), 4, (2, 5)),
    "long_lines": Conv((3, 300, 2), 3, (2, 3), padding="same"),
}
