"""Mask-SSIM of perturbed fakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from material.faces import background

from swapset.faces.head_masks import HeadMasks
from swapset.media.decode import frames as decode
from swapset.media.encode import VideoWriter
from swapset.media.perturbations.names import parse
from swapset.media.perturbations.videos import perturb_frames
from swapset.quality.mask_ssim import head_ssim
from swapset.quality.perturbed_ssim import ROW, perturbed_ssim_table, score_perturbed

HEIGHT, WIDTH, FRAMES = 96, 128, 10
PERTURBATIONS = ["contrast/5", "resize/5"]


def write(path: Path, changed: int) -> Path:
    picture = np.ascontiguousarray(background()[:HEIGHT, :WIDTH])
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "lossless" if path.suffix == ".mkv" else "h264"
    with VideoWriter(path, WIDTH, HEIGHT, codec=codec, quality=None) as video:
        for _ in range(FRAMES):
            frame = picture.copy()
            frame[30:60, 40:90] = np.clip(frame[30:60, 40:90].astype(int) + changed, 0, 255)
            video.write(frame)
    return path


@pytest.fixture
def scores(tmp_path: Path) -> tuple[pd.DataFrame, Path, Path, HeadMasks]:
    clip = write(tmp_path / "clips" / "id0_7.mkv", 0)
    fake = write(tmp_path / "m" / "original" / "id0_id1_7.mp4", 40)
    missing = tmp_path / "m" / "original" / "id0_id2_7.mp4"
    missing.touch()
    grid = np.zeros((1, 64, 64), np.uint8)
    grid[0, 16:48, 16:48] = 255
    matrix = np.array([[64 / WIDTH, 0, 0], [0, 64 / HEIGHT, 0]])
    shot = np.zeros(FRAMES, np.int32)
    heads = HeadMasks(
        np.array([0], np.int32), grid, np.stack([matrix] * FRAMES), shot, HEIGHT, WIDTH
    )
    (tmp_path / "heads").mkdir()
    heads.save(tmp_path / "heads" / "id0_7.npz")
    table = score_perturbed(
        {"m": [fake, missing]},
        tmp_path / "clips",
        tmp_path / "heads",
        [parse(name) for name in PERTURBATIONS],
        wanted=2,
        seed=1,
    )
    return table, clip, fake, heads


def test_scores_are_those_of_perturbed_frames(
    scores: tuple[pd.DataFrame, Path, Path, HeadMasks],
) -> None:
    table, clip, fake, heads = scores
    assert list(table.columns) == ROW
    assert table["fake"].tolist() == ["id0_id1_7"] * 3  # the other was not made
    assert table["perturbation"].tolist() == ["none", *PERTURBATIONS]
    assert (table["frames"] == 2).all()
    original, swapped = (np.stack(list(decode(path)))[[2, 7]] for path in (clip, fake))
    plain = [head_ssim(o, s, heads.mask(0)) for o, s in zip(original, swapped, strict=True)]
    assert table["mask_ssim"][0] == pytest.approx(np.mean(plain), abs=1e-3)
    assert table["mask_ssim_alike"][0] == table["mask_ssim"][0]
    dark = perturb_frames(swapped, parse("contrast/5"), "", 1)
    against = [head_ssim(o, d, heads.mask(0)) for o, d in zip(original, dark, strict=True)]
    assert table["mask_ssim"][1] == pytest.approx(np.mean(against), abs=5e-3)
    assert table["mask_ssim_alike"][1] > table["mask_ssim"][1] + 0.1


def test_smaller_frames_are_compared_at_the_size_of_the_clip(
    scores: tuple[pd.DataFrame, Path, Path, HeadMasks],
) -> None:
    table = scores[0]
    assert 0 < table["mask_ssim"][2] < table["mask_ssim"][0]


def test_table_has_means_over_fakes_with_intervals() -> None:
    rows = [
        ["m", "a", "none", 4, 0.8, 0.8],
        ["m", "b", "none", 4, 0.9, 0.9],
        ["m", "a", "blur/1", 4, 0.5, 0.7],
        ["m", "b", "blur/1", 4, 0.7, np.nan],
        ["m", "a", "none", 4, 0.8, 0.8],  # each family of perturbations measures it again
    ]
    scores = pd.DataFrame(rows, columns=ROW)
    table = perturbed_ssim_table(scores, ["blur/1"], seed=1, level=0.95, resamples=100)
    assert table["perturbation"].tolist() == ["none", "blur/1"]
    assert table["fakes"].tolist() == [2, 2]
    assert table["frames"].tolist() == [8, 8]
    assert table["mask_ssim"].tolist() == pytest.approx([0.85, 0.6])
    assert table["mask_ssim_alike"].tolist() == pytest.approx([0.85, 0.7])
    assert table["mask_ssim_low"].tolist() == pytest.approx([0.8, 0.5])
