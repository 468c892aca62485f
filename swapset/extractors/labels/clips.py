"""Labelled faces from the build's own accepted clips, with dlib's landmarks as labels."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from swapset.errors import DataError
from swapset.extractors.labels.csv_file import header, read_csv
from swapset.extractors.labels.faces import LabelledFaces, joined
from swapset.faces.boxes import box_from_landmarks, box_side
from swapset.faces.prepare import ClipLandmarks
from swapset.media.decode import frames as decode
from swapset.media.timeline import sampled
from swapset.types import Image, Points

TABLE = "landmarks.csv"
CONTEXT = 4.0
"""Side of a stored picture in sides of the face's box: that of the widest crop in training.

FAN's crop is 2.05 sides wide, times 1.3 when it is scaled, times √2 when it is turned."""
LARGEST_FACE = 210
"""Side of the face's box in pixels, to which larger faces are shrunk. HRNet reads the largest faces
of all extractors, with 256 pixels for 1.225 sides."""
_QUALITY = 95


def write_clip_labels(
    folder: Path,
    verdicts: Mapping[str, Mapping[str, Any]],
    *,
    subject: str,
    clips: Path,
    landmarks: Path,
    frames: int,
) -> int:
    """Write pictures of a subject's face, and their landmarks; return their number.

    The frames are evenly spread over each accepted clip. Labels are the smoothed landmarks, in
    frames in which dlib detected the face: smoothing removes dlib's jitter.

    Parameters
    ----------
    folder : Path
        An existing folder. Gets `landmarks.csv` (see `read_csv`) and the pictures, JPEG.
    verdicts : mapping
        Verdict on each clip, as rule `accept` writes it.
    subject : str
    clips, landmarks : Path
        Folders with `<clip>.mkv` and `<clip>.npz` (`ClipLandmarks`).
    frames : int
        Largest number of frames of a clip.

    Raises
    ------
    DataError
        If a clip ends before its landmarks do, or a picture cannot be written.
    """
    count = 0
    with open(folder / TABLE, "w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(header(68))
        for clip, verdict in verdicts.items():
            if not verdict["accepted"]:
                continue
            known = ClipLandmarks.load(landmarks / f"{clip}.npz")
            for number, picture, points in _faces(clips / f"{clip}.mkv", known, frames):
                name = f"{clip}-{number:05d}.jpg"
                _write(folder / name, picture)
                table.writerow(["", subject, name, *(f"{v:.2f}" for v in points.ravel())])
                count += 1
    return count


def read_clip_labels(folders: Sequence[Path]) -> LabelledFaces:
    """Read the labels that `write_clip_labels` wrote for several subjects.

    Raises
    ------
    DataError
        If a file is damaged, or there is no face in any of them.
    """
    parts = [read_csv(folder / TABLE, may_be_empty=True) for folder in folders]
    if not sum(map(len, parts)):
        raise DataError(
            "no accepted clip shows a face that extractors may be trained on; protect fewer "
            "people, or set landmark_breaker.labels"
        )
    return joined(parts)


def face_picture(frame: Image, points: Points) -> tuple[Image, Points]:
    """Cut out a face with all surroundings that training may show.

    Parameters
    ----------
    frame : (H, W, 3) uint8, RGB
    points : (68, 2) float32
        Landmarks in pixels of the frame.

    Returns
    -------
    picture : (h, w, 3) uint8, RGB
    points : (68, 2) float32
        In pixels of the picture.
    """
    box = box_from_landmarks(points)
    side, height, width = box_side(box), *frame.shape[:2]
    centre = (box[:2] + box[2:]) / 2
    low = np.floor(centre - CONTEXT / 2 * side).clip(0).astype(int)
    high = np.ceil(centre + CONTEXT / 2 * side).clip(None, (width, height)).astype(int)
    picture = frame[low[1] : high[1], low[0] : high[0]]
    moved = np.asarray(points, np.float64) - low
    shrink = min(1.0, LARGEST_FACE / side)
    if shrink < 1:
        size = np.maximum(np.rint((high - low) * shrink), 1).astype(int)
        small = cv2.resize(picture, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
        picture = np.asarray(small, np.uint8)
        moved = (moved + 0.5) * (size / (high - low)) - 0.5
    return picture, moved.astype(np.float32)


def _faces(clip: Path, known: ClipLandmarks, most: int) -> Iterator[tuple[int, Image, Points]]:
    """Yield numbers, pictures and landmarks of evenly spread frames with a face."""
    seen = np.flatnonzero(np.isfinite(known.raw + known.smooth).all(axis=(1, 2)))
    left = {int(seen[k]) for k in sampled(len(seen), most)}
    for number, frame in enumerate(decode(clip)) if left else ():
        if number in left:
            left.remove(number)
            yield number, *face_picture(frame, known.smooth[number])
        if not left:
            return
    if left:
        raise DataError(f"{clip}: the clip ends before its landmarks do; make it again")


def _write(path: Path, picture: Image) -> None:
    done = cv2.imwrite(
        str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    if not done:
        raise DataError(f"{path}: cannot be written")
