"""The adapter of Celeb-DF, whose test list calls real videos 1."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.layouts import by_name, complaint, plant

from swapset.dataset.layouts.registry import read_dataset

LIST = "List_of_testing_videos.txt"
FILES = (
    "Celeb-real/id0_0000.mp4",
    "Celeb-real/id0_0001.mp4",
    "Celeb-real/id16_0000.mp4",
    "Celeb-real/id2_0000.mp4",
    "YouTube-real/00000.mp4",
    "YouTube-real/00170.mp4",
    "Celeb-synthesis/id0_id16_0000.mp4",
    "Celeb-synthesis/id0_id2_0001.mp4",
    "Celeb-synthesis/id2_id16_0009.mp4",
)
LINES = (
    "1 YouTube-real/00170.mp4",
    "1 Celeb-real/id0_0000.mp4",
    "0 Celeb-synthesis/id0_id16_0000.mp4",
)


def planted(root: Path, *lines: str) -> Path:
    plant(root, *FILES)
    (root / LIST).write_text("\n".join(lines or LINES) + "\n", encoding="utf-8")
    return root


def test_ones_of_the_list_are_real_and_others_are_for_training(tmp_path: Path) -> None:
    videos = by_name(read_dataset("Celeb-DF", planted(tmp_path)))
    assert {name for name, v in videos.items() if v.split == "test"} == {
        "00170",
        "id0_0000",
        "id0_id16_0000",
    }
    assert {v.split for v in videos.values()} == {"train", "test"}
    assert [name for name, v in videos.items() if v.label] == [
        "id0_id2_0001",
        "id0_id16_0000",
        "id2_id16_0009",
    ]


def test_names_give_target_donor_and_original(tmp_path: Path) -> None:
    videos = by_name(read_dataset("Celeb-DF", planted(tmp_path)))
    fake = videos["id0_id16_0000"]
    assert (fake.target, fake.donor, fake.original) == ("id0", "id16", "id0_0000")
    assert (videos["id0_0001"].target, videos["id0_0001"].donor) == ("id0", None)
    assert videos["00000"].people == ()
    assert videos["id2_id16_0009"].original is None


def test_people_in_both_splits_are_noted_or_left_out(tmp_path: Path) -> None:
    dataset = read_dataset("Celeb-DF", planted(tmp_path))
    assert any("2 of 3 people" in note for note in dataset.notes)
    apart = read_dataset("Celeb-DF", tmp_path, disjoint=True)
    tested = {p for v in apart.videos if v.split == "test" for p in v.people}
    assert not any(tested & set(v.people) for v in apart.videos if v.split == "train")
    assert [v.name for v in apart.videos if v.split == "train"] == ["00000", "id2_0000"]
    assert len(apart.videos) + len(apart.left_out) == len(FILES)
    assert "Celeb-synthesis/id2_id16_0009.mp4" in apart.left_out


def test_variants_of_the_folders(tmp_path: Path) -> None:
    root = tmp_path / "Celeb-DF-v2"
    plant(root, *(f.replace("/", "/videos/").replace("YouTube", "Youtube") for f in FILES))
    (root / LIST).write_text("\r\n".join(LINES), encoding="utf-8-sig")
    dataset = read_dataset("Celeb-DF", tmp_path)
    assert len(dataset.videos) == len(FILES)
    assert sum(v.split == "test" for v in dataset.videos) == len(LINES)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 Celeb-real/id9_0000.mp4", "Celeb-real/id9_0000.mp4 is not on disk"),
        ("1 Celeb-real/id0_0000.mp4", "is already in line 2"),
        ("0 Celeb-real/id16_0000.mp4", "1 is real"),
        ("1 Celeb-synthesis/id0_id2_0001.mp4", "1 is real"),
        ("2 Celeb-real/id16_0000.mp4", "label '2' is not allowed"),
        ("Celeb-real/id16_0000.mp4", "label 'Celeb-real/id16_0000.mp4' is not allowed"),
        ("1 Celeb-fake/id16_0000.mp4", "is in none of"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    text = complaint("Celeb-DF", planted(tmp_path, *LINES, line))
    assert f"{LIST}, line 4" in text
    assert said in text


def test_listed_videos_may_be_missing_if_that_is_asked_for(tmp_path: Path) -> None:
    planted(tmp_path, *LINES, "1 Celeb-real/id9_0000.mp4", "1 Celeb-real/id9_0001.mp4")
    assert "nor are 1 more" in complaint("Celeb-DF", tmp_path)
    dataset = read_dataset("Celeb-DF", tmp_path, partial=True)
    assert set(dataset.left_out) == {"Celeb-real/id9_0000.mp4", "Celeb-real/id9_0001.mp4"}


def test_missing_parts_are_named(tmp_path: Path) -> None:
    planted(tmp_path)
    (tmp_path / LIST).unlink()
    assert LIST in complaint("Celeb-DF", tmp_path)
    (tmp_path / LIST).write_text("\n".join(LINES))
    for file in (tmp_path / "YouTube-real").iterdir():
        file.unlink()
    (tmp_path / "YouTube-real").rmdir()
    assert "'YouTube-real'" in complaint("Celeb-DF", tmp_path)


@pytest.mark.parametrize(("count", "version"), [(100, 1), (518, 2)])
def test_the_length_of_the_list_tells_the_version(tmp_path: Path, count: int, version: int) -> None:
    lines = [f"1 YouTube-real/{n:05d}.mp4" for n in range(count)]
    planted(tmp_path, *lines)
    plant(tmp_path, *(line[2:] for line in lines))
    assert f"Version {version}." in read_dataset("Celeb-DF", tmp_path).notes
    assert len(read_dataset(f"Celeb-DF-v{version}", tmp_path).videos) > count
    assert f"is version {version}" in complaint(f"Celeb-DF-v{3 - version}", tmp_path)
    assert "choose 1 or 2" in complaint("Celeb-DF", tmp_path, version=3)
