"""Time the noise of `swapset protect` beside Landmark Breaker frame by frame.

Run `python benchmarks/protect.py CLIP [CLIP ...] --extractors FILE [FILE ...] [--frames 60]`.
The conventional way attacks each frame anew, with T = 20 steps, on one extractor; for several, each
of them in turn is that one. Beside it stand protectors with fewer and fewer steps a frame, all on
the same extractors. All ways get the same frames and landmarks, found before; decoding, finding
faces and encoding are not timed, since all ways need them. NME is the mean over frames of what each
extractor's landmarks moved by, in the frames as protected and after MPEG-4 and H.264, and over
extractors: those that are given count alike.

Of the protectors whose mean NME is at least that of the best conventional way, the fastest is the
result.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from swapset.extractors.base import Extractor
from swapset.extractors.nme import nme
from swapset.extractors.registry import load_extractor
from swapset.media.decode import frames as decode
from swapset.obstruction.attack_frames import noisy_frames
from swapset.obstruction.attacks.codecs import compress
from swapset.obstruction.attacks.landmark_breaker import LandmarkBreaker
from swapset.obstruction.evaluation import face_ssim, find_landmarks
from swapset.obstruction.keyframes import Run
from swapset.obstruction.protect.faces import follow_faces
from swapset.obstruction.protect.noise import Protector

Frames = npt.NDArray[np.uint8]
STEPS = 20
TARGET = 4.0
SAVED = "mpeg4+h264"


def clip_frames(path: Path, count: int) -> tuple[Frames, Run]:
    """Return the first frames of a clip with the largest face, and that face's landmarks."""
    images = np.stack(list(islice(decode(path), count)))
    found = follow_faces(images, fps=30.0, which="largest")
    seen = [k for k in found.with_a_face() if np.isfinite(found.at(k)[0]).all()]
    return images[seen], Run(path.stem, 0, np.stack([found.at(k)[0] for k in seen]))


def frame_by_frame(extractor: Extractor) -> Callable[[Frames, Run], Frames]:
    """Return the conventional way."""
    attack = LandmarkBreaker(iterations=STEPS)

    def made(frames: Frames, run: Run) -> Frames:
        parts = [
            noisy_frames(attack, [extractor], frames[k : k + 1], Run("", k, run.landmarks[k][None]))
            for k in range(len(frames))
        ]
        return np.concatenate(parts)

    return made


def protector(extractors: list[Extractor], **settings: Any) -> Callable[[Frames, Run], Frames]:
    """Return a protector's way."""

    def made(frames: Frames, run: Run) -> Frames:
        own = Protector(extractors, **settings)
        return np.stack(list(own.protect(frames, run.landmarks[:, None])))

    return made


def measured(
    way: Callable[[Frames, Run], Frames],
    clips: list[tuple[Frames, Run]],
    extractors: dict[str, Extractor],
) -> dict[str, Any]:
    """Return seconds per frame, SSIM in the face, and NME by extractor, as made and as saved."""
    seconds, likeness = 0.0, []
    errors: dict[str, list[float]] = {}
    for frames, run in clips:
        start = time.perf_counter()
        noisy = way(frames, run)
        seconds += time.perf_counter() - start
        likeness.append(face_ssim(frames, noisy, run).mean())
        saved = compress(noisy, SAVED)
        for name, extractor in extractors.items():
            truth = find_landmarks(extractor, frames, run)
            for stage, shown in (("", noisy), (" saved", saved)):
                moved = nme(find_landmarks(extractor, shown, run), truth)
                errors.setdefault(name + stage, []).append(float(moved.mean()))
    means = {name: float(np.mean(values)) for name, values in errors.items()}
    return {
        "seconds": seconds / sum(len(frames) for frames, _ in clips),
        "ssim": float(np.mean(likeness)),
        "nme": float(np.mean([means[name] for name in extractors])),
        "saved": float(np.mean([means[f"{name} saved"] for name in extractors])),
        **means,
    }


def main() -> None:
    """Print a row for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP")
    parser.add_argument("--extractors", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--frames", type=int, default=60, help="of each clip")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    extractors = {path.stem: load_extractor(path, device=given.device) for path in given.extractors}
    clips = [clip_frames(path, given.frames) for path in given.clips]
    every = list(extractors.values())
    print(f"{sum(len(frames) for frames, _ in clips)} frames, {len(clips)} clips")

    def row(name: str, way: Callable[[Frames, Run], Frames]) -> dict[str, Any]:
        found = measured(way, clips, extractors)
        each = "  ".join(f"{key} {found[key]:.3f}" for key in extractors)
        print(
            f"{name:34} {found['seconds']:.3f} s/frame  SSIM {found['ssim']:.3f}  "
            f"NME {found['nme']:.3f}, saved {found['saved']:.3f}  ({each})",
            flush=True,
        )
        return found

    usual = [
        row(f"lb on {name}, {STEPS} steps each", frame_by_frame(extractor))
        for name, extractor in extractors.items()
    ]
    best = max(usual, key=lambda found: found["nme"])
    ways = [
        row(
            f"lb-robust, {steps} steps, {at_once} at once",
            protector(every, steps=steps, at_once=at_once),
        )
        for at_once in ((len(every), 1) if len(every) > 1 else (1,))
        for steps in (4, 3, 2, 1)
    ]
    enough = [found for found in ways if found["nme"] >= best["nme"]]
    if not enough:
        print("no protector reaches the NME of Landmark Breaker frame by frame")
        return
    fastest = min(enough, key=lambda found: found["seconds"])
    ratio = best["seconds"] / fastest["seconds"]
    print(f"{ratio:.1f} times as fast at no smaller NME ({TARGET:.0f} wanted)")


if __name__ == "__main__":
    main()
