"""Labels from accepted clips: dlib's landmarks, with pictures cut from the same frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from swapset.errors import DataError
from swapset.extractors.labels.clips import (
    CONTEXT,
    LARGEST_FACE,
    face_picture,
    read_clip_labels,
    write_clip_labels,
)
from swapset.faces.align import MEAN_FACE
from swapset.faces.boxes import box_from_landmarks, box_side
from swapset.faces.prepare import ClipLandmarks
from swapset.media.encode import VideoWriter

HEIGHT, WIDTH = 96, 128


def points_of(number: int) -> np.ndarray:
    return (MEAN_FACE * 30 + (20 + number, 30)).astype(np.float32)


def frame_of(number: int) -> np.ndarray:
    """Return a frame with a white square about landmark 30, the tip of the nose."""
    frame = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    x, y = points_of(number)[30].round().astype(int)
    frame[y - 2 : y + 3, x - 2 : x + 3] = 255
    return frame


def clip(folder: Path, name: str, count: int, *, without: tuple[int, ...] = ()) -> None:
    """Write a clip and its landmarks; in frames `without` the face, tracking only bridges a gap."""
    for part in ("clips", "landmarks"):
        (folder / part).mkdir(exist_ok=True)
    path = folder / "clips" / f"{name}.mkv"
    with VideoWriter(path, WIDTH, HEIGHT, codec="lossless") as writer:
        for number in range(count):
            writer.write(frame_of(number))
    smooth = np.stack([points_of(number) for number in range(count)])
    raw = smooth + 0.5
    raw[list(without)] = np.nan
    ClipLandmarks(raw, smooth).save(folder / "landmarks" / f"{name}.npz")


def written(folder: Path, verdicts: dict[str, bool], frames: int) -> tuple[Path, int]:
    out = folder / "labels"
    out.mkdir()
    count = write_clip_labels(
        out,
        {name: {"accepted": accepted} for name, accepted in verdicts.items()},
        subject="id0",
        clips=folder / "clips",
        landmarks=folder / "landmarks",
        frames=frames,
    )
    return out, count


def test_labels_belong_to_their_pictures(tmp_path: Path) -> None:
    clip(tmp_path, "id0_0000", 20, without=(0, 1, 2, 3, 4, 5, 6, 7))
    out, count = written(tmp_path, {"id0_0000": True, "id0_0001": False}, 4)
    faces = read_clip_labels([out])
    assert len(faces) == count == 4
    assert set(faces.people) == {"id0"}
    assert [path.name for path in faces.images] == [
        f"id0_0000-{number:05d}.jpg" for number in (9, 12, 15, 18)
    ]
    for path, points in zip(faces.images, faces.points, strict=True):
        shown = cv2.imread(str(path))
        y, x = np.argwhere(shown.min(2) > 200).mean(0)
        np.testing.assert_allclose((x, y), points[30], atol=0.6)


def test_short_clips_give_all_their_frames(tmp_path: Path) -> None:
    clip(tmp_path, "id0_0000", 3)
    assert written(tmp_path, {"id0_0000": True}, 30)[1] == 3


def test_without_faces_there_are_no_labels(tmp_path: Path) -> None:
    clip(tmp_path, "id0_0000", 3, without=(0, 1, 2))
    out, count = written(tmp_path, {"id0_0000": True}, 5)
    assert count == 0
    with pytest.raises(DataError, match="no accepted clip shows a face"):
        read_clip_labels([out])


def test_clip_that_ends_early_is_damaged(tmp_path: Path) -> None:
    clip(tmp_path, "id0_0000", 6)
    smooth = np.stack([points_of(number) for number in range(9)])
    ClipLandmarks(smooth, smooth).save(tmp_path / "landmarks" / "id0_0000.npz")
    with pytest.raises(DataError, match=r"id0_0000\.mkv: the clip ends before its landmarks"):
        written(tmp_path, {"id0_0000": True}, 9)


def test_large_faces_shrink_and_keep_their_landmarks() -> None:
    points = MEAN_FACE * 700 + (900, 700)
    side = box_side(box_from_landmarks(points))
    assert side > 2 * LARGEST_FACE
    frame = np.zeros((1600, 2600, 3), np.uint8)
    x, y = points[30].round().astype(int)
    cv2.circle(frame, (x, y), 20, (255, 255, 255), -1)
    picture, moved = face_picture(frame, points)
    assert box_side(box_from_landmarks(moved)) == pytest.approx(LARGEST_FACE, rel=0.01)
    rows, columns = np.nonzero(picture[..., 0] > 127)
    np.testing.assert_allclose((columns.mean(), rows.mean()), moved[30], atol=0.3)
    assert max(picture.shape) <= CONTEXT * LARGEST_FACE + 2
