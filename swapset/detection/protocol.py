"""The test protocol: training and test people from one table; scores by video and frame.

`tables/splits.csv` gives the part (train, val or test) of every video in every fold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from swapset.dataset.splits import Fold, check_leakage
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
    """Read the table of splits: columns `SPLIT_COLUMNS`, with empty texts for unknown values."""
    texts = {name: str for name in SPLIT_COLUMNS if name not in ("label", "fold")}
    return pd.read_csv(path, keep_default_na=False, dtype=texts)


def with_new_roles(
    table: pd.DataFrame, folds: Sequence[Fold], kinds: Collection[str]
) -> pd.DataFrame:
    """Return a table of splits with the parts that people have in other folds.

    Parameters
    ----------
    table : DataFrame
        See `read_splits`.
    folds : sequence of Fold
        By number.
    kinds : collection of str
        The kinds of videos that the build makes; those of public datasets keep their part.
    """

    def role(row: pd.Series) -> str:
        if row["kind"] not in kinds:
            return str(row["role"])
        people = [str(name) for name in (row["target"], row["donor"]) if name]
        return folds[int(row["fold"])].role(*people) or ""

    return table.assign(role=table.apply(role, axis=1))


def check_splits(table: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Check that in every fold nobody is in two parts; see `check_leakage`.

    Parameters
    ----------
    table : DataFrame
        See `read_splits`.
    names : mapping of str to str
        The first name of subjects who are one person with another.

    Raises
    ------
    DataError
        Naming the person and two videos.
    """
    for _, fold in table[table["role"] != ""].groupby("fold"):
        people: dict[str, dict[str, list[str]]] = {}
        for row in fold.to_dict("records"):
            people_in = [str(row[key]) for key in ("target", "donor") if row[key]]
            shown = [names.get(name, name) for name in people_in]
            people.setdefault(str(row["role"]), {})[str(row["video"])] = shown
        check_leakage(people)


def labels_of(table: pd.DataFrame, kind: str, fold: int, role: str) -> dict[str, int]:
    """Return the label of each video of a kind in a part of a fold: 1 = fake.

    Parameters
    ----------
    table : DataFrame
        See `read_splits`.
    kind : str
        "real", a method of the build or a public dataset.
    fold : int
    role : {"train", "val", "test"}
        The part.
    """
    chosen = table[(table["kind"] == kind) & (table["fold"] == fold) & (table["role"] == role)]
    return dict(zip(chosen["video"], chosen["label"].astype(int), strict=True))


def open_stores(folders: Iterable[Path]) -> dict[str, list[FaceStore]]:
    """Open the stores `…/<kind>/<compression>/<block>` and return them by kind."""
    stores: dict[str, list[FaceStore]] = {}
    for folder in folders:
        stores.setdefault(folder.parent.parent.name, []).append(FaceStore(folder))
    return stores


def training_faces(
    stores: Mapping[str, Sequence[FaceStore]], table: pd.DataFrame, fold: int, role: str
) -> StoredSamples:
    """Return the faces of a part of a fold, of all kinds in `stores`.

    Parameters
    ----------
    stores : mapping of str to sequence of FaceStore
        By kind.
    table : DataFrame
        See `read_splits`.
    fold : int
    role : {"train", "val", "test"}
        The part.
    """
    pairs = [
        (store, labels_of(table, kind, fold, role))
        for kind, kind_stores in stores.items()
        for store in kind_stores
    ]
    return StoredSamples([store for store, _ in pairs], [labels for _, labels in pairs])


def score_stores(
    detectors: Mapping[int, Detector],
    stores: Mapping[str, Sequence[FaceStore]],
    table: pd.DataFrame,
) -> pd.DataFrame:
    """Score the test videos of every fold with that fold's detector.

    A video that several folds test (of a dataset that no detector was trained on) gets the mean of
    their scores.

    Parameters
    ----------
    detectors : mapping of int to Detector
        By fold.
    stores : mapping of str to sequence of FaceStore
        By kind.
    table : DataFrame
        See `read_splits`.

    Returns
    -------
    DataFrame
        Columns video, frame, label, score; NaN = no face, or the detector cannot score it.
    """
    parts = [
        _score_store(detector, store, labels_of(table, kind, fold, "test"))
        for fold, detector in detectors.items()
        for kind, kind_stores in stores.items()
        for store in kind_stores
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
    """Add a column fold to the scores of a dataset: the fold whose detector scored the video.

    Parameters
    ----------
    scores : DataFrame
        Those of `score_stores`.
    splits : DataFrame
        See `read_splits`.
    dataset : str
        A method of the build, with the scores of the real videos among its own, or a public
        dataset. A video that all folds score together gets fold 0.
    """
    tested = splits[splits["role"] == "test"]
    folds: dict[str, int] = {}
    for kind in ("real", dataset):
        tests = tested[tested["kind"] == kind].groupby("video")["fold"].agg(["nunique", "first"])
        numbers = tests["first"].where(tests["nunique"] == 1, 0)
        folds |= dict(zip(numbers.index.astype(str), numbers.astype(int), strict=True))
    return scores.assign(fold=scores["video"].map(folds).astype(np.int64))


def with_people(scores: pd.DataFrame, splits: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Add columns target and donor to the scores of a dataset, "" where somebody is not known.

    Names of a public dataset's people and videos begin with the dataset's name, so that nobody of
    another dataset has the same one.

    Parameters
    ----------
    scores, splits, dataset
        As in `with_folds`.
    """
    own = is_own(splits, dataset)
    kinds = ("real", dataset) if own else (dataset,)
    rows = splits[splits["kind"].isin(kinds)].drop_duplicates("video").set_index("video")
    start = "" if own else f"{dataset}/"
    codes, videos = pd.factorize(scores["video"])
    named = {"video": start + np.asarray(videos, dtype=object)}
    for key in ("target", "donor"):
        names = rows[key].reindex(videos).fillna("").to_numpy(object)
        named[key] = np.where(names == "", "", start + names)
    return scores.assign(**{key: values[codes] for key, values in named.items()})


def is_own(splits: pd.DataFrame, dataset: str) -> bool:
    """Return whether a dataset is a method of the build: its real videos are of the kind "real"."""
    labels = splits.loc[splits["kind"] == dataset, "label"]
    return not (labels.astype(int) == 0).any()


def write_scores(path: Path, scores: pd.DataFrame) -> None:
    """Write scores as parquet: video, frame, label, score (null = NaN)."""
    table = pa.Table.from_pandas(scores, schema=SCORE_SCHEMA, preserve_index=False)
    with atomic_output(path) as scratch:
        pq.write_table(table, scratch)


def read_scores(path: Path) -> pd.DataFrame:
    """Read the scores that `write_scores` wrote.

    Raises
    ------
    DataError
        If the file is damaged or of another kind.
    """
    try:
        return pq.read_table(path, schema=SCORE_SCHEMA).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: holds no scores ({error})") from error
