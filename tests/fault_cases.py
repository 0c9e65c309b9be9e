"""The kinds of calls that `fault_injection.py` runs with faults, on tiny networks.

Long, since each kind is a few lines and one table names them all.
"""

from __future__ import annotations

import copy
import hashlib
import os
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import lstmfast as lf
from fault_injection import FILES, MEMORY, THREADS, Case
from lstmfast import ops
from lstmfast.callbacks import LambdaCallback, ModelCheckpoint
from lstmfast.layers import (
    GRU,
    LSTM,
    AdditiveAttention,
    Attention,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    ConvLSTM1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling1D,
    Input,
    Lambda,
    LayerNormalization,
    Masking,
    MixtureDensity,
    MultiHeadAttention,
    Reshape,
    SimpleRNN,
)
from lstmfast.models import EncoderDecoder, Model, Sequential, load_model

LOADING = {MEMORY: (MemoryError,), FILES: (OSError, ValueError)}

# -- lf.LSTM -------------------------------------------------------------------------------------

OPTIONS = {
    "plain": {},
    "options": {
        "num_layers": 2, "bidirectional": True, "proj_size": 2, "dropout": 0.5, "peephole": True,
    },
    "norm": {"layer_norm": True, "zoneout_h": 0.2, "recompute_every": 2},
}  # fmt: skip


def rnn(options: str, folder: Path, steps: int = 5) -> SimpleNamespace:
    rng = np.random.default_rng(0)
    made = lf.LSTM(3, 4, seed=0, **OPTIONS[options])
    x = rng.normal(size=(2, steps, 3)).astype(np.float32)
    resets = np.zeros((2, steps), bool)
    resets[1, 2] = True
    return SimpleNamespace(rnn=made, x=x, lengths=np.array([steps, 2]), resets=resets)


def rnn_kept(made: SimpleNamespace) -> Any:
    return made.rnn.state_dict(), made.rnn.grads()


def forward(made: SimpleNamespace) -> Any:
    return made.rnn(made.x, lengths=made.lengths, resets=made.resets)


def forward_out(made: SimpleNamespace) -> Any:
    return made.rnn(made.x, out=made.out), made.out


def with_out(folder: Path) -> SimpleNamespace:
    made = rnn("plain", folder)
    made.out = np.full((2, 5, 4), 7.0, np.float32)
    return made


def training(made: SimpleNamespace) -> Any:
    y, state = made.rnn(made.x, lengths=made.lengths, resets=made.resets, training=True)
    assert not y.flags.writeable
    return y, state


def backward(made: SimpleNamespace) -> Any:
    return made.rnn.backward(np.ones_like(made.y))


def trained_again(made: SimpleNamespace) -> None:
    made.rnn._core.training_calls = 0  # the same random masks
    training(made)


def rnn_grads(made: SimpleNamespace) -> Any:
    return made.rnn.grads()


def trained(options: str, folder: Path) -> SimpleNamespace:
    made = rnn(options, folder)
    made.y = training(made)[0]
    return made


def larger(options: str, folder: Path) -> SimpleNamespace:
    made = trained(options, folder)
    made.__dict__.update(rnn(options, folder, 50).__dict__ | {"rnn": made.rnn})
    return made


def loading(made: SimpleNamespace) -> None:
    made.rnn.load_state_dict(made.state)


def to_load(folder: Path) -> SimpleNamespace:
    made = rnn("options", folder)
    made.state = {name: value + 1 for name, value in made.rnn.state_dict().items()}
    return made


def copies(made: SimpleNamespace) -> Any:
    twins = pickle.loads(pickle.dumps(made.rnn)), copy.deepcopy(made.rnn)
    return [(twin.state_dict(), twin(made.x)) for twin in twins]


def functional(made: SimpleNamespace) -> Any:
    weights = [made.rnn.state_dict()[f"{name}_l0"] for name in ("weight_ih", "weight_hh")]
    result, vjp = lf.functional.lstm_vjp(made.x, *weights, lengths=made.lengths)
    packed = lf.functional.pack(*weights)
    return result, vars(vjp(np.ones_like(result[0]))), lf.functional.lstm(made.x, packed)


def double(folder: Path) -> SimpleNamespace:
    made = rnn("plain", folder)
    made.x = made.x.astype(np.float64)
    return made


def construction(made: SimpleNamespace) -> Any:
    return [lf.LSTM(3, 4, seed=0, **options).state_dict() for options in OPTIONS.values()]


RNN_CASES = [
    *(
        Case(f"lstm.{name} {options}", partial(make, options), call, rnn_kept)
        for options in OPTIONS
        for name, make, call in (
            ("forward", rnn, forward),
            ("training", rnn, training),
            ("trace", rnn, lambda made: made.rnn.trace(made.x)),
        )
    ),
    *(
        Case(f"lstm.backward {options}", partial(trained, options), backward, rnn_kept,
             rnn_grads, restore=trained_again)
        for options in OPTIONS
    ),
    Case("lstm.out", with_out, forward_out, rnn_kept),
    Case("lstm.larger", partial(larger, "plain"), training, rnn_kept),
    Case("lstm.load_state_dict", to_load, loading, rnn_kept, rnn_kept),
    Case("lstm.copies", partial(trained, "options"), copies, rnn_kept),
    Case("lstm.new", partial(rnn, "plain"), construction),
    Case("functional", double, functional),
]  # fmt: skip

# -- models --------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
X = RNG.normal(size=(10, 4, 3)).astype(np.float32)
Y = RNG.normal(size=(10, 2)).astype(np.float32)


def layers() -> list[Any]:
    return [
        Input((4, 3)),
        Masking(0.5),
        Bidirectional(LSTM(3, return_sequences=True, kernel_regularizer="l2")),
        LSTM(3, recurrent_dropout=0.2, layer_norm=True),
        Dropout(0.3),
        Dense(2, kernel_constraint="max_norm"),
    ]


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return float(np.mean((y_pred - y_true) ** 2)), 2 * (y_pred - y_true) / y_pred.size


def own_metric(y_true: Any, y_pred: Any) -> float:
    return float(np.mean(np.abs(y_pred - y_true)))


def model(folder: Path, compiled: bool = True, loss: Any = "mse", metric: Any = "mae") -> Any:
    made = SimpleNamespace(model=Sequential(layers(), seed=0), folder=folder)
    if compiled:
        made.model.compile("adam", loss, metrics=[metric])
    made.weights = made.model.get_weights()
    return made


def model_kept(made: SimpleNamespace) -> Any:
    return made.model.get_weights()


def whole_model(made: SimpleNamespace) -> Any:
    """Everything that a pickle holds."""
    return made.model.get_config(), made.model.__getstate__()["content"]


def remade(made: SimpleNamespace) -> None:
    """A model as before the first step; that the old one can still be used is checked first."""
    values = made.model.predict(X, verbose=0)
    assert np.isfinite(values).all()
    made.model.evaluate(X, Y, verbose=0)
    made.model.train_on_batch(X, Y)
    made.model = made.again().model


def again(make: Callable[[Path], Any], folder: Path) -> Any:
    made = make(folder)
    made.again = partial(make, folder)
    return made


def construct(made: SimpleNamespace) -> Any:
    model = Sequential(layers(), seed=0)
    return model.get_weights()


def build_late(made: SimpleNamespace) -> None:
    made.model.build((None, 4, 3))


def unbuilt(folder: Path) -> SimpleNamespace:
    return SimpleNamespace(model=Sequential(layers()[1:], seed=0))


def compiling(made: SimpleNamespace) -> None:
    made.model.compile("adam", "huber", metrics=["mae", "mse"])


def evaluate(made: SimpleNamespace) -> Any:
    return made.model.evaluate(X, Y, verbose=0, return_dict=True)


def fit(made: SimpleNamespace, **more: Any) -> Any:
    arguments = {"batch_size": 4, "epochs": 2, "validation_split": 0.2, "verbose": 0}
    history = made.model.fit(X, Y, **(arguments | more))
    return history.history


def fit_with_callbacks(made: SimpleNamespace) -> Any:
    seen: list[Any] = []
    hook = LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(dict(logs)),
        on_epoch_end=lambda epoch, logs: seen.append(made.model.predict(X[:2], verbose=0)),
    )
    return fit(made, callbacks=[hook], sample_weight=np.arange(10.0)), seen


def stateful(folder: Path) -> SimpleNamespace:
    chain = [Input((4, 3), batch_size=2), LSTM(3, stateful=True), Dense(2)]
    made = SimpleNamespace(model=Sequential(chain, seed=0))
    made.model.compile("adam", "mse")
    made.model.predict(X[:2], batch_size=2, verbose=0)
    return made


def one_carried(made: SimpleNamespace) -> Any:
    return made.model.predict(X[:2], batch_size=2, verbose=0)


def setting(made: SimpleNamespace) -> None:
    made.model.set_weights([value + 1 for value in made.weights])


def model_copies(made: SimpleNamespace) -> Any:
    twins = pickle.loads(pickle.dumps(made.model)), copy.deepcopy(made.model)
    return [(twin.get_weights(), twin.evaluate(X, Y, verbose=0)) for twin in twins]


def step(made: SimpleNamespace) -> Any:
    return made.model.train_on_batch(X, Y, return_dict=True)


def writer(folder: Any) -> SimpleNamespace:
    lf.utils.set_random_seed(0)
    encoder = Sequential([Input((None, 3)), LSTM(3, return_sequences=True)])
    options: Any = {"tokens": 5, "start_token": 1, "stop_token": 2, "attention": "luong"}
    return SimpleNamespace(model=EncoderDecoder(encoder, 3, length=3, **options))


def mixture(folder: Path) -> SimpleNamespace:
    chain = [Input((None, 3)), LSTM(3), MixtureDensity(2, 3)]
    return SimpleNamespace(model=Sequential(chain, seed=0))


MODEL_CASES = [
    Case("model.new", lambda folder: None, construct),
    Case("model.build", unbuilt, build_late, lambda made: made.model.built, model_kept),
    Case("model.compile", model, compiling, evaluate, evaluate),
    Case("model.set_weights", model, setting, model_kept, model_kept),
    *(
        Case(f"model.{name}", partial(again, make), call, after=model_kept, restore=remade)
        for name, make, call in (
            ("fit", model, fit),
            ("fit with callbacks", model, fit_with_callbacks),
            ("fit of own", partial(model, loss=own_loss, metric=own_metric), fit),
            ("train_on_batch", model, step),
        )
    ),
    *(
        Case(f"model.{name}", model, call, whole_model)
        for name, call in (
            ("evaluate", evaluate),
            ("predict", lambda made: made.model.predict(X, batch_size=3, verbose=0)),
            ("predict_on_batch", lambda made: made.model.predict_on_batch(X)),
            ("test_on_batch", lambda made: made.model.test_on_batch(X, Y)),
            ("call", lambda made: made.model(X)),
            ("copies", model_copies),
        )
    ),
    Case("model.predict stateful", stateful, one_carried),
    Case("model.new writer", lambda folder: None, lambda made: writer(made).model.get_weights()),
    Case("model.decode", writer,
         lambda made: made.model.predict(X, batch_size=4, beam_width=2, verbose=0), whole_model),
    Case("model.generate", mixture, lambda made: made.model.generate(X[:2], 3, seed=0),
         whole_model),
]  # fmt: skip

# -- other layers --------------------------------------------------------------------------------


def attended(x: Any) -> Any:
    y = LSTM(4, return_sequences=True)(x)
    heads = MultiHeadAttention(2, 3, dropout=0.2)(y, y)
    single = Attention(use_scale=True)([heads, y])
    both = Concatenate()([single, AdditiveAttention(dropout=0.2)([y, heads])])
    return GlobalAveragePooling1D()(both)


def of_operations(x: Any) -> Any:
    scores = ops.softmax(ops.einsum("bqi,bki->bqk", x, x) + ops.arange(4), axis=-1)
    y = ops.cumsum(ops.pad(scores @ x, [[0, 0], [1, 0], [0, 0]]), axis=1)
    return ops.max(ops.where(y > 0, y, 0.1 * y), axis=1) * np.arange(4.0)


def in_a_row(*makers: Callable[[], Any]) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        for make in makers:
            x = make()(x)
        return x

    return call


LAYERS: dict[str, Callable[[Any], Any]] = {
    "gru": in_a_row(
        lambda: Masking(0.5),
        lambda: Bidirectional(GRU(3, return_sequences=True, recurrent_dropout=0.2)),
        lambda: GRU(3, reset_after=False, dropout=0.2),
    ),
    "simple_rnn": in_a_row(
        lambda: SimpleRNN(3, return_sequences=True, kernel_regularizer="l2"),
        lambda: SimpleRNN(4),
    ),
    "conv_lstm": in_a_row(
        lambda: Reshape((4, 3, 1)),
        lambda: ConvLSTM1D(2, 2, padding="same", return_sequences=True, recurrent_dropout=0.2),
        lambda: ConvLSTM1D(2, 2, recurrent_constraint="non_neg"),
        lambda: Flatten(),
    ),
    "attention": attended,
    "operations": in_a_row(lambda: LSTM(4, return_sequences=True), lambda: Lambda(of_operations)),
    "normalization": in_a_row(
        BatchNormalization, LayerNormalization, lambda: LSTM(3), BatchNormalization
    ),
}


def of_layers(name: str, folder: Path) -> SimpleNamespace:
    x = Input((4, 3))
    lf.utils.set_random_seed(0)
    made = SimpleNamespace(model=Model(x, Dense(2)(LAYERS[name](x))))
    made.model.compile("adam", "mse")
    return made


def anew(name: str, made: Any) -> Any:
    return of_layers(name, Path()).model.get_weights()


LAYER_CASES = [
    case
    for name in LAYERS
    for case in (
        Case(f"layers.new {name}", lambda folder: None, partial(anew, name)),
        Case(f"layers.step {name}", partial(again, partial(of_layers, name)), step,
             after=model_kept, restore=remade),
        Case(f"layers.predict {name}", partial(of_layers, name),
             lambda made: made.model.predict(X, batch_size=3, verbose=0), whole_model),
    )
]  # fmt: skip

# -- files ---------------------------------------------------------------------------------------


def fresh(folder: Path) -> Path:
    """An empty folder."""
    inside = folder / "files"
    inside.mkdir(exist_ok=True)
    for path in inside.iterdir():
        path.unlink()
    return inside


def to_save(folder: Path, exists: bool) -> SimpleNamespace:
    made = model(fresh(folder))
    made.path = made.folder / "model.safetensors"
    if exists:
        made.model.save(made.path)
    made.model.fit(X, Y, verbose=0)
    return made


def save(made: SimpleNamespace) -> Any:
    made.model.save(made.path)
    return made.path.read_bytes()


def whole_file(made: SimpleNamespace) -> bool:
    """Whether nothing is there or a whole model."""
    if made.path.exists():
        load_model(made.path)
    return True


def only_the_file(made: SimpleNamespace) -> None:
    left = sorted(os.listdir(made.folder))
    assert left == ["model.safetensors"], f"left in the folder: {left}"


def load(made: SimpleNamespace) -> Any:
    loaded = load_model(made.path)
    return loaded.get_weights(), loaded.evaluate(X, Y, verbose=0)


def load_into(made: SimpleNamespace) -> None:
    made.model.load_weights(made.path)


def to_load_into(folder: Path) -> SimpleNamespace:
    made = to_save(folder, exists=True)
    made.model = model(folder).model
    return made


def fit_and_save(made: SimpleNamespace) -> Any:
    made.path.unlink(missing_ok=True)
    keep = ModelCheckpoint(made.path, verbose=0)
    return fit(made, callbacks=[keep]), made.path.exists()


def checkpointed(folder: Path) -> SimpleNamespace:
    made = model(fresh(folder))
    made.path = made.folder / "model.safetensors"
    return made


def as_checkpointed(made: SimpleNamespace) -> None:
    whole_file(made)
    made.model = model(made.folder).model


SAVING: dict[str, Any] = {"kinds": (MEMORY, FILES), "tidy": only_the_file}
FILE_CASES = [
    Case("files.save new", partial(to_save, exists=False), save, whole_file, **SAVING),
    Case("files.save", partial(to_save, exists=True), save, whole_file, **SAVING),
    Case("files.checkpoint", checkpointed, fit_and_save, whole_file, restore=as_checkpointed,
         **SAVING),
    Case("files.load", partial(to_save, exists=True), load, kinds=(MEMORY, FILES), raises=LOADING),
    Case("files.load_weights", to_load_into, load_into, model_kept, model_kept,
         kinds=(MEMORY, FILES), raises=LOADING),
]  # fmt: skip

# -- threads -------------------------------------------------------------------------------------


def wide(folder: Path) -> SimpleNamespace:
    made = SimpleNamespace(rnn=lf.LSTM(32, 96, seed=0))
    made.x = np.random.default_rng(0).normal(size=(8, 40, 32)).astype(np.float32)
    return made


def in_fork(made: SimpleNamespace) -> bytes:
    """The first call of a process, which starts the team: a child has none."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            lf.set_num_threads(4)
            with os.fdopen(write, "wb") as to_parent:
                to_parent.write(hashlib.sha256(made.rnn(made.x)[0].tobytes()).digest())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as of_child:
        return of_child.read()


THREAD_CASES = [Case("threads", wide, in_fork, kinds=(THREADS,))]

CASES = [*RNN_CASES, *MODEL_CASES, *LAYER_CASES, *FILE_CASES, *THREAD_CASES]
