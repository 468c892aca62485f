"""Celeb-DF++, DeeperForensics-1.0 and DF40: names, options, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from material.layouts import by_name, complaint, plant

from swapset.dataset.layouts.registry import read_dataset
from swapset.media.any_source import with_samples

LIST = "List_of_testing_videos.txt"

# -- Celeb-DF++ ------------------------------------------------------------------------------------


@pytest.fixture
def celeb(tmp_path: Path) -> Path:
    root = tmp_path / "Celeb-DF-v3"
    plant(root, *(f"Celeb-real/id{k}_000{k}.mp4" for k in range(4)), "YouTube-real/00170.mp4")
    fakes = root / "Celeb-synthesis"
    for method in ("Celeb-DF", "SimSwap"):
        plant(fakes / "FaceSwap" / method, "id0_id1_0000.mp4", "id2_id3_0002.mp4")
    plant(fakes / "FaceReenact" / "DaGAN", "id3_id0_0003.mp4")
    plant(fakes / "TalkingFace" / "IP_LAP", "id2_0002.mp4")
    (root / LIST).write_text(
        "1 Celeb-real/id0_0000.mp4\n1 YouTube-real/00170.mp4\n"
        "0 Celeb-synthesis/FaceSwap/SimSwap/id0_id1_0000.mp4\n"
        "0 Celeb-synthesis/FaceReenact/DaGAN/id3_id0_0003.mp4\n"
    )
    return tmp_path


def test_celeb_df_pp_has_methods_and_the_published_test_list(celeb: Path) -> None:
    videos = by_name(read_dataset("Celeb-DF-PP", celeb))
    assert len(videos) == 5 + 6
    tested = {name for name, video in videos.items() if video.split == "test"}
    assert tested == {"id0_0000", "00170", "SimSwap_id0_id1_0000", "DaGAN_id3_id0_0003"}
    swap = videos["Celeb-DF_id2_id3_0002"]
    assert (swap.target, swap.donor, swap.method) == ("id2", "id3", "Celeb-DF")
    assert (swap.split, swap.label, swap.likely_original) == ("train", 1, "id2_0002")
    driven = videos["DaGAN_id3_id0_0003"]
    assert (driven.target, driven.donor, driven.likely_original) == ("id3", "id0", None)
    spoken = videos["IP_LAP_id2_0002"]
    assert (spoken.target, spoken.donor, spoken.method) == ("id2", None, "IP_LAP")
    assert videos["00170"].people == ()


def test_celeb_df_pp_of_a_scenario_or_a_method(celeb: Path) -> None:
    def names(*methods: str, **options: bool) -> set[str]:
        dataset = read_dataset("Celeb-DF-PP", celeb, methods=list(methods), **options)
        return {video.name for video in dataset.videos if video.label}

    swaps = {f"{m}_{v}" for m in ("Celeb-DF", "SimSwap") for v in ("id0_id1_0000", "id2_id3_0002")}
    assert names("FaceSwap") == swaps
    assert names("DaGAN", "TalkingFace") == {"DaGAN_id3_id0_0003", "IP_LAP_id2_0002"}
    said = complaint("Celeb-DF-PP", celeb, methods=["Roop"])
    assert "methods: 'Roop' is not allowed" in said
    assert "DaGAN, FaceReenact" in said
    # id0 and id1 are in the test videos that are read.
    assert names("FaceSwap", disjoint=True) == swaps - {"Celeb-DF_id0_id1_0000"}


def test_celeb_df_pp_names_what_is_missing(celeb: Path) -> None:
    gone = celeb / "Celeb-DF-v3/Celeb-synthesis/FaceReenact/DaGAN/id3_id0_0003.mp4"
    gone.unlink()
    said = complaint("Celeb-DF-PP", celeb)
    assert f"{LIST}, line 4: Celeb-synthesis/FaceReenact/DaGAN/id3_id0_0003.mp4 is not on" in said
    assert read_dataset("Celeb-DF-PP", celeb, partial=True).left_out
    assert read_dataset("Celeb-DF-PP", celeb, methods=["FaceSwap"]).left_out == {}
    (celeb / "Celeb-DF-v3" / LIST).write_text("0 Celeb-fakes/FaceSwap/A/id0_id1_0000.mp4\n")
    assert "it is in none of Celeb-real" in complaint("Celeb-DF-PP", celeb)


# -- DeeperForensics-1.0 ---------------------------------------------------------------------------


@pytest.fixture
def deeper(tmp_path: Path) -> Path:
    root = tmp_path / "DeeperForensics-1.0"
    listed = {"train": ["000_M101", "001_W004"], "val": ["010_W105"], "test": ["953_M004"]}
    for split, stems in listed.items():
        for variant in ("end_to_end", "end_to_end_level_5"):
            plant(root, *(f"manipulated_videos/{variant}/{stem}.mp4" for stem in stems))
        plant(root, f"lists/splits/{split}.txt")
        (root / f"lists/splits/{split}.txt").write_text("".join(f"{s}.mp4\n" for s in stems))
    numbers = ("000", "001", "010", "953", "977")
    videos = "FaceForensics++/original_sequences/youtube/c23/videos"
    plant(tmp_path, *(f"{videos}/{number}.mp4" for number in numbers))
    plant(root, "source_videos/M101/BlendShape/camera_front/M101_BlendShape_camera_front.mp4")
    return tmp_path


def test_deeper_forensics_has_the_targets_as_real_videos(deeper: Path) -> None:
    dataset = read_dataset("DeeperForensics", deeper)
    videos = by_name(dataset)
    assert set(videos) == {"000", "001", "010", "953"} | {
        "000_M101",
        "001_W004",
        "010_W105",
        "953_M004",
    }
    fake = videos["953_M004"]
    assert (fake.target, fake.donor, fake.split) == ("953", "M004", "test")
    assert (fake.likely_original, videos["953"].split) == ("953", "test")
    assert dataset.left_out == {}


def test_deeper_forensics_of_several_variants(deeper: Path) -> None:
    variants = ["end_to_end", "end_to_end_level_5"]
    videos = by_name(read_dataset("DeeperForensics", deeper, variants=variants))
    assert len(videos) == 4 + 8
    assert "end_to_end_level_5_010_W105" in videos
    assert read_dataset("DeeperForensics", deeper).notes == []
    (note,) = read_dataset("DeeperForensics", deeper, variants=variants).notes
    assert "fakes of end_to_end_level_5 are perturbed and the real videos are not" in note
    assert "choose from end_to_end," in complaint("DeeperForensics", deeper, variants=["level_9"])
    missing = complaint("DeeperForensics", deeper, variants=["reenact_postprocess"])
    assert "reenact_postprocess: is missing" in missing


def test_deeper_forensics_names_what_is_wrong(deeper: Path) -> None:
    root = deeper / "DeeperForensics-1.0"
    real = deeper / "FaceForensics++"
    real.rename(deeper / "elsewhere")
    assert "set the option 'originals'" in complaint("DeeperForensics", deeper)
    read_dataset("DeeperForensics", deeper, originals=str(deeper / "elsewhere"))
    (deeper / "elsewhere").rename(real)
    (root / "manipulated_videos/end_to_end/010_W105.mp4").unlink()
    assert "010_W105.mp4 is not on disk" in complaint("DeeperForensics", deeper)
    read_dataset("DeeperForensics", deeper, partial=True)
    (root / "lists/splits/test.txt").write_text("953_M101.mp4\n")
    plant(root, "manipulated_videos/end_to_end/953_M101.mp4")
    said = complaint("DeeperForensics", deeper, partial=True)
    assert "M101 is in 953_M101 (test) and in 000_M101 (train)" in said
    (root / "lists/splits/test.txt").write_text("test.csv\n")
    assert "test.txt, line 1: 'test.csv' is not called" in complaint("DeeperForensics", deeper)


# -- DF40 ------------------------------------------------------------------------------------------


@pytest.fixture
def df40(tmp_path: Path) -> Path:
    fakes = tmp_path / "DF40"
    plant(fakes / "simswap", "ff/frames/953_974/000.png", "ff/landmarks/953_974/000.npy")
    plant(fakes / "simswap", "cdf/frames/id0_id1_0002/000.png", "cdf/frames/00170/000.png")
    plant(fakes / "VQGAN", "ff/953/000.png", "cdf/Fake_from_Celeb-real/id0_0002/000.png")
    plant(fakes / "heygen", "fake/frames/Anna-1/1.png", "real/ben.2/1.png")
    plant(fakes / "MidJourney", "fake/1.png", "fake/2.png", "real/1.png")
    plant(tmp_path, "FaceForensics++/original_sequences/youtube/c23/frames/953/000.png")
    plant(tmp_path / "Celeb-DF-v2", "Celeb-real/frames/id0_0002/000.png")
    plant(tmp_path / "Celeb-DF-v2", "YouTube-real/frames/00170/000.png")
    return tmp_path


def test_df40_reads_folders_of_frames(df40: Path) -> None:
    dataset = read_dataset("DF40", df40)
    videos = by_name(dataset)
    assert {name for name, video in videos.items() if not video.label} == {
        "ff_953",
        "cdf_id0_0002",
        "cdf_00170",
        "heygen_real_ben.2",
    }
    assert {name for name, video in videos.items() if video.label} == {
        "simswap_ff_953_974",
        "simswap_cdf_id0_id1_0002",
        "simswap_cdf_00170",
        "VQGAN_ff_953",
        "VQGAN_cdf_id0_0002",
        "heygen_fake_Anna-1",
    }
    swap = videos["simswap_cdf_id0_id1_0002"]
    assert (swap.target, swap.donor, swap.likely_original) == ("id0", "id1", "cdf_id0_0002")
    whole = videos["VQGAN_ff_953"]
    assert (whole.target, whole.donor, whole.method) == ("953", None, "VQGAN")
    assert videos["simswap_cdf_00170"].likely_original == "cdf_00170"
    assert videos["simswap_cdf_00170"].people == ()
    assert all(video.path.is_dir() and video.split is None for video in dataset.videos)
    assert sum("single pictures" in note for note in dataset.notes) == 2


def test_df40_of_some_methods_and_domains(df40: Path) -> None:
    chosen = by_name(read_dataset("DF40", df40, methods=["simswap"], domains=["ff"]))
    assert set(chosen) == {"ff_953", "simswap_ff_953_974"}
    alone = by_name(read_dataset("DF40", df40 / "DF40", methods=["heygen"]))
    assert set(alone) == {"heygen_real_ben.2", "heygen_fake_Anna-1"}
    assert "methods: 'roop' is not allowed" in complaint("DF40", df40, methods=["roop"])
    assert "domains: 'dfdc' is not allowed" in complaint("DF40", df40, domains=["dfdc"])
    (df40 / "Celeb-DF-v2").rename(df40 / "away")
    assert "set the option 'originals'" in complaint("DF40", df40)
    elsewhere = df40 / "real"
    elsewhere.mkdir()
    (df40 / "away").rename(elsewhere / "Celeb-DF-v2")
    (df40 / "FaceForensics++").rename(elsewhere / "FaceForensics++")
    assert len(read_dataset("DF40", df40, originals=str(elsewhere)).videos) == 10


def test_frames_of_df40_are_read_as_a_video(df40: Path) -> None:
    video = by_name(read_dataset("DF40", df40))["simswap_ff_953_974"]
    for number, value in ((0, 30), (10, 90), (20, 150)):
        picture = np.full((256, 256, 3), value, np.uint8)
        cv2.imwrite(str(video.path / f"{number:03d}.png"), picture)
    seen = with_samples(
        video.path, lambda samples: [int(i.rgb.mean().round()) for i in samples.read(range(3))]
    )
    assert np.abs(np.array(seen) - [30, 90, 150]).max() <= 1
