"""Models made anew from others: from their description as text, and as copies without weights."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from lstmfast._checks import string, wrong_kind
from lstmfast.layers import Input, Layer
from lstmfast.layers._calls import without_place
from lstmfast.layers._graph import replayed, tensors_of
from lstmfast.layers._symbolic import Tensor
from lstmfast.models import keras_reading
from lstmfast.models._model import Model


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """Return a new model, with new weights, from what `Model.to_json` returned, or Keras's.

    Parameters
    ----------
    json_string : str
        The text.
    custom_objects : dict, optional
        Classes and functions of your own by their names.

    Returns
    -------
    Model
        A model that is not compiled.

    Examples
    --------
    >>> from lstmfast.layers import LSTM, Dense, Input
    >>> from lstmfast.models import Sequential, model_from_json
    >>> model = Sequential([Input((3, 1)), LSTM(4), Dense(1)])
    >>> model_from_json(model.to_json()).count_params() == model.count_params()
    True
    """
    text = string(json_string, "json_string", "model_from_json")
    try:
        made: Any = keras_reading.Reader(custom_objects or {}).model(json.loads(text))
        if not made.built and hasattr(made, "add"):
            made.build()
        return made  # type: ignore[no-any-return]
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"[model_from_json] {without_place(ValueError(error))}") from None


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
) -> Model:
    """Return a like model with new weights, not compiled, as `keras.models.clone_model`.

    Parameters
    ----------
    model : Model
        The model. One of a class of your own is made by its ``from_config``.
    input_tensors : Input or list of Input, optional
        What the new model takes; by default new inputs.
    clone_function : callable, optional
        What makes the new layer from each layer but inputs; it may return the layer itself, whose
        weights both models then have.

    Examples
    --------
    >>> from lstmfast.layers import LSTM, Dense, Input
    >>> from lstmfast.models import Sequential, clone_model
    >>> model = Sequential([Input((3, 1)), LSTM(4), Dense(1)])
    >>> clone = clone_model(model)
    >>> clone.set_weights(model.get_weights())
    """
    if not isinstance(model, Model):
        raise wrong_kind("clone_model", "model", model, "a model")
    clone = _copied if clone_function is None else clone_function
    if not callable(clone):
        raise wrong_kind("clone_model", "clone_function", clone, "a function of a layer")
    if hasattr(model, "add"):
        row: Any = type(model)(name=model.name)
        if input_tensors is not None:
            row.add(input_tensors)
        elif model.built:
            row.add(Input.of(_copied(model.inputs[0].node.layer)))
        for layer in model.layers:
            row.add(clone(layer))
        return row  # type: ignore[no-any-return]
    if type(model) is not Model:  # its class makes it
        if clone_function is not None or input_tensors is not None:
            text = f"a model of the class {type(model).__name__}; expected neither"
            raise ValueError(f"[clone_model] clone_function or input_tensors is given for {text}")
        return type(model).from_config(model.get_config())
    starts: list[Tensor]
    if input_tensors is None:
        starts = [Input.of(_copied(start)) for start in model._graph.starts]
    else:
        starts, _ = tensors_of(input_tensors, "input_tensors")
        if len(starts) != len(model.inputs):
            text = f"{len(starts)} tensors; expected {len(model.inputs)}"
            raise ValueError(f"[clone_model] input_tensors has {text}")
    layers = list(map(clone, model._order or model._graph.computing))
    ends = replayed(model._core_model_for(None, "clone_model").structure, starts, layers)[0]
    return Model._over(starts, ends, model._input_keys, model._output_keys, model.name)


def _copied(layer: Layer) -> Any:
    """Return a like layer without weights."""
    return clone_model(layer) if isinstance(layer, Model) else copy.deepcopy(layer)
