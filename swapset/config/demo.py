"""What configs of own clips inherit of the demo's settings, taken out. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swapset.config.schema import DEMO, DEMO_CLIPS, Config

SECTIONS = ("align", "detection", "landmark_breaker")
"""Sections in which the demo is smaller than what real clips want."""


def without_leftovers(
    values: Mapping[str, Any], named: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return the config without what only fits the demo's subjects, and notices for the user.

    `config.yaml` is always read first; a config with its own clips inherits the demo's values.
    In `SECTIONS` each that nobody named gives way to the default for real clips.

    Parameters
    ----------
    values : mapping
        The merged config.
    named : mapping
        What of it the user's own config files and command line say. It stays, also where the demo
        says the same; the demo's pairs alone go in any case, and that is noticed.
    """
    own = dict(values)
    if own.get("clips", DEMO_CLIPS) == DEMO_CLIPS:
        return own, []
    if own.get("pairs") == DEMO["pairs"]:
        own["pairs"] = "all"
    for section in SECTIONS:
        own[section] = _without(own.get(section, {}), DEMO[section], named.get(section))
    return own, _small_recipes(own)


def _without(values: Any, demo: Mapping[str, Any], named: Any) -> Any:
    """Return a section without the demo's values, key by key at every depth."""
    if not isinstance(values, dict):
        return values  # a mistake, or null: for the checks of the config
    named = named if isinstance(named, Mapping) else {}
    kept = {}
    for key, value in values.items():
        if isinstance(demo.get(key), dict):
            value = _without(value, demo[key], named.get(key))
            if value == {}:
                continue
        elif key in demo and value == demo[key] and key not in named:
            continue
        kept[key] = value
    return kept


def _small_recipes(own: Mapping[str, Any]) -> list[str]:
    """Return the notice that names recipes that are still the demo's, if there are any."""
    small = [
        f"recipes.{name}"
        for name, fields in DEMO["recipes"].items()
        if name in own.get("methods", Config.model_fields["methods"].default)
        and own.get("recipes", {}).get(name) == fields
    ]
    if not small:
        return []
    return [
        f"clips are your own, but {', '.join(small)} are still the embedded demo's small "
        "settings: swaps will be coarse. Set them in your config "
        "(`swapset init` writes a full one for real clips)."
    ]
