"""Tables of AUCs from files of scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from swapset.detection.auc import (
    LEVELS,
    at_level,
    auc_rows,
    average_precision,
    equal_error_rate,
    roc_points,
)
from swapset.detection.protocol import read_scores, with_folds
from swapset.detection.store import FaceStore


def left_out_table(faces: Iterable[Path], not_read: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return what no detector saw: columns kind, compression, video, reason.

    Parameters
    ----------
    faces : iterable of Path
        Stores of faces, `…/<kind>/<compression>/<block>`.
    not_read : sequence of (dataset, path, reason)
        What the layouts of public datasets did not use.
    """
    rows = [(dataset, "", path, reason) for dataset, path, reason in not_read]
    for folder in faces:
        store = FaceStore(folder)
        rows += [
            (folder.parent.parent.name, folder.parent.name, video, reason)
            for video, reason in zip(store.videos, store.reasons, strict=True)
            if reason
        ]
    return pd.DataFrame(rows, columns=["kind", "compression", "video", "reason"])


def auc_tables(
    files: Sequence[Path], splits: pd.DataFrame, *, seed: int, level: float, resamples: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the tables of AUCs, of rates, and of ROC curves.

    Parameters
    ----------
    files : sequence of Path
        `…/scores/<detector>/<dataset>/<compression>.parquet`.
    splits : DataFrame
        See `swapset.detection.protocol`.
    seed, level, resamples
        Of the bootstrap behind the intervals.

    Returns
    -------
    DataFrame
        detector, dataset, compression, level, auc, auc_low, auc_high, videos, frames, coverage.
    DataFrame
        detector, dataset, compression, level, equal_error_rate, average_precision.
    DataFrame
        detector, dataset, compression, level, false_positive, true_positive.
    """
    aucs, rates, curves = [], [], []
    for path in files:
        scores = with_folds(read_scores(path), splits, path.parent.name)
        about = {
            "detector": path.parent.parent.name,
            "dataset": path.parent.name,
            "compression": path.stem,
        }
        rows = auc_rows(scores, seed=seed, level=level, resamples=resamples)
        aucs += [about | row for row in rows]
        for name in LEVELS:
            scored = at_level(scores, name)
            if scored.both:
                here = about | {"level": name}
                rates.append(
                    here
                    | {
                        "equal_error_rate": equal_error_rate(scored),
                        "average_precision": average_precision(scored),
                    }
                )
                curves.append(roc_points(scored).assign(**here))
    keys = ["detector", "dataset", "compression", "level"]
    none = pd.DataFrame(columns=[*keys, "false_positive", "true_positive"])
    drawn = pd.concat(curves, ignore_index=True) if curves else none
    return (
        pd.DataFrame(aucs),
        pd.DataFrame(rates, columns=[*keys, "equal_error_rate", "average_precision"]),
        drawn[none.columns],
    )
