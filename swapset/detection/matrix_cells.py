"""The matrix: scores and AUCs by what a detector learnt from and what it is tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from swapset.dataset.trainings import parted
from swapset.detection.auc import estimate_at
from swapset.detection.protocol import (
    open_stores,
    own_kinds,
    read_scores,
    score_stores,
    with_people,
    write_scores,
)
from swapset.detection.statistics.levels import Faceless, Scored, all_levels
from swapset.detectors.base import Detector
from swapset.io.files import atomic_output
from swapset.jackknife import Estimate
from swapset.media.compressions import COMPRESSIONS

PUBLISHED = "published weights"
"""Stands for the training set of detectors that were not fitted here."""
_ORDER: list[str] = list(COMPRESSIONS)


@dataclass(frozen=True)
class Learnt:
    """Datasets that detectors learn from together; `left_out` names the one that is left out."""

    name: str
    datasets: Sequence[str]
    left_out: str = ""


@dataclass(frozen=True)
class ScorePaths:
    """Files and folders of scores.

    Attributes
    ----------
    first : sequence of Path
        Of the first training set: `…/<detector>/<dataset>/<compression>.parquet`.
    further : sequence of Path
        Of further ones, see `write_kind_scores`: `…/<detector>@<training set>/<kind>`.
    """

    first: Sequence[Path]
    further: Sequence[Path]


@dataclass(frozen=True)
class Cell:
    """A detector of one training set on one dataset in one compression.

    Attributes
    ----------
    detector : str
    what : Learnt
    dataset, compression : str
    own : bool
        Whether the dataset is a method of the build.
    scored : dict of str to Scored
        By level.
    estimates : dict of str to Estimate
        AUCs by level; none where no detector scored both real and fake ones.
    """

    detector: str
    what: Learnt
    dataset: str
    compression: str
    own: bool
    scored: dict[str, Scored]
    estimates: dict[str, Estimate]

    @property
    def learnt(self) -> bool:
        """Return whether the detector learnt from this dataset: a cell of the diagonal."""
        return self.dataset in self.what.datasets


def write_kind_scores(
    folder: Path, detectors: Mapping[int, Detector], faces: Sequence[Path], splits: pd.DataFrame
) -> None:
    """Score the test videos of a kind; write `<compression>.parquet` of each compression.

    Parameters
    ----------
    folder : Path
        The folder to write, whole or not at all.
    detectors : mapping of int to Detector
        By number, see `swapset.dataset.trainings`.
    faces : sequence of Path
        Stores of the faces: `…/<kind>/<compression>/<block>`.
    splits : DataFrame
        See `swapset.detection.protocol`.
    """
    groups: dict[str, list[Path]] = {}
    for path in faces:
        groups.setdefault(path.parent.name, []).append(path)
    with atomic_output(folder, directory=True) as scratch:
        for compression, paths in groups.items():
            scores = score_stores(detectors, open_stores(paths), splits)
            write_scores(scratch / f"{compression}.parquet", scores)


def dataset_scores(file: Path, *, own: bool) -> pd.DataFrame:
    """Return the scores of a dataset that `write_kind_scores` wrote, of real and fake videos.

    Parameters
    ----------
    file : Path
        `…/<kind>/<compression>.parquet`, where the kind is the dataset.
    own : bool
        Whether it is a method of the build, whose real videos are a kind of their own.
    """
    parts = [read_scores(file)]
    if own:
        parts.append(read_scores(file.parents[1] / "real" / file.name))
    return pd.concat(parts).sort_values(["video", "frame", "fold"], ignore_index=True)


def read_cells(
    scores: ScorePaths,
    sets: Sequence[Learnt],
    splits: Mapping[str, pd.DataFrame],
    *,
    published: Sequence[str] = (),
    faceless: Faceless = "middle",
) -> list[Cell]:
    """Return all cells, by detector, training set, dataset and compression.

    Parameters
    ----------
    scores : ScorePaths
    sets : sequence of Learnt
        The first one is that of `scores.first`.
    splits : mapping of str to DataFrame
        The table of splits of each set, by its name, see `swapset.detection.protocol`.
    published : sequence of str
        Detectors with published weights, which learnt from none of the sets.
    faceless : {"middle", "exclude", "real"}
        See `swapset.detection.statistics.levels.at_level`.
    """
    by_name = {each.name: each for each in sets}
    nothing = Learnt(PUBLISHED, ())
    cells = []
    for path in scores.first:
        detector = path.parent.parent.name
        what = nothing if detector in published else sets[0]
        place = detector, what, path.parent.name, path.stem
        cells.append(_cell(*place, read_scores(path), splits[sets[0].name], faceless))
    for trained, folders in _by_detector(scores.further).items():
        detector, name = parted(trained)
        own = own_kinds(splits[name])
        for dataset in [kind for kind in folders if kind != "real"]:
            for file in sorted(folders[dataset].glob("*.parquet"), key=_best_first):
                table = dataset_scores(file, own=dataset in own)
                place = detector, by_name[name], dataset, file.stem
                cells.append(_cell(*place, table, splits[name], faceless))
    return _in_order(cells, [each.name for each in sets])


def _in_order(cells: Sequence[Cell], sets: Sequence[str]) -> list[Cell]:
    """Return cells by detector, training set and dataset, as these come first or in the config."""
    detectors = list(dict.fromkeys(cell.detector for cell in cells))
    datasets = list(dict.fromkeys(cell.dataset for cell in cells))
    places = {name: number for number, name in enumerate([PUBLISHED, *sets])}
    return sorted(
        cells,
        key=lambda cell: (
            detectors.index(cell.detector),
            places[cell.what.name],
            datasets.index(cell.dataset),
            _ORDER.index(cell.compression),
        ),
    )


def _by_detector(folders: Sequence[Path]) -> dict[str, dict[str, Path]]:
    found: dict[str, dict[str, Path]] = {}
    for folder in folders:
        found.setdefault(folder.parent.name, {})[folder.name] = folder
    return found


def _best_first(file: Path) -> int:
    """Return a key that sorts files named by compressions, the best one first."""
    return _ORDER.index(file.stem)


def _cell(
    detector: str,
    what: Learnt,
    dataset: str,
    compression: str,
    scores: pd.DataFrame,
    splits: pd.DataFrame,
    faceless: Faceless,
) -> Cell:
    scored = all_levels(with_people(scores, splits, dataset), faceless)
    found = {name: estimate_at(scored, name) for name in scored}
    estimates = {name: value for name, value in found.items() if value is not None}
    own = dataset in own_kinds(splits)
    return Cell(detector, what, dataset, compression, own, scored, estimates)
