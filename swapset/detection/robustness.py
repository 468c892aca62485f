"""Tables of detectors on perturbed videos: AUC by level, and areas under these curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from swapset.bootstrap import percentile_interval
from swapset.detection.auc import LEVELS, auc_rows
from swapset.detection.joint import joint_aucs
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
from swapset.types import Floats

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


@dataclass(frozen=True)
class Interval:
    """Settings of bootstrapped intervals.

    Attributes
    ----------
    seed : int
    level : float
        In (0, 1).
    resamples : int
    """

    seed: int
    level: float
    resamples: int


@dataclass(frozen=True)
class _Version:
    """A dataset's scores as it is, or after a perturbation.

    Attributes
    ----------
    labels : dict of str to object
        Keys perturbation, kind, level.
    scores : DataFrame
        With folds.
    """

    labels: dict[str, object]
    scores: pd.DataFrame


def robustness_tables(
    plain: Sequence[Path],
    perturbed: Sequence[Path],
    perturbations: Sequence[str],
    splits: pd.DataFrame,
    how: Interval,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the AUCs of each detector after each perturbation, and the areas under their curves.

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
    how : Interval

    Returns
    -------
    DataFrame
        detector, dataset, compression, perturbation, kind, level (0: as it is; missing: a chain),
        videos, frames, and by frame and by video auc, auc_low, auc_high, coverage
        (`frame_auc`, ...).
    DataFrame
        detector, dataset, compression, kind, levels (how many above 0), and by frame and by video
        area, area_low, area_high; see `_areas`.
    """
    rows: list[dict[str, object]] = []
    areas: list[dict[str, object]] = []
    for path in plain:
        detector, dataset = path.parent.parent.name, path.parent.name
        about = {"detector": detector, "dataset": dataset, "compression": path.stem}
        own = [f for f in perturbed if (f.parent.parent.name, f.parent.name) == (detector, dataset)]
        versions = [
            _Version(labels, with_folds(read_scores(scores), splits, dataset))
            for labels, scores in _versions(path, own, perturbations)
        ]
        rows += [about | each.labels | _measures(each.scores, how) for each in versions]
        areas += [about | area for area in _areas(versions, how)]
    ends = [f"{name}_area{end}" for name in LEVELS for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows)
    table["level"] = table["level"].astype("Int64")
    return table, pd.DataFrame(areas, columns=[*_KEYS, "kind", "levels", *ends])


def _versions(
    plain: Path, folders: Sequence[Path], perturbations: Sequence[str]
) -> Iterator[tuple[dict[str, object], Path]]:
    """Yield the labels and the scores of a dataset as it is, and after each perturbation."""
    yield {"perturbation": UNPERTURBED, "kind": UNPERTURBED, "level": 0}, plain
    by_family = {folder.name: folder for folder in folders}
    for name in perturbations:
        each = parse(name)
        labels: dict[str, object] = {
            "perturbation": name,
            "kind": each.kind,
            "level": each.level or None,
        }
        yield labels, by_family[each.family] / f"{each.key}.parquet"


def _measures(scores: pd.DataFrame, how: Interval) -> dict[str, object]:
    """Return the measures of a table of scores in one row, by frame and by video."""
    rows = auc_rows(scores, seed=how.seed, level=how.level, resamples=how.resamples)
    counts = {name: rows[0][name] for name in ("videos", "frames")}
    return counts | {f"{row['level']}_{name}": row[name] for row in rows for name in _MEASURES}


def _areas(versions: Sequence[_Version], how: Interval) -> Iterator[dict[str, object]]:
    """Yield the area under the curve of AUC over levels of each kind, and the mean over kinds.

    A curve begins at level 0, the videos as they are, and ends at the highest level that was
    measured; its area is the mean height, so that 1 is perfect at all levels and 0.5 is chance.
    Intervals resample videos, the same ones at all levels.

    Parameters
    ----------
    versions : sequence of _Version
        The first one is the dataset as it is.
    how : Interval
    """
    curves: dict[str, list[int]] = {}
    for place, each in enumerate(versions):
        if each.labels["level"]:
            curves.setdefault(str(each.labels["kind"]), []).append(place)
    if not curves:
        return
    tables = [each.scores for each in versions]
    of_kinds: dict[str, dict[str, object]] = {
        kind: {"kind": kind, "levels": len(places)} for kind, places in curves.items()
    }
    of_kinds[ALL_KINDS] = {"kind": ALL_KINDS, "levels": sum(map(len, curves.values()))}
    for name in LEVELS:
        values, drawn = joint_aucs(tables, name, seed=how.seed, resamples=how.resamples)
        aucs = np.concatenate([values[None], drawn])
        heights = {kind: _height(aucs, versions, places) for kind, places in curves.items()}
        heights[ALL_KINDS] = np.mean(list(heights.values()), axis=0)
        for kind, found in heights.items():
            low, high = percentile_interval(found[1:].tolist(), how.level)
            ends = {"": float(found[0]), "_low": low, "_high": high}
            of_kinds[kind] |= {f"{name}_area{end}": value for end, value in ends.items()}
    yield from of_kinds.values()


def _height(aucs: Floats, versions: Sequence[_Version], places: Sequence[int]) -> Floats:
    """Return the mean height of a curve, (n,) float64, in n rows of AUCs (n, versions)."""
    levels = {0.0: 0} | {float(str(versions[k].labels["level"])): k for k in places}
    steps = sorted(levels)
    curve = aucs[:, [levels[step] for step in steps]]
    return np.asarray(np.trapezoid(curve, steps, axis=1) / steps[-1], np.float64)
