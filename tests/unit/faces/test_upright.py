"""Clips that lie on their side or stand on their head are noticed, and by how much."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from material.faces import background, placed

from swapset.faces.detect import HogDetector
from swapset.faces.upright import turn_needed
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter
from swapset.media.ingest import ingest

FACE = placed("astronaut", (150, 120), 90)
SCENERY = background()


@pytest.fixture(scope="module")
def hog() -> HogDetector:
    return HogDetector()


def write(path: Path, pictures: Iterable[np.ndarray], quarters: int = 0) -> Path:
    """Write a clip of pictures turned counter-clockwise by a number of quarter turns."""
    turned = [np.ascontiguousarray(np.rot90(picture, quarters)) for picture in pictures]
    height, width = turned[0].shape[:2]
    with VideoWriter(path, width, height, fps=30, codec="lossless") as video:
        for picture in turned:
            video.write(picture)
    return path


@pytest.mark.parametrize("quarters", range(4))
def test_the_turn_is_what_brings_faces_upright(
    tmp_path: Path, hog: HogDetector, quarters: int
) -> None:
    clip = write(tmp_path / "clip.mkv", [FACE] * 12, quarters)
    assert turn_needed(clip, hog) == 90 * quarters


def test_one_upright_face_anywhere_settles_it(tmp_path: Path, hog: HogDetector) -> None:
    on_its_head = np.rot90(FACE, 2)
    clip = write(tmp_path / "clip.mkv", [on_its_head] * 15 + [FACE] + [on_its_head] * 15)
    assert turn_needed(clip, hog) == 0


def test_a_face_that_comes_late_is_looked_for(tmp_path: Path, hog: HogDetector) -> None:
    clip = write(tmp_path / "clip.mkv", [SCENERY] * 30 + [FACE] * 50, 1)
    assert turn_needed(clip, hog) == 90


def test_a_clip_without_faces_is_left_as_it_is(tmp_path: Path, hog: HogDetector) -> None:
    assert turn_needed(write(tmp_path / "clip.mkv", [SCENERY] * 12), hog) == 0


def test_smaller_faces_than_asked_for_do_not_turn_a_clip(tmp_path: Path, hog: HogDetector) -> None:
    clip = write(tmp_path / "clip.mkv", [FACE] * 12, 2)
    assert turn_needed(clip, hog, min_face=150) == 0


def test_ingest_with_the_turn_needed_gives_the_upright_clip(
    tmp_path: Path, hog: HogDetector
) -> None:
    source = write(tmp_path / "source.mkv", [FACE] * 12, 3)
    clip = tmp_path / "clip.mkv"
    record = ingest(source, clip, fps=30, max_seconds=1, turn=turn_needed(source, hog))
    assert record.rotation == 270
    difference = np.abs(next(iter(frames(clip))).astype(int) - FACE)
    assert difference.mean() < 2
    assert turn_needed(clip, hog) == 0
