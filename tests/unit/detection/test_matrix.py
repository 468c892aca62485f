"""The tables and heat-maps of the matrix, from scores of which the answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from material.report import cut_off
from material.scores import of_people
from matplotlib.patches import Rectangle

from swapset.detection.auc import auc_estimate
from swapset.detection.matrix_cells import PUBLISHED, Cell, Learnt, ScorePaths, read_cells
from swapset.detection.matrix_tables import COLUMNS, MEAN, matrix_tables
from swapset.detection.protocol import SPLIT_COLUMNS, write_scores
from swapset.detection.statistics.levels import at_level
from swapset.holm import holm
from swapset.report.figures.matrix import matrix_chart

OWN = ("a", "b", "c")
SETS = [
    Learnt("a", ["a"]),
    Learnt("b", ["b"]),
    Learnt("a+b", ["a", "b"]),
    Learnt("all-but-c", ["b", "a", "Public"], "c"),
    Learnt("Public", ["Public"]),
]
NOISE = {"a": 0.3, "b": 0.6, "a+b": 0.2, "all-but-c": 0.5, "Public": 1.5}
"""Spread of what is added to the scores of each set's detectors."""
OTHER = 1.0
"""By how much fakes are scored lower in datasets that a detector did not learn from."""
WIDTH = 0.9
"""Sides of a cell's frame are shorter than those of its panel."""


def scores_of(base: pd.DataFrame, what: str, dataset: str, learnt: bool) -> pd.DataFrame:
    generator = np.random.default_rng([len(what), *map(ord, what), *map(ord, dataset)])
    added = generator.normal(0 if learnt else -OTHER, NOISE[what], len(base))
    scores = base["score"] + added * (base["label"] == 1)
    return base.assign(score=scores, fold=0, probability=np.nan)


def written(path: Path, table: pd.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_scores(path, table)
    return path


@pytest.fixture(scope="module")
def base() -> pd.DataFrame:
    return of_people(seed=5, person=0.3, pair=0.3, auc=0.85)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory, base: pd.DataFrame) -> list[Cell]:
    """Return the cells of one detector in two compressions, and of one with published weights."""
    folder = tmp_path_factory.mktemp("scores")
    public = of_people(people=20, seed=6)
    real = base[base["label"] == 0]
    first, further, splits = [], set(), []
    for dataset in (*OWN, "Public"):
        table = public if dataset == "Public" else base
        videos = table.drop_duplicates("video")
        kind = dataset if dataset == "Public" else np.where(videos["label"] == 0, "real", dataset)
        splits.append(videos.assign(kind=kind, fold=0, role="test")[SPLIT_COLUMNS])
        for compression in ("original", "c40"):
            file = f"{dataset}/{compression}.parquet"
            first.append(
                written(folder / "Net" / file, scores_of(table, "a", dataset, dataset == "a"))
            )
            if dataset == "a":
                first.append(written(folder / "Given" / file, scores_of(table, "a", "a", True)))
            for what in SETS[1:]:
                learnt = dataset in what.datasets
                fakes = table if dataset == "Public" else table[table["label"] == 1]
                place = folder / f"Net@{what.name}"
                written(place / file, scores_of(fakes, what.name, dataset, learnt))
                written(place / "real" / f"{compression}.parquet",
                        scores_of(real, what.name, "real", learnt=True))  # fmt: skip
                further |= {place / dataset, place / "real"}
    table = pd.concat(splits).drop_duplicates(["kind", "video"])
    return read_cells(
        ScorePaths(first, sorted(further)),
        SETS,
        {each.name: table for each in SETS},
        published=["Given"],
    )


@pytest.fixture(scope="module")
def tables(cells: list[Cell]) -> dict[str, pd.DataFrame]:
    return matrix_tables(cells, level=0.95)


def chosen(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    for name, value in values.items():
        table = table[table[name] == value]
    return table


def test_every_set_meets_every_dataset_in_every_compression(
    tables: dict[str, pd.DataFrame],
) -> None:
    table = chosen(tables["table"], level="video", detector="Net")
    keys = table[["trained_on", "dataset", "compression"]].apply(tuple, axis=1)
    assert len(keys) == len(set(keys)) == 5 * 4 * 2
    diagonal = {(row.trained_on, row.dataset) for row in table[table["learnt"]].itertuples()}
    assert diagonal == {(each.name, name) for each in SETS for name in each.datasets}
    assert list(dict.fromkeys(table["trained_on"])) == [each.name for each in SETS]
    for name, columns in COLUMNS.items():
        assert list(tables[name].columns) == columns
        assert set(tables[name]["faceless"]) == {"middle"}


def test_real_videos_and_fakes_come_together_from_their_files(
    tables: dict[str, pd.DataFrame], base: pd.DataFrame
) -> None:
    real = scores_of(base[base["label"] == 0], "b", "real", learnt=True)
    fakes = scores_of(base[base["label"] == 1], "b", "c", learnt=False)
    expected = auc_estimate(at_level(pd.concat([real, fakes]), "video"))
    (row,) = chosen(
        tables["table"], trained_on="b", dataset="c", compression="c40", level="video"
    ).to_dict("records")
    assert row["auc"] == pytest.approx(expected.value)
    assert (row["auc_low"], row["auc_high"]) == pytest.approx(expected.share_interval(0.95))
    assert (row["people"], row["interval"], row["coverage"]) == (14, "people", 1.0)


def test_a_drop_is_the_mean_on_what_was_learnt_less_the_mean_on_others(
    tables: dict[str, pd.DataFrame],
) -> None:
    aucs = chosen(tables["table"], compression="original", level="video", detector="Net")
    drops = chosen(tables["drop"], compression="original", level="video", detector="Net")
    assert drops["trained_on"].tolist() == [*(each.name for each in SETS), MEAN]
    for what in SETS:
        (row,) = drops[drops["trained_on"] == what.name].to_dict("records")
        mine = aucs[aucs["trained_on"] == what.name]
        inside = mine["dataset"].isin(what.datasets)
        assert row["learnt"] == pytest.approx(mine.loc[inside, "auc"].mean())
        assert row["others"] == pytest.approx(mine.loc[~inside, "auc"].mean())
        assert row["difference"] == pytest.approx(row["learnt"] - row["others"])
        assert row["low"] < row["difference"] < row["high"]
        assert (row["learnt_datasets"], row["other_datasets"]) == (
            len(what.datasets),
            4 - len(what.datasets),
        )
    assert drops.loc[drops["trained_on"] == "all-but-c", "left_out"].tolist() == ["c"]
    single = drops[drops["trained_on"].isin(["a", "b", "Public"])]
    mean = drops.loc[drops["trained_on"] == MEAN, "difference"]
    assert mean.item() == pytest.approx(single["difference"].mean())


def test_datasets_in_other_compressions_are_compared_in_their_best(
    tables: dict[str, pd.DataFrame], cells: list[Cell]
) -> None:
    assert "best" not in set(tables["drop"]["compression"]), "all have the same best one"
    fewer = [c for c in cells if c.dataset != "Public" or c.compression == "c40"]
    drops = chosen(matrix_tables(fewer, level=0.95)["drop"], level="video", trained_on="Public")
    assert drops["compression"].tolist() == ["c40", "best"]
    found = {
        (c.dataset, c.compression): c.estimates["video"].value
        for c in cells if c.what.name == "Public"
    }  # fmt: skip
    best = np.mean([found[name, "original"] for name in OWN])
    assert drops["difference"].iloc[1] == pytest.approx(found["Public", "c40"] - best)


def test_a_detector_loses_on_what_it_did_not_learn(tables: dict[str, pd.DataFrame]) -> None:
    (row,) = chosen(tables["drop"], trained_on="b", compression="original", level="video").to_dict(
        "records"
    )
    assert row["low"] > 0
    assert row["p"] < 0.05


def test_training_sets_are_compared_on_the_same_tests(
    tables: dict[str, pd.DataFrame], cells: list[Cell]
) -> None:
    rows = chosen(
        tables["differences"], between="training sets", dataset="c", compression="original",
        level="video",
    )  # fmt: skip
    assert len(rows) == 5 * 4 // 2
    (row,) = chosen(rows, first="a", second="a+b").to_dict("records")
    found = {
        cell.what.name: cell
        for cell in cells
        if (cell.detector, cell.dataset, cell.compression) == ("Net", "c", "original")
    }
    one, other = (found[name].estimates["video"] for name in ("a", "a+b"))
    assert row["difference"] == pytest.approx(one.value - other.value)
    # They are the same videos of the same people: nearer to each other than to the truth.
    both = np.hypot(*(np.diff(each.interval(0.95))[0] for each in (one, other)))
    assert row["high"] - row["low"] < 0.8 * both


def test_tests_of_one_detector_are_compared_and_kinds_are_told_apart(
    tables: dict[str, pd.DataFrame],
) -> None:
    rows = chosen(tables["differences"], trained_on="b", compression="c40", level="person")
    assert rows["between"].value_counts().to_dict() == {"methods": 3, "datasets": 3}
    assert set(rows["dataset"]) == {""}
    couples = rows.loc[rows["between"] == "methods", ["first", "second"]].to_numpy().tolist()
    assert couples == [["a", "b"], ["a", "c"], ["b", "c"]]


def test_p_values_are_corrected_for_all_rows_of_a_kind(tables: dict[str, pd.DataFrame]) -> None:
    rows = chosen(tables["differences"], between="methods", level="frame")
    np.testing.assert_allclose(rows["p_holm"], holm(rows["p"]))
    drops = chosen(tables["drop"], level="video")
    np.testing.assert_allclose(drops["p_holm"], holm(drops["p"]))


def test_equal_scores_differ_in_nothing(cells: list[Cell]) -> None:
    (cell,) = [
        cell for cell in cells
        if (cell.what.name, cell.dataset, cell.compression) == ("b", "a", "c40")
    ]  # fmt: skip
    twin = Cell("Net", Learnt("twin", ["x"]), "a", "c40", True, cell.scored, cell.estimates)
    rows = chosen(matrix_tables([cell, twin], level=0.95)["differences"], between="training sets")
    assert set(rows["difference"]) == {0.0}
    assert (rows["p"] > 0.99).all()


def test_published_weights_learnt_from_nothing_here(tables: dict[str, pd.DataFrame]) -> None:
    given = chosen(tables["table"], detector="Given")
    assert set(given["trained_on"]) == {PUBLISHED}
    assert not given["learnt"].any()
    assert not len(chosen(tables["drop"], detector="Given"))


def test_heat_maps_frame_the_diagonal_and_show_every_cell(
    tables: dict[str, pd.DataFrame],
) -> None:
    figure = matrix_chart(tables["table"])
    assert cut_off(figure) == []
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == [
        "Net, original", "Given, original", "Net, c40", "Given, c40",
    ]  # fmt: skip
    table = chosen(tables["table"], level="video", compression="c40", detector="Net")
    net, rows = panels[2], [each.name for each in SETS] + [PUBLISHED]
    assert [label.get_text() for label in net.get_yticklabels()] == rows
    assert [label.get_text() for label in net.get_xticklabels()] == [*OWN, "Public"]
    shown = sorted(text.get_text() for text in net.texts)
    assert shown == sorted(f"{value:.2f}" for value in table["auc"])
    frames = [p for p in net.patches if isinstance(p, Rectangle) and not p.get_fill()]
    assert len(frames) == sum(len(each.datasets) for each in SETS)
    places = {(round(p.get_x() + WIDTH / 2), round(p.get_y() + WIDTH / 2)) for p in frames}
    datasets = [*OWN, "Public"]
    assert places == {
        (datasets.index(name), row) for row, each in enumerate(SETS) for name in each.datasets
    }
