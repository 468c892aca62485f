"""Plug-ins by name: built-in ones and those of other packages, each imported when it is used.

Detectors, extractors, attacks and dataset layouts have a table each. A package adds to a table by
an entry point (docs/extending.md). The table also holds the *traits* of each plug-in, which are
the facts that planning needs, so that planning imports nothing heavy.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from swapset.errors import ConfigError

RECORDS = "PLUGINS"
"""Name of a dict of `Plugin` by name in a light module; an entry point may point to it."""

# Names become parts of paths, and cells of tables: pandas reads "nan" and "true" as values.
_NAME = re.compile(r"(?!(?i:na|nan|none|null|inf|infinity|true|false)$)[A-Za-z][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Plugin:
    """The place of a plug-in's code, and its traits, known before it is imported.

    Attributes
    ----------
    target : str
        "package.module:Class", or "package.module:function".
    traits : mapping
        The traits that differ from the defaults of its kind.
    origin : str
        The package and its entry point, for messages; "" for built-in ones. The table sets it.
    """

    target: str
    traits: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""

    @property
    def module(self) -> str:
        """Return the dotted name of the module with the code."""
        return self.target.partition(":")[0]


class Plugins(Collection[str]):
    """All plug-ins of a kind. Iterates over their names, the built-in ones first.

    Parameters
    ----------
    kind : str
        For example "detector": entry points of the group "swapset.detectors" add to the table.
    built_in : mapping of str to Plugin
        The plug-ins of this library.
    methods : sequence of str
        Methods that a class must have.
    traits : mapping
        The default traits.
    reserved : sequence of str
        Names with another meaning, which no plug-in may have.
    """

    def __init__(
        self,
        kind: str,
        built_in: Mapping[str, Plugin],
        *,
        methods: Sequence[str] = (),
        traits: Mapping[str, Any] | None = None,
        reserved: Sequence[str] = (),
    ):
        self.kind, self.group, self.built_in = kind, f"swapset.{kind}s", built_in
        self._methods, self._traits, self._reserved = methods, traits or {}, reserved
        self._known: dict[str, Plugin] = {}

    @cached_property
    def _entries(self) -> dict[str, list[EntryPoint]]:
        """Return the entry points of installed packages by name, built-in names included."""
        entries: dict[str, list[EntryPoint]] = {}
        for entry in sorted(_all(tuple(sys.path)).select(group=self.group), key=_origin):
            entries.setdefault(entry.name, []).append(entry)
        return entries

    def __iter__(self) -> Iterator[str]:
        others = sorted(self._entries.keys() - self.built_in.keys())
        return iter([*self.built_in, *filter(self._is_name, others)])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        return any(name == known for known in self)

    def _is_name(self, name: str) -> bool:
        return bool(_NAME.fullmatch(name)) and name not in self._reserved

    def find(self, name: str, key: str = "") -> Plugin:
        """Return a plug-in's record with all its traits, without importing its code.

        Parameters
        ----------
        name : str
        key : str
            The key of the config that names it, for messages.

        Raises
        ------
        ConfigError
            If no plug-in or several have the name, or its entry point cannot be used.
        """
        if name not in self._known:
            self._known[name] = self._find(name, self._called(name, key))
        return self._known[name]

    def load(self, name: str, key: str = "") -> Any:
        """Import a plug-in and return its class, or for a layout the function that reads it.

        Raises
        ------
        ConfigError
            As `find`; or if the code of a package cannot be imported or is not complete.
        """
        plugin, called = self.find(name, key), self._called(name, key)
        loaded = _imported(plugin, called)
        lacks = [method for method in self._methods if not hasattr(loaded, method)]
        lacks += sorted(getattr(loaded, "__abstractmethods__", ()))
        if plugin.origin and lacks:
            raise ConfigError(f"{called} of {plugin.origin} lacks {', '.join(lacks)}; {_ASK}")
        if plugin.origin and (other := getattr(loaded, "name", name)) != name:
            raise ConfigError(f"{called} of {plugin.origin} has the `name` {other!r}; {_ASK}")
        return loaded

    def _called(self, name: str, key: str) -> str:
        return f"{key}: {name!r}" if key else f"{self.kind} {name!r}"

    def _find(self, name: str, called: str) -> Plugin:
        built_in, entries = self.built_in.get(name), self._entries.get(name, [])
        if built_in and not entries:
            return replace(built_in, traits={**self._traits, **built_in.traits})
        if not entries:
            raise ConfigError(
                f"{called} is not allowed: it is unknown; choose from {', '.join(self)}, or "
                f"install the package that adds it (entry point group {self.group})"
            )
        claims = ["swapset itself"] * bool(built_in) + [_origin(entry) for entry in entries]
        if len(claims) > 1:
            raise ConfigError(
                f"{called} is not allowed: it is in {' and in '.join(claims)}; uninstall all but "
                "one"
            )
        if not self._is_name(name):
            raise ConfigError(
                f"{called} of {claims[0]} is not allowed as a name: use a letter, then letters, "
                f"digits, '.', '_' and '-', and no word with a meaning of its own, such as 'none' "
                f"or 'true'; {_ASK}"
            )
        return self._record(entries[0], called)

    def _record(self, entry: EntryPoint, called: str) -> Plugin:
        """Return the plug-in of an entry point, which names a class or a record with traits."""
        plugin = Plugin(entry.value, origin=_origin(entry))
        if entry.value.endswith(f":{RECORDS}"):
            records = _imported(plugin, called)
            record = records.get(entry.name) if isinstance(records, Mapping) else None
            if not isinstance(record, Plugin):
                raise ConfigError(f"{called} of {plugin.origin} is not among its {RECORDS}; {_ASK}")
            plugin = replace(record, origin=plugin.origin)
        for trait in plugin.traits.keys() - self._traits.keys():
            allowed = ", ".join(self._traits) or "none"
            raise ConfigError(
                f"{called} of {plugin.origin} has the unknown trait {trait!r}; allowed: {allowed}; "
                f"{_ASK}"
            )
        return replace(plugin, traits={**self._traits, **plugin.traits})


@cache
def _all(path: tuple[str, ...]) -> Any:
    """Return the entry points of all packages on Python's path, which takes some ms to look up."""
    return entry_points()


_ASK = "its authors have to correct this (docs/extending.md)"


def _origin(entry: EntryPoint) -> str:
    return f"package {entry.dist.name if entry.dist else '?'} ({entry.value})"


def _imported(plugin: Plugin, called: str) -> Any:
    try:
        loaded: Any = import_module(plugin.module)
        for part in plugin.target.partition(":")[2].split("."):
            loaded = getattr(loaded, part)
    except (Exception, SystemExit) as error:
        if not plugin.origin:
            raise
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigError(
            f"{called} of {plugin.origin} cannot be imported ({said}); repair or reinstall the "
            "package, or do without it"
        ) from error
    return loaded
