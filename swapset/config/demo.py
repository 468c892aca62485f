"""The demo's own values: narrow networks that train in minutes, few frames and few plug-ins.

They apply to `clips: demo` only. Builds from other clips start from the models' defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEMO = "demo"
"""Value of the key `clips` for the embedded demo; also the default of this key."""

_SMALL: dict[str, Any] = {"code": 256, "batch": 4, "learning_rate": 1e-3}
_WIDE: dict[str, Any] = {"learning_rate": 1e-3, "variation": "wide"}

DEMO_VALUES: dict[str, Any] = {
    "pairs": [["id0", "id1"], ["id2", "id3"]],
    "swaps_per_clip": 1.0,
    "recipes": {
        "celebdf": {"resolution": 128, "width": 16, "jitter": 0.3, "steps": 4500, **_SMALL},
        "faceswap": {"width": 24, "steps": 3000, **_SMALL},
        "faceswap-gan-lq": {"width": 16, "steps": 1500, **_SMALL},
        "faceswap-gan-hq": {"width": 16, "steps": 1500, **_SMALL},
        "dfaker": {"width": 16, "steps": 3000, **_SMALL},
        "deepfacelab": {"resolution": 128, "width": 16, "steps": 3000, **_SMALL},
    },
    "align": {"size": 176},
    "training": {"threads": 1, "preview_every": 500},
    "detectors": ["Meso4", "HeadPose", "VA-LogReg", "Multi-task"],
    "detection": {
        "look_every": 20,
        "settings": {
            "Meso4": {"steps": 200, "batch": 16},
            "Multi-task": {"steps": 100, "batch": 8},
        },
    },
    "extractors": ["fan", "avs-san"],
    "attacks": ["none", "base1", "base2", "lb", "lb-robust", "lb-robust-ssim"],
    "landmark_breaker": {
        "subjects": ["id0"],
        "learn_from": ["id1"],  # the others are morphs of id0's face and this one
        "label_frames": 75,
        "frames": 30,
        "swap_every": 5,
        "protected_pairs": 0,
        "settings": {
            "fan": {"width": 0.25, "steps": 5500, "batch": 4, **_WIDE},
            "avs-san": {"width": 0.25, "steps": 5000, "batch": 8, **_WIDE},
        },
    },
}
"""The demo's values that differ from the models' defaults."""

_NAMED_ENTRIES = ("recipes", "settings")
"""Keys with entries that users name. An entry set to null removes the demo's entry."""


def with_demo_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a config; if its clips are the demo, on top of the demo's values.

    Parameters
    ----------
    values : mapping
        The keys that the user sets: `config.yaml`, other config files and the command line, merged.
    """
    if values.get("clips", DEMO) != DEMO:
        return dict(values)
    return _lay_over(DEMO_VALUES, values)


def _lay_over(lower: Mapping[str, Any], upper: Mapping[str, Any], key: str = "") -> dict[str, Any]:
    """Merge two configs, key by key at every depth; `upper` wins.

    An empty section (null in YAML) changes nothing; null for a value or a named entry counts.
    """
    merged = dict(lower)
    for name, value in upper.items():
        below = lower.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[name] = _lay_over(below, value, name)
        elif not (isinstance(below, Mapping) and value is None and key not in _NAMED_ENTRIES):
            merged[name] = value
    return merged
