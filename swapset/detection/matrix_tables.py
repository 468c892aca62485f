"""Tables of the matrix: AUCs, what is lost on other datasets, and paired differences.

Training sets of a build's own methods have the same clips of the same people, and so have their
tests: differences between them are paired, people by people.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from swapset.detection.auc import auc_row, training_spread
from swapset.detection.matrix_cells import Cell
from swapset.detection.statistics.comparisons import difference_row
from swapset.detection.statistics.levels import Faceless
from swapset.holm import holm
from swapset.jackknife import Estimate, weighted_sum

MEAN = "mean"
"""Stands for the training set in the mean over sets of one dataset."""
BEST = "best"
"""Stands for the compression where each dataset is tested in its best one."""
_KEYS = ["detector", "trained_on", "left_out", "dataset", "compression"]
_ON = ["people", "interval"]
COLUMNS = {
    "table": [
        *(*_KEYS, "learnt", "level", "auc", "auc_low", "auc_high", "videos", "frames", "coverage"),
        *("trainings", "auc_trainings_sd", *_ON, "faceless"),
    ],
    "drop": [
        *("detector", "trained_on", "left_out", "compression", "level", "learnt", "others"),
        *("difference", "low", "high", "p", "p_holm", "learnt_datasets", "other_datasets"),
        *(*_ON, "faceless"),
    ],
    "differences": [
        *("between", "level", "detector", "trained_on", "dataset", "compression"),
        *("first", "second", "difference", "low", "high", "p", "p_holm", *_ON, "faceless"),
    ],
}
"""Columns of each table, see `matrix_tables`."""


def matrix_tables(
    cells: Sequence[Cell], *, level: float, faceless: Faceless = "middle"
) -> dict[str, pd.DataFrame]:
    """Return the tables of the matrix, with the columns of `COLUMNS`.

    Parameters
    ----------
    cells : sequence of Cell
    level : float
        Of all intervals, in (0, 1); they are over people, see `swapset.detection.auc`.
    faceless : {"middle", "exclude", "real"}
        What the cells were made with.

    Returns
    -------
    dict of str to DataFrame
        "table": the AUC of each cell. "drop": the mean AUC on datasets that a detector learnt from
        less the mean on the others, for each training set, and the mean over the sets of one
        dataset; where datasets come in different compressions, also with each in its best one.
        "differences": paired differences between training sets on the same tests, and between
        tests of the same detector. p-values are corrected by Holm for the rows of a table at a
        level (of a kind of differences).
    """
    dropping = [*cells, *_in_best(cells)]
    rows = {
        "table": [row for cell in cells for row in _auc_rows(cell, level)],
        "drop": [row for group in _groups(dropping, _of_set) for row in _drop_rows(group, level)],
        "differences": list(_difference_rows(cells, level)),
    }
    rows["drop"] += list(_mean_drop_rows(dropping, level))
    tables = {}
    for name, columns in COLUMNS.items():
        table = pd.DataFrame(rows[name], columns=[c for c in columns if c != "p_holm"])
        table["faceless"] = faceless
        if "p_holm" in columns:
            by = ["between", "level"] if "between" in columns else ["level"]
            table["p_holm"] = table.groupby(by)["p"].transform(holm)
        tables[name] = table[columns]
    return tables


def _auc_rows(cell: Cell, level: float) -> Iterator[dict[str, object]]:
    about = {
        "detector": cell.detector,
        "trained_on": cell.what.name,
        "left_out": cell.what.left_out,
        "dataset": cell.dataset,
        "compression": cell.compression,
        "learnt": cell.learnt,
    }
    for name, scored in cell.scored.items():
        found = cell.estimates.get(name)
        yield about | auc_row(name, scored, found, level) | training_spread(scored)


# -- what is lost on other datasets --------------------------------------------------------------


def _in_best(cells: Sequence[Cell]) -> list[Cell]:
    """Return each dataset's cells in its best compression; none if that is the same one for all."""
    best: dict[str, str] = {}
    for cell in cells:
        best.setdefault(cell.dataset, cell.compression)
    if len(set(best.values())) < 2:
        return []
    return [
        replace(cell, compression=BEST) for cell in cells if cell.compression == best[cell.dataset]
    ]


def _drop_rows(cells: Sequence[Cell], level: float) -> Iterator[dict[str, object]]:
    """Yield the drop of a detector from the datasets that it learnt from to the others."""
    first = cells[0]
    about: dict[str, object] = {
        "detector": first.detector,
        "trained_on": first.what.name,
        "left_out": first.what.left_out,
        "compression": first.compression,
    }
    for name in first.scored:
        if found := _Drop.of(cells, name):
            learnt, others = (sum(c.learnt == side for c in found.cells) for side in (True, False))
            counts = {"learnt_datasets": learnt, "other_datasets": others}
            yield about | {"level": name} | counts | found.row(level)


def _mean_drop_rows(cells: Sequence[Cell], level: float) -> Iterator[dict[str, object]]:
    """Yield the mean drop of each detector over the training sets of one dataset."""
    single = [cell for cell in cells if len(cell.what.datasets) == 1]
    for group in _groups(single, lambda cell: (cell.detector, cell.compression)):
        about: dict[str, object] = {
            "detector": group[0].detector,
            "trained_on": MEAN,
            "left_out": "",
            "compression": group[0].compression,
        }
        for name in group[0].scored:
            drops = [_Drop.of(part, name) for part in _groups(group, _of_set)]
            known = [drop for drop in drops if drop]
            if len(known) > 1:
                yield about | {"level": name} | _Drop.mean(known).row(level)


@dataclass(frozen=True)
class _Drop:
    """Mean AUCs on the datasets that were learnt from and on the others, with their cells."""

    learnt: Estimate
    others: Estimate
    cells: Sequence[Cell]
    level: str

    @classmethod
    def of(cls, cells: Sequence[Cell], name: str) -> _Drop | None:
        """Return the drop at a level, or None if there is nothing on one side."""
        known = [cell for cell in cells if name in cell.estimates]
        sides = [[cell for cell in known if cell.learnt == side] for side in (True, False)]
        if not all(sides):
            return None
        learnt, others = (_mean([c.estimates[name] for c in side]) for side in sides)
        return cls(learnt, others, known, name)

    @classmethod
    def mean(cls, drops: Sequence[_Drop]) -> _Drop:
        """Return the mean of drops at one level."""
        cells = [cell for drop in drops for cell in drop.cells]
        learnt = _mean([drop.learnt for drop in drops])
        return cls(learnt, _mean([drop.others for drop in drops]), cells, drops[0].level)

    def row(self, level: float) -> dict[str, object]:
        """Return the row of a table, without its keys."""
        means = {"learnt": self.learnt.value, "others": self.others.value}
        scored = [cell.scored[self.level] for cell in self.cells]
        return means | difference_row(self.learnt.minus(self.others), scored, level)


def _mean(estimates: Sequence[Estimate]) -> Estimate:
    return weighted_sum([(1 / len(estimates), each) for each in estimates])


# -- paired differences ----------------------------------------------------------------------------


def _difference_rows(cells: Sequence[Cell], level: float) -> Iterator[dict[str, object]]:
    """Yield the differences between training sets, and between tests of the same detector."""
    fitted = [cell for cell in cells if cell.what.datasets]
    for group in _groups(fitted, lambda cell: (cell.detector, cell.dataset, cell.compression)):
        for one, other in itertools.combinations(group, 2):
            named: dict[str, object] = {
                "dataset": one.dataset,
                "first": one.what.name,
                "second": other.what.name,
            }
            yield from _couple_rows("training sets", one, other, named, level)
    for group in _groups(cells, _of_set):
        for one, other in itertools.combinations(group, 2):
            named = {"trained_on": one.what.name, "first": one.dataset, "second": other.dataset}
            between = "methods" if one.own and other.own else "datasets"
            yield from _couple_rows(between, one, other, named, level)


def _couple_rows(
    between: str, one: Cell, other: Cell, named: dict[str, object], level: float
) -> Iterator[dict[str, object]]:
    about: dict[str, object] = {
        "between": between,
        "detector": one.detector,
        "compression": one.compression,
        "trained_on": "",
        "dataset": "",
    }
    for name in [name for name in one.estimates if name in other.estimates]:
        scored = [one.scored[name], other.scored[name]]
        difference = one.estimates[name].minus(other.estimates[name])
        yield about | named | {"level": name} | difference_row(difference, scored, level)


def _of_set(cell: Cell) -> tuple[str, ...]:
    return cell.detector, cell.what.name, cell.compression


def _groups(cells: Sequence[Cell], key: Callable[[Cell], tuple[str, ...]]) -> list[list[Cell]]:
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return list(groups.values())
