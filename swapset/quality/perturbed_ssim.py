"""Mask-SSIM of perturbed fakes: against the original as it is, and against it perturbed alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from swapset.dataset.fake_means import mean_of_fakes
from swapset.faces.head_masks import HeadMasks
from swapset.io.files import is_empty
from swapset.media.perturbations.names import Perturbation
from swapset.media.perturbations.videos import with_perturbed
from swapset.media.samples import Samples, with_clip
from swapset.media.timeline import sampled
from swapset.quality.mask_ssim import head_ssim
from swapset.types import Image

MEASURES = ("mask_ssim", "mask_ssim_alike")
ROW = ["method", "fake", "perturbation", "frames", *MEASURES]
"""Columns of a file of scores. `mask_ssim_alike`: the original is perturbed, too."""
UNPERTURBED = "none"


def score_perturbed(
    videos: Mapping[str, Sequence[Path]],
    clips: Path,
    heads: Path,
    perturbations: Sequence[Perturbation],
    *,
    wanted: int,
    seed: int,
) -> pd.DataFrame:
    """Measure Mask-SSIM of a target's fakes after perturbations.

    Parameters
    ----------
    videos : mapping of str to sequence of Path
        Fakes `<target>_<donor>_<number>.mp4`, by method; empty files were not made.
    clips, heads : Path
        The target's folders of clips and of head masks.
    perturbations : sequence of Perturbation
    wanted : int
        Number of frames of each fake, evenly spread.
    seed : int
        Of the perturbations' random numbers.

    Returns
    -------
    DataFrame
        Columns `ROW`; a row for each fake as it is ("none"), and after each perturbation.
    """
    rows: list[list[object]] = []
    versions: list[Perturbation | None] = [None, *perturbations]
    for clip, fakes in _by_clip(videos).items():
        source, masks = clips / f"{clip}.mkv", HeadMasks.load(heads / f"{clip}.npz")
        numbers = [k for k in sampled(len(masks), wanted) if masks.mask(k).any()]
        plain = _frames(source, None, clip, seed, numbers)
        for each in versions:
            alike = _frames(source, each, clip, seed, numbers) if each else plain
            name = each.name if each else UNPERTURBED
            for method, path in fakes:
                shown = _frames(path, each, path.stem, seed, numbers)
                values = [
                    _mean_ssim(original, shown, masks, numbers) for original in (plain, alike)
                ]
                rows.append([method, path.stem, name, len(numbers), *values])
    return pd.DataFrame(rows, columns=ROW)


def _by_clip(videos: Mapping[str, Sequence[Path]]) -> dict[str, list[tuple[str, Path]]]:
    """Return method and file of the fakes that were made, by the clip they were made of."""
    by_clip: dict[str, list[tuple[str, Path]]] = {}
    for method, paths in videos.items():
        for path in paths:
            if not is_empty(path):
                target, _, number = path.stem.split("_")
                by_clip.setdefault(f"{target}_{number}", []).append((method, path))
    return by_clip


def _frames(
    path: Path, perturbation: Perturbation | None, name: str, seed: int, numbers: Sequence[int]
) -> list[Image]:
    """Return some frames of a video, perturbed."""

    def read(video: Samples) -> list[Image]:
        return [image.rgb for image in video.read(numbers)]

    if perturbation is None:
        return with_clip(path, read)
    return with_clip(path, lambda video: with_perturbed(video, perturbation, name, seed, read))


def _mean_ssim(
    originals: Iterable[Image], fakes: Iterable[Image], masks: HeadMasks, numbers: Sequence[int]
) -> float:
    size = masks.width, masks.height
    values = [
        head_ssim(_enlarged(original, size), _enlarged(fake, size), masks.mask(number))
        for original, fake, number in zip(originals, fakes, numbers, strict=True)
    ]
    return float(np.mean(values)) if values else float("nan")


def _enlarged(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture at a size (width, height), which perturbations may have made smaller."""
    if image.shape[1::-1] == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def perturbed_ssim_table(
    scores: pd.DataFrame, perturbations: Sequence[str], *, seed: int, level: float, resamples: int
) -> pd.DataFrame:
    """Return the mean Mask-SSIM of each method after each perturbation, with its interval.

    Parameters
    ----------
    scores : DataFrame
        Columns `ROW`.
    perturbations : sequence of str
        In the order of the table.
    seed : int
    level : float
        Of the intervals, in (0, 1).
    resamples : int

    Returns
    -------
    DataFrame
        Columns method, perturbation, fakes, frames, interval ("people" or "fakes": what intervals
        are over), and the `MEASURES`, each with _low and _high.
    """
    return pd.DataFrame(
        _rows(scores, [UNPERTURBED, *perturbations], seed, level, resamples),
        columns=[
            *("method", "perturbation", "fakes", "frames", "interval"),
            *(f"{measure}{end}" for measure in MEASURES for end in ("", "_low", "_high")),
        ],
    )


def _rows(
    scores: pd.DataFrame, names: Sequence[str], seed: int, level: float, resamples: int
) -> Iterator[list[object]]:
    scores = scores.drop_duplicates(["method", "fake", "perturbation"])
    for method, part in scores.groupby("method", sort=False):
        for name in names:
            rows = part[part["perturbation"] == name]
            values: list[float] = []
            over = ""
            for measure in MEASURES:
                known = rows.dropna(subset=measure)
                mean = mean_of_fakes(
                    known[measure],
                    known["fake"].tolist(),
                    seed=seed,
                    level=level,
                    resamples=resamples,
                )
                values += [mean.value, mean.low, mean.high]
                over = mean.over
            yield [method, name, len(rows), int(rows["frames"].sum()), over, *values]
