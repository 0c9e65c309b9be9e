"""What all layers share: options for the core, building, calls with arrays and with tensors.

To offer a layer of the core that has one input, derive from `Layer` and define

- ``kind``: the core's name of it,
- ``__init__``: its own arguments, then ``**options``, and as its body
  ``self._take_arguments(locals())``, which checks the options of the core's table and keeps them,
  with initializers and rules, as attributes; others it keeps as attributes of their names,
- ``forms``, where the core has an option in another form than the attribute,
- ``initial_weights``, where ``NAME_initializer`` is not what makes the weight ``NAME``, and
  ``get_config``, where it has other arguments that the core does not know.

Shapes, building, names, files and copies follow from these. Other kinds of layers also say

- ``takes_list``: it takes a list of inputs (`Add`); it then overrides ``compute_mask`` too,
- ``takes_ids``: it takes whole numbers from 0 to below ``ids_below`` (`Embedding`),
- ``moves_elements``: it returns the elements of its input, whole numbers too (`Reshape`),
- ``layers_inside``: the layers inside it, by the names that the core has for them, and
  ``arguments_inside``, where the constructor calls them otherwise (`Bidirectional`).

A new layer gets a line in ``__all__`` of ``layers/__init__.py``, and its file one above that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lstmfast import constraints, initializers, regularizers
from lstmfast._checks import check_unavailable, count, flag, string, wrong_kind
from lstmfast._core import check
from lstmfast._elsewhere import explain_setting
from lstmfast._keras_names import explain_attributes
from lstmfast._names import REGISTERED, Registry, made_from, naming, snake_case
from lstmfast._options import Value, defaults
from lstmfast._pickles import marked, restoring
from lstmfast._rules import Rule, Rules
from lstmfast.constraints import CONSTRAINTS
from lstmfast.layers._calls import Called
from lstmfast.layers._forms import Form
from lstmfast.layers._symbolic import Sample, sample_shape, split_batch
from lstmfast.layers.weights import WEIGHTS, Parts
from lstmfast.regularizers import REGULARIZERS

# the last word of such an attribute's name: the module whose objects it takes
_KINDS: dict[str, Any] = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}
_RULES: dict[str, Rules[Any]] = {"regularizer": REGULARIZERS, "constraint": CONSTRAINTS}
# Keras's arguments of some layers
QUANTIZATION = {"lora_rank": None, "lora_alpha": None, "quantization_config": None}

__all__ = ["QUANTIZATION", "Layer", "Parts", "Sample"]


class Layer(Called):
    """What all layers share.

    Parameters
    ----------
    name : str, optional
        The layer's name; by default its kind, numbered where a model has several.
    input_shape : tuple of int or None, optional
        On a model's first layer, the shape of one sample, in place of an `Input`; None stands for
        any number of steps.
    batch_input_shape, input_dim, input_length, batch_size : optional
        Keras's older arguments: the shape with the batch size; the number of features, and that of
        steps; the size of every batch, next to one of the shapes without it.
    dtype : {"float32", "float64"}, optional
        That of weights and computation; by default that of what the layer is called with in a
        model, or float32.
    trainable : bool
        Whether training changes the weights.
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    **unavailable
        Keras's other arguments, at their defaults.

    Notes
    -----
    Called with a tensor (an `Input`, or what another layer returned for one), a layer returns a
    tensor, from which `lstmfast.models.Model` is made; called with arrays, arrays. Masks travel
    along in models only: in calls with arrays pass them, as
    ``layer(x, mask=layer_before.compute_mask(x_before))``.

    A layer may be called several times, and stand in several models: they share its weights. A copy
    of a layer (by `copy`, `pickle` or `from_config`) is a description without weights; that of a
    model has them.
    """

    # Keras's arguments that are not offered yet, with the values at which they change nothing
    unavailable: ClassVar[Mapping[str, Any]] = {}
    # options that the core has in another form than the attribute
    forms: ClassVar[Mapping[str, Form]] = {}
    # the constructor's arguments of the layers inside, where they have other names than the core's
    arguments_inside: ClassVar[Mapping[str, str]] = {}
    steps_of_dim: ClassVar[tuple[None, ...]] = ()  # what stands before input_dim in input_shape
    own_class: ClassVar[type[Layer]]  # what stands in for it as the base of users' classes
    activity_regularizer: Any = None
    batch_size: int | None = None  # of batch_input_shape
    use_bias: bool
    _numbered = False  # the name is not of the user's choice
    _is_own = False  # of a user's own class, or made of what a file notes of one
    _is_rnn = False  # made by `RNN`

    def __init__(
        self,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        *,
        batch_input_shape: Sequence[int | None] | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        trainable: bool = True,
        activity_regularizer: Any = None,
        **unavailable: Any,
    ) -> None:
        where = self.where
        self.name = name
        self.input_shape = self._first_shape(input_shape, batch_input_shape, input_dim)
        if input_length is not None:
            if self.input_shape is None or input_dim is None or not self.steps_of_dim:
                raise ValueError(f"[{where}] input_length is given; expected input_dim with it")
            self.input_shape = (count(input_length, "input_length", where), self.input_shape[1])
        if batch_size is not None:
            if self.input_shape is None or self.batch_size is not None:
                raise ValueError(f"[{where}] batch_size is given; expected input_shape with it")
            self.batch_size = count(batch_size, "batch_size", where)
        self.dtype = dtype
        self._trainable = flag(trainable, "trainable", where)
        self.activity_regularizer = activity_regularizer
        functions = type(self).__init__, Layer.__init__
        check_unavailable(where, unavailable, self.unavailable, *functions)

    def __init_subclass__(cls) -> None:
        """Make a class of a user's own, derived from `Layer`, one whose ``call`` is traced."""
        if cls.__module__.partition(".")[0] != "lstmfast":
            calls = "call" in vars(cls)
            bases = tuple(
                vars(base).get("own_class", base) if base is Layer or calls else base
                for base in cls.__bases__
            )
            if bases != cls.__bases__:
                cls.__bases__ = bases
            if calls and not hasattr(cls, "_pattern"):
                raise TypeError(
                    f"[{cls.__name__}] has a method call(); expected a class derived from Layer "
                    "or Model, with other layers inside"
                )
        if hasattr(cls, "_pattern"):
            cls.kind = snake_case(cls.__name__)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would have no effect: Keras's other options, and changes once built."""
        if name.startswith("_") or name == "trainable":
            return super().__setattr__(name, value)
        if name in self.unavailable:
            check_unavailable(self.where, {name: value}, self.unavailable)
        fixed = self._core is not None and name != "dtype"
        if fixed and (name == "input_shape" or name in self.get_config()):
            if value is getattr(self, name):  # True, False or None as before
                return None
            raise AttributeError(
                f"[{self.where}] {name} cannot change once the layer has weights; make a new layer"
            )
        if name == "name" and value is not None:
            value = string(value, "name", self.where)
        if _kind(name) in _KINDS:
            with naming(self.where, name):
                value = _KINDS[_kind(name)].get(value)
        return super().__setattr__(name, value)

    def _take_arguments(self, given: Mapping[str, Any]) -> None:
        """Check and keep the arguments of a constructor, given as its ``locals()``."""
        shared = {name: given[name] for name in ("name", *self.unavailable) if name in given}
        Layer.__init__(self, **shared, **given["options"])
        for name, value in given.items():
            if _kind(name) in _KINDS:
                setattr(self, name, value)
        self._set(**{name: given[name] for name in defaults("layer", self.kind)})

    def _set(self, **options: Any) -> None:
        """Set options, as the core's table has them."""
        checked = check("layer", self.kind, self._for_core(options), self.where)
        for name, value in checked.items():
            setattr(self, name, self.forms[name].kept(value) if name in self.forms else value)

    def _for_core(self, options: dict[str, Any]) -> dict[str, Any]:
        return options | {name: form.for_core(options[name]) for name, form in self.forms.items()}

    def _first_shape(self, sample: Any, with_batch: Any, features: Any) -> Sample | None:
        """Return the shape of samples, given in one of three ways; take a batch size with it."""
        ways = {"input_shape": sample, "batch_input_shape": with_batch, "input_dim": features}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise ValueError(
                f"[{self.where}] {given[1]} is given; expected no {given[0]} next to it"
            )
        if with_batch is not None:
            self.batch_size, sample = split_batch(with_batch, self.where, "batch_input_shape")
        if features is not None:
            return (*self.steps_of_dim, count(features, "input_dim", self.where))
        return None if sample is None else sample_shape(sample, self.where, "input_shape")

    # -- configurations ----------------------------------------------------------------------

    @property
    def rules(self) -> list[str]:
        """The names of the attributes that are regularizers or constraints, or None."""
        return [name for name in vars(self) if _kind(name) in _RULES]

    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer: the options of its table."""
        return self._for_core({name: getattr(self, name) for name in defaults("layer", self.kind)})

    def config(self) -> dict[str, Value]:
        """Return what the core makes this layer from, without the layers inside it."""
        values: dict[str, Any] = {"kind": self.kind, "name": self.name or self.kind}
        values |= {name: value for name, value in self.options().items() if value is not None}
        for name in self.rules:
            rule: Rule | None = getattr(self, name)
            if rule is None or self._lacks(name.rpartition("_")[0]):
                continue
            options = {"kind": rule.kind, **rule.options()}
            values |= {f"{name}.{key}": value for key, value in options.items()}
        return values

    def _lacks(self, weight: str) -> bool:
        """Return whether the options leave a weight out."""
        return weight == "bias" and not self.use_bias

    @classmethod
    def from_core(cls, config: Mapping[str, Value], inside: Mapping[str, Any]) -> Layer:
        """Make the layer that the core describes; files and copies use it, models need not.

        Parameters
        ----------
        config : mapping of str to value
            Options by their dotted names, as `config` returns them.
        inside : mapping of str to Layer
            The layers inside it, by the core's names, as `layers_inside` returns them.

        Returns
        -------
        Layer
            A layer of this class, without weights.
        """
        values: dict[str, Any] = {}
        for key, value in config.items():
            name, dot, option = key.partition(".")
            if dot and name not in inside:
                values.setdefault(name, {})[option] = value
            elif not dot and name not in ("kind", "precision"):
                values[name] = value
        for name in filter(lambda name: _kind(name) in _RULES, values):
            values[name] = _RULES[_kind(name)].from_core(values[name])
        layers = {cls.arguments_inside.get(name, name): layer for name, layer in inside.items()}
        return cls(**layers, **values)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        kept = {
            name: _KINDS[_kind(name)].serialize(value)
            for name, value in vars(self).items()
            if _kind(name) in _KINDS
        }
        shared: dict[str, Any] = {} if self._dtype is None else {"dtype": self._dtype}
        if not self._trainable:
            shared["trainable"] = False
        inside = {
            self.arguments_inside.get(name, name): serialize(layer)
            for name, layer in self.layers_inside().items()
        }
        plain = {name: getattr(self, name) for name in self.forms}
        return {"name": self.name, **shared, **self.options(), **plain, **inside, **kept}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """Make a layer, with new weights, from what `get_config` returned."""
        return cls(**config)

    def _rename(self, name: str) -> None:
        """Take a name that a model gives, which has weights already or not."""
        object.__setattr__(self, "name", name)
        self._numbered = True
        if self._core is not None:
            self._core.name = name

    def __getstate__(self) -> dict[str, Any]:
        # a copy is a description: it has no weights and stands in no model
        alone = {"_core": None, "_nodes": (), "_shapes": (), "_calls": 0}
        return marked(self.__dict__ | alone)

    def __setstate__(self, state: dict[str, Any]) -> None:
        with restoring(state, type(self).__name__) as known:
            self.__dict__.update(known)

    def __repr__(self) -> str:
        names = [*list(options := self.options())[:1], "name", "built"]
        shown = ", ".join(f"{name}={getattr(self, name, options.get(name))}" for name in names)
        return f"<{type(self).__name__} {shown}>"


explain_attributes(Layer, "layer")
explain_setting(Layer, dict.fromkeys(WEIGHTS, "call set_weights()"))


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the configuration from which `lstmfast.layers.from_config` makes a like layer."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def _kind(name: str) -> str:
    """Return the last word of an attribute's name."""
    return name.rpartition("_")[2]


LAYERS: Registry[Layer] = Registry("layer", Layer, [])
"""By name; models, which are layers too, join it where they are defined."""


def from_config(config: Mapping[str, Any]) -> Layer:
    """Make a layer, with new weights, from ``{"class_name": ..., "config": ...}``.

    Examples
    --------
    >>> from lstmfast import layers
    >>> layers.from_config({"class_name": "Dense", "config": {"units": 2}}).units
    2
    """
    name = config.get("class_name")
    of_user = next((each for each in REGISTERED.values() if each.__name__ == name), None)
    if of_user is not None and issubclass(of_user, Layer):
        made: Layer = made_from(of_user, config.get("config", {}))
        return made
    return LAYERS.get(config)


def layer_inside(layer: Any, where: str, name: str, kind: type[Layer], expected: str) -> Any:
    """Return a layer that an argument of another one holds: an object, or its configuration."""
    if isinstance(layer, Mapping):
        with naming(where, name):
            layer = from_config(layer)
    if not isinstance(layer, kind):
        raise wrong_kind(where, name, layer, expected)
    return layer
