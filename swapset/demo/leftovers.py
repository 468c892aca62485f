"""What configs of own clips inherit of the demo's settings, taken out. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swapset.config import DEMO, DEMO_CLIPS, Config


def without_leftovers(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the config without what only fits the demo's subjects, and notices for the user.

    `config.yaml` is always read first; a config with its own clips inherits the demo's values.
    """
    own = dict(values)
    if own.get("clips", DEMO_CLIPS) == DEMO_CLIPS:
        return own, []
    notices = []
    if own.get("pairs") == DEMO["pairs"]:
        own["pairs"] = "all"
    own["detection"] = _without_short_fits(own.get("detection", {}))
    own["landmark_breaker"] = _without_demo_values(own.get("landmark_breaker", {}))
    small = [
        f"recipes.{name}"
        for name, fields in DEMO["recipes"].items()
        if name in own.get("methods", Config.model_fields["methods"].default)
        and own.get("recipes", {}).get(name) == fields
    ]
    if small:
        notices.append(
            f"clips are your own, but {', '.join(small)} are still the embedded demo's small "
            "settings: swaps will be coarse. Set them in your config "
            "(`swapset init` writes a full one for real clips)."
        )
    return own, notices


def _without_short_fits(detection: Any) -> Any:
    """Return the section without the demo's few steps: the published ones apply to own clips."""
    if not isinstance(detection, dict) or not isinstance(detection.get("settings"), dict):
        return detection
    demo = DEMO["detection"]["settings"]
    kept = {k: v for k, v in detection["settings"].items() if v != demo.get(k)}
    return {**detection, "settings": kept}


def _without_demo_values(section: Any) -> Any:
    """Return the section of Landmark Breaker without the demo's values, where it is the demo's."""
    demo = DEMO["landmark_breaker"]
    if not isinstance(section, dict) or any(section.get(key) != demo[key] for key in demo):
        return section
    return {key: value for key, value in section.items() if key not in demo}
