"""The Sequential model: what it is called, its configuration, its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lstmfast import layers
from lstmfast._checks import items, wrong_kind
from lstmfast._elsewhere import explain_setting
from lstmfast._keras_names import explain_attributes
from lstmfast._pickles import marked, restoring
from lstmfast.layers import Input, Layer
from lstmfast.models import saving
from lstmfast.models.summary import summary_text
from lstmfast.models.trainer import Trainer
from lstmfast.utils import Seed

if TYPE_CHECKING:
    import os


class Sequential(Trainer):
    """Layers in a row, as `keras.Sequential`.

    The input shape is given by an `Input` as the first item, by ``input_shape=`` on the first
    layer, or by the first data that the model sees.

    Parameters
    ----------
    layers : sequence of Layer, optional
        The layers, an `Input` first or not.
    trainable : bool
        For Keras's sake; must be true.
    name : str, optional
        The model's name.
    dtype : {"float32", "float64"}, optional
        The type of weights and computation; float32 unless the `Input` says otherwise.
    seed : int or numpy.random.Generator, optional
        For initial weights, shuffling and dropout; by default from
        `lstmfast.utils.set_random_seed`.

    Attributes
    ----------
    history : History
        What the latest `fit` returned, or was gathering when it was interrupted.
    stop_training : bool
        Set it to end training after the running batch or epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import LSTM, Dense
    >>> from lstmfast.models import Sequential
    >>> x = np.linspace(0, 1, 15).reshape(15, 1, 1).repeat(3, axis=1)
    >>> y = x[:, 0]
    >>> model = Sequential([LSTM(50, activation="relu", input_shape=(3, 1)), Dense(1)], seed=0)
    >>> model.compile(optimizer="adam", loss="mse")
    >>> run = model.fit(x, y, epochs=200, batch_size=3, verbose=0)
    >>> run.history["loss"][-1] < 1e-3
    True
    >>> model.predict(x).shape
    (15, 1)
    """

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes a like model from, with new weights."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "input_shape": self._sample_shape,
            "batch_size": self._batch_size,
            "layers": [
                {"class_name": type(layer).__name__, "config": layer.get_config()}
                for layer in self._layers
            ],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, seed: Seed = None) -> Sequential:
        """Make a model, with new weights, from what `get_config` returned."""
        if not isinstance(config, Mapping):
            raise wrong_kind("Sequential.from_config", "config", config, "a dictionary")
        if "layers" not in config:
            raise ValueError("[Sequential.from_config] config lacks layers; expected get_config()")
        shape = config.get("input_shape")
        made: list[Layer | Input] = (
            [] if shape is None else [Input(shape, config.get("batch_size"))]
        )
        each = items(config["layers"], "layers", "Sequential.from_config", "a list")
        made += [layers.from_config(one) for one in each]
        return cls(made, name=config.get("name"), dtype=config.get("dtype"), seed=seed)

    def summary(
        self, line_length: int | None = None, *, print_fn: Callable[[str], Any] | None = None
    ) -> None:
        """Print the layers with their output shapes and sizes.

        Parameters
        ----------
        line_length : int, optional
            How wide the table is.
        print_fn : callable, optional
            What takes the text, in place of `print`.
        """
        if print_fn is not None and not callable(print_fn):
            raise wrong_kind("summary", "print_fn", print_fn, "a function of a text")
        (print if print_fn is None else print_fn)(summary_text(self, line_length))

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        *,
        include_optimizer: bool = True,
    ) -> None:
        """Save the model as one safetensors file; see `lstmfast.models.save_model`."""
        saving.save_model(self, filepath, overwrite, include_optimizer=include_optimizer)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Save the model without the optimizer's state."""
        self.save(filepath, overwrite, include_optimizer=False)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Take the weights from a saved model with the same layers."""
        self.set_weights(saving.load_model(filepath, compile=False).get_weights())

    def __getstate__(self) -> dict[str, Any]:
        return marked(saving.state_of(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        with restoring(state, "Sequential") as known:
            saving.restore_state(self, known)

    def __repr__(self) -> str:
        return f"<Sequential name={self.name}, built={self.built}>"


explain_attributes(Sequential, "model")
explain_setting(
    Sequential,
    {
        "layers": "call add() and pop()",
        **{name: f"call compile({name}=...)" for name in ("optimizer", "loss", "metrics")},
    },
)
