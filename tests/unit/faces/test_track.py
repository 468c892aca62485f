"""Faces are followed where they are, never where they are not, and never mixed."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from material.faces import background, placed

from swapset.config.sections import TrackSettings
from swapset.errors import DataError
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.follow import is_steady
from swapset.faces.identity import distances
from swapset.faces.track import Tracker, track_clip

SIDE = 90.0


@pytest.fixture(scope="module")
def tracker() -> Tracker:
    return Tracker(TrackSettings(embeddings=4))


def swaying(index: int) -> tuple[float, float]:
    return 160 + 40 * np.sin(index / 6), 120 + 15 * np.cos(index / 9)


def moving(name: str = "astronaut", count: int = 40) -> list[np.ndarray]:
    return [placed(name, swaying(i), SIDE) for i in range(count)]


def centres(tracks: ClipTracks, rows: np.ndarray) -> np.ndarray:
    return (tracks.box[rows, :2] + tracks.box[rows, 2:]) / 2


def test_a_moving_face_is_one_track_that_moves_with_it(tracker: Tracker) -> None:
    tracks = tracker.track(moving())
    assert tracks.track_numbers() == [0]
    assert tracks.frame.tolist() == list(range(40))
    assert 4 <= tracks.detected.sum() <= 8
    truth = np.array([swaying(i) for i in range(40)])
    still = tracks.landmarks - truth[:, None]
    error = np.linalg.norm(still - np.median(still, axis=0), axis=2).mean(1)
    eyes = np.linalg.norm(tracks.landmarks[:, 45] - tracks.landmarks[:, 36], axis=1)
    assert (error / eyes).max() < 0.05
    table = distances(tracks.embeddings, tracks.embeddings)
    assert len(table) >= 3
    assert table.max() < 0.4


def test_no_track_runs_across_a_cut_that_is_told(tracker: Tracker) -> None:
    """As where the shape of a source's picture changes, which may be hard to see."""
    tracks = tracker.track(moving(count=24), cuts=[13])
    assert tracks.cuts.tolist() == [13]
    frames = [tracks.frame[tracks.of_track(number)].tolist() for number in tracks.track_numbers()]
    assert frames == [list(range(13)), list(range(13, 24))]


def test_a_cut_starts_new_tracks_and_black_has_none(tracker: Tracker) -> None:
    gap = [np.zeros((240, 320, 3), np.uint8)] * 8
    tracks = tracker.track([*moving(count=23), *gap, *moving("hopper", 24)])
    assert tracks.cuts.tolist() == [23, 31]
    assert [tracks.frame[tracks.of_track(n)].tolist() for n in tracks.track_numbers()] == [
        list(range(23)),
        list(range(31, 55)),
    ]
    assert distances(tracks.embeddings_of(0), tracks.embeddings_of(1)).min() > 0.6


def test_a_hidden_face_has_no_landmarks_and_is_found_again(tracker: Tracker) -> None:
    frames = moving(count=50)
    hidden = range(13, 22)
    for index in hidden:
        x, y = map(round, swaying(index))
        cv2.rectangle(frames[index], (x - 45, y - 45), (x + 45, y + 45), (200, 160, 130), -1)
    tracks = tracker.track(frames)
    assert tracks.cuts.size == 0
    assert not set(tracks.frame) & set(hidden)
    assert set(range(13)) | set(range(22, 50)) == set(tracks.frame.tolist())


def test_a_face_hidden_for_a_moment_stays_one_track(tracker: Tracker) -> None:
    frames = [placed("astronaut", (160 + i, 120), SIDE) for i in range(40)]
    for index in range(13, 19):
        x = 160 + index
        cv2.rectangle(frames[index], (x - 45, 75), (x + 45, 165), (200, 160, 130), -1)
    tracks = tracker.track(frames)
    assert tracks.track_numbers() == [0]
    assert tracks.frame.tolist() == [*range(13), *range(19, 40)]


def test_a_face_that_comes_late_is_followed_back_to_its_first_frame(tracker: Tracker) -> None:
    empty = background()
    frames = [empty] * 14 + [placed("astronaut", swaying(i), 60, onto=empty) for i in range(14, 40)]
    tracks = tracker.track(frames)
    assert tracks.track_numbers() == [0]
    assert tracks.cuts.size == 0
    assert tracks.frame.tolist() == list(range(14, 40))


def test_crossing_faces_are_never_mixed(tracker: Tracker) -> None:
    empty = background((240, 480))
    left = np.linspace(80, 400, 70)
    frames = []
    for x in left:
        behind = placed("hopper", (480 - x, 115), 80, size=(240, 480), onto=empty)
        frames.append(placed("astronaut", (x, 125), 80, size=(240, 480), onto=behind))
    tracks = tracker.track(frames)
    for number in tracks.track_numbers():
        rows = tracks.of_track(number)
        x = centres(tracks, rows)[:, 0]
        frame = tracks.frame[rows]
        people = np.abs(x - left[frame]).max(), np.abs(x - (480 - left[frame])).max()
        assert min(people) < 30, f"track {number} is not one person: {people}"
    shown = [len(np.unique(tracks.frame[centres(tracks, ...)[:, 0] < 200])), len(tracks.frame)]
    assert shown[1] > 90, "both people are followed for most of the clip"


def test_everyone_is_followed_if_asked_also_who_is_small_beside_another(tracker: Tracker) -> None:
    large = placed("astronaut", (180, 200), 200, size=(400, 640))
    frames = [placed("hopper", (520, 200), 56, size=(400, 640), onto=large)] * 5
    assert tracker.track(frames).track_numbers() == [0]
    everyone = Tracker(TrackSettings(), everyone=True).track(frames)
    sides = [np.ptp(everyone.box[everyone.of_track(n)[0], ::2]) for n in everyone.track_numbers()]
    assert sides == pytest.approx([200, 56], rel=0.25)
    assert len(everyone.embeddings) == 0


def test_a_cross_fade_between_people_parts_the_track(tracker: Tracker) -> None:
    first, second = placed("astronaut", (160, 120), 90), placed("hopper", (160, 120), 90)
    weights = np.clip((np.arange(60) - 24) / 12, 0, 1)
    tracks = tracker.track([cv2.addWeighted(first, 1 - w, second, w, 0) for w in weights])
    assert tracks.cuts.size == 0
    for number in tracks.track_numbers():
        frames = tracks.frame[tracks.of_track(number)]
        assert frames.max() < 36 or frames.min() > 24
        own = tracks.embeddings_of(number)
        assert distances(own, own).max() < 0.6


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: background(), {}),
        (lambda: placed("astronaut", (160, 120), SIDE)[::-1, ::-1], {"upside_down": 180.0}),
        (lambda: np.rot90(placed("astronaut", (160, 120), SIDE)), {"upside_down": 90.0}),
    ],
)
def test_a_clip_without_upright_faces_has_no_track_but_a_hint(
    tracker: Tracker, make: Callable[[], np.ndarray], hint: dict[str, float]
) -> None:
    tracks = tracker.track([np.ascontiguousarray(make())] * 12)
    assert tracks.track_numbers() == []
    assert tracks.landmarks.shape == (0, 68, 2)
    assert tracks.hints == hint


def test_a_tiny_face_is_a_hint_with_its_height(tracker: Tracker) -> None:
    tracks = tracker.track([placed("astronaut", (160, 120), 30)] * 12)
    assert tracks.track_numbers() == []
    assert tracks.hints["tiny_face"] == pytest.approx(30, rel=0.3)


def test_nothing_and_one_frame(tracker: Tracker) -> None:
    assert tracker.track([]).frames == 0
    one = tracker.track(moving(count=1))
    assert one.frames == 1
    assert one.frame.tolist() == [0]


def test_the_same_clip_gives_the_same_file(tracker: Tracker, tmp_path: Path) -> None:
    frames = moving(count=12)
    settings = TrackSettings(embeddings=4)
    tracker.track(frames).save(tmp_path / "a.npz")
    track_clip(iter(frames), settings=settings).save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_tracks_survive_the_disk(tracker: Tracker, tmp_path: Path) -> None:
    tracks = tracker.track(moving(count=12), fps=25)
    tracks.hints = {"tiny_face": 21.5}
    tracks.save(tmp_path / "clip.npz")
    again = ClipTracks.load(tmp_path / "clip.npz")
    for name, value in vars(tracks).items():
        np.testing.assert_array_equal(getattr(again, name), value)
        assert type(getattr(again, name)) is type(value)
    assert np.isfinite(again.landmarks_of([0])).all()
    assert np.isnan(again.landmarks_of([])).all()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "clip.npz"
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(DataError, match=r"clip\.npz: not a file of tracks"):
        ClipTracks.load(path)
    with pytest.raises(DataError, match=r"none\.npz"):
        ClipTracks.load(tmp_path / "none.npz")


def test_a_jump_or_collapse_is_not_steady() -> None:
    rng = np.random.default_rng(0)
    face = rng.uniform(0, 100, (68, 2)).astype(np.float32)
    assert is_steady([face, face + 5, face + 9])
    assert not is_steady([face, face + 80])
    assert not is_steady([face, face * 1.5])
    assert not is_steady([face, face * 0])
