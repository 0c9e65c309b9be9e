"""Model files damaged in every way that comes to mind, and what loading each of them came to."""

from __future__ import annotations

import copy
import json
import os
import random
import re
import resource
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast.callbacks import EarlyStopping, ModelCheckpoint
from lstmfast.layers import LSTM, Bidirectional, Dense, Dropout, Input, Masking
from lstmfast.metrics import MeanAbsoluteError
from lstmfast.models import Sequential, load_model
from lstmfast.optimizers import SGD, Adam
from own_code import Pinball, off_by

LONGEST = 1.0  # seconds for one file, each of which is small
_OWN = {"Pinball": Pinball, "off_by": off_by}
_OURS = re.compile(r"\[load(_model)?\] ")
# texts that a configuration, a counter, a list or a description may suddenly hold
_TEXTS = (
    ["", " ", "0", "1", "-1", "2", "true", "false", "null", "nan", "inf", "1e999", "1e-400", "-0.0"]
    + [str(2**n + k) for n in (7, 15, 16, 24, 31, 32, 53, 63, 64) for k in (-1, 0, 1)]
    + ["9" * 400, "1" * 5000, "0x10", "1_000", "+1", "1.5", "elu:1", "elu:-1", "elu:1e999", "?"]
    + ["?,1", "1,?", "1,2,3,4,5,6", "2147483647,1", "mse", "mae,mae", "custom", "custom:0", "adam"]
    + ["lstm", "dense", "bidirectional", "sqrt", "step", "l1_l2", "max_norm", "x" * 100_000]
    + [
        "mse," * 2000,
        "[",
        "[" * 50_000,
        "{}",
        "[]",
        "[[]]",
        '[["a"]]',
        '[["a", "mae"]]',
        '{"a": 1}',
    ]
    + ['{"loss": 1}', '{"loss": {"code": "Pinball", "name": null, "config": {"q": 1}}}']
    + ['[{"class": "EarlyStopping", "state": {}}]', "\0", "ä", "\U0001f3b5", "\x7f", '"', "\\"]
)
_NUMBERS = [0, 1, -1, 3, 7, 8, 255, 2**31, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64, 10**30]
_VALUES: list[Any] = [*_NUMBERS, 1.5, 1e308, None, True, "", "F32", "F64", "I64", "x", [], {}, [[]]]
_BYTES = b'{{[[]]}},,::""\\\\u\\ud800 0-1+e9null\xff\xf0\x9f\xc0\xaf\x00\x01\x80PK\x03\x04'


def whole_files(folder: Path) -> list[bytes]:
    """Return files of models with all that a file may hold, each small."""
    rng = np.random.default_rng(0)
    files = []

    def keep(model: Sequential, optimizer: Any, loss: Any, metrics: Any, shape: Any) -> None:
        path = folder / "whole.safetensors"
        if optimizer is not None:
            model.compile(optimizer, loss, metrics=metrics)
            x, y = rng.random(shape), rng.random((shape[0], 2))
            best = ModelCheckpoint(folder / "best", monitor="loss", save_best_only=True)
            stop = EarlyStopping("loss", restore_best_weights=True)
            model.fit(x, y, epochs=2, batch_size=3, verbose=0, callbacks=[best, stop])
        model.save(path)
        files.append(path.read_bytes())
        path.unlink()

    layers = [Input((3, 1)), LSTM(2, kernel_regularizer="l2"), Dropout(0.1), Dense(2)]
    keep(Sequential(layers, seed=0), Adam(0.01, clipnorm=1.0), "mse", ["mae", "acc"], (4, 3, 1))
    both = Bidirectional(LSTM(2, return_sequences=True), merge_mode="sum")
    deep = [Input((None, 2)), Masking(), both, LSTM(1, peephole=True), Dense(2, "softmax")]
    named = [MeanAbsoluteError(name="off, by")]
    sgd = SGD(0.1, 0.9, nesterov=True)
    keep(Sequential(deep, seed=0, dtype="float64"), sgd, "huber", named, (4, 3, 2))
    own = Sequential([Input((2,)), Dense(2, kernel_constraint="non_neg")], seed=0)
    keep(own, "adam", Pinball(0.9), [off_by, "mse"], (4, 2))
    stateful = [Input((2, 1), batch_size=2), LSTM(3, stateful=True), Dense(2)]
    keep(Sequential(stateful, seed=0), None, None, None, ())
    return files


class Damage:
    """Makes damaged files; the same seed makes the same ones."""

    def __init__(self, whole: list[bytes], seed: int) -> None:
        self.whole = whole
        self.random = random.Random(seed)
        self.kinds = [self.bits, self.cut, self.splice, self.header, self.header, self.texts]
        self.kinds += [self.texts, self.texts]

    def make(self) -> bytes:
        """Return another damaged file."""
        return self.random.choice(self.kinds)(self.random.choice(self.whole))

    def bits(self, data: bytes) -> bytes:
        damaged = bytearray(data)
        for _ in range(self.random.choice((1, 1, 1, 2, 8))):
            place = self.random.randrange(len(data))
            if self.random.random() < 0.5:  # most of the interesting ones are in the header
                place = self.random.randrange(8 + int.from_bytes(data[:8], "little"))
            damaged[place] ^= 1 << self.random.randrange(8)
        return bytes(damaged)

    def cut(self, data: bytes) -> bytes:
        end = self.random.randrange(len(data))
        tail = self.random.choice((b"", b"\0" * (len(data) - end), self.random.choice(self.whole)))
        return data[:end] + tail

    def splice(self, data: bytes) -> bytes:
        for _ in range(self.random.choice((1, 1, 2, 4))):
            source = self.random.choice((*self.whole, _BYTES))
            begin = self.random.randrange(len(source))
            piece = source[begin : begin + self.random.choice((1, 2, 4, 8, 64, 1000))]
            place = self.random.randrange(len(data))
            removed = self.random.choice((0, len(piece), 1, 8))
            data = data[:place] + piece + data[place + removed :]
        if self.random.random() < 0.5 and len(data) > 8:  # or few get past the length
            old = int.from_bytes(self.random.choice(self.whole)[:8], "little")
            data = max(0, min(old, len(data) - 8)).to_bytes(8, "little") + data[8:]
        return data

    def header(self, data: bytes) -> bytes:
        """Change types, sizes, names and nesting of the header."""
        header, rest = parts(data)
        for _ in range(self.random.choice((1, 1, 2, 5))):
            node, key = header, self.random.choice(list(header))
            while isinstance(node[key], dict | list) and node[key] and self.random.random() < 0.8:
                node = node[key]
                keys = list(node) if isinstance(node, dict) else list(range(len(node)))
                key = self.random.choice(keys)
            self._change(node, key)
            if not header:
                break
        if self.random.random() < 0.2:
            rest = rest[: self.random.randrange(len(rest) + 1)]
        return joined(header, rest)

    def _change(self, node: Any, key: Any) -> None:
        kind = self.random.randrange(5)
        if kind == 0:
            del node[key]
        elif kind == 1 and isinstance(node, dict):
            node[self.random.choice((*node, *_TEXTS[:60]))] = node.pop(key)
        elif kind == 2 and isinstance(node[key], int):
            node[key] += self.random.choice((-8, -4, -1, 1, 4, 8))
        elif kind == 3:
            others = list(node.values()) if isinstance(node, dict) else list(node)
            node[key] = copy.deepcopy(self.random.choice(others))
        else:
            node[key] = copy.deepcopy(self.random.choice(_VALUES))

    def texts(self, data: bytes) -> bytes:
        """Change what the metadata say, past the digest."""
        header, rest = parts(data)
        texts = header["__metadata__"]
        if self.random.random() < 0.95:
            texts.pop("digest", None)
            texts["format_version"] = "1"
        for _ in range(self.random.choice((1, 1, 1, 2, 4))):
            key = self.random.choice(list(texts))
            kind = self.random.randrange(7)
            if kind == 0:
                del texts[key]
            elif kind == 1:
                texts[self.random.choice((*texts, key + ".x", key[:-1]))] = texts.pop(key)
            elif kind == 2:
                texts[key] = self.random.choice(list(texts.values()))
            elif kind == 3:
                texts[key] = self._edited(texts[key])
            else:
                texts[key] = self.random.choice(_TEXTS)
            if not texts:
                break
        return joined(header, rest)

    def _edited(self, text: str) -> str:
        place = self.random.randrange(len(text) + 1)
        piece = self.random.choice((*_TEXTS[:14], ",", ":", ".", "[", "]", "{", "}", "0"))
        return text[:place] + piece + text[place + self.random.randrange(3) :]


def parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a file's header, and what follows it."""
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def joined(header: Any, rest: bytes) -> bytes:
    """Return a file of this header."""
    text = json.dumps(header, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return len(text).to_bytes(8, "little") + text + rest


def end_of(path: Path) -> str:
    """Load a file, and go on with what was loaded; return how it ended."""
    try:
        model = load_model(path, _OWN)
    except (ValueError, OSError) as error:
        return "refused" if _OURS.match(str(error)) else f"foreign text: {error}"
    again = path.with_name("again.safetensors")
    if model.optimizer is not None and model.loss is not None and "?" not in str(model.input_shape):
        sizes = [3 if size is None else size for size in model.input_shape[1:]]
        if np.prod(sizes) < 1000:
            x = np.full((2, *sizes), 0.5)
            try:
                model.train_on_batch(x, np.full((2, *model.predict(x, verbose=0).shape[1:]), 0.5))
            except (ValueError, FloatingPointError):  # such as a learning rate of 1e300
                return "loaded"
    model.save(again)
    load_model(again, _OWN)
    return "loaded"


def run(folder: Path, count: int, seed: int = 0) -> Counter[str]:
    """Load so many damaged files; count how they ended: all should be loaded or refused.

    A file that ended otherwise stays in the folder, its name given in the count's key.
    """
    ends: Counter[str] = Counter()
    whole = whole_files(folder)
    damage = Damage(whole, seed)
    path = folder / "damaged.safetensors"
    most = 0
    for number in range(count):
        path.write_bytes(damage.make())
        begin = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                end = end_of(path)
        except Exception:
            end = traceback.format_exc()
        if time.perf_counter() - begin > LONGEST:
            end = f"slow: {time.perf_counter() - begin:.1f} s"
        if end not in ("loaded", "refused"):
            kept = path.rename(folder / f"{seed}-{number}.safetensors")
            end = f"{kept}: {end}"
        else:
            path.unlink()  # some file systems flush a file that is truncated and refilled
        ends[end] += 1
        if number == count // 2:
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most
    if count >= 2000 and grown > 64 << 10:
        ends[f"memory: {grown >> 10} MiB more in the second half"] += 1
    return ends


def scratch() -> str | None:
    """Return a folder in memory, where there is one: files there are made sooner."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
