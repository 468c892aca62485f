"""Measure the floor and the known answers of expression, sharpness and flicker, and their time.

Run `python benchmarks/expression.py results/NAME` on a build whose faces are aligned (target
`dataset` or rule `align`). Each clip is compared with itself after H.264 at several rates, and with
a fake that shows the mean face of another subject in every frame, whole or mixed by half with the
target's. Means and extremes over the clips are
printed.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from swapset.faces.align import crop_transform, face_width, invert
from swapset.faces.head_masks import head_masks
from swapset.faces.masks import polygon, render_mask
from swapset.faces.prepare import ClipLandmarks
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter
from swapset.media.recompress import recompress
from swapset.quality.expression import ExpressionReader
from swapset.quality.expression_tables import MEASURES
from swapset.quality.fake_scores import FakeToScore, score_fakes

RATES = (12, 23, 40)
SHARES = (0.5, 1.0)
FEATHER = 0.12
UNKNOWN = np.full(128, np.nan, np.float32)


def mean_face(folder: Path) -> np.ndarray:
    """Return the mean of a subject's aligned faces, (S, S, 3) float64 in [0, 255], RGB."""
    path = next(path for path in sorted(folder.glob("*.npy")) if "points" not in path.name)
    return np.load(path, mmap_mode="r")[::3].mean(axis=0)


def pasted(
    clip: Path, landmarks: np.ndarray, face: np.ndarray, context: float, share: float
) -> Iterator[np.ndarray]:
    """Yield the frames of a clip with one face in all of them.

    Parameters
    ----------
    clip : Path
    landmarks : (n, 68, 2) float32
        x, y in pixels.
    face : (S, S, 3) float64, RGB
    context : float
        Side of the face's crop in face widths.
    share : float
        Share of the face in the mix.
    """
    for picture, points in zip(frames(clip), landmarks, strict=True):
        if not np.isfinite(points).all():
            yield picture
            continue
        size = picture.shape[1::-1]
        placed = cv2.warpAffine(face, invert(crop_transform(points, len(face), context)), size)
        feather = FEATHER * float(face_width(points))
        alpha = share * render_mask(polygon(points, "smooth"), size[::-1], feather)[..., None]
        yield np.rint(alpha * placed + (1 - alpha) * picture).astype(np.uint8)


def measured(clip: Path, landmarks: ClipLandmarks, face: np.ndarray, context: float) -> list[dict]:
    """Return the scores of one clip's copies and pasted faces."""
    points = landmarks.smooth
    seen = np.isfinite(points).all(axis=(1, 2))
    outlines = [polygon(p, "smooth") if s else None for p, s in zip(points, seen, strict=True)]
    feathers = (FEATHER * face_width(points)).tolist()
    heads = head_masks(frames(clip), points, restarts=landmarks.cuts.tolist())
    with tempfile.TemporaryDirectory() as folder:
        videos = {f"crf {rate}": Path(folder, f"{rate}.mp4") for rate in RATES}
        for rate, video in zip(RATES, videos.values(), strict=True):
            recompress(clip, video, crf=rate)
        for share in SHARES:
            video = videos[f"mean face, {share:.0%}"] = Path(folder, f"mean{share}.mp4")
            with VideoWriter(video, heads.width, heads.height, codec="mpeg4") as writer:
                for frame in pasted(clip, points, face, context, share):
                    writer.write(frame)
        fakes = [
            FakeToScore(name, clip.stem, video, outlines, feathers, UNKNOWN)
            for name, video in videos.items()
        ]
        scores = score_fakes(clip, heads, points, UNKNOWN, fakes, every=1, identity_frames=1)
    return [vars(score) for score in scores]


def reading_time(clip: Path, landmarks: np.ndarray) -> float:
    """Return the CPU milliseconds that reading one face takes."""
    reader = ExpressionReader()
    pictures = [
        (picture, points)
        for picture, points in zip(frames(clip), landmarks, strict=True)
        if np.isfinite(points).all()
    ][:60]
    start = time.process_time()
    for picture, points in pictures:
        reader.read(picture, points)
    return 1e3 * (time.process_time() - start) / len(pictures)


def main() -> None:
    """Measure every accepted clip of a build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="results/NAME")
    parser.add_argument("--context", type=float, default=1.6, help="align.context of the build")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    root = arguments.root
    subjects = sorted(path.name for path in (root / "faces").iterdir())
    rows = []
    for number, subject in enumerate(subjects):
        face = mean_face(root / "faces" / subjects[number - 1])
        for path in sorted((root / "landmarks" / subject).glob("*.npz")):
            clip, landmarks = (
                root / "clips" / subject / f"{path.stem}.mkv",
                ClipLandmarks.load(path),
            )
            rows += measured(clip, landmarks, face, arguments.context)
    table = pd.DataFrame(rows)
    with pd.option_context("display.width", 200, "display.precision", 4):
        for kind in ("mean", "min", "max"):
            print(f"{kind} over clips\n", table.groupby("method")[[*MEASURES]].agg(kind).T)
    print(f"{reading_time(clip, landmarks.smooth):.1f} ms of CPU time to read one face")


if __name__ == "__main__":
    main()
