"""Score all fakes of one clip against the original in a single pass."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from swapset.errors import DataError
from swapset.faces.head_masks import HeadMasks
from swapset.faces.identity import FaceEmbedder
from swapset.media.decode import frames
from swapset.quality.expression import ExpressionReader, expression_score
from swapset.quality.frame_measures import FrameMeasures, OriginalFrame, SwappedFrame
from swapset.quality.identity_share import donor_distance, identity_donor
from swapset.types import Floats, Image


@dataclass(frozen=True)
class FakeToScore:
    """One fake and the data needed to score it.

    Attributes
    ----------
    method, name : str
        The method that made the fake, and the fake's name.
    video : Path
        The fake.
    outlines : sequence of (p, 2) float64 or None
        Mask outline per frame, x, y in pixels; None for a frame that was not swapped.
    feathers : sequence of float
        Width in pixels of the mask's soft edge per frame; any value where `outlines` has None.
    donor : (128,) float32
        Reference embedding of the donor; NaN = unknown, so that identity is not measured.
    """

    method: str
    name: str
    video: Path
    outlines: Sequence[Floats | None]
    feathers: Sequence[float]
    donor: npt.NDArray[np.floating]

    def frame(self, index: int, picture: Image) -> SwappedFrame | None:
        """Return a frame, (H, W, 3) uint8 RGB, with its mask; None if it was not swapped."""
        outline = self.outlines[index]
        return None if outline is None else SwappedFrame(picture, outline, self.feathers[index])


@dataclass
class FakeScore:
    """Scores of one fake; NaN where no frame could be scored.

    Attributes
    ----------
    method, fake : str
        The method that made the fake, and the fake's name.
    frames : int
        Number of frames compared by Mask-SSIM.
    mask_ssim, masked_frame_ssim : float
        Means over the same frames, see `swapset.quality.mask_ssim`.
    identity_donor : float
        Share of the frames with an embedding nearer the donor than the target, in [0, 1].
    donor_distance : float
        Mean distance of those embeddings from the donor's; dlib calls less than 0.6 one person.
    lab_distance : float
        Mean distance between the mean CIELAB colours of original and fake inside the mask.
    sharpness : float
        Mean of `swapset.quality.sharpness` over every second of those frames, or all of them.
    flicker : float
        Mean of `swapset.quality.flicker`, in grey levels.
    landmark_distance, eye_error, mouth_error, smile_error, pose_error : float
        Means over the same frames, see `swapset.quality.expression.ExpressionScore`.
    eyes_follow, mouth_follows, eyes_gain, mouth_gain : float
        How well openings follow the target's over time, as there.
    """

    method: str
    fake: str
    frames: int = 0
    mask_ssim: float = float("nan")
    masked_frame_ssim: float = float("nan")
    identity_donor: float = float("nan")
    donor_distance: float = float("nan")
    lab_distance: float = float("nan")
    sharpness: float = float("nan")
    flicker: float = float("nan")
    landmark_distance: float = float("nan")
    eye_error: float = float("nan")
    mouth_error: float = float("nan")
    smile_error: float = float("nan")
    pose_error: float = float("nan")
    eyes_follow: float = float("nan")
    mouth_follows: float = float("nan")
    eyes_gain: float = float("nan")
    mouth_gain: float = float("nan")


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
    """Score all fakes of a clip, decoding the clip and every fake once.

    Parameters
    ----------
    clip : Path
        The ingested clip.
    heads : HeadMasks
        Head region per frame.
    landmarks : (n, 68, 2) float32
        The target's landmarks, x, y in pixels; NaN where there is no face.
    target : (128,) float32
        Reference embedding of the target; NaN = unknown, so that identity is not measured.
    fakes : sequence of FakeToScore
        Fakes made from the clip.
    every : int
        Measure Mask-SSIM and colour on every n-th frame, and the rest as seldom or more seldom, see
        `swapset.quality.frame_measures`.
    identity_frames : int
        Number of swapped frames per fake, evenly spaced, on which to measure identity.

    Returns
    -------
    list of FakeScore
        In the order of `fakes`.

    Raises
    ------
    DataError
        If a fake and the clip differ in their number of frames.
    """
    for fake in fakes:
        if len(fake.outlines) != len(landmarks):
            raise _other_length(fake, clip)
    measures = [FrameMeasures() for _ in fakes]
    embedded = [_spread(fake, landmarks, identity_frames) for fake in fakes]
    embedder, reader = FaceEmbedder(), ExpressionReader()
    for index, (picture, *others) in enumerate(_in_step(clip, fakes)):
        head = heads.mask(index) if index % every == 0 else None
        original = OriginalFrame(picture, landmarks[index], int(heads.shot[index]), reader)
        for fake, shown, measured, chosen in zip(fakes, others, measures, embedded, strict=True):
            measured.add(index, original, fake.frame(index, shown), head, every=every)
            if index in chosen:
                measured.embeddings.append(embedder.embed(shown, landmarks[index]))
    return [_score(fake, measured, target) for fake, measured in zip(fakes, measures, strict=True)]


def _in_step(clip: Path, fakes: Sequence[FakeToScore]) -> Iterator[tuple[Image, ...]]:
    """Yield each frame of the original together with the same frame of every fake."""
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


def _score(
    fake: FakeToScore, measured: FrameMeasures, target: npt.NDArray[np.floating]
) -> FakeScore:
    score = FakeScore(fake.method, fake.name, frames=len(measured.ssim))
    if measured.ssim:
        means = np.mean(measured.ssim, axis=0)
        score.mask_ssim, score.masked_frame_ssim = (float(mean) for mean in means)
        score.lab_distance = float(np.mean(measured.colours))
    score.sharpness, score.flicker = _mean(measured.sharpness), _mean(measured.flickers)
    if measured.expressions:
        kept = expression_score(*zip(*measured.expressions, strict=True))
        score = replace(score, **kept._asdict())
    if measured.embeddings and np.isfinite(target).all() and np.isfinite(fake.donor).all():
        embeddings = np.stack(measured.embeddings)
        score.identity_donor = identity_donor(embeddings, target, fake.donor)
        score.donor_distance = donor_distance(embeddings, fake.donor)
    return score


def _mean(values: Sequence[float]) -> float:
    """Return the mean of the values that are not NaN; NaN if there is none."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
