"""Compiled models for Keras's files, made alike of lstmfast or of Keras, and their training."""

from __future__ import annotations

from typing import Any

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4, 2)).astype(np.float32)
Y = X[:, 0]
Z = (X[:, 0, :1] > 0).astype(np.float32)


def cosine(of: Any) -> Any:
    return of.optimizers.schedules.CosineDecay(0.02, 20, warmup_target=0.05, warmup_steps=5)


# class of the optimizer, arguments; a function is given the package
OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.5, "nesterov": True, "clipnorm": 0.3}),
    ("Adam", {"learning_rate": cosine}),
    ("Adam", {"amsgrad": True, "use_ema": True, "gradient_accumulation_steps": 2}),
    ("AdamW", {"weight_decay": 0.01, "global_clipnorm": 0.5}),
    ("Adamax", {"clipvalue": 0.1}),
    ("Nadam", {"gradient_accumulation_steps": 4}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "use_ema": True}),
    ("Adagrad", {"initial_accumulator_value": 0.2}),
    ("Adadelta", {"learning_rate": 0.5}),
    ("Lion", {"learning_rate": 0.001, "ema_momentum": 0.9, "use_ema": True}),
]


def compiled(of: Any, kind: str, options: dict[str, Any], dtype: str | None = None) -> Any:
    """A model in whose graph layers stand in layers, one of them frozen, and statistics."""
    layers = of.layers
    start = layers.Input((4, 2), dtype=dtype)
    h = layers.Bidirectional(layers.LSTM(3, return_sequences=True, dtype=dtype))(start)
    h = layers.Dense(4, trainable=False, dtype=dtype)(h)
    h = layers.LSTM(3, dtype=dtype)(layers.BatchNormalization(dtype=dtype)(h))
    ends = [layers.Dense(2, name="p", dtype=dtype)(h)]
    ends.append(layers.Dense(1, activation="sigmoid", name="q", dtype=dtype)(h))
    model = of.models.Model(start, ends)
    rng = np.random.default_rng(1)
    # above 0, as variances are
    model.set_weights([rng.uniform(0.1, 0.5, size=w.shape) for w in model.get_weights()])
    given = {"learning_rate": 0.01} | options
    given = {name: each(of) if callable(each) else each for name, each in given.items()}
    metrics = ["mae", of.metrics.MeanSquaredError(name="error")], ["accuracy"]
    model.compile(
        getattr(of.optimizers, kind)(**given),
        [of.losses.Huber(), of.losses.BinaryCrossentropy(label_smoothing=0.1)],
        metrics=[*metrics],
        weighted_metrics=[[of.metrics.RootMeanSquaredError()], []],
        loss_weights=[0.5, 2.0],
    )
    return model


def losses(model: Any, epochs: int = 2) -> dict[str, list[float]]:
    """What fit reports, in the order of the data."""
    run = model.fit(X, [Y, Z], epochs=epochs, batch_size=2, shuffle=False, verbose=0)
    history: dict[str, list[float]] = run.history
    return history
