"""Measure the placement of faces in fakes: dlib's landmarks in them against their targets'.

    python benchmarks/placement.py results/my METHOD [METHOD ...]

Prints means over the fakes of each method of a finished build, in sides of the target's face: the
distance of landmarks 17 to 67 (the jaw is the target's own), and the downward offset of brows,
eyes, nose and mouth. A network that gets another crop than in its training shows an offset of all
four.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from swapset.faces.boxes import box_from_landmarks, box_side
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.prepare import ClipLandmarks
from swapset.media.decode import frames

EVERY = 6
PARTS = {
    "brows": slice(17, 27),
    "eyes": slice(36, 48),
    "nose": slice(27, 36),
    "mouth": slice(48, 68),
}


def offsets(video: Path, landmarks: ClipLandmarks, predictor: LandmarkPredictor) -> np.ndarray:
    """Return a fake's mean distance of landmarks and downward offset of each part, (5,) float."""
    rows = []
    for index, frame in enumerate(frames(video)):
        target = landmarks.smooth[index]
        if index % EVERY or not np.isfinite(target).all():
            continue
        box = box_from_landmarks(target)
        moved = (predictor.predict(frame, box) - target) / box_side(box)
        distance = np.linalg.norm(moved[17:], axis=1).mean()
        rows.append([distance, *(moved[part, 1].mean() for part in PARTS.values())])
    return np.mean(rows, axis=0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, metavar="DIR")
    parser.add_argument("methods", nargs="+", metavar="METHOD")
    options = parser.parse_args()
    predictor = LandmarkPredictor()
    print(f"| method | fakes | distance | {' | '.join(f'{part} lower' for part in PARTS)} |")
    print("|---|---|---|---|---|---|---|")
    for method in options.methods:
        rows = []
        for video in sorted((options.build / "dataset" / method / "original").glob("*.mp4")):
            if not video.stat().st_size:  # the fake could not be made
                continue
            target, _, number = video.stem.split("_")
            path = options.build / "landmarks" / target / f"{target}_{number}.npz"
            rows.append(offsets(video, ClipLandmarks.load(path), predictor))
        means = " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
        print(f"| {method} | {len(rows)} | {means} |")


if __name__ == "__main__":
    main()
