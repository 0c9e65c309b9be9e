"""Trains an LSTM to sound like an amplifier with three knobs.

    python examples/amp/train_amp.py --out sounds

It writes sounds/amp.safetensors, the model, and to try it sounds/dry.wav, a guitar, and
sounds/wet.wav, the same through the amplifier with all knobs at 0.8. The amplifier is a formula
here; recordings of a real one would take its place. A step of the model takes four numbers, the
sample and the knobs drive, tone and level, each from 0 to 1, and makes a sample.
"""

import argparse
import wave
from pathlib import Path

import numpy as np

import lstmfast as lf
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential

RATE = 44_100
KNOBS = ("drive", "tone", "level")
CLIP = 2048  # samples of a training example


def low_passed(x, cutoff):
    """Return signals (..., samples) after a filter of first order; cutoff (...,) in Hz."""
    pole = np.exp(-2 * np.pi * np.asarray(cutoff)[..., None] / RATE)
    response = (1 - pole) * pole ** np.arange(CLIP)
    size = x.shape[-1] + CLIP
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(response, size), size)[..., :-CLIP]


def amplifier(x, drive, tone, level):
    """Return signals (..., samples) through the amplifier; each knob (...,)."""
    drive, tone, level = (np.asarray(knob) for knob in (drive, tone, level))
    tight = x - low_passed(x, np.full(drive.shape, 80.0))
    gain = 10 ** (0.3 + 1.5 * drive[..., None])
    bent = np.tanh(gain * tight + 0.3) - np.tanh(0.3)  # one half of a wave more than the other
    return 0.7 * level[..., None] * low_passed(bent, 800 * 10**tone)


def guitar(random, samples):
    """Return a signal of plucked notes and chords, with rests between them."""
    out = np.zeros(samples)
    start = int(random.integers(CLIP // 4))
    while start < samples:
        time = np.arange(min(samples - start, RATE)) / RATE
        for pitch in 82.4 * 2 ** (random.integers(0, 36, random.integers(1, 4)) / 12):
            for k in range(1, int(min(16, 8000 // pitch))):
                decay = np.exp(-time * (1 + 0.7 * k))
                phase = random.uniform(0, 2 * np.pi)
                loud = random.uniform(0.02, 0.1) / k
                out[start : start + len(time)] += (
                    loud * decay * np.sin(2 * np.pi * k * pitch * time + phase)
                )
        start += int(random.integers(RATE // 8, RATE))
    return out


def inputs(dry, knobs):
    """Return what the model takes, (B, samples, 4), for dry (B, samples) and knobs (B, 3)."""
    held = np.repeat(knobs[:, None], dry.shape[1], axis=1)
    return np.concatenate([dry[..., None], held], axis=2).astype(np.float32)


def examples(random, count):
    """Return inputs and outputs of clips that begin with silence, as the states of a model do."""
    dry = np.stack([guitar(random, CLIP) for _ in range(count)])
    knobs = random.uniform(size=(count, 3))
    knobs[:, 2] = 0.1 + 0.9 * knobs[:, 2]
    return inputs(dry, knobs), amplifier(dry, *knobs.T)[..., None].astype(np.float32)


def train(units=16, epochs=120, clips=256, seed=0, verbose=1):
    """Return a trained model and its error-to-signal ratio on clips that it has not seen."""
    random = np.random.default_rng(seed)
    model = Sequential([Input((None, 4)), LSTM(units, return_sequences=True), Dense(1)], seed=seed)
    rate = lf.optimizers.schedules.CosineDecay(8e-3, epochs * clips // 16)
    loss = lf.losses.ESR(pre_emphasis=0.95, dc_weight=1.0)
    model.compile(lf.optimizers.Adam(rate, clipnorm=1), loss)
    model.fit(*examples(random, clips), batch_size=16, epochs=epochs, verbose=verbose)
    model.metadata = {"sample_rate": RATE, "knobs": list(KNOBS)}
    x, y = examples(random, clips // 4)
    return model, lf.losses.ESR()(y, model.predict(x))


def write_wav(path, samples):
    """Write samples from -1 to 1 with 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())


def main():
    """Read the command line, train, write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the files")
    parser.add_argument("--units", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=120)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model, ratio = train(options.units, options.epochs)
    print(f"error-to-signal ratio of other clips: {ratio:.2%}")
    model.save(options.out / "amp.safetensors", include_optimizer=False)
    dry = guitar(np.random.default_rng(1), 10 * RATE)
    write_wav(options.out / "dry.wav", dry)
    write_wav(options.out / "wet.wav", amplifier(dry, 0.8, 0.8, 0.8))


if __name__ == "__main__":
    main()
