"""All attacks by name; an attack's module is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from swapset.errors import ConfigError
from swapset.obstruction.attacks.base import Attack
from swapset.obstruction.names import ATTACKS

DONOR, TARGET = "donor", "target"
"""What a protected person is in a fake."""


def attack_class(name: str) -> type[Attack]:
    """Return the class of an attack.

    Raises
    ------
    ConfigError
        If the name is unknown.
    """
    if name not in ATTACKS:
        raise ConfigError(f"attack {name!r} is unknown; choose of {', '.join(ATTACKS)}")
    module, _, attribute = ATTACKS[name].partition(":")
    found: type[Attack] = getattr(import_module(f"swapset.obstruction.attacks.{module}"), attribute)
    return found


def make_attack(name: str, **settings: Any) -> Attack:
    """Return an attack with hyper-parameters of its own; see its class for their names.

    Raises
    ------
    ConfigError
        If the name is unknown, or the attack has no such hyper-parameter or not such a value.
    """
    kind = attack_class(name)
    try:
        return kind(**settings)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"attack {name!r}: {error}") from error
