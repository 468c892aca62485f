"""Score any video or image file by one detector, and plot the score over time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image as Pictures
from PIL import ImageOps

from swapset.config.sections import TrackSettings
from swapset.detection.conditions import CONDITIONS, conditions
from swapset.detectors.base import Detector
from swapset.detectors.face import cut_face
from swapset.errors import MediaError
from swapset.faces.boxes import box_from_landmarks
from swapset.faces.detect import make_detector, search
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.main_face import main_face
from swapset.faces.track import Tracker
from swapset.media.decode import frames as decode
from swapset.media.decode import planar_frames
from swapset.media.encode import VideoWriter
from swapset.media.ingest import ingest
from swapset.media.picture import open_picture
from swapset.types import Floats, Floats32, Image, Points

LONGEST = 600.0
"""Seconds from the start of a video that are scored."""
FPS = 30
_STRIP = 1024  # rows of a picture that are converted at once
_AT_ONCE = 32


@dataclass(frozen=True)
class Result:
    """Scores of one file.

    Attributes
    ----------
    frames : (n,) int
        Numbers of the scored frames, at 30 frames/s.
    scores : (n,) float64
        Higher = more likely fake; NaN = no face, or the detector cannot score it.
    probabilities : (n,) float64
        Of fake, in [0, 1]; equal to the scores of most detectors; NaN = as scores, or the detector
        gives none.
    boxes : (n, 4) float32
        The face's box x0, y0, x1, y1 in pixels; NaN = no face.
    conditions : (n, 4) float64
        Of the faces, see `swapset.detection.conditions`; NaN = no face.
    """

    frames: npt.NDArray[np.int64]
    scores: Floats
    probabilities: Floats
    boxes: Floats32
    conditions: Floats

    @property
    def score(self) -> float:
        """Mean over the frames with a score; NaN if there are none."""
        return _mean(self.scores)

    @property
    def probability(self) -> float:
        """Mean over the frames with a probability; NaN if there are none."""
        return _mean(self.probabilities)

    @property
    def ranks_apart(self) -> bool:
        """Return whether there are probabilities that differ from the scores."""
        return bool((self.probabilities - self.scores != 0)[np.isfinite(self.probabilities)].any())

    def table(self) -> pd.DataFrame:
        """Return columns frame, seconds, score, probability, x0, y0, x1, y1."""
        columns = {"frame": self.frames, "seconds": self.frames / FPS, "score": self.scores}
        table = pd.DataFrame({**columns, "probability": self.probabilities})
        table[["x0", "y0", "x1", "y1"]] = self.boxes
        return table


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Yield the video as an upright clip of 30 frames/s in a temporary file.

    Raises
    ------
    MediaError
        If it is missing or has no usable frame.
    """
    if not path.is_file():
        raise MediaError(f"{path}: no such file")
    with tempfile.TemporaryDirectory(prefix="swapset-") as folder:
        clip = Path(folder, "clip.mkv")
        record = ingest(path, clip, fps=FPS, max_seconds=LONGEST)
        if not record.ok:
            raise MediaError(f"{path}: {record.reason.replace('_', ' ')} ({record.detail})")
        yield clip


def read_image(path: Path) -> Image:
    """Return a picture (H, W, 3) uint8, RGB, upright; transparency is laid over black.

    Raises
    ------
    MediaError
        If it cannot be read, or is larger than 100 megapixels.
    """
    with open_picture(path) as picture:
        ImageOps.exif_transpose(picture, in_place=True)
        width, height = picture.size
        image = np.empty((height, width, 3), np.uint8)
        for top in range(0, height, _STRIP):  # a large picture fits into memory only once or twice
            rows = slice(top, min(top + _STRIP, height))
            image[rows] = _over_black(picture.crop((0, rows.start, width, rows.stop)))
        return image


def _over_black(picture: Pictures.Image) -> Image:
    """Return a picture as (H, W, 3) uint8, RGB; transparency is laid over black."""
    if picture.mode.startswith("I"):  # grey of 16 bits, which Pillow would clip to 8
        grey = (np.asarray(picture).astype(np.uint32) + 128) // 257
        return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    if picture.has_transparency_data:
        whole = picture.convert("RGBA")
        black = Pictures.new("RGBA", whole.size, (0, 0, 0, 255))
        picture = Pictures.alpha_composite(black, whole)
    return np.asarray(picture.convert("RGB"), np.uint8)


def score_image(image: Image, detector: Detector) -> Result:
    """Score the largest face of a picture (H, W, 3) uint8, RGB."""
    boxes, _ = search(make_detector("hog"), image, min_face=48)
    points = np.full((1, 68, 2), np.nan, np.float32)
    if len(boxes):
        largest = max(boxes, key=lambda box: float(box[2] - box[0]))
        points = LandmarkPredictor().predict(image, largest)[None]
    face = cut_face(image, points[0], margin=detector.margin)
    return _result([0], detector.score_faces([face]), conditions(face)[None], points, detector)


def score_clip(clip: Path, detector: Detector, every: int) -> Result:
    """Score every n-th frame of a clip; of several people, the one seen longest and largest.

    Parameters
    ----------
    clip : Path
    detector : Detector
    every : int
        n.
    """
    tracks = Tracker(TrackSettings()).track(planar_frames(clip), fps=FPS)
    numbers = list(range(0, tracks.frames, every))
    points = main_face(tracks, numbers, None)
    scores = np.full(len(numbers), np.nan)
    seen = np.full((len(numbers), len(CONDITIONS)), np.nan)
    pending = []
    rows = dict(zip(numbers, range(len(numbers)), strict=True))
    for number, image in enumerate(decode(clip)):
        if number in rows:
            face = cut_face(image, points[rows[number]], margin=detector.margin)
            pending.append((rows[number], face))
            seen[rows[number]] = conditions(face)
        if len(pending) == _AT_ONCE or number == tracks.frames - 1:
            faces = [face for _, face in pending]
            scores[[row for row, _ in pending]] = detector.score_faces(faces)
            pending.clear()
    return _result(numbers, scores, seen, points, detector)


def _result(
    numbers: list[int], scores: Floats, seen: Floats, points: Points, detector: Detector
) -> Result:
    boxes = np.full((len(numbers), 4), np.nan, np.float32)
    for row, landmarks in enumerate(points):
        if np.isfinite(landmarks).all():
            boxes[row] = box_from_landmarks(landmarks)
    probabilities = detector.probability(scores)
    return Result(np.array(numbers, np.int64), scores, probabilities, boxes, seen)


def score_plot(result: Result, title: str) -> Figure:
    """Draw the score over time; frames without a score are grey."""
    figure = Figure(figsize=(8, 3), dpi=150, layout="constrained")
    axes = figure.subplots()
    seconds = result.frames / FPS
    axes.plot(seconds, result.scores, marker=".", markersize=3, linewidth=1, color="#33658a")
    for second in seconds[~np.isfinite(result.scores)]:
        axes.axvline(second, color="0.9", linewidth=2, zorder=0)
    axes.set(xlabel="seconds", ylabel="score (higher: more likely fake)")
    axes.set_title(f"{title}: {result.score:.3f} on average", fontsize=10)
    return figure


def annotate(clip: Path, result: Result, output: Path, name: str) -> None:
    """Write the clip with the face's box and the latest score drawn into every frame.

    Parameters
    ----------
    clip : Path
    result : Result
    output : Path
        An .mp4 file, H.264.
    name : str
        The detector's name, shown beside the score.
    """
    rows = dict(zip(result.frames.tolist(), range(len(result.frames)), strict=True))
    height, width = next(decode(clip)).shape[:2]
    row: int | None = None
    with VideoWriter(output, width, height, fps=FPS, codec="h264") as writer:
        for number, image in enumerate(decode(clip)):
            row = rows.get(number, row)
            writer.write(_drawn(image, result, row, name))


def _drawn(image: Image, result: Result, row: int | None, name: str) -> Image:
    drawn = image.copy()
    scale = max(0.4, image.shape[0] / 900)
    text = f"{name}: no face"
    if row is not None and np.isfinite(result.boxes[row]).all():
        x0, y0, x1, y1 = (round(float(value)) for value in result.boxes[row])
        cv2.rectangle(drawn, (x0, y0), (x1, y1), (255, 200, 0), max(1, round(2 * scale)))
        score = result.scores[row]
        text = f"{name}: {score:.3f}" if np.isfinite(score) else f"{name}: cannot be judged"
    font, thickness = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(1.5 * scale))
    (width, height), below = cv2.getTextSize(text, font, scale, thickness)
    pad = round(8 * scale)
    cv2.rectangle(drawn, (0, 0), (width + 2 * pad, height + below + 2 * pad), (0, 0, 0), -1)
    cv2.putText(drawn, text, (pad, height + pad), font, scale, (255, 255, 255), thickness)
    return drawn
