"""Mask-SSIM of public fakes that have their exact originals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from material.faces import placed

from swapset.config.sections import TrackSettings
from swapset.media.encode import VideoWriter
from swapset.quality.public_scores import Pair, score_pairs

COUNT = 12
TARGET = [placed("astronaut", (150 + k, 120), 110) for k in range(COUNT)]
DONOR = [placed("hopper", (150, 120), 110)] * COUNT


def written(path: Path, pictures: Sequence[np.ndarray]) -> Path:
    with VideoWriter(path, 320, 240, fps=30, codec="h264", quality=12) as video:
        for picture in pictures:
            video.write(picture)
    return path


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("public")
    original, donor = written(folder / "a.mp4", TARGET), written(folder / "b.mp4", DONOR)
    blurred = written(folder / "blurred.mp4", [cv2.GaussianBlur(p, (0, 0), 3) for p in TARGET])
    short = written(folder / "short.mp4", TARGET[:-3])
    moved = [placed("astronaut", (150 + k, 126), 110) for k in range(COUNT)]
    other_take = written(folder / "moved.mp4", moved)
    text = folder / "text.mp4"
    text.write_text("no video")
    empty = written(folder / "empty.mp4", [np.full((240, 320, 3), 90, np.uint8)] * COUNT)
    pairs = [
        Pair("same", original, original, donor),
        Pair("blurred", blurred, original, donor),
        Pair("unknown donor", blurred, original, None),
        Pair("short", short, original, donor),
        Pair("likely", blurred, original, None, exact=False),
        Pair("another take", other_take, original, None, exact=False),
        Pair("another take, promised", other_take, original, None),
        Pair("text", text, original, donor),
        Pair("no face", empty, empty, donor),
    ]
    output = folder / "scores.csv"
    score_pairs("UADFV", pairs, output, TrackSettings(), every=2, identity_frames=2)
    return pd.read_csv(output, keep_default_na=False, na_values=[""]).set_index("fake")


def test_unchanged_is_one_and_coarse_is_less(scores: pd.DataFrame) -> None:
    assert set(scores["method"]) == {"UADFV"}
    assert scores.loc["same", "mask_ssim"] == 1
    assert scores.loc["same", "frames"] == COUNT // 2
    assert 0.3 < scores.loc["blurred", "mask_ssim"] < 0.9
    assert scores.loc["same", "sharpness"] == 1
    assert scores.loc["blurred", "sharpness"] < 0.8
    errors = ["landmark_distance", "eye_error", "mouth_error", "pose_error", "flicker"]
    assert (scores.loc["same", errors] == 0).all()
    assert (scores.loc["another take, promised", errors] > 0).all()


def test_identity_is_measured_where_the_donor_is_known(scores: pd.DataFrame) -> None:
    assert scores.loc["same", "identity_donor"] == 0
    assert np.isnan(scores.loc["unknown donor", "identity_donor"])
    assert scores.loc["unknown donor", "mask_ssim"] == scores.loc["blurred", "mask_ssim"]


def test_a_likely_original_counts_where_it_shows_the_same_frames(scores: pd.DataFrame) -> None:
    assert scores.loc["likely", "mask_ssim"] == scores.loc["blurred", "mask_ssim"]
    assert scores.loc["another take, promised", "mask_ssim"] > 0


def test_what_cannot_be_compared_has_a_reason(scores: pd.DataFrame) -> None:
    reasons = scores["reason"].dropna().to_dict()
    assert reasons == {
        "short": "the original has another length",
        "another take": "other frames than the original's",
        "text": "unreadable",
        "no face": "no face",
    }
    assert scores.loc[list(reasons), "mask_ssim"].isna().all()
