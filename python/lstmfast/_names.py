"""Look-up of components as Keras names them: by string, class, object or configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from lstmfast._checks import LIBRARIES, what_came
from lstmfast._keras_names import names_of

K = TypeVar("K")
# names in Keras's modules that are not components
_HELPERS = {"deserialize", "experimental", "legacy", "schedules", "serialize"}


@contextmanager
def naming(where: str, name: str) -> Iterator[None]:
    """Let errors about a component name the argument that it was given as."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if str(error).startswith("["):  # an error about an argument of the component itself
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"[{where}] {name}: {error}") from error


@lru_cache
def snake_case(name: str) -> str:
    """Return ``mean_squared_error`` for ``MeanSquaredError``, ``mse`` for ``MSE``.

    ``Conv1D`` is ``conv1d``, as the name that Keras gives such a layer.
    """
    parted = re.sub(r"([a-z0-9])(?!D$)([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", parted).lower()


def function_name(function: Any) -> str:
    """Return the name of a user's function, partial or callable object."""
    function = getattr(function, "func", function)
    name = str(getattr(function, "__name__", snake_case(type(function).__name__)))
    return "lambda" if name == "<lambda>" else name


def made_from(cls: type[K], config: Mapping[str, Any]) -> K:
    """Return an object of a class: by its ``from_config``, where it has one."""
    make: Callable[..., K] = getattr(cls, "from_config", lambda given: cls(**given))
    return make(config)


def own_config(thing: Any, base: Any) -> Any:
    """Return what the ``get_config`` of a user's class returns; None where it is the base's."""
    return None if type(thing).get_config is base.get_config else thing.get_config()


def listed(module: Mapping[str, Any]) -> list[Any]:
    """Return the public objects that a module has so far, by its globals."""
    return [module[name] for name in module["__all__"] if name in module]


class Registry(Generic[K]):
    """The classes of one kind of component, with the look-up of Keras's ``get`` functions."""

    def __init__(
        self,
        what: str,
        base: type[K],
        public: Iterable[Any],
        aliases: Mapping[str, str] | None = None,
        key: Callable[[str], str] = snake_case,
    ) -> None:
        self.what = what
        self.base = base
        self.key = key  # from the name of a class to that of its component
        self.classes: dict[str, type[K]] = {}
        self.add(public)
        self.aliases = dict(aliases or {})

    def add(self, public: Iterable[Any]) -> None:
        """Take the classes among a module's public objects."""
        classes = [one for one in public if isinstance(one, type) and one is not self.base]
        self.classes |= {self.key(c.__name__): c for c in classes if issubclass(c, self.base)}

    def find(self, name: str) -> type[K] | None:
        """Return the class that a string names, or None."""
        key = self.key(name)
        return self.classes.get(self.aliases.get(key, key))

    def get(self, identifier: Any) -> K:
        """Return the object that `identifier` stands for."""
        if isinstance(identifier, self.base):
            return identifier
        if isinstance(identifier, type) and issubclass(identifier, self.base):
            return identifier()
        if isinstance(identifier, Mapping) and "class_name" in identifier:
            name, config = identifier["class_name"], identifier.get("config", {})
            if not isinstance(name, str):
                raise TypeError(f"{self.what}'s class_name is {what_came(name)}; expected a string")
            if not isinstance(config, Mapping):
                raise TypeError(
                    f"{self.what}'s config is {what_came(config)}; expected a dictionary"
                )
            return made_from(self._named(name), config)
        if isinstance(identifier, str):
            return self._named(identifier)()
        kind, came = type(identifier), what_came(identifier)
        if self.find(kind.__name__):  # with the name of one of our classes
            came = f"of type {kind.__module__}.{kind.__qualname__}"
        raise TypeError(
            f"{self.what} is {came}; expected a name or an object of lstmfast's "
            f"{self.base.__name__} classes"
        )

    def refuse_foreign(self, identifier: Any) -> None:
        """Refuse callable objects of other libraries, which expect other arguments."""
        kind = identifier if isinstance(identifier, type) else type(identifier)
        roots = {cls.__module__.partition(".")[0] for cls in kind.__mro__}
        if "lstmfast" in roots:
            return
        ways = ("update_state", "result"), ("call",)
        if roots & LIBRARIES or any(all(hasattr(kind, n) for n in names) for names in ways):
            known = self.find(kind.__name__)
            name = snake_case(kind.__name__) if known else next(iter(self.aliases))
            raise TypeError(
                f"{self.what} is of type {kind.__module__}.{kind.__qualname__}, which is not "
                f"lstmfast's; expected a name, such as {name!r}, a function, or a class derived "
                f"from {self.base.__module__.removesuffix('.base')}.{self.base.__name__}"
            )

    def get_own(self, identifier: Any, wrapper: Callable[[Any], K], methods: str) -> K:
        """Return what `identifier` stands for, where it may be a function or a class of one's own.

        methods: those that make an object of one's own complete.
        """
        self.refuse_foreign(identifier)
        ours = any(cls.__module__.startswith("lstmfast.") for cls in type(identifier).__mro__)
        if callable(identifier) and not ours and not isinstance(identifier, type):
            return wrapper(identifier)
        found: Any = self.get(identifier)
        if not found.is_custom and type(found) not in self.classes.values():
            raise TypeError(f"[{type(found).__name__}] the {self.what} lacks {methods}")
        return cast(K, found)

    def _named(self, name: str) -> type[K]:
        cls = self.find(name)
        if cls is None:
            from difflib import get_close_matches

            ours = sorted({*self.classes, *self.aliases})
            known = ", ".join(ours)
            alike = [each for each in ours if _plain(each) == _plain(name)]
            if not alike and self._is_of_keras(name):
                raise ValueError(
                    f"{self.what} {name!r} is not available in this version; there are {known}"
                )
            alike = alike or get_close_matches(snake_case(name), ours, n=1, cutoff=0.75)
            hint = f"; did you mean {alike[0]!r}?" if alike else ""
            raise ValueError(f"unknown {self.what} {name!r}; known: {known}{hint}")
        return cls

    def _is_of_keras(self, name: str) -> bool:
        module = f"{self.what}{'es' if self.what.endswith('s') else 's'}"
        theirs = names_of(module) - _HELPERS
        return _plain(name) in map(_plain, theirs)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


REGISTERED: dict[str, Any] = {}
"""Users' classes and functions by ``package>name``, as `register_keras_serializable` has them."""


def registered_name(thing: Any) -> str:
    """Return the name under which a class or function is registered, else its own."""
    return next((name for name, each in REGISTERED.items() if each is thing), thing.__name__)
