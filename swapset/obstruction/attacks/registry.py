"""All attacks by name. Light to import: an attack's module is imported when it is used."""

from __future__ import annotations

from typing import Any

from swapset.errors import ConfigError
from swapset.plugins import Plugin, Plugins

CLEAN = "none"
"""No noise at all: what attacks are compared with."""

BREAKER = "lb"
"""The chapter's own attack, Landmark Breaker."""

ROBUST = "lb-robust"
"""The one that follows several extractors."""

EVEN = "lb-robust-ssim"
"""The same with its noise scaled to the SSIM_I of Landmark Breaker's on the same extractors."""

DLIB = "dlib"
"""dlib's 68-point model, which no attack follows and every one is measured on."""

DONOR, TARGET = "donor", "target"
"""What a protected person is in a fake."""

SETTINGS = ("epsilon", "budget", "iterations", "step", "decay")
"""Hyper-parameters that the config has for attacks, in `landmark_breaker`."""

_STEPS = SETTINGS[:4]


def _own(place: str, *settings: str, several: bool = False) -> Plugin:
    return Plugin(
        f"swapset.obstruction.attacks.{place}", {"settings": settings, "several": several}
    )


ATTACKS = Plugins(
    "attack",
    {
        CLEAN: _own("base:NoNoise"),
        "base1": _own("fgsm:Base1", "epsilon", "budget"),
        "base2": _own("fgsm:Base2", *_STEPS),
        BREAKER: _own("landmark_breaker:LandmarkBreaker", *SETTINGS),
        "lb-trans": _own("landmark_breaker:LBTrans", *SETTINGS),
        "lb-mix": _own("landmark_breaker:LBMix", *SETTINGS),
        # It takes larger steps, and goes on inside of the budget.
        ROBUST: _own("robust:LBRobust", "epsilon", "iterations", "decay", several=True),
        # Only scaled: no attack of its own.
        EVEN: _own("robust:LBRobust", several=True),
    },
    methods=("run", "snapshots"),
    traits={"settings": _STEPS, "several": False},
)
"""Attacks, our own in the order of tables 4.6 and 4.7 of the chapter. Of `settings` they take the
values from the config; those with `several` are made against several extractors at once."""


def goes_on(name: str) -> bool:
    """Say whether an attack can start from a frame's noise on the next: a single step cannot."""
    return name == CLEAN or "iterations" in ATTACKS.find(name).traits["settings"]


def attack_class(name: str) -> Any:
    """Return the class of an attack, a `swapset.obstruction.attacks.base.Attack`.

    Raises
    ------
    ConfigError
        If the name is unknown, or the attack of another package cannot be imported.
    """
    return ATTACKS.load(name)


def make_attack(name: str, **settings: Any) -> Any:
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
