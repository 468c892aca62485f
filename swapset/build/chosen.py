"""Check the plug-ins that a config names: they must be known, and their code must be there."""

from __future__ import annotations

from collections.abc import Iterable

from swapset.build.code_hash import has_source
from swapset.errors import ConfigError
from swapset.plugins import Plugins


def check_chosen(table: Plugins, key: str, names: Iterable[str]) -> None:
    """Refuse plug-ins that no job could use; nothing heavy is imported.

    Parameters
    ----------
    table : Plugins
    key : str
        The config's key, for messages.
    names : iterable of str

    Raises
    ------
    ConfigError
        If one is unknown, or there is no Python file of its module.
    """
    for name in names:
        plugin = table.find(name, key)
        if plugin.origin and not has_source(plugin.module):
            raise ConfigError(
                f"{key}: {name!r} of {plugin.origin}: there is no Python file of module "
                f"{plugin.module!r}; repair or reinstall the package, or leave {name} out"
            )
