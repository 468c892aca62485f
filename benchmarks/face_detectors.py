"""Compare face detectors on hard poses and by time, on one core.

Run `python benchmarks/face_detectors.py [MANIFEST] [--frames 12]`. Frames are taken evenly from the
clips of a manifest, or from the demo's. The truth is where the tracker follows the face (with HOG,
at its lower threshold near the last place), so that it lacks frames in which nothing finds it. Each
frame is searched as the tracker searches a frame, as it is and changed: the picture turned around
the face, darkened, the mouth hidden by a patch of skin colour, and the face shrunk to 50 pixels.

`found` is the share of frames with a box on the face, `landmarks` the share in which dlib's
landmarks in that box are right too (NME below 0.1), `false` the share with a box elsewhere. Times
are processor time per frame in ms, the median over frames: of such a search, and of the local
search that confirms a face that is followed. Then whole clips are tracked: processor time per
frame, share of frames with the face, and how many observations were detected in their frame.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from swapset.config.sections import TrackSettings
from swapset.dataset.manifest import read_manifest
from swapset.demo.clips import render_frames
from swapset.demo.specs import DEMO_SPECS
from swapset.extractors.nme import nme
from swapset.faces.boxes import box_from_landmarks, box_side, intersection_over_union
from swapset.faces.detect import Detector, make_detector, search
from swapset.faces.follow import Follower, Frame
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.track import Tracker
from swapset.media.decode import frames
from swapset.media.ingest import ingest

SAME_PLACE, ELSEWHERE = 0.4, 0.2  # intersection over union; the former is the tracker's own limit
RIGHT = 0.1  # NME
MIN_FACE = 48.0
SMALL = 50.0  # pixels

Posed = tuple[np.ndarray, np.ndarray]


def moved(image: np.ndarray, points: np.ndarray, degrees: float, scale: float) -> Posed:
    """Return a frame turned and scaled around the face, and its landmarks."""
    matrix = cv2.getRotationMatrix2D([float(v) for v in points.mean(0)], degrees, scale)
    size = image.shape[1], image.shape[0]
    shown = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return shown, points @ matrix[:, :2].T + matrix[:, 2]


def without_mouth(image: np.ndarray, points: np.ndarray) -> Posed:
    """Return a frame with a patch over the mouth, as large as a hand or a mask."""
    side, centre = box_side(box_from_landmarks(points)), points[48:68].mean(0)
    first, last = centre - np.array([0.45, 0.22]) * side, centre + np.array([0.45, 0.4]) * side
    shown = image.copy()
    cv2.rectangle(shown, first.astype(int).tolist(), last.astype(int).tolist(), (150, 110, 95), -1)
    return shown, points


POSES: dict[str, Callable[[np.ndarray, np.ndarray], Posed]] = {
    "as it is": lambda image, points: (image, points),
    "tilted by 15°": lambda image, points: moved(image, points, 15, 1),
    "tilted by -15°": lambda image, points: moved(image, points, -15, 1),
    "tilted by 30°": lambda image, points: moved(image, points, 30, 1),
    "tilted by -30°": lambda image, points: moved(image, points, -30, 1),
    "dark": lambda image, points: ((image * 0.2).astype(np.uint8), points),
    "mouth hidden": without_mouth,
    "small": lambda image, points: moved(
        image, points, 0, SMALL / box_side(box_from_landmarks(points))
    ),
}


def clips(manifest: Path | None, folder: Path) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield name and frames of every clip, as ingested, or of the demo's."""
    if manifest is None:
        yield from ((spec.clip, list(render_frames(spec))) for spec in DEMO_SPECS)
        return
    for clip in read_manifest(manifest).clips.values():
        path = folder / "clip.mkv"
        ingest(Path(str(clip.path)), path)
        yield clip.clip, list(frames(path))


def milliseconds(work: Callable[[], object]) -> float:
    """Return the processor time of `work` in ms."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def looked(
    detector: Detector, predictor: LandmarkPredictor, image: np.ndarray, points: np.ndarray
) -> dict[str, float]:
    """Return what a search of a frame finds of the face with these landmarks (68, 2)."""
    box = box_from_landmarks(points)
    boxes, _ = search(detector, image, min_face=MIN_FACE)
    follower, frame = Follower(detector, predictor), Frame(0, image)
    frame.grey  # noqa: B018 - made before the clock starts
    overlap = intersection_over_union(box, boxes) if len(boxes) else np.zeros(1)
    found, right = bool(overlap.max() >= SAME_PLACE), False
    if found:
        seen = follower.fit(frame, boxes[int(overlap.argmax())])
        right = bool(nme(seen[None], points[None])[0] < RIGHT)
    return {
        "found": found,
        "landmarks": right,
        "false": bool(len(boxes)) and bool(overlap.min() < ELSEWHERE),
        "search": milliseconds(lambda: search(detector, image, min_face=MIN_FACE)),
        "confirm": milliseconds(lambda: follower.locate(frame, box)),
    }


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path, nargs="?", help="clips (default: the demo's)")
    parser.add_argument("--detectors", nargs="+", default=["hog", "centerface"])
    parser.add_argument("--frames", type=int, default=12, help="of each clip (default: 12)")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    detectors = {name: make_detector(name) for name in options.detectors}
    predictor, truth = LandmarkPredictor(), Tracker(TrackSettings())
    rows, tracked = [], []
    with tempfile.TemporaryDirectory() as folder:
        for clip, images in clips(options.manifest, Path(folder)):
            person = clip.partition("_")[0]
            for name in detectors:
                tracker, done = Tracker(TrackSettings(detector=name)), []
                spent = milliseconds(lambda t=tracker, d=done, i=images: d.append(t.track(i)))
                faces = len(np.unique(done[0].frame)) / len(images)
                tracked.append((person, name, spent / len(images), faces, done[0].detected.mean()))
            found = truth.track(images)
            numbers, lengths = np.unique(found.track, return_counts=True)
            if not len(numbers):
                continue
            landmarks = found.landmarks_of([int(numbers[lengths.argmax()])]).astype(np.float64)
            seen = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))
            for place in seen[:: max(len(seen) // options.frames, 1)][: options.frames]:
                for pose, change in POSES.items():
                    image, points = change(images[place], landmarks[place])
                    about = {"pose": pose, "person": person}
                    rows += [
                        {**about, "detector": name, **looked(each, predictor, image, points)}
                        for name, each in detectors.items()
                    ]
    table = pd.DataFrame(rows)
    shares, times = ["found", "landmarks", "false"], ["search", "confirm"]
    for keys in (["pose", "detector"], ["person", "detector"]):
        chosen = table if keys[0] == "pose" else table[table["pose"] == "as it is"]
        groups = chosen.groupby(keys, sort=False)
        shown = groups[shares].mean().join(groups[times].median()).assign(frames=groups.size())
        print(shown.round(3).to_string(), end="\n\n")
    columns = ["person", "detector", "ms per frame", "share with face", "share detected"]
    clip_table = pd.DataFrame(tracked, columns=columns)
    print(clip_table.groupby("detector", sort=False)[columns[2:]].mean().round(3).to_string())
    print(clip_table.groupby(columns[:2], sort=False)[columns[2:]].mean().round(3).to_string())


if __name__ == "__main__":
    main()
