"""Adapters of FaceForensics++ and DFD, which share folders by compression."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.layouts import (
    NUMBERS,
    PAIRS,
    SPLITS,
    by_name,
    complaint,
    plant,
    plant_ff,
    plant_json,
    plant_splits,
)

from swapset.dataset.layouts.checks import shared_people
from swapset.dataset.layouts.faceforensics import METHODS
from swapset.dataset.layouts.registry import read_dataset

REAL = "original_sequences/youtube"
FAKE = "manipulated_sequences/Deepfakes"
ACTORS = ("01__walking", "01__talking_angry_couch", "02__walking")
SWAPS = (
    "01_02__walking__YVGY8LOK",
    "01_02__talking_angry_couch__YVGY8LOK",
    "02_01__kitchen_pan__0XUW13RW",
)


# -- FaceForensics++ ------------------------------------------------------------------------------


def test_names_and_lists_give_everything(tmp_path: Path) -> None:
    dataset = read_dataset("FF-DF", plant_ff(tmp_path))
    videos = by_name(dataset)
    assert len(videos) == len(NUMBERS) + len(PAIRS)
    fake = videos["953_974"]
    assert fake.path == tmp_path / FAKE / "c23/videos/953_974.mp4"
    assert (fake.target, fake.donor, fake.original) == ("953", "974", "953")
    assert (fake.split, fake.label, fake.method) == ("test", 1, "Deepfakes")
    assert (videos["672"].split, videos["672"].label, videos["672"].target) == ("val", 0, "672")
    assert {v.compression for v in dataset.videos} == {"c23"}
    assert not dataset.left_out
    assert not shared_people(dataset.videos)


@pytest.mark.parametrize(("name", "method"), METHODS.items())
def test_every_method_is_a_dataset(tmp_path: Path, name: str, method: str) -> None:
    plant_ff(tmp_path, [method])
    fakes = [v for v in read_dataset(name, tmp_path).videos if v.label]
    assert {v.method for v in fakes} == {method}
    assert [v.name for v in fakes] == sorted(PAIRS)
    other = next(other for other in METHODS if other != name)
    assert METHODS[other] in complaint(other, tmp_path)


def test_compressions_are_read_side_by_side(tmp_path: Path) -> None:
    plant_ff(tmp_path, compressions=("c40", "raw", "c23"))
    dataset = read_dataset("FF-DF", tmp_path)
    count = len(NUMBERS) + len(PAIRS)
    found = [v.compression for v in dataset.videos]
    assert found == ["original"] * count + ["c23"] * count + ["c40"] * count
    assert dataset.videos[0].path.parts[-3] == "raw"
    some = read_dataset("FF-DF", tmp_path, compressions=["c40"])
    assert {v.compression for v in some.videos} == {"c40"}


def test_a_compression_that_is_missing_is_named(tmp_path: Path) -> None:
    plant_ff(tmp_path)
    text = complaint("FF-DF", tmp_path, compressions=["c40"])
    assert "c23" in text
    assert "c40" in text
    assert "c24" in complaint("FF-DF", tmp_path, compressions="c24")
    plant(tmp_path, f"{REAL}/c40/videos/000.mp4")
    dataset = read_dataset("FF-DF", tmp_path)
    assert {v.compression for v in dataset.videos} == {"c23"}
    assert any(f"{REAL}/c40 is not read" in note for note in dataset.notes)


def test_real_and_fake_must_share_a_compression(tmp_path: Path) -> None:
    plant_ff(tmp_path)
    (tmp_path / FAKE / "c23").rename(tmp_path / FAKE / "c40")
    assert "in common (c23; c40)" in complaint("FF-DF", tmp_path)


def test_all_methods_together_keep_names_apart(tmp_path: Path) -> None:
    plant_ff(tmp_path, list(METHODS.values()))
    videos = by_name(read_dataset("FF-all", tmp_path))
    assert len(videos) == len(NUMBERS) + 5 * len(PAIRS)
    assert videos["NeuralTextures_000_003"].original == "000"
    two = read_dataset("FF-all", tmp_path, methods=["Deepfakes", "FaceSwap"])
    assert len(two.videos) == len(NUMBERS) + 2 * len(PAIRS)
    assert "'Faceswap'" in complaint("FF-all", tmp_path, methods=["Faceswap"])


def test_a_flat_copy_is_read_by_the_compression_it_is_named_after(tmp_path: Path) -> None:
    root = tmp_path / "FaceForensics++_C23"
    plant(root, *(f"original/{n}.mp4" for n in NUMBERS))
    plant(root, *(f"Deepfakes/{pair}.mp4" for pair in PAIRS))
    plant_splits(tmp_path / "lists")
    dataset = read_dataset("FF-DF", tmp_path, splits=str(tmp_path / "lists"))
    assert {v.compression for v in dataset.videos} == {"c23"}
    assert len(dataset.videos) == len(NUMBERS) + len(PAIRS)
    assert "not in c40" in complaint("FF-DF", root, splits=tmp_path / "lists", compressions=["c40"])
    plain = root.rename(tmp_path / "FF++")
    assert "'compressions'" in complaint("FF-DF", plain, splits=tmp_path / "lists")
    told = read_dataset("FF-DF", plain, splits=tmp_path / "lists", compressions=["c40"])
    assert {v.compression for v in told.videos} == {"c40"}


def test_the_lists_must_be_there(tmp_path: Path) -> None:
    plant_ff(tmp_path)
    (tmp_path / "val.json").rename(tmp_path / "validation.json")
    text = complaint("FF-DF", tmp_path)
    assert str(tmp_path / "val.json") in text
    assert "github.com/ondyari" in text
    plant_splits(tmp_path / "splits")
    (tmp_path / "test.json").unlink()
    assert read_dataset("FF-DF", tmp_path).videos


def test_a_listed_video_that_is_missing_is_named(tmp_path: Path) -> None:
    plant_ff(tmp_path)
    (tmp_path / FAKE / "c23/videos/974_953.mp4").unlink()
    text = complaint("FF-DF", tmp_path)
    assert "test.json" in text
    assert "974_953.mp4 is not on disk" in text
    (tmp_path / REAL / "c23/videos/000.mp4").unlink()
    assert "train.json" in complaint("FF-DF", tmp_path)
    dataset = read_dataset("FF-DF", tmp_path, partial=True)
    assert set(dataset.left_out) == {f"{FAKE}/c23/videos/974_953.mp4", f"{REAL}/c23/videos/000.mp4"}
    assert by_name(dataset)["000_003"].original is None


def test_a_number_in_two_splits_is_named(tmp_path: Path) -> None:
    plant_ff(tmp_path)
    plant_json(tmp_path / "test.json", [["953", "974"], ["003", "974"]])
    text = complaint("FF-DF", tmp_path)
    assert str(tmp_path / "test.json") in text
    assert "003" in text
    assert "train.json" in text


@pytest.mark.parametrize("bad", [{"a": 1}, [["1", "2"]], [["000"]], [[0, 3]], [["001", "001"]]])
def test_a_list_that_is_none_is_refused(tmp_path: Path, bad: object) -> None:
    plant_ff(tmp_path)
    plant_json(tmp_path / "val.json", bad)
    assert f"{tmp_path / 'val.json'}: entry 0" in complaint("FF-DF", tmp_path)


def test_videos_that_no_list_names_are_left_out(tmp_path: Path) -> None:
    plant_ff(tmp_path)
    plant(tmp_path, f"{REAL}/c23/videos/999.mp4", f"{FAKE}/c23/videos/000_974.mp4")
    plant(tmp_path, f"{FAKE}/masks/videos/000_003.mp4")
    dataset = read_dataset("FF-DF", tmp_path)
    assert set(dataset.left_out) == {f"{REAL}/c23/videos/999.mp4", f"{FAKE}/c23/videos/000_974.mp4"}
    assert len(dataset.videos) == len(NUMBERS) + len(PAIRS)


def test_splits_hold_pairs_together() -> None:
    assert len(NUMBERS) == len(set(NUMBERS)) == 2 * sum(map(len, SPLITS.values()))


# -- DFD ------------------------------------------------------------------------------------------


def plant_dfd(root: Path, folder: str = "c23") -> Path:
    real = f"original_sequences/actors/{folder}/videos"
    fake = f"manipulated_sequences/DeepFakeDetection/{folder}/videos"
    return plant(root, *(f"{real}/{n}.mp4" for n in ACTORS), *(f"{fake}/{n}.mp4" for n in SWAPS))


def test_dfd_names_give_actors_and_the_likely_original(tmp_path: Path) -> None:
    dataset = read_dataset("DFD", plant_dfd(tmp_path, "raw"))
    videos = by_name(dataset)
    fake = videos["01_02__talking_angry_couch__YVGY8LOK"]
    assert (fake.target, fake.donor, fake.label) == ("01", "02", 1)
    assert fake.likely_original == "01__talking_angry_couch"
    assert fake.original is None
    assert videos["02_01__kitchen_pan__0XUW13RW"].likely_original is None
    assert (videos["02__walking"].target, videos["02__walking"].donor) == ("02", None)
    assert {v.split for v in dataset.videos} == {None}
    assert {v.compression for v in dataset.videos} == {"original"}


def test_dfd_lies_in_the_tree_of_faceforensics(tmp_path: Path) -> None:
    root = plant_dfd(plant_ff(tmp_path / "FaceForensics++"), "c23")
    assert len(read_dataset("DFD", tmp_path).videos) == len(ACTORS) + len(SWAPS)
    assert len(read_dataset("FF-DF", root).videos) == len(NUMBERS) + len(PAIRS)


def test_dfd_copies_of_one_compression(tmp_path: Path) -> None:
    plant(tmp_path, *(f"DFD_original sequences/{n}.mp4" for n in ACTORS))
    fakes = "DFD_manipulated_sequences/DFD_manipulated_sequences"
    plant(tmp_path, *(f"{fakes}/{n}.mp4" for n in SWAPS), f"{fakes}/trailer.mp4")
    assert "'compressions'" in complaint("DFD", tmp_path)
    dataset = read_dataset("DFD", tmp_path, compressions=["c23"])
    assert len(dataset.videos) == len(ACTORS) + len(SWAPS)
    assert list(dataset.left_out) == [f"{fakes}/trailer.mp4"]


def test_dfd_without_its_actors_is_refused(tmp_path: Path) -> None:
    plant(tmp_path, f"manipulated_sequences/DeepFakeDetection/c23/videos/{SWAPS[0]}.mp4")
    assert "original_sequences/actors" in complaint("DFD", tmp_path)
    (tmp_path / "original_sequences/actors").mkdir(parents=True)
    assert "no folder raw, c23 or c40" in complaint("DFD", tmp_path)
