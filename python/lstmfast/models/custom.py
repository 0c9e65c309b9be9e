"""Code of the user's own in files: named there, and found again by `load_model`.

That is of losses, metrics and schedules of the learning rate.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

from lstmfast import losses
from lstmfast import metrics as lstmfast_metrics
from lstmfast._names import function_name, made_from, own_config
from lstmfast.losses.base import FunctionLoss, Loss
from lstmfast.metrics.base import MeanMetricWrapper, Metric
from lstmfast.models.compiled import Compiled, output_parts
from lstmfast.optimizers import schedules
from lstmfast.optimizers.schedules.base import LearningRateSchedule, innermost, python_part

_KEY = "custom"
_SCHEDULE = "schedule"
LONGEST_TEXT = 1_000_000  # characters that a file says of metrics, or of losses and metrics


def described(compiled: Compiled) -> dict[str, str]:
    """Return what a file says of them: for each the name of its code, and its arguments."""
    entries: dict[str, dict[str, Any]] = {}
    for k, output in enumerate(compiled.outputs):
        if output.loss and output.is_custom:
            entries[_loss_key(k)] = _entry(output.loss)
    own = [metric for metric in compiled.metrics if metric.is_custom]
    entries |= {f"custom:{index}": _entry(metric) for index, metric in enumerate(own)}
    schedule = compiled.optimizer._schedule if compiled.optimizer else None
    if schedule is not None and python_part(schedule) is not None:
        entries[_SCHEDULE] = _schedule_entry(innermost(schedule))
    text = json.dumps(entries)
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"[save] what get_config of losses and metrics returned takes {len(text)} characters; "
            f"expected at most {LONGEST_TEXT}"
        )
    return {_KEY: text} if entries else {}


def _loss_key(output: int) -> str:
    return f"loss:{output}" if output else "loss"


def _schedule_entry(schedule: Any) -> dict[str, Any]:
    if not isinstance(schedule, LearningRateSchedule):
        return {"code": function_name(schedule), "name": None, "config": None}
    has_config = type(schedule).get_config is not LearningRateSchedule.get_config
    return _described(schedule, None, schedule.get_config() if has_config else None)


def _entry(thing: Loss | Metric) -> dict[str, Any]:
    name = thing.name
    if isinstance(thing, FunctionLoss):
        return {"code": function_name(thing.function), "name": name, "config": None}
    if isinstance(thing, MeanMetricWrapper):
        code = function_name(thing.fn)
        return {"code": name if code == "lambda" else code, "name": name, "config": None}
    return _described(thing, name, own_config(thing, Loss if isinstance(thing, Loss) else Metric))


def _described(thing: Any, name: str | None, config: Any) -> dict[str, Any]:
    where = type(thing).__name__
    try:
        json.dumps(config)
    except (TypeError, ValueError) as error:
        raise TypeError(f"[save] get_config of {where} cannot be written: {error}") from None
    return {"code": where, "name": name, "config": config}


class Objects:
    """What a file names, as the user's ``custom_objects`` gives it."""

    def __init__(
        self, config: Mapping[str, Any], extra: Mapping[str, str], given: Mapping[str, Any]
    ) -> None:
        parts = output_parts(config)
        of_loss = {_loss_key(k): k for k, p in enumerate(parts) if p.get("loss") == "custom"}
        metrics = ",".join(str(part.get("metrics", "")) for part in parts).split(",")
        wanted = [*of_loss, *(kind for kind in metrics if kind.startswith("custom"))]
        rates = (k for k in config if k.startswith("optimizer.schedule.") and k.endswith(".kind"))
        if any(config[key] == "custom" for key in rates):
            wanted.append(_SCHEDULE)
        entries = _entries_of(extra) if wanted else {}
        fallback = {key: str(parts[k].get("loss.name", "loss")) for key, k in of_loss.items()}
        self.losses_of: dict[int, Loss] = {}  # by output
        self.metrics: dict[str, Metric] = {}
        self.schedule: Any = None
        missing = []
        for kind in wanted:
            entry = entries.get(kind) or {"code": fallback.get(kind, kind), "name": None}
            name = entry["name"] if entry["name"] in given else entry["code"]
            if name not in given:
                missing.append(name)
            elif kind == _SCHEDULE:
                self.schedule = _made(LearningRateSchedule, entry, given[name], schedules.get)
            elif kind in of_loss:
                self.losses_of[of_loss[kind]] = _made(Loss, entry, given[name], losses.get)
            else:
                metric = _made(Metric, entry, given[name], lstmfast_metrics.get)
                if metric is not given[name] and entry["name"] is not None:
                    metric.name = entry["name"]
                self.metrics[kind] = metric
        if missing:
            names = ", ".join(f"{name!r}: ..." for name in dict.fromkeys(missing))
            raise ValueError(
                "[load_model] the model was compiled with code of your own, which is not in the "
                f"file; pass custom_objects={{{names}}}, or compile=False to load it without"
            )
        # what the core calls for each output
        calls = {k: loss.call for k, loss in self.losses_of.items()}
        self.losses = [calls.get(k) for k in range(len(parts))]


def read_extra(extra: Mapping[str, str], key: str) -> Any:
    """Return what a file says as JSON below a key; None where it says nothing or is damaged."""
    text = extra.get(key, "null")
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"[load_model] what the file says of {key} has {len(text)} characters; expected at "
            f"most {LONGEST_TEXT}"
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def metadata_text(model: Any) -> str:
    """Return a model's metadata as JSON, or an empty text where there are none."""
    try:
        text = json.dumps(model.metadata) if model.metadata else ""
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"[save] metadata is no JSON: {error}; expected texts, numbers, None, lists and "
            "dictionaries of these"
        ) from None
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"[save] metadata has {len(text)} characters as JSON; expected at most {LONGEST_TEXT}"
        )
    return text


def _entries_of(extra: Mapping[str, str]) -> dict[str, Any]:
    entries = read_extra(extra, _KEY) if _KEY in extra else {}
    if not isinstance(entries, dict) or not all(
        isinstance(entry, dict)
        and isinstance(entry.get("code"), str)
        and isinstance(entry.get("name", 0), str | None)
        and isinstance(entry.get("config"), dict | None)
        for entry in entries.values()
    ):
        raise ValueError("[load_model] what the file says of losses and metrics is damaged")
    return entries


def _made(base: Any, entry: Mapping[str, Any], value: Any, get: Any) -> Any:
    code, config = entry["code"], entry.get("config")
    if isinstance(value, type) and issubclass(value, base):
        if config is not None:
            try:
                value = made_from(value, config)
            except Exception as error:  # code of the user's, which may raise anything
                raise ValueError(
                    f"[load_model] {code} cannot be made from what the file says of it: {error}"
                ) from error
        else:
            names = inspect.signature(value).parameters
            arguments = [
                name
                for name, each in names.items()
                if name not in ("name", "reduction", "dtype") and each.kind is not each.VAR_KEYWORD
            ]
            if arguments:
                raise ValueError(
                    f"[load_model] the file does not hold the arguments of {code} "
                    f"({', '.join(arguments)}), which has no get_config; pass an object: "
                    f"custom_objects={{{code!r}: {code}(...)}}"
                )
            value = value()
    elif isinstance(value, type) or not (isinstance(value, base) or callable(value)):
        raise TypeError(
            f"[load_model] custom_objects[{code!r}] is of type {type(value).__name__}; expected a "
            f"function, or a class derived from {base.__name__} or an object of one"
        )
    made = get(value)
    if not getattr(made, "is_custom", True):
        raise TypeError(f"[load_model] custom_objects[{code!r}] is {made!r}, which is not your own")
    return made
