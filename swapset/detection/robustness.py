"""Tables of detectors on perturbed videos: AUC by level, and areas under these curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from swapset.detection.auc import auc_row, estimate_at
from swapset.detection.protocol import (
    open_stores,
    read_scores,
    score_stores,
    with_people,
    write_scores,
)
from swapset.detection.statistics.levels import LEVELS, Faceless, Scored, all_levels
from swapset.detection.store import FaceStore
from swapset.detectors.base import Detector
from swapset.io.files import atomic_output
from swapset.jackknife import Estimate, weighted_sum
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


@dataclass(frozen=True)
class _Version:
    """A dataset's scores as it is, or after a perturbation.

    Attributes
    ----------
    labels : dict of str to object
        Keys perturbation, kind, level.
    scored : dict of str to Scored
        By frame and by video.
    estimates : dict of str to Estimate or None
        AUCs, by frame and by video; None where no detector scored both real and fake ones.
    """

    labels: dict[str, object]
    scored: dict[str, Scored]
    estimates: dict[str, Estimate | None]

    @classmethod
    def of(cls, labels: dict[str, object], scores: pd.DataFrame, faceless: Faceless) -> _Version:
        scored = all_levels(scores, faceless)
        return cls(
            labels,
            {name: scored[name] for name in LEVELS},
            {name: estimate_at(scored, name) for name in LEVELS},
        )


def robustness_tables(
    plain: Sequence[Path],
    perturbed: Sequence[Path],
    perturbations: Sequence[str],
    splits: pd.DataFrame,
    *,
    level: float,
    faceless: Faceless = "middle",
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
    level : float
        Of the intervals, in (0, 1); they are over people, see `swapset.detection.auc`.
    faceless : {"middle", "exclude", "real"}
        How videos without a face count, see `swapset.detection.statistics.levels.at_level`.

    Returns
    -------
    DataFrame
        detector, dataset, compression, perturbation, kind, level (0: as it is; missing: a chain),
        videos, frames, people, interval (what it is over), faceless, and by frame and by video
        auc, auc_low, auc_high, coverage (`frame_auc`, ...).
    DataFrame
        detector, dataset, compression, kind, levels (how many above 0), and by frame and by video
        area, area_low, area_high, see `area_estimates`; people, interval, faceless as above.
    """
    rows: list[dict[str, object]] = []
    areas: list[dict[str, object]] = []
    for path in plain:
        detector, dataset = path.parent.parent.name, path.parent.name
        about = {"detector": detector, "dataset": dataset, "compression": path.stem}
        own = [f for f in perturbed if (f.parent.parent.name, f.parent.name) == (detector, dataset)]
        versions = [
            _Version.of(labels, with_people(read_scores(scores), splits, dataset), faceless)
            for labels, scores in _versions(path, own, perturbations)
        ]
        rows += [
            about | each.labels | _measures(each, level) | {"faceless": faceless}
            for each in versions
        ]
        areas += [about | area | {"faceless": faceless} for area in _areas(versions, level)]
    ends = [f"{name}_area{end}" for name in LEVELS for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows)
    table["level"] = table["level"].astype("Int64")
    columns = [*_KEYS, "kind", "levels", *ends, "people", "interval", "faceless"]
    return table, pd.DataFrame(areas, columns=columns)


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


def _measures(version: _Version, level: float) -> dict[str, object]:
    """Return the measures of a dataset's scores in one row, by frame and by video."""
    rows = [
        auc_row(name, scored, version.estimates[name], level)
        for name, scored in version.scored.items()
    ]
    shared = {name: rows[0][name] for name in ("videos", "frames", "people", "interval")}
    return shared | {f"{row['level']}_{name}": row[name] for row in rows for name in _MEASURES}


def _areas(versions: Sequence[_Version], level: float) -> Iterator[dict[str, object]]:
    """Yield the rows of areas, see `area_estimates`; `level` is that of the intervals."""
    names = [str(each.labels["perturbation"]) for each in versions]
    found = {
        at: area_estimates(dict(zip(names, (each.estimates[at] for each in versions), strict=True)))
        for at in LEVELS
    }
    curves = _curves(names)
    for kind in found[LEVELS[0]]:
        counted = [kind] if kind != ALL_KINDS else list(curves)
        row: dict[str, object] = {"kind": kind}
        row["levels"] = sum(len(curves[name]) for name in counted)
        whole = versions[0].scored["video"]
        row |= {"people": whole.known_people, "interval": whole.over}
        for at in LEVELS:
            area = found[at][kind]
            ends = (
                (float("nan"),) * 3 if area is None else (area.value, *area.share_interval(level))
            )
            for end, value in zip(("", "_low", "_high"), ends, strict=True):
                row[f"{at}_area{end}"] = value
        yield row


def area_estimates(aucs: Mapping[str, Estimate | None]) -> dict[str, Estimate | None]:
    """Return the area under the curve of AUC over levels of each kind, and the mean over kinds.

    A curve begins at level 0, the videos as they are, and ends at the highest level that was
    measured; its area is the mean height, so that 1 is perfect at all levels and 0.5 is chance.
    Intervals are over people, who are the same ones at all levels.

    Parameters
    ----------
    aucs : mapping of str to Estimate or None
        By name of the perturbation, with `UNPERTURBED`; None without both real and fake scores.

    Returns
    -------
    dict of str to Estimate or None
        By kind, and `ALL_KINDS`; None where an AUC is missing. Chains have no curve.
    """
    weights = {kind: _weights(levels) for kind, levels in _curves(aucs).items()}
    if not weights:
        return {}
    names = dict.fromkeys(name for shares in weights.values() for name in shares)
    weights[ALL_KINDS] = {
        name: float(np.mean([shares.get(name, 0.0) for shares in weights.values()]))
        for name in names
    }
    return {kind: _area(aucs, shares) for kind, shares in weights.items()}


def _curves(names: Iterable[str]) -> dict[str, dict[int, str]]:
    """Return the perturbations of each kind by level, of those that have a level."""
    curves: dict[str, dict[int, str]] = {}
    for name in names:
        if name != UNPERTURBED and (each := parse(name)).level:
            curves.setdefault(each.kind, {})[each.level] = name
    return curves


def _area(aucs: Mapping[str, Estimate | None], shares: Mapping[str, float]) -> Estimate | None:
    """Return the mean of AUCs by their shares; None if one is missing."""
    parts = [(share, aucs[name]) for name, share in shares.items() if share]
    known = [(share, auc) for share, auc in parts if auc is not None]
    return weighted_sum(known) if len(known) == len(parts) else None


def _weights(levels: Mapping[int, str]) -> dict[str, float]:
    """Return the share of each version in the mean height of a curve, by name.

    Parameters
    ----------
    levels : mapping of int to str
        The perturbations of the curve by level, beside the videos as they are, at level 0.
    """
    named = {0: UNPERTURBED, **levels}
    steps = np.array(sorted(named), np.float64)
    half = np.diff(steps) / (2 * steps[-1])
    shares = np.append(half, 0) + np.append(0, half)
    return {named[int(step)]: float(share) for step, share in zip(steps, shares, strict=True)}
