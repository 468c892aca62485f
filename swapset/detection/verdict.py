"""A verdict on one file, with the error to expect, and why it may be worse than that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from swapset.detection.conditions import CONDITIONS
from swapset.detection.detect import Result
from swapset.detection.statistics.operating_points import EQUAL_ERROR

FEW_PEOPLE = 30
"""A detector that was fitted on fewer people is likely to fail on others, and this is said."""


def verdict(card: Mapping[str, Any], result: Result, *, picture: bool) -> str:
    """Return the verdict, its threshold, the error to expect, and all doubts, on one line.

    Parameters
    ----------
    card : mapping
        The detector's, see `swapset.detection.about_fit`; empty if there is none.
    result : Result
        Scores of the file.
    picture : bool
        Whether the file is a picture: its score is that of a frame, not of a video.
    """
    parts = [] if np.isnan(result.score) else [_judged(card, result.score, picture=picture)]
    found = doubts(card, result, picture=picture)
    if found:
        parts.append(f"do not rely on it: {', '.join(found)}")
    return "; ".join(parts)


def _judged(card: Mapping[str, Any], score: float, *, picture: bool) -> str:
    validation = card.get("validation") or {}
    point = validation.get("points", {}).get("frame" if picture else "video", {}).get(EQUAL_ERROR)
    if not point:
        return "no verdict, as no threshold was set on validation people"
    word = "fake" if score > point["threshold"] else "real"
    shown = "frames" if picture else "videos"
    people = validation.get("people")
    whose = f"{people} validation people" if people else "the validation people"
    return (
        f"{word} (threshold {point['threshold']:.4f}, at which {point['fpr']:.0%} of the real and "
        f"{1 - point['tpr']:.0%} of the fake {shown} of {whose} were misjudged)"
    )


def doubts(card: Mapping[str, Any], result: Result, *, picture: bool) -> list[str]:
    """Return why the error may be larger than on the validation people.

    Parameters
    ----------
    card, result, picture
        As in `verdict`.
    """
    fit = card.get("trained_on")
    if not fit:
        if "weights" in card:
            return ["its weights are published ones, which do not say what they were fitted on"]
        return ["its card does not say what it was fitted on"]
    found = []
    if fit.get("demo"):
        found.append("it was fitted on the demo, which shows that everything works and no more")
    people = fit.get("people")
    if people is None:
        found.append("on how many people it was fitted is not known")
    elif people < FEW_PEOPLE:
        found.append(f"it was fitted on {people} people")
    if picture:
        found.append("it was fitted on frames of videos and this is a picture")
    unusual = _unusual(fit.get("conditions") or {}, result)
    if unusual:
        found.append(f"it was fitted on faces in other conditions ({'; '.join(unusual)})")
    return found


def _unusual(usual: Mapping[str, Sequence[float]], result: Result) -> list[str]:
    """Return the conditions of the file in which few faces were that a detector was fitted on."""
    found = []
    for name, values in zip(CONDITIONS, result.conditions.T, strict=True):
        known = values[np.isfinite(values)]
        if name not in usual or not len(known):
            continue
        (low, high), value = usual[name], float(np.median(known))
        if not low <= value <= high:
            unit = " pixels" if name == "width" else ""
            found.append(f"{name} {low:.3g} to {high:.3g}{unit}, here {value:.3g}")
    return found
