"""A text compressor: an LSTM predicts each byte, and a range coder spends few bits on likely ones.

    python examples/compressor.py compress IN OUT
    python examples/compressor.py decompress IN OUT
    python examples/compressor.py                     # a demo on the texts of this repository

The compressed file holds no weights. Both sides start with the same random network and train it on
what they have coded so far, in the same order (F. Bellard, "Lossless Data Compression with Neural
Networks", 2019). This works only if each probability has the same bits on both sides: after one
that is rounded differently, the rest is noise. With lstmfast outputs depend neither on the number
of threads nor on how a sequence is cut into chunks, and gradients of weights do not depend on the
number of threads. So a text that one thread compressed, 16 steps at a time, is decompressed by two
threads, one step at a time.

The range coder is that of G. N. N. Martin ("Range encoding", 1979), with integers of 32 bits.
"""

import argparse
import bz2
import gzip
import lzma
import random
import struct
import time
import zlib
from pathlib import Path

import numpy as np
from tqdm import tqdm

import lstmfast as lf
from lstmfast.layers import LSTM, Dense, Embedding, Input
from lstmfast.models import Model

UNITS = 192
ROWS = 4  # the text is cut into parts, which are read side by side as the rows of a batch
CHUNK = 16  # steps between two updates of the weights
REPLAYS = 2  # updates on earlier text after each chunk,
WINDOWS, STEPS = 8, 32  # each with 8 windows of 32 steps
HEADER = struct.Struct(
    "<8s16s16sQI"
)  # format, ISA, version of lstmfast; size and CRC-32 of the text
IDENTITY = ("lstmzip1", lf.isa(), lf.__version__)  # must be the same on both sides


class Predictor:
    """The network: predicts the next byte of each row, and trains on what is known by now."""

    def __init__(self):
        lf.utils.set_random_seed(0)
        self.random = random.Random(0)  # random() gives the same numbers in all versions of Python
        byte, h, c = Input((None,), dtype="int32"), Input((UNITS,)), Input((UNITS,))
        lstm = LSTM(UNITS, return_sequences=True, return_state=True)
        y, last_h, last_c = lstm(Embedding(256, 32)(byte), initial_state=[h, c])
        probabilities = Dense(256, activation="softmax")(y)
        self.reader = Model([byte, h, c], [probabilities, last_h, last_c])
        self.trainer = Model([byte, h, c], probabilities)  # of the same layers: shares the weights
        rate = lf.optimizers.schedules.InverseTimeDecay(0.01, decay_steps=1600, decay_rate=1)
        adam = lf.optimizers.Adam(rate, clipnorm=1)
        self.trainer.compile(adam, "sparse_categorical_crossentropy")
        self.state = self.state_before = [np.zeros((ROWS, UNITS), np.float32)] * 2

    def frequencies(self, text):
        """Read bytes (ROWS, T); return cumulative frequencies of the bytes that follow them.

        Of shape (ROWS, T, 257). Frequencies are integers, and at least 1: every byte can be coded.
        """
        probabilities, *self.state = self.reader.predict_on_batch([text, *self.state])
        frequencies = 1 + (probabilities * np.float32(2**16)).astype(np.int64)
        return np.pad(np.cumsum(frequencies, axis=-1), ((0, 0), (0, 0), (1, 0)))

    def learn(self, text, begin, end):
        """Train on the chunk that was just read, then on random windows of all text so far."""
        chunk = text[:, begin : end + 1]
        self.trainer.train_on_batch([chunk[:, :-1], *self.state_before], chunk[:, 1:])
        self.state_before = self.state
        steps = min(STEPS, end)
        zeros = np.zeros((WINDOWS, UNITS), np.float32)
        for _ in range(REPLAYS):
            rows = [int(ROWS * self.random.random()) for _ in range(WINDOWS)]
            starts = [int((end - steps + 1) * self.random.random()) for _ in range(WINDOWS)]
            places = np.array(starts)[:, None] + np.arange(steps + 1)
            windows = text[np.array(rows)[:, None], places]
            self.trainer.train_on_batch([windows[:, :-1], zeros, zeros], windows[:, 1:])


class Encoder:
    """The bytes are the digits of a number in [low, low + width), which each symbol narrows."""

    def __init__(self):
        self.low, self.width, self.bytes = 0, 2**32 - 1, bytearray()

    def encode(self, below, above, total):
        """Keep the part [below / total, above / total) of the interval."""
        part = self.width // total
        self.low, self.width = self.low + below * part, (above - below) * part
        if self.low >= 2**32:  # carry into bytes that are written already
            self.low -= 2**32
            place = len(self.bytes) - 1
            while self.bytes[place] == 255:
                self.bytes[place] = 0
                place -= 1
            self.bytes[place] += 1
        while self.width < 2**24:
            self.write_byte()

    def write_byte(self):
        """Write the highest byte of low."""
        self.bytes.append(self.low >> 24)
        self.low, self.width = (self.low << 8) % 2**32, self.width << 8


class Decoder:
    """Has the same widths as the encoder; `code` is the number's distance from low."""

    def __init__(self, coded):
        self.width, self.code = 2**32 - 1, int.from_bytes(coded[:4], "big")
        self.rest = iter(coded[4:])

    def decode(self, sums):
        """Return the symbol in whose part of the interval the number lies, and keep that part."""
        part = self.width // int(sums[-1])
        symbol = min(255, int(np.searchsorted(sums, self.code // part, side="right")) - 1)
        self.code -= int(sums[symbol]) * part
        self.width = int(sums[symbol + 1] - sums[symbol]) * part
        while self.width < 2**24:
            self.code, self.width = self.code << 8 | next(self.rest, 0), self.width << 8
        return symbol


def empty_text(size):
    """Rows for a text of this size, each with a zero before it, from which its first is predicted.

    The last row ends with up to three zeros, which are coded, too.
    """
    return np.zeros((ROWS, 1 + -(-size // ROWS)), np.int32)


def chunks(text):
    """Begins and ends of the chunks, with a progress bar where there is a terminal."""
    steps = text.shape[1] - 1
    scale = ROWS * CHUNK
    for begin in tqdm(
        range(0, steps, CHUNK), unit="B", unit_scale=scale, leave=False, disable=None
    ):
        yield begin, min(begin + CHUNK, steps)


def compress(data):
    """Return the compressed file of these bytes."""
    text = empty_text(len(data))
    text[:, 1:].flat[: len(data)] = np.frombuffer(data, np.uint8)
    predictor, encoder = Predictor(), Encoder()
    for begin, end in chunks(text):
        sums = predictor.frequencies(text[:, begin:end])
        for step in range(begin, end):
            for row in range(ROWS):
                byte, table = text[row, step + 1], sums[row, step - begin]
                encoder.encode(int(table[byte]), int(table[byte + 1]), int(table[-1]))
        predictor.learn(text, begin, end)
    for _ in range(4):
        encoder.write_byte()
    names = [name.encode() for name in IDENTITY]
    packed = HEADER.pack(*names, len(data), zlib.crc32(data)) + encoder.bytes
    return packed + struct.pack("<I", zlib.crc32(packed))


def decompress(packed):
    """Return the bytes that `compress` was given."""
    if packed[:7] != b"lstmzip":
        raise ValueError("the file is not one that this program compressed")
    if len(packed) < HEADER.size + 4 or packed[-4:] != struct.pack("<I", zlib.crc32(packed[:-4])):
        raise ValueError("the file is damaged or cut off")
    *names, size, checksum = HEADER.unpack_from(packed)
    kinds = ("format", "instruction set", "lstmfast version")
    for kind, name, expected in zip(kinds, names, IDENTITY, strict=True):
        found = name.rstrip(b"\0").decode()
        if found != expected:  # may round differently
            here = found in lf.available_isas()
            hint = f": set LSTMFAST_ISA={found} to decompress it" if here else ""
            raise ValueError(f"the file has {kind} {found}; expected {expected}{hint}")
    text = empty_text(size)
    predictor, decoder = Predictor(), Decoder(packed[HEADER.size : -4])
    for begin, end in chunks(text):
        for step in range(begin, end):
            sums = predictor.frequencies(text[:, step : step + 1])
            text[:, step + 1] = [decoder.decode(sums[row, 0]) for row in range(ROWS)]
        predictor.learn(text, begin, end)
    data = text[:, 1:].astype(np.uint8).tobytes()[:size]
    if zlib.crc32(data) != checksum:
        raise ValueError("the text has another checksum than before: probabilities differ here")
    return data


def demo():
    """Compress this repository's texts with one thread, decompress them with two; compare."""
    root = Path(__file__).resolve().parents[1]
    files = sorted([*root.glob("*.md"), *root.glob("docs/*.md")])
    text = b"".join(file.read_bytes() for file in files)
    print(f"{len(files)} texts, {len(text):,} bytes; lstmfast {lf.__version__}, {lf.isa()}\n")
    print("      |   bytes | bits per byte | compress KB/s | decompress KB/s")
    print("----- | ------: | ------------: | ------------: | --------------:")
    pairs = {
        "gzip": (gzip.compress, gzip.decompress),
        "bz2": (bz2.compress, bz2.decompress),
        "xz": (lzma.compress, lzma.decompress),
        "LSTM": (compress, decompress),
    }
    for name, (pack, unpack) in pairs.items():
        seconds = [time.perf_counter()]
        lf.set_num_threads(1)
        packed = pack(text)
        seconds.append(time.perf_counter())
        lf.set_num_threads(2)
        unpacked = unpack(packed)
        seconds.append(time.perf_counter())
        if unpacked != text:
            raise ValueError(f"{name} changed the text")
        bits = 8 * len(packed) / len(text)
        packing, unpacking = len(text) / 1000 / np.diff(seconds)
        print(f"{name:5} | {len(packed):7,} | {bits:13.3f} | {packing:13,.1f} | {unpacking:15,.1f}")
    print("\nLSTM: compressed with 1 thread, decompressed with 2, and the texts are the same.")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Without arguments: a demo on texts at hand.")
    parser.add_argument("action", nargs="?", choices=["compress", "decompress"])
    parser.add_argument("source", nargs="?", metavar="IN", type=Path)
    parser.add_argument("target", nargs="?", metavar="OUT", type=Path)
    options = parser.parse_args(arguments)
    if options.action is None:
        return demo()
    if options.target is None:
        parser.error(f"{options.action} needs two files, IN and OUT")
    if not options.target.parent.is_dir():  # said before the work, not after it
        parser.exit(2, f"compressor.py: there is no folder {options.target.parent}\n")
    work = {"compress": compress, "decompress": decompress}[options.action]
    try:
        options.target.write_bytes(work(options.source.read_bytes()))
    except OSError as error:
        parser.exit(2, f"compressor.py: {error}\n")
    except ValueError as error:
        parser.exit(2, f"compressor.py: {options.source}: {error}\n")


if __name__ == "__main__":
    main()
