"""Find a video's main face in a few of its frames, without following it through all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from swapset.detectors.face import Face
from swapset.faces.boxes import box_from_landmarks
from swapset.faces.main_face import main_face, people_in_samples
from swapset.faces.single_frames import RUN_UP, FaceFinder
from swapset.faces.track import Tracker
from swapset.media.planar import PlanarImage
from swapset.media.samples import Samples
from swapset.types import Floats, Floats32, Image, Points

Expected = Floats | Floats32 | None
Cut = Callable[[int, Image, Points], Face | None]

_EVERYBODY = 4  # samples, in the first of which faces smaller than the largest are looked for
_AROUND = 15  # frames on both sides of a sample through which a face is followed that was lost


def single_faces(
    video: Samples, numbers: Sequence[int], tracker: Tracker, expected: Expected, cut: Cut
) -> list[Face | None]:
    """Return the main face in some frames of a video.

    Parameters
    ----------
    video : Samples
        The video's frames.
    numbers : sequence of int
        Numbers of the frames, ascending.
    tracker : Tracker
    expected : (n, 68, 2) float or None
        Landmarks in each frame, in pixels, of the person that the video is about; by default it is
        about the face that is seen longest and largest in those frames.
    cut : callable
        Cuts a face out of a frame, by the frame's number, its image, and the face's landmarks.
    """
    finder = tracker.finder
    seen: list[list[Face]] = []
    near: list[Floats32] = []
    for number, images in _with_run_up(video, numbers):
        smaller = not near or len(seen) % _EVERYBODY == 0
        points = (
            finder.all_faces(images, near, smaller=smaller)
            if expected is None
            else _expected_face(finder, number, images, expected)
        )
        faces = [cut(number, images[-1].rgb, each) for each in points]
        seen.append([face for face in faces if face is not None])
        near = [box_from_landmarks(each) for each in points] or near
    if not any(seen):
        return followed_faces(video, numbers, tracker, expected, cut)

    def find(place: int) -> Face | None:
        return _around(video, numbers[place], tracker, expected, cut)

    for places in (range(1, len(seen)), range(len(seen) - 2, -1, -1)):
        _find_lost(places, seen, find)
    return _main(seen, tracker)


def followed_faces(
    video: Samples, numbers: Sequence[int], tracker: Tracker, expected: Expected, cut: Cut
) -> list[Face | None]:
    """Return the main face in some frames, after following all faces through the whole video.

    Parameters
    ----------
    video : Samples
    numbers : sequence of int
    tracker : Tracker
    expected : (n, 68, 2) float or None
    cut : callable
        See `single_faces`.
    """
    tracks = tracker.track(video.read(range(video.frames)))
    points = main_face(tracks, numbers, expected)
    images = (image.rgb for image in video.read(numbers))
    return [cut(*each) for each in zip(numbers, images, points, strict=True)]


def _with_run_up(video: Samples, numbers: Sequence[int]) -> Iterator[tuple[int, list[PlanarImage]]]:
    """Yield each frame's number, and it with the frames before it."""
    wanted = set(numbers)
    read = sorted({n for number in numbers for n in range(max(number - RUN_UP, 0), number + 1)})
    recent: deque[tuple[int, PlanarImage]] = deque(maxlen=RUN_UP + 1)
    for number, image in zip(read, video.read(read), strict=True):
        recent.append((number, image))
        if number in wanted:
            yield number, [image for n, image in recent if n >= number - RUN_UP]


def _expected_face(
    finder: FaceFinder, number: int, images: Sequence[PlanarImage], expected: Floats | Floats32
) -> list[Points]:
    """Return the landmarks of the expected face in a frame, if it is there."""
    if not _is_there(expected, number):
        return []
    face = finder.face_near(images, box_from_landmarks(expected[number]))
    return [] if face is None else [face]


def _is_there(expected: Floats | Floats32, number: int) -> bool:
    return number < len(expected) and bool(np.isfinite(expected[number]).all())


def _find_lost(places: range, seen: list[list[Face]], find: Callable[[int], Face | None]) -> None:
    """Look in each sample without a face that comes after one with a face, in the given order."""
    for place in places:
        before = place - places.step
        if not seen[place] and seen[before]:
            face = find(place)
            seen[place] = [] if face is None else [face]


def _around(
    video: Samples, number: int, tracker: Tracker, expected: Expected, cut: Cut
) -> Face | None:
    """Return the main face of a frame after following all faces through the frames around it."""
    if expected is not None and not _is_there(expected, number):
        return None
    around = range(max(number - _AROUND, 0), min(number + _AROUND + 1, video.frames))
    kept: list[PlanarImage] = []

    def frames() -> Iterator[PlanarImage]:
        for each, image in zip(around, video.read(around), strict=True):
            if each == number:
                kept.append(image)
            yield image

    tracks = tracker.track(frames())
    here = None if expected is None else expected[around.start : around.stop]
    points = main_face(tracks, [number - around.start], here)
    return cut(number, kept[0].rgb, points[0])


def _main(seen: Sequence[Sequence[Face]], tracker: Tracker) -> list[Face | None]:
    """Return the face of each sample whose person is seen longest and largest."""
    embedder = tracker.embedder
    if embedder is None or all(len(faces) < 2 for faces in seen):
        return [max(faces, key=lambda face: face.side, default=None) for faces in seen]
    boxes = [[box_from_landmarks(face.landmarks) for face in faces] for faces in seen]
    vectors = [
        embedder.embed_many([face.pixels for face in faces], [face.points for face in faces])
        for faces in seen
    ]
    people = people_in_samples(boxes, vectors)
    sizes: dict[int, float] = {}
    for faces, persons in zip(seen, people, strict=True):
        for face, person in zip(faces, persons, strict=True):
            sizes[person] = sizes.get(person, 0.0) + face.side
    return [
        max(zip(faces, persons, strict=True), key=lambda each: sizes[each[1]])[0] if faces else None
        for faces, persons in zip(seen, people, strict=True)
    ]
