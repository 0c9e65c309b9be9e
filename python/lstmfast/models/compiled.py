"""What compile was given: optimizer, losses and metrics, and their way to the core."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstmfast import losses, optimizers
from lstmfast._checks import items, number
from lstmfast._core import Model as CoreModel
from lstmfast._names import naming
from lstmfast._warnings import warn
from lstmfast.losses import Loss
from lstmfast.metrics import Metric, get_all


@dataclass(frozen=True)
class Output:
    """How one output is trained and judged."""

    name: str
    loss: Loss | None = None
    weight: float | None = None  # of the loss among those of all outputs
    metrics: tuple[Metric, ...] = ()
    weighted: frozenset[int] = frozenset()  # places of metrics in which samples have weights

    @property
    def is_custom(self) -> bool:
        """Whether the loss is the user's own."""
        return self.loss is not None and self.loss.is_custom

    @property
    def needs_targets(self) -> bool:
        """Whether the output has a loss or metrics."""
        return self.loss is not None or bool(self.metrics)

    @property
    def takes_weights(self) -> bool:
        """Whether weights of samples change anything."""
        return self.loss is not None or bool(self.weighted)


class Compiled:
    """What compile was given, and the names of what the core reports."""

    _has_judged = False  # whether the outputs fit their losses

    def __init__(
        self, optimizer: optimizers.Optimizer | None = None, outputs: Sequence[Output] = ()
    ) -> None:
        self.optimizer = optimizer
        self.outputs = tuple(outputs)
        self.metrics = tuple(metric for output in outputs for metric in output.metrics)
        self.has_loss = any(output.loss is not None for output in outputs)
        count = itertools.count()
        # what each output's metrics are in the core; those of one's own are numbered
        self.kinds = [
            [f"custom:{next(count)}" if m.is_custom else m.kind for m in output.metrics]
            for output in outputs
        ]
        named = self._named()
        losses = {f"{output.name}_loss": None for output in outputs}
        # as in Keras: names in logs are sorted, those of several outputs in lists too
        self._entries = dict(sorted(named.items(), key=lambda entry: entry[0]))
        several = {"loss": None, **losses, **self._entries}
        self.names = [name for name in several if name in named] if len(outputs) > 1 else [*named]
        keys = {name: key for name, (key, _) in self._entries.items()}
        self._listed = [keys[name] for name in self.names]
        held_out = {f"val_{name}": f"val_{key}" for name, key in keys.items()}
        self._keys = dict(sorted((keys | held_out).items()))
        self._renames = len(outputs) > 1 or any(name != key for name, key in keys.items())

    @property
    def log_names(self) -> list[str]:
        """The names in logs, without those of validation."""
        return list(self._entries)

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        optimizer: Any,
        loss: Any,
        loss_weights: Any,
        metrics: Any,
        weighted_metrics: Any,
    ) -> Compiled:
        """Take compile's arguments, for outputs of these names."""
        with naming("compile", "optimizer"):
            chosen = optimizers.get(optimizer)
        with naming("compile", "loss"):
            each = _each(loss, names)
            found = [None if one is None else losses.get(one) for one in each]
        with naming("compile", "loss_weights"):
            shares = [
                None if share is None else number(share, "loss_weights", "compile")
                for share in _each(loss_weights, names)
            ]
        watched = _metrics(metrics, "metrics", names)
        weighted = _metrics(weighted_metrics, "weighted_metrics", names)
        outputs = [
            Output(
                name, one, share, plain + more, frozenset(range(len(plain + more))[len(plain) :])
            )
            for name, one, share, plain, more in zip(
                names, found, shares, watched, weighted, strict=True
            )
        ]
        return cls(chosen, outputs)

    @property
    def loss(self) -> Loss | tuple[Loss | None, ...] | None:
        """The loss; a tuple of those of several outputs."""
        found = tuple(output.loss for output in self.outputs)
        return found if len(found) > 1 else next(iter(found), None)

    def warn_of_one_class(self, model: Any) -> None:
        """Warn of outputs of one value that stand for classes, as Keras does."""
        if self._has_judged:
            return
        self._has_judged = True
        for output, tensor in zip(self.outputs, model.outputs, strict=True):
            layer = tensor.node.layer
            if tensor.sample[-1] != 1:
                continue
            if getattr(layer, "activation", None) == "softmax":
                warn(f"[fit] {layer.name}: softmax of one value is always 1; did you mean sigmoid?")
            if output.loss is not None and output.loss.kind == "categorical_crossentropy":
                warn(
                    f"[fit] {output.name} has one value, and categorical_crossentropy needs one "
                    "for each class; did you mean binary_crossentropy?"
                )

    def config(self, seed: int) -> dict[str, Any]:
        """Return what the core compiles a model from."""
        config: dict[str, Any] = {"seed": seed}
        if self.optimizer is not None:
            config |= self.optimizer.config()
        for k, (output, kinds) in enumerate(zip(self.outputs, self.kinds, strict=True)):
            own: dict[str, Any] = {} if output.loss is None else dict(output.loss.config())
            if output.weight is not None and output.loss is not None:
                own["loss_weight"] = output.weight
            if kinds:
                own["metrics"] = ",".join(kinds)
            for place, metric in enumerate(output.metrics):
                options = metric.options().items()
                own |= {f"metrics.{place}.{name}": value for name, value in options}
            own |= {f"metrics.{place}.weighted": True for place in output.weighted}
            prefix = f"outputs.{k}." if len(self.outputs) > 1 else ""
            config |= {prefix + key: value for key, value in own.items()}
        return config

    def own_functions(self) -> tuple[list[Callable[..., Any] | None], list[Metric], Any]:
        """Return what the core calls back: losses, metrics and schedule of the user's own."""
        return (
            [o.loss.call if o.loss and o.is_custom else None for o in self.outputs],
            [metric for metric in self.metrics if metric.is_custom],
            self.optimizer.own_schedule() if self.optimizer else None,
        )

    def compile(self, core_model: CoreModel, seed: int) -> None:
        """Compile a model of the core."""
        own = self.own_functions()
        try:
            core_model.compile(self.config(seed), *own)
        except ValueError as error:
            if "custom" not in str(error):
                raise
            text = str(error)
            for output in self.outputs:
                if output.loss and output.is_custom:
                    text = text.replace('"custom"', f'"{output.loss.config()["loss.name"]}"')
            for number, metric in enumerate(own[1]):
                text = text.replace(f"custom:{number}", metric.name)
            raise ValueError(text) from None

    def _named(self) -> dict[str, tuple[str, Metric | None]]:
        """Return for each name in logs that of the core and the metric, in the order given.

        As in Keras, an output's own loss has a name where another one has a loss too; metrics that
        have the name of others are numbered, weighted ones called so first.
        """
        found: dict[str, tuple[str, Metric | None]] = {"loss": ("loss", None)}
        several = len(self.outputs) > 1
        has_parts = sum(output.loss is not None for output in self.outputs) > 1
        rows = [
            (f"{output.name}_", f"{k}.", output) if several else ("", "", output)
            for k, output in enumerate(self.outputs)
        ]
        for before, key, output in rows:
            if has_parts and output.loss is not None:
                found[f"{before}loss"] = f"{key}loss", None
        each = [
            (place in output.weighted, before, metric, f"{key}metrics.{place}")
            for before, key, output in rows
            for place, metric in enumerate(output.metrics)
        ]
        for is_weighted, before, metric, key in sorted(each, key=lambda entry: entry[0]):
            name = before + metric.name
            if is_weighted and name in found:
                name = f"{before}weighted_{metric.name}"
            numbered = (f"{name}_{number}" for number in itertools.count(1))
            free = next(one for one in itertools.chain([name], numbered) if one not in found)
            found[free] = key, metric
        return found

    def renamed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the core's values under the names that logs have."""
        if not self._renames:
            return dict(values)
        return {name: values[key] for name, key in self._keys.items() if key in values}

    def listed(self, values: Mapping[str, Any]) -> Any:
        """Return the core's values as without ``return_dict``: loss, those of outputs, metrics."""
        if len(self._listed) == 1:
            return values[self._listed[0]]
        return [values[key] for key in self._listed]

    def directions(self) -> dict[str, str | None]:
        """Return for each name in logs whether less or more is better, where that is known."""
        return {
            name: "min" if metric is None else metric.known_direction()
            for name, (_, metric) in self._entries.items()
        }


def _metrics(given: Any, argument: str, names: Sequence[str]) -> list[tuple[Metric, ...]]:
    """Return the metrics of each output."""
    with naming("compile", argument):
        if len(names) == 1 and isinstance(given, list | tuple):
            return [tuple(get_all(given))]  # however they are nested
        if len(names) > 1 and given is not None and not isinstance(given, Mapping):
            expected = "a list with an item for each output, or a dictionary"
            given = items(given, argument, "compile", expected) or None
        return [tuple(get_all(one)) for one in _each(given, names)]


def _each(given: Any, names: Sequence[str]) -> list[Any]:
    """Return what is meant for each output: one thing for all, a list, or a dictionary by name."""
    if isinstance(given, Mapping) and "class_name" not in given:
        for name in given:
            if name not in names:
                raise ValueError(
                    f"there is no output {name!r}; the model has {', '.join(map(str, names))}"
                )
        return [given.get(name) for name in names]
    if not isinstance(given, list | tuple):
        return [given] * len(names)
    if len(given) != len(names):
        expected = "one, for the model has one output" if len(names) == 1 else f"{len(names)}"
        raise ValueError(f"got {len(given)} items; expected {expected}")
    return list(given)


def part_of(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return what a configuration of the core says below a prefix, which ends in a dot."""
    return {
        key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)
    }


def output_parts(config: Mapping[str, Any], outputs: int | None = None) -> list[dict[str, Any]]:
    """Return what a configuration says of each output; None: of as many as it speaks of."""
    numbers = [int(key.split(".")[1]) for key in config if key.startswith("outputs.")]
    outputs = outputs or max(numbers, default=0) + 1
    if outputs == 1 and not numbers:
        return [dict(config)]
    return [part_of(config, f"outputs.{k}.") for k in range(outputs)]
