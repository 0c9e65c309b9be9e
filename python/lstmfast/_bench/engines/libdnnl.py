"""oneDNN's C interface, called with ctypes: its memories and primitives, in float32."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import weakref
from collections.abc import Callable, Mapping, Sequence
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_uint, c_void_p
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import UnsupportedError
from lstmfast._bench.problems import Array

DISTRIBUTIONS = ("onednn-cpu-gomp", "onednn-cpu-tbb", "onednn-cpu-iomp", "onednn")
FILE, MAJOR = "libdnnl.so.3", 3
RUNTIMES = {1: "one thread", 2: "OpenMP", 4: "TBB"}  # whose calls compute before they return

# Values of the C interface
CPU, FLOAT32, ANY_FORMAT = 1, 3, 1
ALLOCATE = c_void_p(-1)
QUERY_ARGUMENT = 255  # the descriptor of an argument
STATUS = {1: "out of memory", 2: "invalid arguments", 5: "runtime error"}
UNIMPLEMENTED = 3
FROM, TO = 1, 17  # arguments of a reorder


class _Version(ctypes.Structure):
    """`dnnl_version_t`."""

    _fields_ = (
        *((name, c_int) for name in ("major", "minor", "patch")),
        ("hash", c_char_p),
        ("cpu_runtime", c_uint),
        ("gpu_runtime", c_uint),
    )


class _Argument(ctypes.Structure):
    """`dnnl_exec_arg_t`."""

    _fields_ = (("number", c_int), ("memory", c_void_p))


def find() -> str | None:
    """Return the path of a library from PyPI, or the name of the system's; None without one."""
    for name in DISTRIBUTIONS:
        with contextlib.suppress(PackageNotFoundError):
            for file in distribution(name).files or ():
                if file.name == FILE and (path := Path(str(file.locate()))).exists():
                    return str(path.resolve())
    return ctypes.util.find_library("dnnl")


def _opened(path: str, *before: str) -> ctypes.CDLL:
    """Load a library, first of all those that it needs and that lie next to it.

    pip puts Intel's run-time libraries there, where the system's loader does not look.
    """
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        missing = Path(path).parent / str(error).partition(":")[0]
        if str(missing) in (path, *before) or not missing.exists():
            raise
    _opened(str(missing))
    return _opened(path, str(missing), *before)


@cache
def load() -> tuple[ctypes.CDLL, str]:
    """Return the library, and its version with what its threads are.

    Raises
    ------
    ImportError
        For another major version, and for a build for SYCL, which queues each call; that takes
        10 us.
    """
    found = find()
    if found is None:
        raise ImportError("no libdnnl")
    library = _opened(found)
    library.dnnl_version.restype = ctypes.POINTER(_Version)
    version = library.dnnl_version().contents
    text = f"{version.major}.{version.minor}.{version.patch}"
    if version.major != MAJOR or version.cpu_runtime not in RUNTIMES:
        what = "is built for SYCL" if version.major == MAJOR else f"is not of version {MAJOR}"
        raise ImportError(f"{found} {text} {what}: pip install {DISTRIBUTIONS[0]}")
    library.dnnl_memory_desc_get_size.restype = c_size_t
    library.dnnl_primitive_desc_query_md.restype = c_void_p
    # called most often: converts its arguments faster where it knows their types
    library.dnnl_primitive_execute.argtypes = (c_void_p, c_void_p, c_int, c_void_p)
    return library, f"{text} ({RUNTIMES[version.cpu_runtime]})"


def function(name: str) -> Callable[..., Any]:
    """Return ``dnnl_<name>``."""
    found: Callable[..., Any] = getattr(load()[0], f"dnnl_{name}")
    return found


def call(name: str, *arguments: object) -> None:
    """Call ``dnnl_<name>``, which returns a status.

    Raises
    ------
    UnsupportedError
        Where the library has no implementation.
    RuntimeError
        For any other failure.
    """
    status = function(name)(*arguments)
    if status == UNIMPLEMENTED:
        raise UnsupportedError(f"no {name.removesuffix('_primitive_desc_create')}")
    if status:
        raise RuntimeError(f"dnnl_{name}: {STATUS.get(status, status)}")


class Owned:
    """An object of the library, which takes this one in its place and destroys it with it."""

    def __init__(self, kind: str, create: str, *arguments: object) -> None:
        self._as_parameter_ = c_void_p()
        call(create, byref(self._as_parameter_), *arguments)
        destroy = weakref.finalize(self, function(f"{kind}_destroy"), self._as_parameter_)
        destroy.atexit = False  # the library's threads may have ended by then


@cache
def engine() -> Owned:
    """Return the engine of the CPU."""
    return Owned("engine", "engine_create", CPU, c_size_t(0))


@cache
def stream() -> Owned:
    """Return a stream of the engine, in order."""
    return Owned("stream", "stream_create", engine(), 1)


def descriptor(dims: Sequence[int], *, packed: bool = False) -> Owned:
    """Describe an array in C order; packed, in a format that a primitive chooses."""
    tag = ANY_FORMAT if packed else len(dims) + 1  # a, ab, abc, ... from 2 on
    sizes = (c_int64 * len(dims))(*dims)
    return Owned("memory_desc", "memory_desc_create_with_tag", len(dims), sizes, FLOAT32, tag)


class Memory(Owned):
    """An array of the library's, all zeros; `values` are its numbers, with those of padding."""

    def __init__(self, description: Owned | c_void_p) -> None:
        super().__init__("memory", "memory_create", description, engine(), ALLOCATE)
        self.description, data = c_void_p(), c_void_p()  # its own one, which lives as long
        call("memory_get_memory_desc", self, byref(self.description))
        call("memory_get_data_handle", self, byref(data))
        size = function("memory_desc_get_size")(description)
        # the workspace holds bytes, but is never looked at
        numbers = ctypes.cast(data, ctypes.POINTER(ctypes.c_float))
        self.values: Array = np.ctypeslib.as_array(numbers, (size // 4,))
        self.values[:] = 0.0

    def fill(self, values: Array) -> None:
        """Copy numbers into it; it must be in C order."""
        self.values[:] = values.ravel()


def filled(values: Array) -> Memory:
    """Return a memory in C order with a copy of the values."""
    memory = Memory(descriptor(values.shape))
    memory.fill(values)
    return memory


class Primitive(Owned):
    """A computation, made from its descriptor."""

    def __init__(self, created: Owned) -> None:
        super().__init__("primitive", "primitive_create", created)

    def prepared(self, memories: Mapping[int, Memory]) -> Callable[[], int]:
        """Return a call with these arguments by their numbers; it returns 0 if it succeeded."""
        pairs = [_Argument(number, each._as_parameter_) for number, each in memories.items()]
        arguments = (_Argument * len(pairs))(*pairs)
        handles = self._as_parameter_, stream()._as_parameter_
        prepared = partial(function("primitive_execute"), *handles, len(pairs), arguments)
        prepared.__dict__["objects"] = (self, memories)  # lest they are destroyed before it
        return prepared


def argument(created: Owned, number: int) -> c_void_p:
    """Return a primitive's descriptor of an argument; it lives as long as that of the primitive."""
    return c_void_p(function("primitive_desc_query_md")(created, QUERY_ARGUMENT, number))


def reorder(source: Memory, target: Memory) -> None:
    """Copy an array into another format."""
    created = Owned(
        "primitive_desc", "reorder_primitive_desc_create",
        source.description, engine(), target.description, engine(), None,
    )  # fmt: skip
    if Primitive(created).prepared({FROM: source, TO: target})():
        raise RuntimeError("a reorder failed")
