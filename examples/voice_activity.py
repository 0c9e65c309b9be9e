"""Speech or none, 32 ms at a time: Silero VAD, built of lstmfast's layers.

    pip install onnx onnxruntime && pip install --no-deps "silero-vad>=6"
    python examples/voice_activity.py              # compares with ONNX Runtime: answers and speed
    python examples/voice_activity.py SPEECH.wav   # prints where there is speech (16 kHz, mono)

The weights are read from an ONNX file of the package silero-vad, whose code is not imported: it
needs torch. (The safetensors file of its version 6.2.3 has weights of another training.) A step of
a stream takes a chunk of 512 samples, with the last 64 of the chunk before. Convolutions make 128
features of it, an LSTM carries what it has heard from chunk to chunk, and the output is the
probability of speech.
"""

import argparse
import importlib.util
import time
import wave
from pathlib import Path

import numpy as np

import lstmfast as lf
from lstmfast.layers import (
    LSTM,
    Concatenate,
    Conv1D,
    Flatten,
    Input,
    Lambda,
    Reshape,
    TimeDistributed,
    ZeroPadding1D,
)
from lstmfast.models import Model

RATE, CHUNK, CONTEXT = 16_000, 512, 64
BINS = 129  # of the spectrum


def check_installed(*packages):
    """End with the line that installs them where one of the packages is not there."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise SystemExit(f"{package} is not installed: {__doc__.splitlines()[2].strip()}")


def onnx_file(name):
    """Return the path of one of silero-vad's files."""
    package = importlib.util.find_spec("silero_vad")
    return Path(package.submodule_search_locations[0]) / "data" / name


def read_weights():
    """Return the weights by their names, as "encoder.0.weight"."""
    import onnx

    def short(name):
        name = name.replace("model.", "").replace("reparam_conv.", "")
        return name.replace("forward_basis_buffer", "weight")

    graph = onnx.load(onnx_file("silero_vad_16k_op15.onnx")).graph
    return {short(each.name): onnx.numpy_helper.to_array(each) for each in graph.initializer}


def build():
    """Return the model: chunks (batch, steps, 64 + 512) in, probabilities (batch, steps, 1) out."""
    weights = read_weights()

    def convolve(x, name, filters, taps, **options):
        given = [weights[f"{name}.weight"].transpose(2, 1, 0)]
        if f"{name}.bias" in weights:
            given.append(weights[f"{name}.bias"])
        layer = Conv1D(filters, taps, use_bias=len(given) > 1, **options)
        y = layer(x)
        layer.set_weights(given)
        return y

    def mirrored(x):  # the last samples backwards, without the very last one
        return x[..., -2 : -2 - CONTEXT : -1]

    def magnitude(z):
        real, imaginary = z[..., :BINS], z[..., BINS:]
        return lf.ops.sqrt(real * real + imaginary * imaginary)

    chunk = Input((CONTEXT + CHUNK,))
    x = Reshape((-1, 1))(Concatenate()([chunk, Lambda(mirrored)(chunk)]))
    x = Lambda(magnitude)(convolve(x, "stft", 2 * BINS, 256, strides=128))
    x = convolve(x, "encoder.0", 128, 3, padding="same", activation="relu")
    for name in ("encoder.1", "encoder.2"):  # padding="same" would put the zero at the end
        x = convolve(ZeroPadding1D((1, 0))(x), name, 64, 3, strides=2, activation="relu")
    x = convolve(x, "encoder.3", 128, 3, padding="same", activation="relu")
    encoder = Model(chunk, Flatten()(x))

    chunks = Input((None, CONTEXT + CHUNK))
    lstm = LSTM(128, return_sequences=True)
    y = lf.ops.relu(lstm(TimeDistributed(encoder)(chunks)))
    w, r, b_w, b_r = (
        weights[f"decoder.rnn.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    lstm.set_weights([w.T, r.T, b_w + b_r])
    return Model(chunks, convolve(y, "decoder.decoder.2", 1, 1, activation="sigmoid"))


def chunks_of(signal):
    """Return (chunks, 64 + 512): each chunk of a signal, with the end of the one before."""
    whole = np.pad(signal, (CONTEXT, -len(signal) % CHUNK)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(whole, CONTEXT + CHUNK)
    return np.ascontiguousarray(windows[::CHUNK])


def speech_like(seconds, seed=0):
    """Return a signal: voiced sounds of changing pitch, syllable by syllable, pauses, noise."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time) + 10 * np.sin(2 * np.pi * 5 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = 600 + 250 * np.sin(2 * np.pi * 1.3 * time), 1500 + 500 * np.sin(2 * np.pi * time)
    voice = np.zeros_like(time)
    for k in range(1, 30):
        loud = sum(np.exp(-(((k * pitch - f) / 200) ** 2)) for f in formants) + 0.05
        voice += loud / k**0.5 * np.sin(k * phase)
    talks = np.clip(np.sin(2 * np.pi * 3.5 * time), 0, 1) * (np.sin(2 * np.pi * 0.25 * time) > 0)
    return 0.1 * voice * talks + 0.01 * random.normal(size=time.shape)


class OnnxSession:
    """The model's ONNX file in ONNX Runtime, on one thread, with its state carried."""

    def __init__(self):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = str(onnx_file("silero_vad.onnx"))
        providers = ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(path, options, providers=providers)
        self.rate = np.array(RATE, np.int64)
        self.state = np.zeros((2, 1, 128), np.float32)

    def step(self, x):
        """Return the probability (1, 1) of a chunk (1, 64 + 512)."""
        inputs = {"input": x, "state": self.state, "sr": self.rate}
        y, self.state = self.session.run(None, inputs)
        return y


def compare(seconds):
    """Run both on the same chunks, in turn. Return their answers and medians in microseconds."""
    chunks = chunks_of(speech_like(seconds))
    stream, session = build().stream(), OnnxSession()
    out = np.empty((1, 1), np.float32)
    answers, times = np.empty((2, len(chunks))), np.empty((2, len(chunks)))
    for t, x in enumerate(chunks[:, None]):
        start = time.perf_counter()
        stream.step(x, out=out)
        middle = time.perf_counter()
        y = session.step(x)
        end = time.perf_counter()
        answers[:, t] = out[0, 0], y[0, 0]
        times[:, t] = middle - start, end - middle
    return answers, 1e6 * np.median(times, axis=1)


def read_wav(path):
    """Return the samples of a file, from -1 to 1."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
            raise SystemExit(f"{path}: expected 16 kHz, one channel, 16 bits")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def main():
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wav", nargs="?", type=Path, help="sound in which to look for speech")
    parser.add_argument("--seconds", type=float, default=120, help="sound for the comparison")
    options = parser.parse_args()
    check_installed("onnx", "silero_vad", *(["onnxruntime"] if options.wav is None else []))
    if options.wav is not None:
        stream = build().stream()
        spoken = False
        for t, x in enumerate(chunks_of(read_wav(options.wav))):
            probability = float(stream.step(x)[0])
            if spoken != (probability > (0.35 if spoken else 0.5)):
                spoken = not spoken
                print(f"{t * CHUNK / RATE:8.2f} s: speech {'begins' if spoken else 'ends'}")
        return
    (ours, theirs), (us, other) = compare(options.seconds)
    print(f"{len(ours)} chunks, of which {np.mean(ours > 0.5):.0%} speech")
    print(f"largest difference of a probability: {np.abs(ours - theirs).max():.1e}")
    print(
        f"a chunk of 32 ms: lstmfast {us:.1f} us, ONNX Runtime {other:.1f} us ({other / us:.1f}x)"
    )
    print(f"one core keeps {1e6 * CHUNK / RATE / us:.0f} streams in real time")


if __name__ == "__main__":
    main()
