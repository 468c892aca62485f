"""Plug-ins by name: our own and those of other installed packages, imported when they are used.

Detectors, extractors, attacks and dataset layouts have a table each. A package adds to a table by
an entry point (docs/extending.md). What planning has to know of a plug-in, its *traits*, stands in
the table, so that planning imports nothing heavy.
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
"""An entry point may point to a dict of this name, of `Plugin` by name, in a light module."""

# They become parts of paths, and cells of tables that are read again as text.
_NAME = re.compile(r"(?!(?i:na|nan|none|null|inf|infinity|true|false)$)[A-Za-z][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Plugin:
    """Where the code of a plug-in is, and what is known of it before it is imported.

    Attributes
    ----------
    target : str
        "package.module:Class", or a function there.
    traits : mapping
        Those that differ from the usual ones of its kind.
    origin : str
        The package and its entry point, for messages; empty: it is our own. Its table fills it in.
    """

    target: str
    traits: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""

    @property
    def module(self) -> str:
        """Return the dotted name of the module that the code is in."""
        return self.target.partition(":")[0]


class Plugins(Collection[str]):
    """All plug-ins of a kind; iterates over their names, our own first.

    Parameters
    ----------
    kind : str
        "detector", say: entry points of the group "swapset.detectors" add to the table.
    built_in : mapping of str to Plugin
    methods : sequence of str
        What a class must have.
    traits : mapping
        The usual traits.
    reserved : sequence of str
        Names that mean something else.
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
        """Return the entry points of installed packages by name, our own names included."""
        found: dict[str, list[EntryPoint]] = {}
        for entry in sorted(_all(tuple(sys.path)).select(group=self.group), key=_origin):
            found.setdefault(entry.name, []).append(entry)
        return found

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
        """Return what is known of a plug-in, with all traits; its code is not imported.

        Parameters
        ----------
        name : str
        key : str
            The key of the config that names it, for messages.

        Raises
        ------
        ConfigError
            If nobody has the name, several have it, or its entry point cannot be used.
        """
        if name not in self._known:
            self._known[name] = self._find(name, self._called(name, key))
        return self._known[name]

    def load(self, name: str, key: str = "") -> Any:
        """Import a plug-in, and return its class (of a layout, the function that reads it).

        Raises
        ------
        ConfigError
            As `find` does, and if the code of a package cannot be imported or is not complete.
        """
        plugin, called = self.find(name, key), self._called(name, key)
        found = _imported(plugin, called)
        lacks = [method for method in self._methods if not hasattr(found, method)]
        lacks += sorted(getattr(found, "__abstractmethods__", ()))
        if plugin.origin and lacks:
            raise ConfigError(f"{called} of {plugin.origin} lacks {', '.join(lacks)}, {_ASK}")
        if plugin.origin and (other := getattr(found, "name", name)) != name:
            raise ConfigError(f"{called} of {plugin.origin} has the `name` {other!r}, {_ASK}")
        return found

    def _called(self, name: str, key: str) -> str:
        return f"{key}: {name!r}" if key else f"{self.kind} {name!r}"

    def _find(self, name: str, called: str) -> Plugin:
        own, entries = self.built_in.get(name), self._entries.get(name, [])
        if own and not entries:
            return replace(own, traits={**self._traits, **own.traits})
        if not entries:
            raise ConfigError(
                f"{called} is unknown; choose of {', '.join(self)}, or install the package that "
                f"adds it (entry point group {self.group})"
            )
        claims = ["swapset itself"] * bool(own) + [_origin(entry) for entry in entries]
        if len(claims) > 1:
            raise ConfigError(f"{called} is in {' and in '.join(claims)}; uninstall all but one")
        if not self._is_name(name):
            raise ConfigError(
                f"{called} of {claims[0]} cannot be a name: it begins with a letter, then letters, "
                "digits, '.', '_' and '-', and is no value as 'none' or 'true' "
                "(docs/extending.md)"
            )
        return self._record(entries[0], called)

    def _record(self, entry: EntryPoint, called: str) -> Plugin:
        """Return what an entry point says: the place of a class, or a record with traits."""
        plugin = Plugin(entry.value, origin=_origin(entry))
        if entry.value.endswith(f":{RECORDS}"):
            records = _imported(plugin, called)
            record = records.get(entry.name) if isinstance(records, Mapping) else None
            if not isinstance(record, Plugin):
                raise ConfigError(f"{called} of {plugin.origin} is not among its records, {_ASK}")
            plugin = replace(record, origin=plugin.origin)
        for trait in plugin.traits.keys() - self._traits.keys():
            known = ", ".join(self._traits) or "none"
            raise ConfigError(
                f"{called} of {plugin.origin} has the unknown trait {trait!r}; known: {known}"
            )
        return replace(plugin, traits={**self._traits, **plugin.traits})


@cache
def _all(path: tuple[str, ...]) -> Any:
    """Return the entry points of all packages on Python's path, which takes some ms to look up."""
    return entry_points()


_ASK = "which its authors have to repair (docs/extending.md)"


def _origin(entry: EntryPoint) -> str:
    return f"package {entry.dist.name if entry.dist else '?'} ({entry.value})"


def _imported(plugin: Plugin, called: str) -> Any:
    try:
        found: Any = import_module(plugin.module)
        for part in plugin.target.partition(":")[2].split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:
        if not plugin.origin:
            raise
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigError(
            f"{called} of {plugin.origin} cannot be imported ({said}); repair or reinstall the "
            "package, or do without it"
        ) from error
    return found
