"""All tables of detectors, from files of scores of which the answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from material.scores import of_people
from scipy import stats

from swapset.detection.auc import auc_estimate
from swapset.detection.protocol import SPLIT_COLUMNS, write_scores
from swapset.detection.statistics.comparisons import COLUMNS as DIFFERENCES
from swapset.detection.statistics.levels import at_level
from swapset.detection.tables import COLUMNS, Asked, auc_tables
from swapset.holm import holm
from swapset.io.files import write_json

KEYS = ["detector", "dataset", "compression", "level"]
SETTINGS = [
    ("Good", "faceswap", "original", 0.0),
    ("Good", "faceswap", "c40", 0.6),
    ("Good", "celebdf", "original", 0.8),
    ("Bad", "faceswap", "original", 3.0),
]


def splits_of(table: pd.DataFrame, dataset: str, own: bool) -> pd.DataFrame:
    """Return the rows of the table of splits for the videos of a dataset."""
    videos = table.drop_duplicates("video")
    kind = np.where(videos["label"] == 0, "real", dataset) if own else dataset
    rows = videos.assign(kind=kind, fold=0, role="test")
    return rows[SPLIT_COLUMNS].drop_duplicates(["kind", "video"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Return all tables of two detectors; noise makes some of the scores worse."""
    folder = tmp_path_factory.mktemp("scores")
    base = of_people(seed=3, person=0.3, pair=0.3, auc=0.85)
    files, splits = [], []
    for number, (detector, dataset, compression, noise) in enumerate(SETTINGS):
        added = np.random.default_rng(number).normal(0, noise, len(base))
        files.append(_written(folder, base.assign(score=base["score"] + added),
                              detector, dataset, compression))  # fmt: skip
        splits.append(splits_of(base, dataset, own=True))
    public = of_people(people=20, seed=4)
    files.append(_written(folder, public, "Good", "Public", "c23"))
    files.append(_written(folder, public, "Good", "Public", "original"))
    splits.append(splits_of(public, "Public", own=False))
    card = folder / "detectors" / "Good" / "0.json"
    card.parent.mkdir(parents=True)
    points = {name: {"threshold": 0.5} for name in ("fpr_1", "fpr_5", "equal_error")}
    write_json(card, {"validation": {"points": {"video": points}}})
    table = pd.concat(splits).drop_duplicates(["kind", "video"])
    return auc_tables(files, table, [card], Asked(seed=1, level=0.95, resamples=100))


def _written(folder: Path, table: pd.DataFrame, *names: str) -> Path:
    path = folder.joinpath("scores", *names).with_suffix(".parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_scores(path, table.assign(fold=0, probability=stats.norm.cdf(table["score"])))
    return path


def test_every_table_has_its_columns_and_says_how_faceless_videos_count(
    made: dict[str, pd.DataFrame],
) -> None:
    for name, columns in {**COLUMNS, "differences": DIFFERENCES}.items():
        assert list(made[name].columns) == list(columns)
        assert len(made[name])
        assert set(made[name]["faceless"]) == {"middle"}


def test_aucs_are_by_frame_by_video_and_by_person(made: dict[str, pd.DataFrame]) -> None:
    table = made["table"].set_index(KEYS)
    assert set(table.index.get_level_values("level")) == {"frame", "video", "person"}
    assert (table["interval"] == "people").all()
    assert set(table["people"]) == {14, 20}
    row = table.loc[("Good", "faceswap", "original", "video")]
    scored = at_level(of_people(seed=3, person=0.3, pair=0.3, auc=0.85), "video")
    found = auc_estimate(scored)
    assert row["auc"] == pytest.approx(found.value)
    assert (row["auc_low"], row["auc_high"]) == pytest.approx(found.share_interval(0.95))


def test_differences_are_of_all_kinds_and_agree_with_the_aucs(
    made: dict[str, pd.DataFrame],
) -> None:
    rows = made["differences"]
    assert set(rows["between"]) == {"detectors", "methods", "datasets", "compressions"}
    aucs = made["table"].set_index(KEYS)["auc"]
    key = {"detectors": "detector", "compressions": "compression"}
    for row in rows.to_dict("records"):
        values = []
        for side in ("first", "second"):
            names = {**row, key.get(row["between"], "dataset"): row[side]}
            values.append(aucs[tuple(names[name] for name in KEYS)])
        assert row["difference"] == pytest.approx(values[0] - values[1])
        assert (row["p"] < 0.05) == (row["low"] > 0 or row["high"] < 0)
    for _, part in rows.groupby(["between", "level"]):
        np.testing.assert_array_equal(part["p_holm"], holm(part["p"]))


def test_what_is_clearly_worse_is_found(made: dict[str, pd.DataFrame]) -> None:
    rows = made["differences"].set_index(["between", "level"])
    detectors = rows.loc[[("detectors", "frame")]]
    assert detectors["p"].iloc[0] < 0.001
    # Compressions of the own method: the same videos, so that pairs show a small loss.
    losses = rows.loc[[("compressions", "frame")]]
    own = losses[losses["dataset"] == "faceswap"].iloc[0]
    sides = made["table"].set_index(KEYS).loc[[("Good", "faceswap", own["first"], "frame")]].iloc[0]
    assert own["high"] - own["low"] < 0.5 * (sides["auc_high"] - sides["auc_low"])


def test_people_of_a_public_dataset_are_others(made: dict[str, pd.DataFrame]) -> None:
    people = made["people"].set_index("dataset")
    assert "id0" in set(people.loc["faceswap", "person"])
    assert "Public/id0" in set(people.loc["Public", "person"])
    rows = made["differences"]
    across = rows[(rows["between"] == "datasets") & (rows["level"] == "video")].iloc[0]
    table = made["table"].set_index(KEYS)
    widths = [
        np.diff(table.loc[("Good", name, "original", "video"), ["auc_low", "auc_high"]])[0]
        for name in (across["first"], across["second"])
    ]
    # Independent datasets: errors add up as squares.
    assert across["high"] - across["low"] == pytest.approx(np.hypot(*widths), rel=0.15)


def test_thresholds_are_used_where_a_card_has_them(made: dict[str, pd.DataFrame]) -> None:
    rows = made["points"].set_index(["detector", "level"])
    assert (rows.loc[("Good", "video"), "threshold"] == 0.5).all()
    assert rows.loc[("Good", "frame"), "threshold"].isna().all()
    assert rows.loc[("Bad", "video"), "tpr"].isna().all()
    assert rows.loc[("Good", "video"), "tpr"].between(0, 1).all()


def test_videos_of_one_person_each_are_compared_by_delongs_test_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    labels = np.arange(60) % 2
    base = pd.DataFrame({"video": [f"v{k}" for k in range(60)], "frame": 0, "label": labels})
    base["score"] = rng.normal(size=60) + labels
    other = base.assign(score=base["score"] + rng.normal(size=60))
    files = [_written(tmp_path, base, "A", "Public", "c23"),
             _written(tmp_path, other, "B", "Public", "c23")]  # fmt: skip
    splits = splits_of(base.assign(target="", donor=""), "Public", own=False)
    tables = auc_tables(files, splits, [], Asked(seed=1, level=0.95, resamples=50))
    assert set(tables["table"]["interval"]) == {"videos"}
    row = tables["differences"].set_index("level").loc["video"]
    assert 0 < row["p_delong"] < 1
    # Both tests see the same independent videos, one with the normal and one with Student's curve.
    assert stats.norm.isf(row["p_delong"] / 2) == pytest.approx(
        stats.norm.isf(row["p"] / 2), rel=0.1
    )


def test_nothing_scored_gives_empty_tables() -> None:
    splits = pd.DataFrame(columns=SPLIT_COLUMNS)
    tables = auc_tables([], splits, [], Asked(seed=1, level=0.95, resamples=50))
    assert all(not len(table) for table in tables.values())
