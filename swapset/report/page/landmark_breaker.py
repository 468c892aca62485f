"""The report's section on Landmark Breaker: errors and qualities by attack, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from swapset.obstruction.tables import MEASURES, known, label
from swapset.report.page.markup import Markup, element, joined, table
from swapset.report.page.pictures import figure

FIGURES = {
    "landmark_breaker_pictures": ("One frame", "The steps of figure 4.11 of the chapter."),
    "landmark_breaker_robustness": (
        "Errors under compression",
        "Attacks on extractors that they know, with bootstrap intervals over runs of frames, as "
        "figure 4.12 of the chapter, whose own numbers are hollow.",
    ),
    "landmark_breaker_sweep": ("Other steps", "Landmark Breaker, as figure 4.13 of the chapter."),
}
_PICTURES = "landmark_breaker_pictures"
_WORDS = {"nme": "NME", "ssim_i": "SSIM_I", "ssim_w": "SSIM_W"}
_HEADS = {"source": "made on", "nme_difference": "NME difference"}


def landmark_breaker(
    root: Path,
    means: pd.DataFrame | None,
    differences: pd.DataFrame | None,
    figures: Sequence[Path],
) -> Markup:
    """Return what noise does to landmarks, pictures and swaps; nothing if it was not measured.

    Parameters
    ----------
    root : Path
        The build's folder.
    means, differences : DataFrame or None
        `tables/landmark_breaker.csv` and `landmark_breaker_differences.csv`.
    figures : sequence of Path
        Those of `swapset.build.figures.BREAKER_FIGURES`.
    """
    if means is None or not len(means):
        return Markup("")
    parts = [
        element("h2", "Landmark Breaker"),
        element(
            "p",
            "Noise on originals against landmark extraction. NME: error of the landmarks that an "
            "extractor finds, in distances of the outer eye corners; higher protects better. "
            "SSIM_I: the noisy picture's likeness to the original, inside the face. SSIM_W: the "
            "likeness of the swap made from it to the swap of the original; lower protects better.",
        ),
        element("h3", "Attacks without compression, known and other extractors"),
        table(transfers(means), _HEADS),
        element("h3", "Attacks on known extractors, by compression"),
        table(robustness(means), _HEADS),
    ]
    if differences is not None and len(differences):
        parts += [
            element("h3", "Differences on the same frames"),
            table(differences, _HEADS),
            element(
                "p",
                "NME of the first attack minus that of the other, run by run of frames, with its "
                "bootstrap interval.",
                class_="note",
            ),
        ]
    shown = [
        figure(path, root, *FIGURES[path.stem], photographic=path.stem == _PICTURES)
        for path in figures
    ]
    return joined([*parts, *shown])


def transfers(means: pd.DataFrame) -> pd.DataFrame:
    """Return uncompressed frames' rows: attack, source, SSIM_I, then NME and SSIM_W by target.

    As tables 4.5 to 4.7 of the chapter.
    """
    rows = means[means["compression"] == "none"]
    wide = _wide(rows, ["attack", "source"], ["nme", "ssim_w"])
    quality = rows.groupby(["attack", "source"], sort=False)["ssim_i"].first()
    wide.insert(2, "SSIM_I", list(quality))
    return wide


def robustness(means: pd.DataFrame) -> pd.DataFrame:
    """Return rows by compression and attack: NME, SSIM_I and SSIM_W of each known target.

    As table 4.8 of the chapter. Clean frames stand beside.
    """
    rows = known(means)
    named = rows.assign(attack=list(map(label, rows["attack"], rows["source"])))
    return _wide(named, ["compression", "attack"], MEASURES)


def _wide(rows: pd.DataFrame, keys: list[str], measures: list[str]) -> pd.DataFrame:
    """Return one row for the values of `keys`, a column for each measure and target; in order."""
    wide = rows[keys].drop_duplicates()
    for measure in measures:
        for target in dict.fromkeys(rows["target"]):
            column = rows.loc[rows["target"] == target, [*keys, measure]]
            named = column.rename(columns={measure: f"{_WORDS[measure]} {target}"})
            wide = wide.merge(named, on=keys, how="left")
    return wide
