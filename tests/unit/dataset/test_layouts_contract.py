"""One contract for all dataset layouts, over a small well-made tree of each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from material.layouts import complaint, plant, plant_ff, plant_json

from swapset.dataset.layouts.faceforensics import METHODS
from swapset.dataset.layouts.registry import LAYOUTS, read_dataset
from swapset.dataset.layouts.video import Dataset, Split
from swapset.errors import ManifestError
from swapset.media.compressions import COMPRESSIONS


@dataclass(frozen=True)
class Tree:
    """A small dataset on disk.

    Attributes
    ----------
    plant : callable
        Makes it in an existing folder.
    stray : str
        A video that no list and no pattern of names explains.
    listing : str
        A list that the dataset comes with; empty: it has none.
    """

    plant: Callable[[Path], object]
    stray: str
    listing: str = ""


def _uadfv(root: Path) -> None:
    plant(root, "real/0000.mp4", "real/0010.mp4", "fake/0000_fake.mp4", "fake/0010_fake.mp4")


def _timit(root: Path) -> None:
    for quality in ("lower", "higher"):
        plant(root / f"{quality}_quality", "fadg0/sa1-video-fram1.avi", "fram1/sx1-video-fadg0.avi")
    plant(root / "VidTIMIT", "fadg0/video/sa1/001", "fadg0/video/sa1/002", "fram1/sx1.avi")


def _dfd(root: Path) -> None:
    plant(root / "original_sequences/actors/c23/videos", "01__walking.mp4", "02__walking.mp4")
    fakes = root / "manipulated_sequences/DeepFakeDetection/c23/videos"
    plant(fakes, "01_02__walking__YVGY8LOK.mp4")


def _dfdc(root: Path) -> None:
    people = {"1": "train", "2": "test"}
    listed = {
        f"original_videos/{one}/{one}_A_001.mp4": {"label": "real", "set": part}
        for one, part in people.items()
    } | {
        f"method_A/{one}/{one}_A/9{one}_{one}_A_001.mp4": {"label": "fake", "set": part}
        for one, part in people.items()
    }
    plant(root, *listed)
    plant_json(root / "dataset.json", listed)


def _celeb_df(root: Path) -> None:
    plant(root, "Celeb-real/id0_0000.mp4", "Celeb-real/id1_0000.mp4", "YouTube-real/00001.mp4")
    plant(root, "Celeb-synthesis/id0_id1_0000.mp4", "Celeb-synthesis/id1_id0_0000.mp4")
    lines = "1 Celeb-real/id0_0000.mp4\n0 Celeb-synthesis/id0_id1_0000.mp4\n"
    (root / "List_of_testing_videos.txt").write_text(lines)


def _celeb_df_pp(root: Path) -> None:
    plant(root, "Celeb-real/id0_0000.mp4", "Celeb-real/id1_0000.mp4", "YouTube-real/00001.mp4")
    fakes = root / "Celeb-synthesis"
    plant(fakes, "FaceSwap/SimSwap/id0_id1_0000.mp4", "FaceSwap/Celeb-DF/id0_id1_0000.mp4")
    plant(fakes, "FaceReenact/DaGAN/id1_id0_0000.mp4", "TalkingFace/EDTalk/id1_id0_0000.mp4")
    lines = "1 Celeb-real/id0_0000.mp4\n0 Celeb-synthesis/FaceReenact/DaGAN/id1_id0_0000.mp4\n"
    (root / "List_of_testing_videos.txt").write_text(lines)


def _deeper_forensics(root: Path) -> None:
    fakes = {"train": "000_M101", "val": "010_W004", "test": "953_M004"}
    for split, stem in fakes.items():
        plant(root, f"manipulated_videos/end_to_end/{stem}.mp4")
        plant(root, f"original_sequences/youtube/c23/videos/{stem[:3]}.mp4")
        plant(root, f"lists/splits/{split}.txt")
        (root / f"lists/splits/{split}.txt").write_text(f"{stem}.mp4\n")


def _df40(root: Path) -> None:
    plant(root / "DF40/simswap", "ff/frames/000_003/000.png", "ff/frames/000_003/010.png")
    plant(root / "DF40/simswap", "cdf/frames/id0_id1_0000/000.png")
    plant(root / "DF40/VQGAN", "ff/000/1.png", "cdf/Fake_from_Celeb-real/id0_0000/0.png")
    plant(root / "DF40/heygen", "fake/frames/a-1/000.png", "real/b_2/000.png")
    plant(root, "FaceForensics++/original_sequences/youtube/c23/frames/000/000.png")
    plant(root / "Celeb-DF-v2", "Celeb-real/frames/id0_0000/000.png")
    plant(root / "Celeb-DF-v2", "YouTube-real/frames/00001/000.png")


def _own_build(root: Path) -> None:
    plant(root, "dataset/real/original/id0_0000.mp4", "dataset/real/c40/id0_0000.mp4")
    fakes = "dataset/celebdf"
    plant(root, f"{fakes}/original/id0_id1_0000.mp4", f"{fakes}/c40/id0_id1_0000.mp4")
    for path in root.rglob("*.mp4"):  # empty ones could not be made
        path.write_bytes(b"1")


def _folders(root: Path) -> None:
    plant(root, *(f"real/{name}_1.mp4" for name in ("anna", "ben", "carl", "dora")))
    plant(root, "fake/anna_ben_1.mp4", "fake/carl_dora_1.mp4")
    (root / "tested.txt").write_text("carl_1\ndora_1\ncarl_dora_1\n")


def _faceforensics(root: Path) -> None:
    plant_ff(root, list(METHODS.values()), ("c23", "raw"))


_FF = Tree(_faceforensics, "original_sequences/youtube/c23/videos/999.mp4", "val.json")
_CELEB = Tree(_celeb_df, "Celeb-real/odd.mp4", "List_of_testing_videos.txt")
TREES = {
    "UADFV": Tree(_uadfv, "real/outtake.mp4"),
    "DF-TIMIT-LQ": Tree(_timit, "lower_quality/fadg0/outtake.avi"),
    "DF-TIMIT-HQ": Tree(_timit, "higher_quality/fadg0/outtake.avi"),
    **dict.fromkeys([*METHODS, "FF-all"], _FF),
    "DFD": Tree(_dfd, "manipulated_sequences/DeepFakeDetection/c23/videos/trailer.mp4"),
    "DFDC": Tree(_dfdc, "method_A/1/1_A/outtake.mp4", "dataset.json"),
    **dict.fromkeys(["Celeb-DF", "Celeb-DF-v1", "Celeb-DF-v2"], _CELEB),
    "Celeb-DF-PP": Tree(
        _celeb_df_pp, "Celeb-synthesis/FaceSwap/SimSwap/odd.mp4", "List_of_testing_videos.txt"
    ),
    "DeeperForensics": Tree(
        _deeper_forensics, "manipulated_videos/end_to_end/outtake.mp4", "lists/splits/val.txt"
    ),
    "DF40": Tree(_df40, "DF40/simswap/ff/frames/outtake.mp4"),
    "swapset": Tree(_own_build, "dataset/real/c40/outtake.mp4"),
    # Of the package in tests/material/plugin_package.
    "Folders": Tree(_folders, "fake/outtake.mp4", "tested.txt"),
}
LISTED = [name for name in LAYOUTS if TREES[name].listing]


@pytest.fixture(params=LAYOUTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(name: str, tmp_path: Path) -> Path:
    TREES[name].plant(tmp_path)
    return tmp_path


@pytest.fixture
def dataset(name: str, root: Path) -> Dataset:
    return read_dataset(name, root)


def test_videos_are_named_once_in_each_compression(dataset: Dataset) -> None:
    names = [(video.compression, video.name) for video in dataset.videos]
    assert len(names) == len(set(names)) >= 2
    assert all(re.fullmatch(r"[\w.+-]+", name) for _, name in names)  # they become files' names


def test_labels_are_real_and_fake(dataset: Dataset) -> None:
    assert {video.label for video in dataset.videos} == {0, 1}
    assert all(video.donor is None for video in dataset.videos if not video.label)


def test_videos_are_on_disk_below_the_root(dataset: Dataset, root: Path) -> None:
    assert all(video.path.exists() for video in dataset.videos)
    assert all(video.path.is_relative_to(root) for video in dataset.videos)


def test_splits_and_compressions_are_known_ones(name: str, dataset: Dataset) -> None:
    assert {video.compression for video in dataset.videos} <= set(COMPRESSIONS)
    splits = {video.split for video in dataset.videos}
    if TREES[name].listing:
        assert {"train", "test"} <= splits <= {*get_args(Split)}
    else:
        assert splits == {None}  # then all of it is for testing, which a note says
        assert any("No split" in note for note in dataset.notes)


def test_originals_are_real_videos_of_the_same_person(dataset: Dataset) -> None:
    real = {video.name: video for video in dataset.videos if not video.label}
    fakes = [video for video in dataset.videos if video.label]
    assert any(video.original or video.likely_original for video in fakes)
    for video in fakes:
        original = video.original or video.likely_original
        assert original is None or real[original].target == video.target


def test_the_order_is_by_compression_then_natural(dataset: Dataset) -> None:
    places = [COMPRESSIONS.index(video.compression) for video in dataset.videos]
    assert places == sorted(places)


def test_the_same_again_and_nothing_is_written(name: str, dataset: Dataset, root: Path) -> None:
    before = sorted(root.rglob("*"))
    assert read_dataset(name, root) == dataset
    assert sorted(root.rglob("*")) == before


def test_nothing_of_a_well_made_tree_is_left_out(dataset: Dataset) -> None:
    assert dataset.left_out == {}


def test_what_nothing_explains_is_left_out_with_a_reason(
    name: str, dataset: Dataset, root: Path
) -> None:
    stray = root / TREES[name].stray
    plant(root, TREES[name].stray)
    again = read_dataset(name, root)
    assert again.videos == dataset.videos
    assert list(again.left_out) == [stray.relative_to(again.root).as_posix()]
    (reason,) = again.left_out.values()
    assert any("1 videos are left out" in note and reason in note for note in again.notes)


def test_hidden_files_and_other_kinds_are_not_looked_at(
    name: str, dataset: Dataset, root: Path
) -> None:
    folder = (root / TREES[name].stray).parent
    plant(folder, "._0000.mp4", "notes.txt")
    assert read_dataset(name, root) == dataset


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_folder_without_the_dataset_is_named(name: str, tmp_path: Path, folder: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read_dataset(name, tmp_path / folder)
    assert str(tmp_path / folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_tree_of_real_videos_alone_is_refused(name: str, root: Path, dataset: Dataset) -> None:
    for video in dataset.videos:
        if video.label:
            shutil.rmtree(video.path) if video.path.is_dir() else video.path.unlink()
    with pytest.raises(ManifestError) as caught:
        read_dataset(name, root)
    assert str(root) in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00 no list", None])
@pytest.mark.parametrize("name", LISTED, indirect=True)
def test_a_list_that_cannot_be_read_is_named(name: str, root: Path, content: bytes | None) -> None:
    path = root / TREES[name].listing
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    said = complaint(name, root)
    assert str(root) in said
    assert path.name in said
    assert "\n" not in said


def test_an_unknown_option_is_refused_with_the_known_ones(name: str, root: Path) -> None:
    said = complaint(name, root, colour="red")
    assert said.startswith(f"datasets.{name}: unknown option 'colour'; allowed here: ")
