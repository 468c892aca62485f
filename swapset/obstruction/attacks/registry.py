"""All attacks by name. Imports nothing heavy: an attack's module is imported when it is used."""

from __future__ import annotations

from typing import Any

from swapset.errors import ConfigError
from swapset.plugins import Plugin, Plugins

CLEAN = "none"
"""No noise, for comparison."""

BREAKER = "lb"
"""The chapter's own attack, Landmark Breaker."""

ROBUST = "lb-robust"
"""The attack that follows several extractors at once."""

EVEN = "lb-robust-ssim"
"""`ROBUST` with its noise scaled to the SSIM_I of Landmark Breaker on the same extractors."""

DLIB = "dlib"
"""dlib's 68-point model. No attack follows it, and all attacks are measured on it."""

MESH = "facemesh"
"""MediaPipe's FaceMesh, measured where its package is installed; no attack follows it either."""

CENTER = "centerface"
"""CenterFace: attacks are measured on this face detector where its package is installed."""

DONOR, TARGET = "donor", "target"
"""The roles of a protected person in a fake."""

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
        CLEAN: _own("no_noise:NoNoise"),
        "base1": _own("fgsm:Base1", "epsilon", "budget"),
        "base2": _own("fgsm:Base2", *_STEPS),
        BREAKER: _own("landmark_breaker:LandmarkBreaker", *SETTINGS),
        "lb-trans": _own("landmark_breaker:LBTrans", *SETTINGS),
        "lb-mix": _own("landmark_breaker:LBMix", *SETTINGS),
        # Its step is larger than the config's, and it always goes on within the budget.
        ROBUST: _own("robust:LBRobust", "epsilon", "iterations", "decay", several=True),
        # Not an attack of its own: `match_ssim` scales the noise of ROBUST.
        EVEN: _own("robust:LBRobust", several=True),
    },
    methods=("run", "snapshots"),
    traits={"settings": _STEPS, "several": False},
)
"""Attacks, the built-in ones in the order of tables 4.6 and 4.7 of the chapter. The trait
`settings` names the hyper-parameters that come from the config; attacks with the trait `several`
follow several extractors at once."""


def goes_on(name: str) -> bool:
    """Return whether an attack can go on from one frame to the next; a single step cannot."""
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
    """Return an attack with the given hyper-parameters, which its class names.

    Raises
    ------
    ConfigError
        If the name is unknown, or the attack does not have a hyper-parameter or allow its value.
    """
    kind = attack_class(name)
    try:
        return kind(**settings)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"attack {name!r}: {error}") from error
