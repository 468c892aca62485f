"""Where the faces of fakes sit: dlib's points in them beside the landmarks of their targets.

    python benchmarks/placement.py results/my METHOD [METHOD ...]

For each method of a finished build, means over its fakes, in sides of the target's face: the
distance of points 17 to 67 (the jaw is the target's own), and how far below the target's the
brows, eyes, nose and mouth lie. A network that is given another crop than it has learnt from
shows here as an offset of all four.
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
    """Return the mean distance of a fake's points, and how much lower each part lies, (5,)."""
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
    given = parser.parse_args()
    predictor = LandmarkPredictor()
    print(f"| method | fakes | distance | {' | '.join(f'{part} lower' for part in PARTS)} |")
    print("|---|---|---|---|---|---|---|")
    for method in given.methods:
        found = []
        for video in sorted((given.build / "dataset" / method / "original").glob("*.mp4")):
            if not video.stat().st_size:  # it was not made
                continue
            target, _, number = video.stem.split("_")
            path = given.build / "landmarks" / target / f"{target}_{number}.npz"
            found.append(offsets(video, ClipLandmarks.load(path), predictor))
        means = " | ".join(f"{value:.3f}" for value in np.mean(found, axis=0))
        print(f"| {method} | {len(found)} | {means} |")


if __name__ == "__main__":
    main()
