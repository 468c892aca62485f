"""Adapters of UADFV, DF-TIMIT and builds of our own; the registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from material.layouts import by_name, complaint, plant

from swapset.dataset.layouts.registry import LAYOUTS, read_dataset
from swapset.dataset.layouts.video import Video

TABLE_4_3 = ("UADFV", "DF-TIMIT-LQ", "DF-TIMIT-HQ", "FF-DF", "DFD", "DFDC", "Celeb-DF")


def uadfv(root: Path) -> Path:
    return plant(root, "real/0000.mp4", "real/0010.mp4", "fake/0000_fake.mp4", "fake/0002_fake.mp4")


def timit(root: Path) -> Path:
    return plant(
        root,
        "lower_quality/fadg0/sa1-video-fram1.avi",
        "lower_quality/fadg0/sa1.wav",
        "lower_quality/fram1/sx10-video-fadg0.avi",
        "higher_quality/fadg0/sa1-video-fram1.avi",
        "fram1-original.mov",
    )


def vidtimit(root: Path) -> Path:
    return plant(
        root,
        "fadg0/audio/sa1.wav",
        "fadg0/video/sa1/001",
        "fadg0/video/sa1/002",
        "fadg0/video/head/001",
        "fram1/sx10.avi",
        "mwbt0/sa2/7.avi",
    )


# -- UADFV ----------------------------------------------------------------------------------------


def test_uadfv_pairs_a_fake_with_its_original(tmp_path: Path) -> None:
    dataset = read_dataset("UADFV", uadfv(tmp_path))
    assert [v.name for v in dataset.videos] == ["0000", "0000_fake", "0002_fake", "0010"]
    videos = by_name(dataset)
    assert videos["0000"] == Video("0000", tmp_path / "real/0000.mp4", 0)
    assert videos["0000_fake"].label == 1
    assert videos["0000_fake"].original == "0000"
    assert videos["0002_fake"].original is None
    assert any("1 of 2 fakes" in note and "0002_fake" in note for note in dataset.notes)
    assert any("split" in note for note in dataset.notes)
    assert any("Who is in" in note for note in dataset.notes)


@pytest.mark.parametrize("variant", ["UADFV", "fake_videos"])
def test_uadfv_is_found_one_folder_further_down(tmp_path: Path, variant: str) -> None:
    uadfv(tmp_path / variant)
    assert len(read_dataset("UADFV", tmp_path).videos) == 4


def test_uadfv_takes_fakes_without_a_suffix(tmp_path: Path) -> None:
    plant(tmp_path, "real/0000.mp4", "fake/0000.mp4")
    assert list(by_name(read_dataset("UADFV", tmp_path))) == ["0000", "0000_fake"]


def test_what_no_pattern_explains_is_counted(tmp_path: Path) -> None:
    plant(uadfv(tmp_path), "real/outtake.mp4", "fake/x.mp4", "real/notes.txt", "real/._0000.mp4")
    dataset = read_dataset("UADFV", tmp_path)
    assert set(dataset.left_out) == {"real/outtake.mp4", "fake/x.mp4"}
    assert "NNNN_fake" in dataset.left_out["fake/x.mp4"]
    assert sum("1 videos are left out" in note for note in dataset.notes) == 2


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "none") in complaint("UADFV", tmp_path / "none")
    assert "'real'" in complaint("UADFV", tmp_path)
    plant(tmp_path, "real/0000.mp4")
    text = complaint("UADFV", tmp_path)
    assert str(tmp_path) in text
    assert "'fake'" in text


def test_a_folder_without_fakes_is_no_dataset(tmp_path: Path) -> None:
    plant(tmp_path, "real/0000.mp4", "fake/odd.mp4")
    text = complaint("UADFV", tmp_path)
    assert "no fake videos" in text
    assert "fake/odd.mp4" in text


def test_a_video_that_is_there_twice_is_named(tmp_path: Path) -> None:
    plant(uadfv(tmp_path), "real/0000.avi")
    text = complaint("UADFV", tmp_path)
    assert "0000.avi" in text
    assert "0000.mp4" in text
    (tmp_path / "real/0000.avi").unlink()
    plant(tmp_path, "fake/0000.mp4")
    assert "0000_fake" in complaint("UADFV", tmp_path)


# -- DF-TIMIT -------------------------------------------------------------------------------------


def test_timit_takes_the_originals_of_its_fakes(tmp_path: Path) -> None:
    root, originals = timit(tmp_path / "df"), vidtimit(tmp_path / "vid")
    dataset = read_dataset("DF-TIMIT-LQ", root, originals=str(originals))
    videos = by_name(dataset)
    assert list(videos) == [
        "fadg0_sa1",
        "fadg0_sa1-video-fram1",
        "fram1_sx10",
        "fram1_sx10-video-fadg0",
    ]
    assert videos["fadg0_sa1"].path == originals / "fadg0/video/sa1"
    assert videos["fram1_sx10"].path == originals / "fram1/sx10.avi"
    fake = videos["fadg0_sa1-video-fram1"]
    assert (fake.target, fake.donor, fake.original) == ("fadg0", "fram1", "fadg0_sa1")
    assert set(dataset.left_out) == {
        (originals / "mwbt0/sa2/7.avi").as_posix(),
        (originals / "fadg0/video/head").as_posix(),
    }
    assert any("JPEG frames" in note for note in dataset.notes)


def test_timit_qualities_are_two_datasets(tmp_path: Path) -> None:
    vidtimit(timit(tmp_path / "DeepfakeTIMIT") / "VidTIMIT")
    dataset = read_dataset("DF-TIMIT-HQ", tmp_path)
    assert [v.name for v in dataset.videos] == ["fadg0_sa1", "fadg0_sa1-video-fram1"]
    assert "higher_quality" in str(dataset.videos[1].path)
    assert len(dataset.left_out) == 3


def test_timit_says_where_real_videos_come_from(tmp_path: Path) -> None:
    text = complaint("DF-TIMIT-LQ", timit(tmp_path))
    assert "VidTIMIT" in text
    assert "'originals'" in text
    assert "elsewhere" in complaint("DF-TIMIT-LQ", tmp_path, originals=tmp_path / "elsewhere")
    plant(tmp_path / "wrong", "a.mp4")
    assert "fadg0/video/sa1" in complaint("DF-TIMIT-LQ", tmp_path, originals=tmp_path / "wrong")


def test_timit_names_an_original_that_is_missing(tmp_path: Path) -> None:
    originals = plant(tmp_path / "vid", "fadg0/video/sa1/001.jpg")
    root = timit(tmp_path / "df")
    assert "fram1/video/sx10" in complaint("DF-TIMIT-LQ", root, originals=originals)
    dataset = read_dataset("DF-TIMIT-LQ", root, originals=originals, partial=True)
    videos = by_name(dataset)
    assert videos["fram1_sx10-video-fadg0"].original is None
    assert any(path.endswith("fram1/video/sx10") for path in dataset.left_out)


# -- builds of our own ----------------------------------------------------------------------------


def test_a_build_gives_one_method_and_leaves_out_what_could_not_be_made(tmp_path: Path) -> None:
    made = [
        "dataset/real/original/id0_0000.mp4",
        "dataset/real/c40/id0_0000.mp4",
        "dataset/celebdf/original/id0_id1_0000.mp4",
        "dataset/celebdf/c40/id0_id1_0000.mp4",
        "dataset/celebdf/c23/id0_id1_0000.mp4",
        "dataset/faceswap/original/id0_id1_0000.mp4",
    ]
    plant(tmp_path, *made, "dataset/celebdf/original/id0_id2_0000.mp4")
    for path in made:
        (tmp_path / path).write_bytes(b"1")
    dataset = read_dataset("swapset", tmp_path, method="celebdf")
    assert [(v.compression, v.name) for v in dataset.videos] == [
        ("original", "id0_0000"),
        ("original", "id0_id1_0000"),
        ("c40", "id0_0000"),
        ("c40", "id0_id1_0000"),
    ]
    assert dataset.videos[1].original == "id0_0000"
    assert dataset.videos[1].people == ("id0", "id1")
    assert list(dataset.left_out) == ["celebdf/original/id0_id2_0000.mp4"]
    assert "celebdf, faceswap" in complaint("swapset", tmp_path)


# -- registry -------------------------------------------------------------------------------------


def test_the_chapters_datasets_have_their_names() -> None:
    assert set(TABLE_4_3) <= set(LAYOUTS)


def test_unknown_names_and_options_are_refused(tmp_path: Path) -> None:
    assert "UADFV" in complaint("UADV", tmp_path)
    text = complaint("Celeb-DF", tmp_path, quality="lower")
    assert "'quality'" in text
    assert "partial" in text
    assert "unknown option 'version'" in complaint("Celeb-DF-v1", tmp_path, version=2)
    assert "allowed here: none" in complaint("UADFV", tmp_path, partial=True)
    assert "true or false" in complaint("Celeb-DF", tmp_path, partial="yes")


def test_reading_needs_no_heavy_module() -> None:
    code = (
        "import sys, swapset.dataset.layouts.registry\n"
        "heavy = {'torch', 'cv2', 'numpy', 'pandas', 'pydantic', 'av'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
