"""Verdicts by the card's threshold, and the doubts that a card and a file give rise to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from swapset.detection.detect import Result
from swapset.detection.verdict import doubts, verdict

POINT = {"threshold": 0.6, "fpr": 0.1, "tpr": 0.7}
CARD: dict[str, Any] = {
    "trained_on": {"people": 40, "demo": False, "face_width": [100, 200], "datasets": ["celebdf"]},
    "validation": {"people": 12, "points": {"video": {"equal_error": POINT}}},
}


def result(score: float, width: float = 150) -> Result:
    boxes = np.array([[10, 10, 10 + width, 10 + width]] * 3, np.float32)
    return Result(np.arange(3), np.full(3, score), np.full(3, score), boxes)


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
    ("card", "width", "doubt"),
    [
        (trained(demo=True), 150, "it was fitted on the demo"),
        (trained(people=9), 150, "it was fitted on 9 people"),
        (CARD, 60, "the face is 60 pixels wide, and it was fitted on 100 to 200"),
        (CARD, 300, "the face is 300 pixels wide"),
        ({}, 150, "its card does not say what it was fitted on"),
    ],
)
def test_doubts_are_on_the_same_line(card: dict[str, Any], width: float, doubt: str) -> None:
    text = verdict(card, result(0.968, width), picture=False)
    assert f"do not rely on it: {doubt}" in text
    assert "\n" not in text


def test_a_detector_without_validation_gives_no_verdict() -> None:
    card = {"trained_on": CARD["trained_on"]}
    assert verdict(card, result(0.9), picture=False).startswith("no verdict, as no threshold")


def test_a_picture_is_judged_by_the_threshold_of_frames_and_doubted() -> None:
    assert verdict(CARD, result(0.9), picture=True).startswith("no verdict")
    assert "this is a picture" in verdict(CARD, result(0.9), picture=True)


def test_no_score_has_no_verdict_and_no_face_no_width() -> None:
    nothing = Result(
        np.arange(2), np.full(2, np.nan), np.full(2, np.nan), np.full((2, 4), np.nan, np.float32)
    )
    assert verdict(CARD, nothing, picture=False) == ""
    assert doubts(CARD, nothing, picture=False) == []
