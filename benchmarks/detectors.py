"""Time the detectors on one core, from stored faces to scores, beside the bare network.

Run `python benchmarks/detectors.py [--detectors Meso4 HeadPose] [--faces 64] [--rounds 5]`. The
bare pass gets ready crops; the whole pass first reads faces from a store on disk and crops them.
Both see the same faces in batches of the same size. They alternate, and the first round is dropped;
printed are medians, and the median of the ratios within a round. Regions of faces are stored as a
build with these detectors stores them: wider for all of them if one needs it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from swapset.demo.clips import render_frames
from swapset.demo.specs import DEMO_SPECS
from swapset.detection.store import FaceStore, StoredSamples, VideoFaces, write_store
from swapset.detectors.base import Detector, Schedule
from swapset.detectors.face import Face, cut_face
from swapset.detectors.registry import DETECTORS, detector_class
from swapset.faces.detect import make_detector, search
from swapset.faces.landmarks import LandmarkPredictor

BATCH = 32
TARGET = 0.7
"""Smallest share of the bare network's speed to reach."""


def make_store(folder: Path, count: int, margin: float) -> FaceStore:
    """Write a store with `count` faces of the demo's people, those of every other clip blurred.

    Parameters
    ----------
    folder : Path
    count : int
    margin : float
        Side of the stored regions, in sides of the faces' boxes.
    """
    detector, predictor = make_detector("hog"), LandmarkPredictor()
    videos = []
    for number, spec in enumerate(DEMO_SPECS[::2]):
        faces = []
        for frame in render_frames(spec, every=3):
            (box, *_), _ = search(detector, frame, min_face=80)
            shown = cv2.GaussianBlur(frame, (0, 0), 3) if number % 2 else frame
            faces.append(cut_face(shown, predictor.predict(frame, box), margin=margin))
        faces = (faces * (1 + count // len(faces)))[: count // 4]
        videos.append(VideoFaces(spec.clip, range(len(faces)), faces))
    write_store(folder, videos)
    return FaceStore(folder)


def fitted(name: str, store: FaceStore) -> Detector:
    """Return the detector after one training step; its speed does not depend on its weights."""
    labels = {video: place % 2 for place, video in enumerate(store.videos)}
    detector = detector_class(name)(seed=0)
    with open("/dev/null", "w") as nowhere:
        detector.fit(
            StoredSamples([store], [labels], margin=detector.margin),
            None,
            Schedule(steps=1, batch=4),
            log=nowhere,
        )
    return detector


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(name: str, store: FaceStore, rounds: int) -> tuple[float, float, float]:
    """Return faces/s of the bare network and of the whole pass, and the median ratio."""
    detector = fitted(name, store)

    def faces() -> list[Face | None]:
        return [store.face(k, detector.margin) for k in range(len(store))]

    crops = np.stack([detector.crop(face) for face in faces() if face])

    def bare() -> None:
        for start in range(0, len(crops), BATCH):
            detector.forward(crops[start : start + BATCH])

    def whole() -> None:
        detector.score_faces(faces(), batch=BATCH)

    times = [(seconds(bare), seconds(whole)) for _ in range(rounds + 1)][1:]
    one, both = (len(crops) / statistics.median(part) for part in zip(*times, strict=True))
    return one, both, statistics.median(first / second for first, second in times)


def main() -> None:
    """Print a row for each detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", nargs="+", choices=list(DETECTORS), default=list(DETECTORS))
    parser.add_argument("--faces", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print(f"{'detector':16} {'bare':>10} {'whole':>10}   share (at least {TARGET})")
    with tempfile.TemporaryDirectory() as folder:
        widest = max(DETECTORS.find(name).traits["margin"] for name in options.detectors)
        store = make_store(Path(folder), options.faces, widest)
        for name in options.detectors:
            bare, whole, share = measure(name, store, options.rounds)
            print(f"{name:16} {bare:8.1f}/s {whole:8.1f}/s   {share:.2f}", flush=True)


if __name__ == "__main__":
    main()
