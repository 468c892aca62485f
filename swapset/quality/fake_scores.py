"""Scores of the fakes made of one clip, all compared with the original in one pass."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from swapset.errors import DataError
from swapset.faces.head_masks import HeadMasks
from swapset.faces.identity import FaceEmbedder
from swapset.faces.masks import render_mask
from swapset.generation.colour import lab_distance
from swapset.media.decode import frames
from swapset.quality.identity_share import donor_distance, identity_donor
from swapset.quality.mask_ssim import mask_ssim
from swapset.types import Image


@dataclass(frozen=True)
class FakeToScore:
    """One fake with what it takes to score it.

    Attributes
    ----------
    method, name : str
    video : Path
    outlines : sequence of (p, 2) arrays or None
        Mask outline per frame in pixels; None where the frame was left as it was.
    donor : (128,) array
        Reference embedding of the donor; NaN = unknown, and identity is not measured.
    """

    method: str
    name: str
    video: Path
    outlines: Sequence[npt.NDArray[np.float64] | None]
    donor: npt.NDArray[np.floating]


@dataclass
class FakeScore:
    """Scores of one fake; NaN where there was no frame to score.

    Attributes
    ----------
    frames : int
        Frames compared by Mask-SSIM.
    mask_ssim, masked_frame_ssim : float
        Means over those frames, see `swapset.quality.mask_ssim`.
    identity_donor : float
        Share of frames whose embedding is nearer the donor than the target.
    donor_distance : float
        Mean distance of these embeddings from the donor's; dlib takes less than 0.6 for one person.
    lab_distance : float
        Mean distance of the mean CIELAB colours of original and fake inside the mask.
    """

    method: str
    fake: str
    frames: int = 0
    mask_ssim: float = float("nan")
    masked_frame_ssim: float = float("nan")
    identity_donor: float = float("nan")
    donor_distance: float = float("nan")
    lab_distance: float = float("nan")


@dataclass
class _Sums:
    ssim: list[tuple[float, float]] = field(default_factory=list)
    colours: list[float] = field(default_factory=list)
    embeddings: list[npt.NDArray[np.float32]] = field(default_factory=list)


def score_fakes(
    clip: Path,
    heads: HeadMasks,
    landmarks: npt.NDArray[np.floating],
    target: npt.NDArray[np.floating],
    fakes: Sequence[FakeToScore],
    *,
    every: int,
    identity_frames: int,
) -> list[FakeScore]:
    """Score all fakes of a clip; the clip and every fake are decoded once.

    Parameters
    ----------
    clip : Path
        The ingested clip.
    heads : HeadMasks
        Head region per frame.
    landmarks : (n, 68, 2) float
        The target's landmarks, NaN where there is no face.
    target : (128,) float
        Reference embedding of the target.
    fakes : sequence of FakeToScore
    every : int
        Mask-SSIM and colour are measured on every n-th frame.
    identity_frames : int
        Swapped frames per fake, evenly spaced, whose identity is measured.

    Raises
    ------
    DataError
        If a fake has not as many frames as the clip.
    """
    for fake in fakes:
        if len(fake.outlines) != len(landmarks):
            raise _other_length(fake, clip)
    sums = [_Sums() for _ in fakes]
    looked_at = [_spread(fake, landmarks, identity_frames) for fake in fakes]
    embedder = FaceEmbedder()
    for index, (original, *others) in enumerate(_in_step(clip, fakes)):
        head = heads.mask(index) if index % every == 0 else None
        for fake, picture, own, looked in zip(fakes, others, sums, looked_at, strict=True):
            outline = fake.outlines[index]
            if outline is None:
                continue
            if head is not None and head.any():
                own.ssim.append(mask_ssim(original, picture, head))
                inside = render_mask(outline, original.shape[:2], 0) > 0
                own.colours.append(lab_distance(original, picture, inside))
            if index in looked:
                own.embeddings.append(embedder.embed(picture, landmarks[index]))
    return [_score(fake, own, target) for fake, own in zip(fakes, sums, strict=True)]


def _in_step(clip: Path, fakes: Sequence[FakeToScore]) -> Iterator[tuple[Image, ...]]:
    """Yield the original's and the fakes' frames together."""
    videos = [frames(clip), *(frames(fake.video) for fake in fakes)]
    for pictures in itertools.zip_longest(*videos):
        for fake, picture in zip(fakes, pictures[1:], strict=True):
            if picture is None or pictures[0] is None:
                raise _other_length(fake, clip)
        yield pictures


def _other_length(fake: FakeToScore, clip: Path) -> DataError:
    return DataError(f"{fake.video}: its length differs from {clip}")


def _spread(fake: FakeToScore, landmarks: npt.NDArray[np.floating], count: int) -> set[int]:
    """Return up to `count` swapped frames with landmarks, evenly spaced."""
    usable = [
        index
        for index, outline in enumerate(fake.outlines)
        if outline is not None and np.isfinite(landmarks[index]).all()
    ]
    places = np.linspace(0, len(usable) - 1, min(count, len(usable))).round().astype(int)
    return {usable[place] for place in places}


def _score(fake: FakeToScore, sums: _Sums, target: npt.NDArray[np.floating]) -> FakeScore:
    score = FakeScore(fake.method, fake.name, frames=len(sums.ssim))
    if sums.ssim:
        score.mask_ssim, score.masked_frame_ssim = (float(x) for x in np.mean(sums.ssim, axis=0))
        score.lab_distance = float(np.mean(sums.colours))
    if sums.embeddings and np.isfinite(target).all() and np.isfinite(fake.donor).all():
        seen = np.stack(sums.embeddings)
        score.identity_donor = identity_donor(seen, target, fake.donor)
        score.donor_distance = donor_distance(seen, fake.donor)
    return score
