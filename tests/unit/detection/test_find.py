"""Main faces in single frames: those that full tracking finds, without decoding all frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from material.faces import background, placed

from swapset.config.sections import TrackSettings
from swapset.detection import find
from swapset.detection.blocks import public_faces
from swapset.detection.find import video_faces
from swapset.detection.store import VideoFaces
from swapset.faces.boxes import box_from_landmarks, box_side
from swapset.faces.main_face import main_face, people_in_samples
from swapset.faces.track import Tracker
from swapset.media.decode import frames as decode
from swapset.media.encode import VideoWriter
from swapset.types import Image

FRAMES, WANTED = 60, 6


@pytest.fixture(scope="module")
def tracker() -> Tracker:
    return Tracker(TrackSettings())


def write(path: Path, draw: Callable[[int], Image], frames: int = FRAMES) -> Path:
    with VideoWriter(path, 320, 240, codec="h264") as video:
        for number in range(frames):
            video.write(draw(number))
    return path


def moving(number: int, name: str = "hopper", left: float = 160.0, side: float = 120) -> Image:
    angle = number / 12
    centre = left + 20 * np.sin(angle), 120 + 7 * np.cos(1.7 * angle)
    return placed(name, centre, side * (1 + 0.1 * np.sin(angle / 2)), degrees=6 * np.sin(angle))


def tracked(path: Path, numbers: Sequence[int], tracker: Tracker) -> np.ndarray:
    return main_face(tracker.track(decode(path)), numbers, None)


def deviation(faces: VideoFaces, points: np.ndarray) -> list[float]:
    """Return the largest difference of the sides of boxes, in sides of the face."""
    away = []
    for face, expected in zip(faces.faces, points, strict=True):
        assert face is not None
        box = box_from_landmarks(expected)
        change = np.abs(box_from_landmarks(face.landmarks) - box).max()
        away.append(float(change) / box_side(box))
    return away


def test_boxes_are_those_of_full_tracking(tmp_path: Path, tracker: Tracker) -> None:
    path = write(tmp_path / "a.mp4", moving)
    faces = video_faces("a", path, tracker, wanted=WANTED)
    assert list(faces.frames) == [5, 15, 25, 35, 45, 55]
    assert max(deviation(faces, tracked(path, faces.frames, tracker))) < 0.02
    (public,) = public_faces({"a": path}, tracker, WANTED)
    for one, other in zip(faces.faces, public.faces, strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.landmarks, other.landmarks)


def test_few_frames_are_looked_at(
    tmp_path: Path, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("followed")

    path = write(tmp_path / "a.mp4", moving)
    monkeypatch.setattr(Tracker, "track", fail)
    faces = video_faces("a", path, tracker, wanted=WANTED)
    assert all(face is not None for face in faces.faces)
    with pytest.raises(AssertionError, match="followed"):
        video_faces("a", path, tracker, wanted=FRAMES // 2)


def test_the_person_of_a_clip_counts_not_the_largest_face(tmp_path: Path, tracker: Tracker) -> None:
    def two(number: int) -> Image:
        right = moving(number, "astronaut", 240, 80)
        return placed("hopper", (90, 130), 60, onto=right)

    path = write(tmp_path / "a.mp4", two)
    tracks = tracker.track(decode(path))
    small = main_face(tracks, range(FRAMES), np.full((FRAMES, 68, 2), (90.0, 130.0)))
    assert np.isfinite(small).all()
    expected = small.copy()
    expected[25] = np.nan
    faces = video_faces("a", path, tracker, wanted=WANTED, expected=expected, outlines=())
    assert faces.faces[2] is None
    rest = [n for n in range(WANTED) if n != 2]
    here = VideoFaces("a", [faces.frames[n] for n in rest], [faces.faces[n] for n in rest])
    assert max(deviation(here, small[list(here.frames)])) < 0.02
    for face in here.faces:
        assert face is not None
        assert face.swapped is not None
        assert not face.swapped.any()


def test_the_person_seen_longest_counts(tmp_path: Path, tracker: Tracker) -> None:
    """Hopper is there all the time; the astronaut, as large, only in part."""

    def guest(number: int) -> Image:
        alone = placed("hopper", (90, 130), 70)
        if number < 35:
            return alone
        return placed("astronaut", (235, 130), 74, onto=alone)

    path = write(tmp_path / "a.mp4", guest)
    faces = video_faces("a", path, tracker, wanted=WANTED)
    for face in faces.faces:
        assert face is not None
        assert face.landmarks[:, 0].mean() < 160


def test_a_smaller_face_that_is_seen_longer_counts(tmp_path: Path, tracker: Tracker) -> None:
    """The astronaut is larger, but comes late: both are seen from then on, and hopper in all."""

    def guest(number: int) -> Image:
        alone = placed("hopper", (80, 140), 62, onto=background())
        left = max(230, 400 - 10 * max(number - 15, 0))
        return placed("astronaut", (left, 120), 100, onto=alone)

    path = write(tmp_path / "a.mp4", guest)
    faces = video_faces("a", path, tracker, wanted=WANTED)
    assert all(face is not None for face in faces.faces)
    assert max(deviation(faces, tracked(path, faces.frames, tracker))) < 0.02
    assert all(face.landmarks[:, 0].mean() < 130 for face in faces.faces if face is not None)


def test_a_cut_before_a_sample(tmp_path: Path, tracker: Tracker) -> None:
    """The frames before the cut tell nothing about the face after it."""

    def cut(number: int) -> Image:
        return moving(number, "astronaut", 90, 60) if number < 24 else moving(number, left=220)

    path = write(tmp_path / "a.mp4", cut)
    faces = video_faces("a", path, tracker, wanted=WANTED)
    points = tracked(path, faces.frames, tracker)
    assert max(deviation(faces, points)) < 0.02


@pytest.mark.parametrize("lost", [{3}, {1, 2, 3}, {0, 5}, set(range(WANTED))])
def test_faces_lost_in_samples_are_followed(
    lost: set[int], tmp_path: Path, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in fakes, which detectors often see in a few frames only."""
    path = write(tmp_path / "a.mp4", moving)
    seen = tracker.finder.__class__.all_faces
    turn = iter(range(WANTED))

    def blind(*arguments: object, **options: object) -> object:
        return [] if next(turn) in lost else seen(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tracker.finder.__class__, "all_faces", blind)
    faces = video_faces("a", path, tracker, wanted=WANTED)
    assert max(deviation(faces, tracked(path, faces.frames, tracker))) < 0.02


def test_no_face(tmp_path: Path, tracker: Tracker) -> None:
    path = write(tmp_path / "a.mp4", lambda _: background())
    faces = video_faces("a", path, tracker, wanted=WANTED)
    assert list(faces.faces) == [None] * WANTED
    assert len(faces.frames) == WANTED


def test_outlines_belong_to_their_frames(tmp_path: Path, tracker: Tracker) -> None:
    """Frame n's outline is a square whose left side is at 100 + n."""
    path = write(tmp_path / "a.mp4", moving)
    corner = np.array([[100.0, 100], [140, 100], [140, 140], [100, 140]])
    outlines = [corner + (number, 0) for number in range(FRAMES)]
    outlines[15] = None
    faces = find.video_faces("a", path, tracker, wanted=WANTED, outlines=outlines)
    for number, face in zip(faces.frames, faces.faces, strict=True):
        assert face is not None
        assert face.swapped is not None
        if number == 15:
            assert not face.swapped.any()
            continue
        columns = np.flatnonzero(face.swapped.any(axis=0)) + face.origin[0]
        assert abs(int(columns.min()) - (100 + number)) <= 1


def test_public_videos_that_cannot_be_used_keep_their_reason(
    tmp_path: Path, tracker: Tracker
) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    (tmp_path / "b").mkdir()
    videos = {name: tmp_path / name for name in ("a.mp4", "b", "missing.mp4")}
    for faces in public_faces(videos, tracker, WANTED):
        assert (faces.reason, list(faces.frames)) == ("unreadable", [])


def test_people_are_known_by_face_and_by_place() -> None:
    left, right = np.array([0, 0, 9, 9], np.float32), np.array([50, 0, 59, 9], np.float32)
    one, other = np.zeros(128, np.float32), np.full(128, 0.08, np.float32)  # 0.9 apart
    between = np.full(128, 0.04, np.float32)  # as near to one as to the other
    embeddings = [np.array([one, other]), np.array([other, one]), np.array([between])]
    people = people_in_samples([[left, right], [left, right], [right]], embeddings)
    assert people == [[0, 1], [1, 0], [0]]
    strangers = people_in_samples([[left], [right]], [one[None], other[None]])
    assert strangers == [[0], [1]]
