"""Tables of Landmark Breaker from measures that are known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from swapset.errors import DataError
from swapset.io.files import write_csv
from swapset.obstruction.tables import (
    DETECTION_ROW,
    ROW,
    SWEEP_ROW,
    Sweep,
    detection_table,
    differences,
    known,
    label,
    means,
    read_measures,
    sweep_table,
    white_box,
)

CHANCE = {"seed": 1, "level": 0.95}
SWEEP = Sweep(step=1.0, iterations=20, steps=[0.5, 1 / 3], counts=[28, 14, 20], every=5)


def write_measures(folder: Path, attack: str, source: str, errors: dict[str, list[float]]) -> Path:
    """Write errors by target, a run for each; the second frame of a run is 0.2 worse."""
    rows = [
        ("none", target, f"run{k}", frame, error + 0.2 * frame, error, 0.9, 0.8)
        for target, values in errors.items()
        for k, error in enumerate(values)
        for frame in (0, 1)
    ]
    path = folder / attack / source / "id0.csv"
    write_csv(path, pd.DataFrame(rows, columns=ROW))
    return path


@pytest.fixture
def measures(tmp_path: Path) -> pd.DataFrame:
    clean = {"fan": [0.0, 0.0, 0.0], "dlib": [0.1, 0.1, 0.1]}
    files = [
        write_measures(tmp_path, "none", "none", clean),
        write_measures(tmp_path, "base2", "fan", {"fan": [0.3, 0.4, 0.5], "dlib": [0.1] * 3}),
        write_measures(tmp_path, "lb", "fan", {"fan": [0.5, 0.7, 0.9], "dlib": [0.1] * 3}),
        write_measures(tmp_path, "lb-robust", "fan+hrnet", {"fan": [0.8] * 3, "dlib": [0.6] * 3}),
    ]
    return read_measures(files)


def test_means_keep_the_order_of_the_measures(measures: pd.DataFrame) -> None:
    table = means(measures)
    assert table["attack"].tolist() == [
        *(["none"] * 2),
        *(["base2"] * 2),
        *(["lb"] * 2),
        *(["lb-robust"] * 2),
    ]
    lb = table.set_index(["attack", "target"]).loc[("lb", "fan")]
    assert lb["nme"] == pytest.approx(0.8)
    assert lb["images"] == 6


def test_detection_is_the_share_of_frames_over_all_people(tmp_path: Path) -> None:
    files = []
    for person, found in (("id0", [1, 1, 0]), ("id1", [0]), ("id2", [])):
        rows = [("jpeg75", "hog", f"{person}-0", frame, each) for frame, each in enumerate(found)]
        files.append(tmp_path / "lb" / "fan" / f"{person}.csv")
        write_csv(files[-1], pd.DataFrame(rows, columns=DETECTION_ROW))
    table = detection_table(files)
    assert list(table) == ["attack", "compression", "source", "detector", "found", "frames"]
    assert table.to_numpy().tolist() == [["lb", "jpeg75", "fan", "hog", 0.5, 4]]


def test_an_extractor_is_known_alone_and_in_company(measures: pd.DataFrame) -> None:
    rows = known(measures)[["attack", "target"]].drop_duplicates()
    assert list(rows.itertuples(index=False, name=None)) == [
        ("none", "fan"),
        ("none", "dlib"),
        ("base2", "fan"),
        ("lb", "fan"),
        ("lb-robust", "fan"),
    ]
    assert [label("lb", "fan"), label("lb", "fan+hrnet")] == ["lb", "lb on fan+hrnet"]


def test_intervals_are_over_runs(measures: pd.DataFrame) -> None:
    table = white_box(measures, **CHANCE).set_index(["extractor", "attack"])
    assert set(table["runs"]) == {3}
    lb = table.loc[("fan", "lb")]
    assert lb["nme"] == pytest.approx(0.8)
    # Runs are 0.6, 0.8 and 1.0; frames' own spread has no part in it.
    assert (lb["low"], lb["high"]) == (pytest.approx(0.6), pytest.approx(1.0))
    alike = table.loc[("fan", "lb-robust")]
    assert alike["low"] == pytest.approx(alike["high"])
    assert ("dlib", "lb") not in table.index


def test_attacks_are_compared_on_the_same_runs(measures: pd.DataFrame) -> None:
    table = differences(measures, **CHANCE).set_index(["target", "box", "attack", "against"])
    row = table.loc[("fan", "white", "lb", "base2")]
    assert row["nme_difference"] == pytest.approx(0.3)
    assert row["low"] >= 0.2 - 1e-9
    assert table.loc[("dlib", "black", "lb-robust", "lb"), "nme_difference"] == pytest.approx(0.5)
    assert set(table.index.droplevel([2, 3])) == {("fan", "white"), ("dlib", "black")}


def test_attacks_of_other_packages_are_compared_with_landmark_breaker(tmp_path: Path) -> None:
    files = [
        write_measures(tmp_path, "lb", "fan", {"fan": [0.5, 0.7]}),
        write_measures(tmp_path, "theirs", "fan", {"fan": [0.6, 0.9]}),
    ]
    table = differences(read_measures(files), **CHANCE)
    assert list(zip(table["attack"], table["against"], strict=True)) == [("theirs", "lb")]
    assert table["nme_difference"].tolist() == pytest.approx([0.15])


def test_of_attacks_on_several_that_on_most_counts_and_that_on_the_target_alone(
    tmp_path: Path,
) -> None:
    errors = {"fan": [0.1, 0.1], "hrnet": [0.1, 0.1]}
    files = [
        write_measures(tmp_path, "lb", "hrnet", errors),
        write_measures(tmp_path, "lb-robust", "fan+hrnet", {"fan": [0.7] * 2, "hrnet": [0.8] * 2}),
        write_measures(tmp_path, "lb-robust", "hrnet", {"fan": [0.3] * 2, "hrnet": [0.9] * 2}),
    ]
    measures = read_measures(files)
    table = (
        white_box(measures, **CHANCE)
        .set_index(["extractor", "attack", "source"])["nme"]
        .sort_index()
    )
    assert table["hrnet", "lb-robust", "fan+hrnet"] == pytest.approx(0.9)
    assert table["hrnet", "lb-robust", "hrnet"] == pytest.approx(1.0)
    assert table["fan", "lb-robust"].index.tolist() == ["fan+hrnet"]
    found = differences(measures, **CHANCE).set_index(["target", "box"])["nme_difference"]
    # Nobody who attacks fan+hrnet is a stranger to fan.
    assert found["fan", "black"] == pytest.approx(0.2)
    assert found["hrnet", "white"] == pytest.approx(0.7)
    assert found["hrnet", "alone"] == pytest.approx(0.8)
    assert set(found.index.get_level_values("box")) == {"white", "black", "alone"}


def test_one_attack_passes_through_all_numbers_of_its_steps() -> None:
    assert SWEEP.attacks() == {0.5: [20], 1 / 3: [20], 1.0: [14, 20, 28]}
    alone = Sweep(step=1.0, iterations=20, steps=[1.0], counts=[], every=1)
    assert alone.attacks() == {1.0: [20]}
    assert Sweep(step=1.0, iterations=20, steps=[], counts=[], every=1).attacks() == {}


def write_sweep(folder: Path, extractor: str, subject: str, error: float) -> Path:
    rows = [
        (step, count, "run0", error + step + count / 100, step, 0.9, 0.8)
        for step, counts in SWEEP.attacks().items()
        for count in counts
    ]
    path = folder / extractor / f"{subject}.csv"
    write_csv(path, pd.DataFrame(rows, columns=SWEEP_ROW))
    return path


def test_a_sweep_varies_one_thing_at_a_time(tmp_path: Path) -> None:
    files = [write_sweep(tmp_path, "fan", name, error) for name, error in (("a", 0), ("b", 1))]
    table = sweep_table(files, SWEEP)
    found = list(table[["varied", "step", "iterations"]].itertuples(index=False, name=None))
    assert found == [
        ("step", pytest.approx(1 / 3, abs=1e-6), 20),
        ("step", 0.5, 20),
        ("iterations", 1.0, 14),
        ("iterations", 1.0, 20),
        ("iterations", 1.0, 28),
    ]
    assert set(table["images"]) == {2}
    assert table["nme"].tolist()[2] == pytest.approx(0.5 + 1 + 0.14)


def test_a_sweep_of_nothing_is_an_empty_table(tmp_path: Path) -> None:
    path = tmp_path / "fan" / "id0.csv"
    write_csv(path, pd.DataFrame([], columns=SWEEP_ROW))
    columns = list(sweep_table([write_sweep(tmp_path, "fan", "a", 0)], SWEEP))
    for files in ([], [path]):
        table = sweep_table(files, SWEEP)
        assert list(table) == columns
        assert table.empty


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "lb" / "fan" / "id0.csv"
    path.parent.mkdir(parents=True)
    path.write_text("step,run\n")
    for read in (read_measures, lambda files: sweep_table(files, SWEEP)):
        with pytest.raises(DataError, match=r"id0\.csv: holds no measures"):
            read([path])
