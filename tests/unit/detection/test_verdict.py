"""Verdicts by the card's threshold, and the doubts that a card and a file give rise to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from swapset.detection.conditions import CONDITIONS
from swapset.detection.detect import Result
from swapset.detection.verdict import doubts, verdict

POINT = {"threshold": 0.6, "fpr": 0.1, "tpr": 0.7}
CARD: dict[str, Any] = {
    "trained_on": {
        "people": 40,
        "demo": False,
        "datasets": ["celebdf"],
        "conditions": {"width": [100, 200], "sharpness": [0.1, 0.3], "brightness": [60, 160]},
    },
    "validation": {"people": 12, "points": {"video": {"equal_error": POINT}}},
}


def result(score: float, **changes: float) -> Result:
    """Return the result of a video with two faces in three frames."""
    seen = {"width": 150, "sharpness": 0.2, "brightness": 100, "contrast": 40} | changes
    boxes = np.array([[10, 10, 160, 160]] * 3, np.float32)
    conditions = np.array([[seen[name] for name in CONDITIONS]] * 3)
    conditions[1] = np.nan
    return Result(np.arange(3), np.full(3, score), np.full(3, score), boxes, conditions)


def trained(**changes: Any) -> dict[str, Any]:
    return {**CARD, "trained_on": {**CARD["trained_on"], **changes}}


def test_a_score_above_the_threshold_is_fake_with_the_error_to_expect() -> None:
    text = verdict(CARD, result(0.7), picture=False)
    assert text == (
        "fake (threshold 0.6000, at which 10% of the real and 30% of the fake videos of 12 "
        "validation people were misjudged)"
    )
    assert verdict(CARD, result(0.6), picture=False).startswith("real (threshold 0.6000")


@pytest.mark.parametrize(
    ("card", "seen", "doubt"),
    [
        (trained(demo=True), {}, "it was fitted on the demo"),
        (trained(people=29), {}, "it was fitted on 29 people"),
        (trained(people=None), {}, "on how many people it was fitted is not known"),
        (
            CARD,
            {"width": 60},
            "it was fitted on faces in other conditions (width 100 to 200 pixels, here 60)",
        ),
        (CARD, {"width": 300}, "it was fitted on faces in other conditions (width 100 to 200"),
        (
            CARD,
            {"sharpness": 0.04, "brightness": 201.4},
            "it was fitted on faces in other conditions (sharpness 0.1 to 0.3, here 0.04; "
            "brightness 60 to 160, here 201)",
        ),
        ({"weights": "a.h5"}, {}, "its weights are published ones, which do not say what they"),
        ({}, {}, "its card does not say what it was fitted on"),
    ],
)
def test_doubts_are_on_the_same_line(
    card: dict[str, Any], seen: dict[str, float], doubt: str
) -> None:
    text = verdict(card, result(0.968, **seen), picture=False)
    assert f"do not rely on it: {doubt}" in text
    assert "\n" not in text


def test_a_detector_of_many_people_is_not_doubted_in_its_own_conditions() -> None:
    for people, width, sharpness in ((30, 100, 0.1), (40, 200, 0.3)):
        seen = result(0.9, width=width, sharpness=sharpness)
        assert doubts(trained(people=people), seen, picture=False) == []


def test_a_detector_without_validation_gives_no_verdict() -> None:
    card = {"trained_on": CARD["trained_on"]}
    assert verdict(card, result(0.9), picture=False).startswith("no verdict, as no threshold")


def test_a_picture_is_judged_by_the_threshold_of_frames_and_doubted() -> None:
    assert verdict(CARD, result(0.9), picture=True).startswith("no verdict")
    assert "this is a picture" in verdict(CARD, result(0.9), picture=True)


def test_no_score_has_no_verdict_and_no_face_no_width() -> None:
    nothing = Result(
        np.arange(2),
        np.full(2, np.nan),
        np.full(2, np.nan),
        np.full((2, 4), np.nan, np.float32),
        np.full((2, 4), np.nan),
    )
    assert verdict(CARD, nothing, picture=False) == ""
    assert doubts(CARD, nothing, picture=False) == []
