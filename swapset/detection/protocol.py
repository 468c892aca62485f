"""The protocol: who is learnt from and tested, read from one table, and scores by video and frame.

`tables/splits.csv` says for every video of every dataset and every fold what part it is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from swapset.dataset.splits import check_leakage
from swapset.detection.store import FaceStore, StoredSamples
from swapset.detectors.base import Detector
from swapset.errors import DataError
from swapset.io.files import atomic_output

SPLIT_COLUMNS = ["kind", "video", "label", "target", "donor", "fold", "role"]
SCORE_SCHEMA = pa.schema(
    [
        ("video", pa.string()),
        ("frame", pa.int32()),
        ("label", pa.int8()),
        ("score", pa.float64()),
    ]
)
AT_ONCE = 64


def read_splits(path: Path) -> pd.DataFrame:
    """Read the table of splits: columns `SPLIT_COLUMNS`, empty texts where nothing is known."""
    texts = {name: str for name in SPLIT_COLUMNS if name not in ("label", "fold")}
    return pd.read_csv(path, keep_default_na=False, dtype=texts)


def check_splits(table: pd.DataFrame) -> None:
    """Fail if in one fold somebody is in two parts; see `check_leakage`."""
    for _, fold in table[table["role"] != ""].groupby("fold"):
        people: dict[str, dict[str, list[str]]] = {}
        for row in fold.to_dict("records"):
            shown = [str(row[key]) for key in ("target", "donor") if row[key]]
            people.setdefault(str(row["role"]), {})[str(row["video"])] = shown
        check_leakage(people)


def labels_of(table: pd.DataFrame, kind: str, fold: int, role: str) -> dict[str, int]:
    """Return the label of each video of a kind that is in a part of a fold."""
    chosen = table[(table["kind"] == kind) & (table["fold"] == fold) & (table["role"] == role)]
    return dict(zip(chosen["video"], chosen["label"].astype(int), strict=True))


def open_stores(folders: Iterable[Path]) -> dict[str, list[FaceStore]]:
    """Open stores `…/<kind>/<compression>/<block>`, by kind."""
    found: dict[str, list[FaceStore]] = {}
    for folder in folders:
        found.setdefault(folder.parent.parent.name, []).append(FaceStore(folder))
    return found


def training_faces(
    stores: Mapping[str, Sequence[FaceStore]], table: pd.DataFrame, fold: int, role: str
) -> StoredSamples:
    """Return the faces of a part of a fold, of all kinds in `stores`."""
    pairs = [
        (store, labels_of(table, kind, fold, role)) for kind, own in stores.items() for store in own
    ]
    return StoredSamples([store for store, _ in pairs], [labels for _, labels in pairs])


def score_stores(
    detectors: Mapping[int, Detector],
    stores: Mapping[str, Sequence[FaceStore]],
    table: pd.DataFrame,
) -> pd.DataFrame:
    """Score the test videos of every fold with that fold's detector.

    A video that several folds test (of a dataset that the detectors did not learn from) gets the
    mean of their scores.

    Returns
    -------
    DataFrame
        Columns video, frame, label, score; NaN = no face, or it cannot be judged.
    """
    parts = [
        _score_store(detector, store, labels_of(table, kind, fold, "test"))
        for fold, detector in detectors.items()
        for kind, own in stores.items()
        for store in own
    ]
    keys = ["video", "frame", "label"]
    means = pd.concat(parts).groupby(keys, sort=True)["score"].mean()
    return means.reset_index()


def _score_store(detector: Detector, store: FaceStore, labels: Mapping[str, int]) -> pd.DataFrame:
    names = np.array(store.videos, dtype=object)[store.video]
    rows = np.flatnonzero([name in labels for name in names])
    scores = np.full(len(rows), np.nan)
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        scores[start : start + len(part)] = detector.score_faces([store.face(k) for k in part])
    return pd.DataFrame(
        {
            "video": names[rows].astype(str),
            "frame": store.frame[rows].astype(np.int32),
            "label": np.array([labels[name] for name in names[rows]], np.int8),
            "score": scores,
        }
    )


def with_folds(scores: pd.DataFrame, splits: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Return scores of a dataset with a column fold: whose detector judged a video.

    Parameters
    ----------
    scores : DataFrame
        As of `score_stores`.
    splits : DataFrame
    dataset : str
        A method of the build, whose scores are also of real videos, or a public dataset. Videos
        that all folds judge together are of fold 0.
    """
    tested = splits[splits["role"] == "test"]
    folds: dict[str, int] = {}
    for kind in ("real", dataset):
        own = tested[tested["kind"] == kind].groupby("video")["fold"].agg(["nunique", "first"])
        alone = own["first"].where(own["nunique"] == 1, 0)
        folds |= dict(zip(alone.index.astype(str), alone.astype(int), strict=True))
    return scores.assign(fold=scores["video"].map(folds).astype(np.int64))


def write_scores(path: Path, scores: pd.DataFrame) -> None:
    """Write scores as parquet: video, frame, label, score (null = NaN)."""
    table = pa.Table.from_pandas(scores, schema=SCORE_SCHEMA, preserve_index=False)
    with atomic_output(path) as scratch:
        pq.write_table(table, scratch)


def read_scores(path: Path) -> pd.DataFrame:
    """Read what `write_scores` wrote.

    Raises
    ------
    DataError
        If the file is damaged or of another kind.
    """
    try:
        return pq.read_table(path, schema=SCORE_SCHEMA).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: holds no scores ({error})") from error
