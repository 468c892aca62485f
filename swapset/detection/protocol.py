"""The test protocol: training and test people from one table; scores by video and frame.

`tables/splits.csv` gives the part (train, val or test) of every video in every fold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from swapset.dataset.people import People, Row, without_known
from swapset.dataset.same_people import one_name
from swapset.dataset.splits import Fold, check_leakage, make_folds
from swapset.dataset.trainings import fold_of
from swapset.detection.store import FaceStore, StoredSamples
from swapset.detectors.base import Detector
from swapset.detectors.margins import MARGIN
from swapset.errors import DataError
from swapset.io.files import atomic_output

SPLIT_COLUMNS = ["kind", "video", "label", "target", "donor", "fold", "role"]
SCORE_SCHEMA = pa.schema(
    [
        ("video", pa.string()),
        ("frame", pa.int32()),
        ("label", pa.int8()),
        ("fold", pa.int32()),
        ("score", pa.float64()),
        ("probability", pa.float64()),
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


def split_table(
    rows: Sequence[Row],
    people: Mapping[str, Any],
    *,
    own: Collection[str],
    learnt: Collection[str],
    same: Sequence[Sequence[str]],
    found: Sequence[tuple[str, str]],
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the table of splits, and the names of people who have several.

    Parameters
    ----------
    rows : sequence of Row
        By the folds that planning made, also tests of people whom a fold's detector knows.
    people : mapping
        Arguments of `make_folds`.
    own, learnt : collection of str
        The kinds that the build makes, and those of the training dataset.
    same : sequence of (str, str)
        Who is one person by the config; see `People.key` for names.
    found : sequence of (str, str)
        Subjects who are one person by their faces. If there are some, people are split anew.
    """
    table = pd.DataFrame(rows, columns=SPLIT_COLUMNS)
    names = one_name([(first, second) for first, second in same] + list(found))
    if found:
        together = [*people["same"], *found]
        table = with_new_roles(table, make_folds(**{**people, "same": together}), own)
    kept = without_known(table.to_numpy().tolist(), learnt, own, People(own, names))
    return pd.DataFrame(kept, columns=SPLIT_COLUMNS), names


def own_kinds(table: pd.DataFrame) -> set[str]:
    """Return the kinds in a table of splits that the build makes: "real", and those of fakes alone.

    A public dataset is one kind, of real and fake videos.
    """
    real = set(table.loc[table["label"].astype(int) == 0, "kind"])
    return {"real", *(set(table["kind"]) - real)}


def check_splits(table: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Check that in every fold nobody is in two parts; see `check_leakage`.

    People of different datasets are different, whatever they are called.

    Parameters
    ----------
    table : DataFrame
        See `read_splits`.
    names : mapping of str to str
        The first name of people who are one person with another; see `People.key`.

    Raises
    ------
    DataError
        Naming the person and two videos.
    """
    own = own_kinds(table)
    everybody = People(own, names)
    for _, fold in table[table["role"] != ""].groupby("fold"):
        people: dict[str, dict[str, list[str]]] = {}
        for row in fold[SPLIT_COLUMNS].itertuples(index=False):
            video = f"{row.video}" if row.kind in own else f"{row.video} of {row.kind}"
            people.setdefault(str(row.role), {})[video] = everybody.of(tuple(row))
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
    stores: Mapping[str, Sequence[FaceStore]],
    table: pd.DataFrame,
    fold: int,
    role: str,
    *,
    margin: float = MARGIN,
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
    margin : float
        Side of the faces' regions, in sides of their boxes.
    """
    pairs = [
        (store, labels_of(table, kind, fold, role))
        for kind, kind_stores in stores.items()
        for store in kind_stores
    ]
    chosen, labels = [store for store, _ in pairs], [labels for _, labels in pairs]
    return StoredSamples(chosen, labels, margin=margin)


def score_stores(
    detectors: Mapping[int, Detector],
    stores: Mapping[str, Sequence[FaceStore]],
    table: pd.DataFrame,
) -> pd.DataFrame:
    """Score the test videos of every fold with that fold's detector.

    A video that several folds test (of a dataset that no detector was trained on) has a row for
    each of their detectors.

    Parameters
    ----------
    detectors : mapping of int to Detector
        By number, see `swapset.dataset.trainings`: the fold, unless it is a further training.
    stores : mapping of str to sequence of FaceStore
        By kind.
    table : DataFrame
        See `read_splits`.

    Returns
    -------
    DataFrame
        Columns video, frame, label, fold, score, probability, by these; NaN = no face, or the
        detector cannot score it. The probability of fake, in [0, 1], is also NaN for detectors
        that give none.
    """
    parts = [
        _score_store(detector, store, labels_of(table, kind, fold_of(number), "test")).assign(
            fold=number
        )
        for number, detector in detectors.items()
        for kind, kind_stores in stores.items()
        for store in kind_stores
    ]
    scores = pd.concat(parts)[SCORE_SCHEMA.names]
    return scores.sort_values(["video", "frame", "fold"], ignore_index=True)


def _score_store(detector: Detector, store: FaceStore, labels: Mapping[str, int]) -> pd.DataFrame:
    names = np.array(store.videos, dtype=object)[store.video]
    rows = np.flatnonzero([name in labels for name in names])
    scores = np.full(len(rows), np.nan)
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        faces = [store.face(k, detector.margin) for k in part]
        scores[start : start + len(part)] = detector.score_faces(faces)
    return pd.DataFrame(
        {
            "video": names[rows].astype(str),
            "frame": store.frame[rows].astype(np.int32),
            "label": np.array([labels[name] for name in names[rows]], np.int8),
            "score": scores,
            "probability": detector.probability(scores),
        }
    )


def with_people(scores: pd.DataFrame, splits: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Add columns target and donor to the scores of a dataset, "" where somebody is not known.

    Names of a public dataset's people and videos begin with the dataset's name, so that nobody of
    another dataset has the same one.

    Parameters
    ----------
    scores : DataFrame
        Those of `score_stores`.
    splits : DataFrame
        See `read_splits`.
    dataset : str
        A method of the build, with the scores of the real videos among its own, or a public
        dataset.
    """
    own = dataset in own_kinds(splits)
    kinds = ("real", dataset) if own else (dataset,)
    rows = splits[splits["kind"].isin(kinds)].drop_duplicates("video").set_index("video")
    start = "" if own else f"{dataset}/"
    codes, videos = pd.factorize(scores["video"])
    named = {"video": start + np.asarray(videos, dtype=object)}
    for key in ("target", "donor"):
        names = rows[key].reindex(videos).fillna("").to_numpy(object)
        named[key] = np.where(names == "", "", start + names)
    return scores.assign(**{key: values[codes] for key, values in named.items()})


def write_scores(path: Path, scores: pd.DataFrame) -> None:
    """Write the scores of `score_stores` as parquet (null = NaN)."""
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
        table = pq.read_table(path, schema=SCORE_SCHEMA)
        if table["fold"].null_count:
            raise DataError(f"{path}: holds no folds, as before version 0.2; score again")
        return table.to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: holds no scores ({error})") from error
