"""A verdict on one file, with the error to expect, and why it may be worse than that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

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
        return ["its card does not say what it was fitted on"]
    found = []
    if fit.get("demo"):
        found.append("it was fitted on the demo, which shows that everything works and no more")
    people = fit.get("people")
    if people is not None and people < FEW_PEOPLE:
        found.append(f"it was fitted on {people} people")
    if picture:
        found.append("it was fitted on frames of videos, and this is a picture")
    width = _face_width(result)
    low, high = fit.get("face_width", (0, np.inf))
    if width < low or width > high:
        found.append(
            f"the face is {width:.0f} pixels wide, and it was fitted on {low:.0f} to {high:.0f}"
        )
    return found


def _face_width(result: Result) -> float:
    """Return the median width of the boxes; NaN, which is below and above nothing, without any."""
    widths = result.boxes[:, 2] - result.boxes[:, 0]
    known = widths[np.isfinite(widths)]
    return float(np.median(known)) if len(known) else float("nan")
