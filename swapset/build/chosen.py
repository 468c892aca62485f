"""Check that the plug-ins that a config names are known and installed."""

from __future__ import annotations

from collections.abc import Iterable

from swapset.build.code_hash import has_source
from swapset.errors import ConfigError
from swapset.plugins import Plugins


def check_chosen(table: Plugins, key: str, names: Iterable[str]) -> None:
    """Check plug-ins by name, without importing them.

    Parameters
    ----------
    table : Plugins
    key : str
        The config's key, for messages.
    names : iterable of str
        The plug-ins.

    Raises
    ------
    ConfigError
        If one is unknown, or its module has no Python file.
    """
    for name in names:
        plugin = table.find(name, key)
        if plugin.origin and not has_source(plugin.module):
            raise ConfigError(
                f"{key}: {name!r} is not allowed: module {plugin.module!r} of {plugin.origin} has "
                f"no Python file; repair or reinstall the package, or leave {name} out"
            )
