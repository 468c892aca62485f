"""Read the scores of a detector that was run elsewhere, and bring them into the build's form.

A file has a row per frame (columns video, frame, score) or per video (video, score). It may leave
videos out, which then have no score and lower the coverage; a video that the dataset does not have
is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from swapset.errors import DataError
from swapset.io.tables import Table

SUMMARY = [
    *("detector", "dataset", "compression", "file", "higher", "direction", "auc_as_given"),
    *("videos", "missing", "not_tested", "frames"),
]
"""Columns of `tables/outside_scores.csv`."""

SAID, FOUND, FOUND_ON_TESTS = "said", "found on other videos", "found on the tested videos"
_ENDINGS = (".mp4", ".avi", ".mov", ".mkv", ".webm")
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
_SHOWN = 3


@dataclass(frozen=True)
class Direction:
    """The meaning of a higher score.

    Attributes
    ----------
    higher : {"fake", "real"}
    source : str
        How that is known: `SAID`, `FOUND` or `FOUND_ON_TESTS`.
    auc : float
        Mean over the files of the AUC by video of the scores as they are given, on the videos that
        `source` names; NaN if it was said, or no file has both real and fake videos.
    """

    higher: str
    source: str
    auc: float = float("nan")


def read_outside(path: Path, labels: Mapping[str, int]) -> pd.DataFrame:
    """Read a file of scores.

    Parameters
    ----------
    path : Path
        A CSV file with columns video, score, and optionally frame; videos with or without the
        ending of their file. An empty score means that there is none.
    labels : mapping of str to int
        The label of every video of the dataset: 1 = fake.

    Returns
    -------
    DataFrame
        Columns video, frame (0 if the file has none), label, score.

    Raises
    ------
    DataError
        If a row is wrong, a video is not in the dataset, or a video or frame is there twice; the
        message names the line.
    """
    table = Table(path, ("video", "score"), largest=None)
    table.check_columns(("video", "score"), ("frame",), others=True)
    rows: dict[tuple[str, int], tuple[int, float]] = {}
    unknown: dict[str, int] = {}
    for line, cells in table.rows():
        where = f"{path}, line {line}"
        video = _video(cells["video"], labels)
        if video is None:
            unknown.setdefault(cells["video"], line)
            continue
        key = video, _frame(where, cells)
        if key in rows:
            raise DataError(
                f"{where}: {video} has a score of the same frame in line {rows[key][0]}; keep one"
            )
        rows[key] = line, _score(where, cells["score"])
    if unknown:
        raise _unknown(path, unknown, labels)
    if not rows:
        raise DataError(f"{path}: has no rows below its header")
    return pd.DataFrame(
        [(video, frame, labels[video], score) for (video, frame), (_, score) in rows.items()],
        columns=["video", "frame", "label", "score"],
    )


def _video(name: str, labels: Mapping[str, int]) -> str | None:
    """Return the dataset's name of a video; None if there is none."""
    if name in labels:
        return name
    stem, dot, ending = name.rpartition(".")
    return stem if f"{dot}{ending}".lower() in _ENDINGS and stem in labels else None


def _frame(where: str, cells: Mapping[str, str]) -> int:
    text = cells.get("frame", "0")
    if not text.isdecimal() or int(text) > np.iinfo(np.int32).max:
        raise DataError(f"{where}: frame {text!r} is not a number of a frame; use 0, 1, 2 ...")
    return int(text)


def _score(where: str, text: str) -> float:
    if not text:
        return float("nan")
    value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else float("inf")
    if not np.isfinite(value):
        raise DataError(f"{where}: score {text!r} is not a number; leave it empty if there is none")
    return value


def _unknown(path: Path, unknown: Mapping[str, int], labels: Mapping[str, int]) -> DataError:
    names = list(unknown)
    shown = ", ".join(f"{name!r} (line {unknown[name]})" for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    near = get_close_matches(names[0], labels, n=1, cutoff=0) or ["none"]
    return DataError(
        f"{path}: not in this dataset: {shown}{more}; its videos are named like {near[0]!r}"
    )


def find_direction(tables: Sequence[pd.DataFrame], tested: Sequence[set[str]]) -> Direction:
    """Find whether higher scores mean fake, from the labels.

    Videos that no detector is tested on decide, where a file has real and fake ones; where none
    has, the tested videos have to. A direction found on these makes an AUC below 0.5 impossible.

    Parameters
    ----------
    tables : sequence of DataFrame
        See `read_outside`.
    tested : sequence of set of str
        The tested videos of each table.
    """
    others = [t[~t["video"].isin(names)] for t, names in zip(tables, tested, strict=True)]
    known = list(_video_aucs(others))
    source = FOUND if known else FOUND_ON_TESTS
    known = known or list(_video_aucs(tables))
    auc = float(np.mean(known)) if known else float("nan")
    return Direction("real" if auc < 0.5 else "fake", source, auc)


def _video_aucs(tables: Sequence[pd.DataFrame]) -> Iterator[float]:
    """Yield the AUC by video of each table that has both real and fake videos."""
    for table in tables:
        means = (
            table.dropna().groupby("video").agg(label=("label", "first"), score=("score", "mean"))
        )
        if means["label"].nunique() == 2:
            yield float(roc_auc_score(means["label"], means["score"]))


def of_tests(table: pd.DataFrame, tested: Mapping[str, int], higher: str) -> pd.DataFrame:
    """Return the scores of the tested videos, higher = more likely fake, in the build's form.

    Parameters
    ----------
    table : DataFrame
        See `read_outside`.
    tested : mapping of str to int
        The label of each tested video. One without a score gets a row with NaN.
    higher : {"fake", "real"}
        What a higher score means in the file. Scores in [0, 1] are turned round within it.

    Returns
    -------
    DataFrame
        Columns video, frame, label, fold (0: one detector for all), score, and probability (the
        score if all of the file are in [0, 1]), sorted.
    """
    kept = table[table["video"].isin(tested.keys())]
    shares = bool(table["score"].dropna().between(0, 1).all())
    if higher == "real":
        kept = kept.assign(score=(1 if shares else 0) - kept["score"])
    missing = sorted(tested.keys() - set(kept["video"]))
    rows = pd.DataFrame(
        {
            "video": missing,
            "frame": 0,
            "label": [tested[name] for name in missing],
            "score": np.nan,
        }
    )
    whole = pd.concat([kept, rows]) if missing else kept
    whole = whole.assign(fold=0, probability=whole["score"] if shares else np.nan)
    return whole.sort_values(["video", "frame"], ignore_index=True)


def counts(table: pd.DataFrame, tested: Mapping[str, int]) -> dict[str, int]:
    """Return how many videos are tested, lack a score, and have one but are not tested.

    Parameters
    ----------
    table : DataFrame
        See `read_outside`.
    tested : mapping of str to int
        The label of each tested video.

    Returns
    -------
    dict of str to int
        Keys videos, missing, not_tested, and frames (rows of tested videos).
    """
    scored = table.dropna()
    names = set(scored["video"])
    return {
        "videos": len(tested),
        "missing": len(tested.keys() - names),
        "not_tested": len(names - tested.keys()),
        "frames": int(scored["video"].isin(tested.keys()).sum()),
    }


@dataclass(frozen=True)
class DatasetVideos:
    """The videos of a dataset.

    Attributes
    ----------
    labels : mapping of str to int
        The label of every video: 1 = fake.
    tested : mapping of str to int
        Those that detectors are tested on.
    """

    labels: Mapping[str, int]
    tested: Mapping[str, int]

    @classmethod
    def of(cls, splits: pd.DataFrame, kinds: Sequence[str]) -> DatasetVideos:
        """Return the videos of some kinds in a table of splits (`swapset.detection.protocol`)."""
        rows = splits[splits["kind"].isin(kinds)]
        return cls(_labels(rows), _labels(rows[rows["role"] == "test"]))


def _labels(rows: pd.DataFrame) -> dict[str, int]:
    return dict(zip(rows["video"], rows["label"].astype(int), strict=True))


def bring_in(
    file: Path,
    dataset: DatasetVideos,
    all_files: Sequence[tuple[Path, DatasetVideos]],
    higher: str | None,
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Return a file's scores in the build's form, and what is to be told about them.

    Parameters
    ----------
    file : Path
    dataset : DatasetVideos
        The dataset that it scores.
    all_files : sequence of (Path, DatasetVideos)
        All files of the detector, which together tell the direction.
    higher : {"fake", "real"} or None
        What a higher score means, if that is said.

    Returns
    -------
    DataFrame
        See `of_tests`.
    dict of str to object
        The columns of `SUMMARY` after compression.
    """
    table = read_outside(file, dataset.labels)
    if higher:
        direction = Direction(higher, SAID)
    else:
        tables = [read_outside(path, videos.labels) for path, videos in all_files]
        direction = find_direction(tables, [set(videos.tested) for _, videos in all_files])
    about = {
        "file": file.name,
        "higher": direction.higher,
        "direction": direction.source,
        "auc_as_given": direction.auc,
    }
    scores = of_tests(table, dataset.tested, direction.higher)
    return scores, about | counts(table, dataset.tested)
