"""The adapter of DFDC: preview and challenge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from material.layouts import by_name, complaint, plant, plant_json

from swapset.dataset.layouts.registry import read_dataset

PREVIEW: dict[str, dict[str, Any]] = {
    "original_videos/643049/643049_A_001.mp4": {"label": "real", "set": "train"},
    "original_videos/1003254/1003254_A_001.mp4": {"label": "real", "set": "test"},
    "original_videos/1003254/1003254_A_002.mp4": {"label": "real", "set": "test"},
    "method_A/1003254/1003254_A/1255229_1003254_A_001.mp4": {"label": "fake", "set": "test"},
    "method_A/1003254/1003254_A/1255229_1003254_A_002.mp4": {
        "label": "fake",
        "set": "test",
        "augmentations": ["fps:15"],
    },
    "method_B/643049/643049_A/1255229_643049_A_001.mp4": {"label": "fake", "set": "train"},
    "method_B/1003254/1003254_A/1255229_1003254_A_001.mp4": {"label": "fake", "set": "test"},
}
FIRST = {
    "aaaaaaaaaa.mp4": {"label": "REAL", "split": "train"},
    "bbbbbbbbbb.mp4": {"label": "FAKE", "split": "train", "original": "aaaaaaaaaa.mp4"},
}
SECOND = {"cccccccccc.mp4": {"label": "FAKE", "split": "train", "original": "zzzzzzzzzz.mp4"}}


def preview(root: Path, content: Any = PREVIEW) -> Path:
    plant_json(root / "dataset.json", content)
    return plant(root, *PREVIEW)


def parts(root: Path) -> Path:
    for number, content in enumerate((FIRST, SECOND)):
        folder = root / f"dfdc_train_part_{number}"
        plant_json(folder / "metadata.json", content)
        plant(folder, *content)
    return root


# -- preview --------------------------------------------------------------------------------------


def test_preview_takes_split_and_label_from_the_list(tmp_path: Path) -> None:
    dataset = read_dataset("DFDC", preview(tmp_path))
    videos = by_name(dataset)
    assert len(videos) == len(PREVIEW)
    fake = videos["method_A_1255229_1003254_A_001"]
    assert (fake.label, fake.split, fake.method) == (1, "test", "method_A")
    assert (fake.target, fake.donor) == ("1003254", "1255229")
    assert (fake.original, fake.likely_original) == (None, "1003254_A_001")
    assert videos["method_B_1255229_1003254_A_001"].path != fake.path
    assert videos["method_A_1255229_1003254_A_002"].likely_original is None
    real = videos["643049_A_001"]
    assert (real.label, real.split, real.target, real.donor) == (0, "train", "643049", None)


def test_preview_notes_people_in_both_sets(tmp_path: Path) -> None:
    preview(tmp_path)
    assert any("1 of 3 people" in n for n in read_dataset("DFDC", tmp_path).notes)
    apart = read_dataset("DFDC", tmp_path, disjoint=True)
    assert set(apart.left_out) == {"method_B/643049/643049_A/1255229_643049_A_001.mp4"}


def test_preview_copies_have_a_folder_more(tmp_path: Path) -> None:
    root = tmp_path / "DFDCP"
    plant_json(root / "dataset.json", PREVIEW)
    plant(root, *("/videos/".join(path.split("/", 1)) for path in PREVIEW))
    plant(root, "method_A/frames/x/0.png", "method_A/videos/1_1_A_001.mp4")
    dataset = read_dataset("DFDC", tmp_path)
    assert len(dataset.videos) == len(PREVIEW)
    assert list(dataset.left_out) == ["method_A/videos/1_1_A_001.mp4"]


def test_preview_names_what_is_missing(tmp_path: Path) -> None:
    preview(tmp_path)
    gone = next(path for path in PREVIEW if path.startswith("method_B"))
    (tmp_path / gone).unlink()
    text = complaint("DFDC", tmp_path)
    assert "dataset.json" in text
    assert gone in text
    dataset = read_dataset("DFDC", tmp_path, partial=True)
    assert list(dataset.left_out) == [gone]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"label": "swapped", "set": "test"}, "label 'swapped'"),
        ({"label": "fake", "set": "exam"}, "set 'exam'"),
        ({"set": "test"}, "label None"),
        ("fake", "label None"),
        ({"label": ["fake"], "set": {}}, "label ['fake']"),
    ],
)
def test_preview_refuses_unknown_labels(tmp_path: Path, entry: Any, said: str) -> None:
    key = next(iter(PREVIEW))
    text = complaint("DFDC", preview(tmp_path, {**PREVIEW, key: entry}))
    assert f"dataset.json, {key}" in text
    assert said in text


def test_lists_that_are_damaged_are_named(tmp_path: Path) -> None:
    preview(tmp_path, ["a.mp4"])
    assert "not an object of videos" in complaint("DFDC", tmp_path)
    path = tmp_path / "dataset.json"
    path.write_text("{oops")
    assert f"{path}: cannot be used" in complaint("DFDC", tmp_path)
    path.write_text('{"a/1_A_001.mp4": {}, "a/1_A_001.mp4": {}}')
    assert "a/1_A_001.mp4 is listed twice" in complaint("DFDC", tmp_path)
    path.write_text('{"a/videos/1_A_001.mp4": {}, "a/1_A_001.mp4": {}}')
    assert "twice" in complaint("DFDC", tmp_path)


# -- challenge ------------------------------------------------------------------------------------


def test_training_parts_alone_are_all_for_testing(tmp_path: Path) -> None:
    dataset = read_dataset("DFDC", parts(tmp_path))
    videos = by_name(dataset)
    assert list(videos) == ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"]
    assert [v.label for v in videos.values()] == [0, 1, 1]
    assert videos["bbbbbbbbbb"].original == "aaaaaaaaaa"
    assert videos["cccccccccc"].original is None
    assert {v.split for v in videos.values()} == {None}
    assert any("Who is in" in note for note in dataset.notes)


@pytest.mark.parametrize("listing", ["labels.csv", "metadata.json"])
def test_a_test_part_makes_the_others_training(tmp_path: Path, listing: str) -> None:
    parts(tmp_path / "train")
    plant(tmp_path / "test", "videos/dddddddddd.mp4", "videos/eeeeeeeeee.mp4")
    if listing == "labels.csv":
        text = "filename,label\ndddddddddd.mp4,1\neeeeeeeeee.mp4,0\n"
        (tmp_path / "test/labels.csv").write_text(text)
    else:
        content = {"dddddddddd.mp4": {"is_fake": 1}, "eeeeeeeeee.mp4": {"is_fake": 0}}
        plant_json(tmp_path / "test/metadata.json", content)
    videos = by_name(read_dataset("DFDC", tmp_path))
    assert [v.split for v in videos.values()] == ["train"] * 3 + ["test"] * 2
    assert [v.label for v in videos.values()] == [0, 1, 1, 1, 0]


def test_videos_without_a_list_are_left_out(tmp_path: Path) -> None:
    plant(parts(tmp_path), "test_videos/ffffffffff.mp4", "dfdc_train_part_0/gggggggggg.mp4")
    dataset = read_dataset("DFDC", tmp_path)
    assert set(dataset.left_out) == {
        "test_videos/ffffffffff.mp4",
        "dfdc_train_part_0/gggggggggg.mp4",
    }


def test_parts_name_what_is_missing_or_twice(tmp_path: Path) -> None:
    parts(tmp_path)
    plant_json(tmp_path / "again/metadata.json", SECOND)
    text = complaint("DFDC", tmp_path)
    assert str(tmp_path / "again/metadata.json") in text
    assert "cccccccccc.mp4 is not on disk" in text
    assert len(read_dataset("DFDC", tmp_path, partial=True).videos) == 3
    plant(tmp_path / "again", *SECOND)
    text = complaint("DFDC", tmp_path)
    assert "both video cccccccccc" in text
    assert "dfdc_train_part_1" in text


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"label": "MAYBE", "split": "train"}, "label 'MAYBE' is not allowed"),
        ({"split": "train"}, "label None is not allowed"),
        ({"label": "REAL", "split": "holdout"}, "split 'holdout' is not allowed"),
        ([], "label None is not allowed"),
    ],
)
def test_parts_refuse_unknown_labels(tmp_path: Path, entry: Any, said: str) -> None:
    path = parts(tmp_path) / "dfdc_train_part_1/metadata.json"
    plant_json(path, {"cccccccccc.mp4": entry})
    assert f"{path}, cccccccccc.mp4: {said}" in complaint("DFDC", tmp_path)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "name,label\na.mp4,1\n",
            "line 1: column 'filename' is missing; required: filename, label; download",
        ),
        ("filename,label\na.mp4,\n", "line 2: label '' is not allowed"),
        ("filename,label\na.mp4,1\na.mp4,1\n", "line 3: a.mp4 is listed twice"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, rows: str, said: str) -> None:
    plant(tmp_path, "test/a.mp4")
    (tmp_path / "test/labels.csv").write_text(rows)
    assert f"{tmp_path / 'test/labels.csv'}, {said}" in complaint("DFDC", tmp_path)


def test_a_folder_that_is_not_dfdc_is_refused(tmp_path: Path) -> None:
    plant(tmp_path, "a.mp4")
    text = complaint("DFDC", tmp_path)
    assert "dataset.json" in text
    assert "metadata.json" in text
