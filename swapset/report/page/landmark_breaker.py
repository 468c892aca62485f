"""The report's section on Landmark Breaker: errors and similarities by attack, and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.obstruction.attacks.registry import DLIB, MESH
from swapset.obstruction.tables import known, label
from swapset.report.page.pictures import Picture, picture
from swapset.report.page.section import Section
from swapset.report.page.tables import Table, table

FIGURES = {
    "landmark_breaker_pictures": (
        "One frame",
        "From the original to the swaps without and with noise, a row for each extractor, as in "
        "figure 4.11 of the chapter.",
    ),
    "landmark_breaker_robustness": (
        "Errors under compression",
        "Attacks on extractors that they know, with bootstrap intervals over runs of frames. As "
        "figure 4.12 of the chapter, with its numbers as hollow marks.",
    ),
    "landmark_breaker_sweep": (
        "Other steps",
        "Landmark Breaker with other step sizes and numbers of steps, a line for each extractor, "
        "as in figure 4.13 of the chapter.",
    ),
}
_PICTURES = "landmark_breaker_pictures"
_WORDS = {
    **{"nme": "NME", "ssim_i": "SSIM_I", "ssim_w": "SSIM_W"},
    **{"moved": "moved by", "found": "found by"},
}
_HEADS = {"source": "made on", "nme_difference": "NME difference"}


@dataclass(frozen=True)
class LandmarkBreaker(Section):
    """Errors and similarities by attack, differences between attacks or None, and figures.

    `black_boxes` is of models that no attack follows; None if it was not measured.
    """

    name = "landmark_breaker"
    title = "Landmark Breaker"
    transfers: Table
    robustness: Table
    black_boxes: Table | None
    differences: Table | None
    figures: Sequence[Picture]


def landmark_breaker(
    root: Path,
    means: pd.DataFrame | None,
    differences: pd.DataFrame | None,
    detection: pd.DataFrame | None,
    figures: Sequence[Path],
) -> LandmarkBreaker | None:
    """Return the section, or None if no attack was measured.

    Parameters
    ----------
    root : Path
        The build's folder.
    means, differences, detection : DataFrame or None
        `tables/landmark_breaker.csv`, `landmark_breaker_differences.csv` and
        `landmark_breaker_detection.csv`.
    figures : sequence of Path
        Files named as in `swapset.build.figures.BREAKER_FIGURES`.
    """
    if means is None or not len(means):
        return None
    compared, boxes = None, None
    if differences is not None and len(differences):
        compared = table(differences, _HEADS)
    if detection is not None and len(detection):
        boxes = table(black_boxes(means, detection), _HEADS)
    return LandmarkBreaker(
        table(transfers(means), _HEADS),
        table(robustness(means), _HEADS),
        boxes,
        compared,
        [
            picture(path, root, *FIGURES[path.stem], photographic=path.stem == _PICTURES)
            for path in figures
        ],
    )


def transfers(means: pd.DataFrame) -> pd.DataFrame:
    """Return the results on uncompressed frames, as in tables 4.5 to 4.7 of the chapter.

    The columns are attack, source, SSIM_I, then NME and SSIM_W for each target.
    """
    rows = means[means["compression"] == "none"]
    wide = _wide(rows, ["attack", "source"], ["nme", "ssim_w"])
    quality = rows.groupby(["attack", "source"], sort=False)["ssim_i"].first()
    wide.insert(2, "SSIM_I", list(quality))
    return wide


def robustness(means: pd.DataFrame) -> pd.DataFrame:
    """Return NME, SSIM_I and SSIM_W on known extractors, as in table 4.8 of the chapter.

    There is a row for each compression and attack; clean frames have rows, too.
    """
    rows = known(means)
    named = rows.assign(attack=list(map(label, rows["attack"], rows["source"])))
    return _wide(named, ["compression", "attack"], ["nme", "ssim_i", "ssim_w"])


def black_boxes(means: pd.DataFrame, detection: pd.DataFrame) -> pd.DataFrame:
    """Return what noise does to models that no attack follows, in means over its sources.

    The columns are compression, attack, how far each landmark model's points move from its own on
    the clean frame, and the share of frames in which each detector finds the face.
    """
    keys = ["compression", "attack"]
    moved = means[means["target"].isin([DLIB, MESH])]
    parts = [
        _wide(
            rows.groupby([*keys, "target"], sort=False, as_index=False)[[measure]].mean(),
            keys,
            [measure],
        )
        for rows, measure in (
            (moved, "moved"),
            (detection.rename(columns={"detector": "target"}), "found"),
        )
    ]
    return parts[0].merge(parts[1], on=keys, how="left")


def _wide(rows: pd.DataFrame, keys: list[str], measures: list[str]) -> pd.DataFrame:
    """Return a row for each value of `keys`, and a column for each measure and target."""
    wide = rows[keys].drop_duplicates()
    for measure in measures:
        for target in dict.fromkeys(rows["target"]):
            column = rows.loc[rows["target"] == target, [*keys, measure]]
            named = column.rename(columns={measure: f"{_WORDS[measure]} {target}"})
            wide = wide.merge(named, on=keys, how="left")
    return wide
