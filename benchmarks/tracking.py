"""Time tracking of a talking head beside detection in every frame, on one core.

Run `python benchmarks/tracking.py [CLIP]`. The conventional way decodes every frame, runs dlib's
HOG detector on it with one upsampling and predicts 68 landmarks in its box. Ours is the pipeline's
tracker, with decoding, shots and face embeddings. Both read the clip in ingest's format; models are
loaded before the clock starts. Times are processor time, the best of five. Without CLIP, a clip of
the demo is enlarged to 512 x 512 and played forth and back to 300 frames.

The normalised mean error (NME, by the distance of the outer eye corners) is the difference between
the two. HOG boxes come in steps of 20 % in size, which adds an error of per-frame detection itself.
A second prediction, in the box that fits the first landmarks, removes that error and serves as a
second reference.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import tempfile
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import cv2
import dlib
import numpy as np

from swapset.config.sections import TrackSettings
from swapset.demo.clips import render_frames
from swapset.demo.specs import DEMO_SPECS
from swapset.faces.boxes import box_from_landmarks
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.track import Tracker
from swapset.media.decode import frames, planar_frames
from swapset.media.encode import VideoWriter
from swapset.media.ingest import ingest

REPEATS = 5
EVERY = 5  # the conventional way is timed on every fifth frame: it is steady, and slow


def demo_clip(path: Path) -> None:
    """Write 300 frames of 512 x 512 of the first demo clip, in H.264 like a source video."""
    still = list(render_frames(DEMO_SPECS[0]))
    there_and_back = [*still, *reversed(still)]
    with VideoWriter(path, 512, 512, codec="h264") as writer:
        for frame in chain(there_and_back, there_and_back):
            writer.write(cv2.resize(frame, (512, 512), interpolation=cv2.INTER_LINEAR))


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of `work` in seconds, which leaves out other programs."""
    start = time.process_time()
    work()
    return time.process_time() - start


def landmarks_by_detection(clip: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Detect the face in every fifth frame.

    Returns
    -------
    once, twice : (n, 68, 2) float
        Landmarks in the detector's box, and in the box that fits those landmarks.
    seconds : float
        Processor time per frame for the landmarks of `once`.
    """
    detector, predictor = dlib.get_frontal_face_detector(), LandmarkPredictor()
    once, twice, spent = [], [], 0.0
    for frame in list(frames(clip))[::EVERY]:
        start = time.process_time()
        boxes = list(detector(frame, 1))
        points = np.full((68, 2), np.nan)
        if boxes:
            box = max(boxes, key=lambda each: each.area())
            corners = box.left(), box.top(), box.right(), box.bottom()
            points = predictor.predict(frame, corners)
        spent += time.process_time() - start
        once.append(points)
        twice.append(predictor.predict(frame, box_from_landmarks(points)) if boxes else points)
    return np.array(once), np.array(twice), spent / len(once)


def nme(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the normalised mean error (n,) of landmarks (n, 68, 2)."""
    eyes = np.linalg.norm(reference[:, 45] - reference[:, 36], axis=1)
    return np.linalg.norm(points - reference, axis=2).mean(1) / eyes


def main_landmarks(tracks: ClipTracks) -> np.ndarray:
    """Return the landmarks (frames, 68, 2) of the longest track."""
    numbers, lengths = np.unique(tracks.track, return_counts=True)
    return tracks.landmarks_of([int(numbers[np.argmax(lengths)])])


def compare(clip: Path) -> None:
    """Print the speeds and the differences between the landmarks."""
    tracker = Tracker(TrackSettings())
    tracks = tracker.track(planar_frames(clip))
    count = tracks.frames
    ours = min(seconds(lambda: tracker.track(planar_frames(clip))) for _ in range(REPEATS))
    decoding = min(seconds(lambda: sum(1 for _ in frames(clip))) for _ in range(REPEATS))
    once, twice, per_frame = landmarks_by_detection(clip)
    conventional = per_frame + decoding / count
    points = main_landmarks(tracks)[::EVERY]
    print(f"{tracks.width} x {tracks.height}, {count} frames, one core, decoding included")
    print(f"decoding alone                      {count / decoding:7.0f} frames/s")
    print(f"HOG, one upsampling, every frame    {1 / conventional:7.1f} frames/s")
    print(f"ours, {len(tracks.embeddings)} embeddings included       {count / ours:7.0f} frames/s")
    print(f"ratio                               {conventional * count / ours:7.1f}")
    print(f"faces                               {len(tracks.frame)} in {count} frames")
    for name, reference in (("detection", once), ("detection, predicted twice", twice)):
        errors = nme(points, reference)
        values = f"{np.nanmean(errors):.4f} mean, {np.nanmedian(errors):.4f} median"
        print(f"NME to {name:28s} {values}")
    print(f"NME between those two               {np.nanmean(nme(once, twice)):.4f} mean")


def main() -> None:
    """Compare on the clip of the command line, or on the demo's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, nargs="?", help="a video (default: made here)")
    path = parser.parse_args().clip
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        source, clip = Path(folder) / "source.mp4", Path(folder) / "clip.mkv"
        if path is None:
            demo_clip(source)
        ingest(path or source, clip)
        compare(clip)


if __name__ == "__main__":
    main()
