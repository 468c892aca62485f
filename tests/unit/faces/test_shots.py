"""Cuts are changes of content, not of light."""

import numpy as np
from material.faces import background, placed

from swapset.faces.shots import ShotDetector


def cuts(frames: list[np.ndarray]) -> list[int]:
    detector = ShotDetector()
    return [index for index, frame in enumerate(frames) if detector.is_cut(frame)]


def test_cuts_between_people_and_to_black_are_found() -> None:
    astronaut, hopper = placed("astronaut", (160, 120), 90), placed("hopper", (160, 120), 90)
    black = np.zeros_like(hopper)
    frames = [astronaut] * 4 + [hopper] * 3 + [black] * 2 + [hopper] * 3
    assert cuts(frames) == [4, 7, 9]


def test_motion_light_and_noise_are_no_cuts() -> None:
    rng = np.random.default_rng(0)
    moving = [placed("astronaut", (120 + 5 * i, 120), 90) for i in range(12)]
    lit = [
        np.clip(frame * (1 + 0.3 * np.sin(i)) + rng.normal(0, 4, frame.shape), 0, 255).astype("u1")
        for i, frame in enumerate(moving)
    ]
    assert cuts(lit) == []


def test_the_first_frame_is_no_cut() -> None:
    assert cuts([background()]) == []
