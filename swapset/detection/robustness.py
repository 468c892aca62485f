"""Tables of how well detectors do on perturbed videos: AUC by level, and areas under these curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from swapset.detection.auc import LEVELS, auc_rows
from swapset.detection.protocol import (
    open_stores,
    read_scores,
    score_stores,
    with_folds,
    write_scores,
)
from swapset.detection.store import FaceStore
from swapset.detectors.base import Detector
from swapset.io.files import atomic_output
from swapset.media.perturbations.names import parse

Stores = Mapping[str, Sequence[FaceStore]]
"""Stores of faces by kind of video."""

UNPERTURBED, ALL_KINDS = "none", "all"
"""Kind of the videos as they are, and of the mean over kinds."""

_MEASURES = ("auc", "auc_low", "auc_high", "coverage")
_KEYS = ["detector", "dataset", "compression"]


def by_perturbation(folders: Iterable[Path]) -> dict[str, Stores]:
    """Open stores of faces of perturbed videos.

    Parameters
    ----------
    folders : iterable of Path
        `…/<perturbation's key>/<kind>/<compression>/<block>`.

    Returns
    -------
    dict of str to (mapping of str to sequence of FaceStore)
        By the perturbation's key, then by kind.
    """
    groups: dict[str, list[Path]] = {}
    for folder in folders:
        groups.setdefault(folder.parents[2].name, []).append(folder)
    return {key: open_stores(paths) for key, paths in groups.items()}


def write_all_scores(
    folder: Path,
    detectors: Mapping[int, Detector],
    stores: Mapping[str, Stores],
    splits: pd.DataFrame,
) -> None:
    """Score the test videos after each perturbation; write `<perturbation's key>.parquet` of each.

    Parameters
    ----------
    folder : Path
        The folder to write, whole or not at all.
    detectors : mapping of int to Detector
        By fold.
    stores : mapping of str to (mapping of str to sequence of FaceStore)
        See `by_perturbation`.
    splits : DataFrame
        See `swapset.detection.protocol`.
    """
    with atomic_output(folder, directory=True) as scratch:
        for key, faces in stores.items():
            write_scores(scratch / f"{key}.parquet", score_stores(detectors, faces, splits))


def robustness_table(
    plain: Sequence[Path],
    perturbed: Sequence[Path],
    perturbations: Sequence[str],
    splits: pd.DataFrame,
    *,
    seed: int,
    level: float,
    resamples: int,
) -> pd.DataFrame:
    """Return the AUC of each detector on each dataset, as it is and after each perturbation.

    Parameters
    ----------
    plain : sequence of Path
        Scores of the videos as they are: `…/<detector>/<dataset>/<compression>.parquet`.
    perturbed : sequence of Path
        Scores after perturbations: `…/<detector>/<dataset>/<family>`, see `write_all_scores`.
    perturbations : sequence of str
        Names of the perturbations, in the order of the table.
    splits : DataFrame
        See `swapset.detection.protocol`.
    seed : int
        Of the bootstrap behind the intervals.
    level : float
        Of the intervals, in (0, 1).
    resamples : int

    Returns
    -------
    DataFrame
        detector, dataset, compression, perturbation, kind, level (0: as it is; missing: a chain),
        videos, frames, and by frame and by video auc, auc_low, auc_high, coverage
        (`frame_auc`, ...).
    """
    rows = []
    for path in plain:
        detector, dataset = path.parent.parent.name, path.parent.name
        about = {"detector": detector, "dataset": dataset, "compression": path.stem}
        folders = [f for f in perturbed if (f.parent.parent.name, f.parent.name) == (detector, dataset)]
        for labels, scores in _versions(path, folders, perturbations):
            table = with_folds(read_scores(scores), splits, dataset)
            rows.append(
                about | labels | _measures(table, seed=seed, level=level, resamples=resamples)
            )
    return pd.DataFrame(rows)


def _versions(
    plain: Path, folders: Sequence[Path], perturbations: Sequence[str]
) -> Iterator[tuple[dict[str, object], Path]]:
    """Yield the labels and the scores of a dataset as it is, and after each perturbation."""
    yield {"perturbation": UNPERTURBED, "kind": UNPERTURBED, "level": 0}, plain
    by_family = {folder.name: folder for folder in folders}
    for name in perturbations:
        each = parse(name)
        labels = {"perturbation": name, "kind": each.kind, "level": each.level or float("nan")}
        yield labels, by_family[each.family] / f"{each.key}.parquet"


def _measures(scores: pd.DataFrame, **how: float) -> dict[str, object]:
    """Return the measures of a table of scores in one row, by frame and by video.

    The intervals are those of `auc_rows`, whatever it resamples.
    """
    rows = auc_rows(scores, seed=int(how["seed"]), level=how["level"], resamples=int(how["resamples"]))
    counts = {name: rows[0][name] for name in ("videos", "frames")}
    return counts | {f"{row['level']}_{name}": row[name] for row in rows for name in _MEASURES}


def area_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the area under the curve of AUC over levels, for each detector, dataset and kind.

    A curve begins at level 0, the videos as they are, and ends at the highest level that was
    measured; its area is the mean height, so that 1 is perfect at all levels and 0.5 is chance.

    Parameters
    ----------
    table : DataFrame
        That of `robustness_table`.

    Returns
    -------
    DataFrame
        detector, dataset, compression, kind, levels (how many above 0), frame_area, video_area.
        Kind "all" is the mean over kinds. NaN where an AUC is unknown.
    """
    columns = [f"{name}_area" for name in LEVELS]
    rows: list[dict[str, object]] = []
    for about, part in table.groupby(_KEYS, sort=False):
        keys = dict(zip(_KEYS, about, strict=True))
        plain = part[part["kind"] == UNPERTURBED]
        curves = part[part["level"] > 0].groupby("kind", sort=False)
        found = [
            keys | {"kind": kind, "levels": len(curve)} | _areas(pd.concat([plain, curve]))
            for kind, curve in curves
        ]
        if found:
            means = pd.DataFrame(found)[columns].mean(skipna=False).to_dict()
            levels = sum(int(row["levels"]) for row in found)
            found.append(keys | {"kind": ALL_KINDS, "levels": levels} | means)
        rows += found
    return pd.DataFrame(rows, columns=[*_KEYS, "kind", "levels", *columns])


def _areas(curve: pd.DataFrame) -> dict[str, float]:
    curve = curve.sort_values("level")
    steps = curve["level"].to_numpy(float)
    return {
        f"{name}_area": float(np.trapezoid(curve[f"{name}_auc"].to_numpy(float), steps) / steps[-1])
        for name in LEVELS
    }
