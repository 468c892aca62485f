"""Make tables of AUCs from files of scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from swapset.detection.auc import (
    LEVELS,
    Scored,
    at_level,
    auc_rows,
    average_precision,
    equal_error_rate,
    roc_points,
)
from swapset.detection.ensemble import ensemble_auc
from swapset.detection.protocol import read_scores
from swapset.detection.store import FaceStore

_KEYS = ["detector", "dataset", "compression", "level"]


def left_out_table(faces: Iterable[Path], not_read: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return the videos that no detector scored: columns kind, compression, video, reason.

    Parameters
    ----------
    faces : iterable of Path
        Stores of faces, `…/<kind>/<compression>/<block>`.
    not_read : sequence of (dataset, path, reason)
        Files that the layouts of public datasets did not use.
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
    files: Sequence[Path], *, seed: int, level: float, resamples: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the tables of AUCs, of error rates, and of ROC curves.

    Parameters
    ----------
    files : sequence of Path
        `…/scores/<detector>/<dataset>/<compression>.parquet`.
    seed : int
        Of the bootstrap behind the intervals.
    level : float
        Of the intervals, in (0, 1).
    resamples : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        detector, dataset, compression, level, auc, auc_low, auc_high, videos, frames, coverage,
        auc_ensemble; the last is NaN where each video is tested in one fold.
    DataFrame
        detector, dataset, compression, level, equal_error_rate, average_precision.
    DataFrame
        detector, dataset, compression, level, false_positive, true_positive.
    """
    aucs, rates, curves = [], [], []
    for path in files:
        scores = read_scores(path)
        about = {
            "detector": path.parent.parent.name,
            "dataset": path.parent.name,
            "compression": path.stem,
        }
        rows = auc_rows(scores, seed=seed, level=level, resamples=resamples)
        for row in rows:
            together = ensemble_auc(scores, str(row["level"]))
            aucs.append(about | row | {"auc_ensemble": together})
        for name in LEVELS:
            scored = at_level(scores, name)
            if scored.both:
                keys = about | {"level": name}
                rates.append(keys | _rates(scored))
                curves.append(roc_points(scored).assign(**keys))
    no_curves = pd.DataFrame(columns=[*_KEYS, "false_positive", "true_positive"])
    all_curves = pd.concat(curves, ignore_index=True) if curves else no_curves
    return (
        pd.DataFrame(aucs),
        pd.DataFrame(rates, columns=[*_KEYS, "equal_error_rate", "average_precision"]),
        all_curves[no_curves.columns],
    )


def _rates(scored: Scored) -> dict[str, float]:
    return {
        "equal_error_rate": equal_error_rate(scored),
        "average_precision": average_precision(scored),
    }
