r"""Plays a WAV file through a model, block by block as an audio device does.

    python examples/amp/process_wav.py sounds/amp.safetensors sounds/dry.wav sounds/out.wav \
        --drive 0.8 --tone 0.8 --level 0.8 --target sounds/wet.wav

Takes what train_amp.py has trained, and any model that makes a sample of a sample and up to three
knobs: those of Neural Amp Modeler (LSTM), AIDA-X and RTNeural, too. Channels are rows of the
stream, each with a state of its own.
"""

import argparse
import time
import wave
from pathlib import Path

import numpy as np

from lstmfast.models import load_model

KNOBS = ("drive", "tone", "level")
KINDS = {1: "u1", 2: "<i2", 4: "<i4"}  # of samples, by their bytes


def read_wav(path):
    """Return samples (channels, samples) from -1 to 1, how many are a second, bytes of each."""
    with wave.open(str(path)) as file:
        width, data = file.getsampwidth(), file.readframes(file.getnframes())
        channels, rate = file.getnchannels(), file.getframerate()
    size = width
    if width == 3:  # as the upper bytes of four
        padded = np.zeros((len(data) // 3, 4), "u1")
        padded[:, 1:] = np.frombuffer(data, "u1").reshape(-1, 3)
        size, data = 4, padded.tobytes()
    samples = np.frombuffer(data, KINDS[size]).astype(np.float32)
    half = 2.0 ** (8 * size - 1)
    samples = (samples - half if size == 1 else samples) / half
    return samples.reshape(-1, channels).T, rate, width


def write_wav(path, samples, rate, width=2):
    """Write samples (channels, samples) with 16 bits, or 24 for more than 2 bytes.

    What is beyond -1 and 1 is cut.
    """
    width = 3 if width > 2 else 2
    whole = (np.clip(samples.T, -1, 1) * (2 ** (8 * width - 1) - 1)).round().astype("<i4")
    with open(path, "wb") as raw, wave.open(raw, "wb") as file:
        file.setparams((len(samples), width, rate, 0, "NONE", ""))
        file.writeframes(whole.reshape(-1, 1).view("u1")[:, :width].tobytes())


def process(stream, dry, knobs, block):
    """Return the output (channels, samples) for dry, and the seconds that each block took.

    stream: of the model, with a row for each channel.
    """
    channels, samples = dry.shape
    padded = np.pad(dry, ((0, 0), (0, -samples % block)))
    x = np.empty((channels, block, 1 + len(knobs)), np.float32)
    x[..., 1:] = knobs
    y, out, times = np.empty((channels, block, 1), np.float32), np.empty_like(padded), []
    for start in range(0, samples, block):
        begin = time.perf_counter()
        x[..., 0] = padded[:, start : start + block]
        stream.process(x, out=y)
        out[:, start : start + block] = y[..., 0]
        times.append(time.perf_counter() - begin)
    return out[:, :samples], np.array(times)


def error_to_signal(y, target):
    """Return the energy of the error relative to that of the target."""
    size = min(y.shape[1], target.shape[1])
    y, target = y[:, :size].astype(np.float64), target[:, :size].astype(np.float64)
    return np.sum((y - target) ** 2) / np.sum(target**2)


def position(text):
    """Return that of a knob."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}; expected a number from 0 to 1")
    return value


def main():
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("source", type=Path, help="WAV file to play")
    parser.add_argument("out", type=Path, help="WAV file to write")
    parser.add_argument("--block", type=int, default=64, help="samples at a time (64)")
    for knob in KNOBS:
        parser.add_argument(f"--{knob}", type=position, default=0.5, help="from 0 to 1 (0.5)")
    parser.add_argument("--target", type=Path, help="WAV file of what should come out")
    options = parser.parse_args()
    try:
        model = load_model(options.model)
        dry, rate, width = read_wav(options.source)
        target = None if options.target is None else read_wav(options.target)[0]
        stream = model.stream(batch=len(dry))
    except (OSError, EOFError, ValueError, wave.Error) as error:
        parser.error(str(error))
    inputs, outputs = model.input_shape, model.output_shape
    most = 1 + len(KNOBS)
    if len(inputs) != 3 or inputs[2] not in range(1, most + 1) or outputs[1:] != (inputs[1], 1):
        parser.error(
            f"{options.model} makes {outputs} of {inputs}; expected one number of each step, of 1 "
            f"to {most}"
        )
    if options.block < 1 or dry.shape[1] == 0:
        parser.error("expected a block, and a file, of at least one sample")
    if not options.out.parent.is_dir():
        parser.error(f"{options.out}: the folder {options.out.parent} does not exist")
    trained = model.metadata.get("sample_rate") or rate
    if trained != rate:
        print(f"note: {options.source} has {rate} samples a second, not the model's {trained!r}")

    knobs = [getattr(options, knob) for knob in KNOBS[: inputs[2] - 1]]
    out, times = process(stream, dry, knobs, options.block)
    try:
        write_wav(options.out, out, rate, width)
    except OSError as error:
        parser.error(str(error))
    if target is not None:
        print(f"error-to-signal ratio: {error_to_signal(out, target):.2%}")
    median, late, worst = (1e6 * np.quantile(times, part) for part in (0.5, 0.9999, 1))
    seconds = dry.shape[1] / rate
    print(f"{seconds:.1f} s of sound at {times.sum() / seconds:.4f} of real time")
    print(f"a block of {1e6 * options.block / rate:.0f} us takes {median:.1f} us (median), "
          f"{late:.1f} us (99.99 %), {worst:.1f} us (worst)")  # fmt: skip


if __name__ == "__main__":
    main()
