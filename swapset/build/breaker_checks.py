"""Check the settings of Landmark Breaker against the rest of a config. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from swapset.build.chosen import check_chosen
from swapset.config.landmark_breaker import LandmarkBreakerSettings
from swapset.errors import ConfigError
from swapset.extractors.registry import EXTRACTORS
from swapset.obstruction.attacks.registry import ATTACKS, BREAKER, EVEN, ROBUST, goes_on


def check_breaker(
    settings: LandmarkBreakerSettings,
    extractors: Sequence[str],
    attacks: Sequence[str],
    methods: Sequence[str],
    subjects: Sequence[str],
    targets: Sequence[str],
) -> None:
    """Check that extractors, attacks, methods and people that the settings name exist.

    Parameters
    ----------
    settings : LandmarkBreakerSettings
        The section `landmark_breaker` of the config.
    extractors, attacks, methods : sequence of str
        Those of the build.
    subjects : sequence of str
        Everybody in the manifest.
    targets : sequence of str
        The subjects whose clips are turned into fakes.

    Raises
    ------
    ConfigError
        If a name is unknown, or settings do not fit each other.
    """
    _check_plugins(settings, extractors, attacks)
    for step in settings.sweep_steps:
        if step > settings.epsilon:
            raise ConfigError(
                f"landmark_breaker.sweep_steps: {step} is not allowed: it is more than epsilon, "
                f"{settings.epsilon}; lower it or raise epsilon"
            )
    if extractors:
        for key in ("reference", "protected_extractor"):
            if (name := getattr(settings, key)) is not None:
                _check_known(f"landmark_breaker.{key}", [name], extractors)
    if settings.method is not None:
        _check_known("landmark_breaker.method", [settings.method], methods)
    if settings.labels is not None and settings.labels.clips and settings.labels.layout == "wflw":
        raise ConfigError(
            "landmark_breaker.labels.clips: true is not allowed: labels of clips have 68 "
            "landmarks and WFLW's have 98; set it to false or use other labels"
        )
    if isinstance(settings.subjects, list):
        _check_known("landmark_breaker.subjects", settings.subjects, targets)
    learn_from = settings.learn_from or []
    _check_known("landmark_breaker.learn_from", learn_from, subjects)
    protected = settings.subjects if isinstance(settings.subjects, list) else []
    if both := ", ".join(name for name in learn_from if name in protected):
        raise ConfigError(
            f"landmark_breaker.learn_from: {both} is not allowed: extractors never learn from "
            "protected people; take it out here or in landmark_breaker.subjects"
        )


def _check_plugins(
    settings: LandmarkBreakerSettings, extractors: Sequence[str], attacks: Sequence[str]
) -> None:
    check_chosen(EXTRACTORS, "extractors", extractors)
    check_chosen(EXTRACTORS, "landmark_breaker.settings", settings.settings)
    check_chosen(ATTACKS, "attacks", attacks)
    if EVEN in attacks and not {BREAKER, ROBUST} <= set(attacks):
        raise ConfigError(
            f"attacks: {EVEN!r} is not allowed without {BREAKER} and {ROBUST}: its noise is that "
            f"of {ROBUST} at the SSIM of {BREAKER}; add both or leave it out"
        )
    key = "landmark_breaker.protected_attacks"
    check_chosen(ATTACKS, key, settings.protected_attacks)
    for name in settings.protected_attacks:
        if not goes_on(name):
            raise ConfigError(
                f"{key}: {name!r} is not allowed: it takes a single step and cannot go on from one "
                "frame to the next; choose another"
            )


def _check_known(key: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(
                f"{key}: {name!r} is not allowed: it is unknown; choose from {', '.join(known)}"
            )
