"""Runs of key frames: where they lie, and what is read is what was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from swapset.errors import DataError
from swapset.media.encode import VideoWriter
from swapset.obstruction.keyframes import (
    Run,
    choose_runs,
    read_frames,
    read_runs,
    write_key_frames,
)
from swapset.obstruction.runs import RUN_FRAMES

SIZE = (48, 64)


def landmarks(frames: int, *, without: tuple[int, ...] = ()) -> np.ndarray:
    """Return landmarks that tell their frame; NaN in frames without a face."""
    points = np.arange(frames, dtype=np.float32)[:, None, None] + np.ones((68, 2), np.float32)
    points[list(without)] = np.nan
    return points


def test_runs_have_the_face_throughout_and_do_not_overlap() -> None:
    found = choose_runs({"id0_0000": landmarks(100, without=(20, 52))}, 99)
    firsts = [run.first for run in found]
    assert firsts == [0, 21, 36, 53, 68, 83]
    assert all(np.isfinite(run.landmarks).all() for run in found)
    assert all(run.landmarks[0, 0, 0] == run.first + 1 for run in found)


def test_clips_share_evenly_and_short_ones_leave_theirs_to_others() -> None:
    clips = {"id0_0000": landmarks(300), "id0_0001": landmarks(14), "id0_0002": landmarks(32)}
    found = choose_runs(clips, 8)
    count = {clip: sum(run.clip == clip for run in found) for clip in clips}
    assert count == {"id0_0000": 6, "id0_0001": 0, "id0_0002": 2}
    gaps = np.diff([run.first for run in found if run.clip == "id0_0000"])
    assert gaps.max() - gaps.min() <= RUN_FRAMES
    assert choose_runs({"id0_0001": landmarks(14)}, 8) == []


def test_frames_are_those_of_the_clip(tmp_path: Path) -> None:
    pictures = [np.full((*SIZE, 3), 3 * number, np.uint8) for number in range(40)]
    with VideoWriter(tmp_path / "id0_0000.mkv", SIZE[1], SIZE[0], codec="lossless") as writer:
        for picture in pictures:
            writer.write(picture)
    runs = choose_runs({"id0_0000": landmarks(40)}, 2)
    folder = tmp_path / "frames"
    folder.mkdir()
    write_key_frames(folder, tmp_path, runs)
    again = read_runs(folder)
    assert [run.name for run in again] == [run.name for run in runs]
    for run, images in zip(again, read_frames(folder, again), strict=True):
        assert images.shape == (RUN_FRAMES, *SIZE, 3)
        shown = images.mean(axis=(1, 2, 3))
        assert shown == pytest.approx(3 * np.arange(run.first, run.first + RUN_FRAMES), abs=2)
        assert run.boxes.shape == (RUN_FRAMES, 4)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "id0_0000.mkv", SIZE[1], SIZE[0], codec="lossless") as writer:
        for _ in range(10):
            writer.write(np.zeros((*SIZE, 3), np.uint8))
    run = Run("id0_0000", 5, landmarks(RUN_FRAMES))
    with pytest.raises(DataError, match=r"id0_0000\.mkv.*ends before"):
        write_key_frames(tmp_path, tmp_path, [run])
    (tmp_path / "landmarks.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"landmarks\.npz"):
        read_runs(tmp_path)
    with pytest.raises(DataError, match="id0_0000-00005"):
        list(read_frames(tmp_path, [run]))
