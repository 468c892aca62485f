"""Scores of fakes whose frames are known: swapped, blurred or left as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from material.faces import placed

from swapset.errors import DataError
from swapset.faces.head_masks import HeadMasks, head_masks
from swapset.faces.identity import FaceEmbedder
from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.masks import polygon
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter
from swapset.quality.fake_scores import FakeScore, FakeToScore, score_fakes
from swapset.quality.mask_ssim import head_ssim

COUNT = 6
SIDE = 110
CENTRE = (160, 120)
BOX = (CENTRE[0] - SIDE / 2, CENTRE[1] - SIDE / 2, CENTRE[0] + SIDE / 2, CENTRE[1] + SIDE / 2)
TARGET = placed("astronaut", CENTRE, SIDE)
DONOR = placed("hopper", CENTRE, SIDE)


def written(path: Path, pictures: Sequence[np.ndarray]) -> Path:
    height, width = pictures[0].shape[:2]
    with VideoWriter(path, width, height, fps=30, codec="lossless") as video:
        for picture in pictures:
            video.write(picture)
    return path


def points_of(picture: np.ndarray) -> np.ndarray:
    return LandmarkPredictor().predict(picture, BOX).astype(np.float64)


POINTS = points_of(TARGET)
PEOPLE = {
    "target": FaceEmbedder().embed(TARGET, POINTS),
    "donor": FaceEmbedder().embed(DONOR, points_of(DONOR)),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("scores") / "clip.mkv", [TARGET] * COUNT)


@pytest.fixture(scope="module")
def heads(clip: Path) -> HeadMasks:
    return head_masks(frames(clip), np.stack([POINTS] * COUNT))


def fake(path: Path, pictures: Sequence[np.ndarray], method: str = "celebdf") -> FakeToScore:
    video = written(path / f"{method}.mkv", pictures)
    outlines = [polygon(POINTS, "hull")] * len(pictures)
    feathers = [4.0] * len(pictures)
    return FakeToScore(method, "id0_id1_0000", video, outlines, feathers, PEOPLE["donor"])


def scored(clip: Path, heads: HeadMasks, *fakes: FakeToScore, every: int = 1) -> list[FakeScore]:
    points = np.stack([POINTS] * COUNT)
    return score_fakes(clip, heads, points, PEOPLE["target"], fakes, every=every, identity_frames=3)


def blurred(sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(TARGET, (0, 0), sigma)


def test_an_unchanged_clip_scores_one_and_shows_the_target(
    tmp_path: Path, clip: Path, heads: HeadMasks
) -> None:
    (score,) = scored(clip, heads, fake(tmp_path, [TARGET] * COUNT))
    assert (score.frames, score.mask_ssim, score.masked_frame_ssim) == (COUNT, 1, 1)
    assert score.identity_donor == score.lab_distance == 0
    assert (score.sharpness, score.flicker) == (1, 0)
    assert score.landmark_distance == score.eye_error == score.mouth_error == 0
    assert score.smile_error == score.pose_error == 0
    assert np.isnan([score.eyes_follow, score.mouth_follows]).all()  # a still picture


def test_a_moving_face_follows_itself(tmp_path: Path, clip: Path, heads: HeadMasks) -> None:
    """Two frames of the clip are squeezed, so that its eyes and mouth are less open."""
    squeezed = cv2.warpAffine(
        TARGET, np.array([[1, 0, 0], [0, 0.8, 0.2 * CENTRE[1]]]), TARGET.shape[1::-1]
    )
    pictures = [TARGET, TARGET, squeezed, squeezed, TARGET, TARGET]
    moving = written(tmp_path / "moving.mkv", pictures)
    same = fake(tmp_path, pictures)
    still = fake(tmp_path, [TARGET] * COUNT, "faceswap")
    itself, calm = scored(moving, heads, same, still)
    assert (itself.eye_error, itself.landmark_distance, itself.flicker) == (0, 0, 0)
    assert (itself.eyes_follow, itself.eyes_gain) == pytest.approx((1, 1))
    assert (calm.eyes_follow, calm.eyes_gain) == (0, 0)
    assert calm.eye_error > 0.01
    assert calm.flicker == 0  # changes less than the target


def test_another_person_scores_low_and_shows_the_donor(
    tmp_path: Path, clip: Path, heads: HeadMasks
) -> None:
    points = points_of(DONOR)
    (score,) = score_fakes(
        clip,
        heads,
        np.stack([points] * COUNT),
        PEOPLE["target"],
        [fake(tmp_path, [DONOR] * COUNT)],
        every=1,
        identity_frames=3,
    )
    assert score.identity_donor == 1
    assert score.mask_ssim < 0.6
    assert score.lab_distance > 5


def test_the_mean_is_over_every_nth_frame(tmp_path: Path, clip: Path, heads: HeadMasks) -> None:
    pictures = [blurred(1 + index) for index in range(COUNT)]
    made = fake(tmp_path, pictures)
    (score,) = scored(clip, heads, made, every=2)
    seen = list(zip(frames(clip), frames(made.video), strict=True))
    each = [head_ssim(*seen[k], heads.mask(k)) for k in (0, 2, 4)]
    assert score.frames == 3
    assert score.mask_ssim == pytest.approx(np.mean(each), abs=1e-9)


def test_frames_left_as_they_were_do_not_count(
    tmp_path: Path, clip: Path, heads: HeadMasks
) -> None:
    made = fake(tmp_path, [TARGET] * 3 + [blurred(3)] * 3)
    outlines = [None] * 3 + list(made.outlines[3:])
    swapped, all_of_it, nothing = scored(
        clip,
        heads,
        replace(made, outlines=outlines),
        made,
        replace(made, outlines=[None] * COUNT),
    )
    assert (swapped.frames, all_of_it.frames, nothing.frames) == (3, COUNT, 0)
    assert swapped.mask_ssim < all_of_it.mask_ssim < 1
    unknown = [value for value in vars(nothing).values() if isinstance(value, float)]
    assert len(unknown) == 16
    assert np.isnan(unknown).all()
    assert swapped.sharpness < all_of_it.sharpness < 1
    assert 0 < all_of_it.landmark_distance < swapped.landmark_distance


def test_methods_that_made_the_same_fake_stay_apart(
    tmp_path: Path, clip: Path, heads: HeadMasks
) -> None:
    one = fake(tmp_path, [blurred(1)] * COUNT)
    other = fake(tmp_path, [blurred(5)] * COUNT, "faceswap")
    scores = scored(clip, heads, one, other)
    assert [(score.method, score.fake) for score in scores] == [
        ("celebdf", "id0_id1_0000"),
        ("faceswap", "id0_id1_0000"),
    ]
    assert scores[0].mask_ssim > scores[1].mask_ssim + 0.1
    alone = [*scored(clip, heads, one), *scored(clip, heads, other)]
    assert list(map(str, scores)) == list(map(str, alone))  # NaN differs from NaN


def test_sharpness_and_expression_are_measured_in_every_second_frame(
    tmp_path: Path, clip: Path, heads: HeadMasks
) -> None:
    made = fake(tmp_path, [TARGET, DONOR] * (COUNT // 2))
    (score,) = scored(clip, heads, made)
    assert (score.sharpness, score.landmark_distance, score.pose_error) == (1, 0, 0)
    assert score.mask_ssim < 0.95
    (third,) = scored(clip, heads, made, every=3)
    assert third.landmark_distance > 0.01


def test_flicker_is_measured_in_consecutive_frames_without_a_cut(
    tmp_path: Path, clip: Path, heads: HeadMasks
) -> None:
    pictures = [blurred(5), TARGET] * (COUNT // 2)
    made = fake(tmp_path, pictures)
    gap = replace(made, outlines=[made.outlines[0], None, *made.outlines[2:]])
    whole, interrupted = scored(clip, heads, made, gap)
    assert whole.flicker > 1
    assert np.isnan(interrupted.flicker)
    cut = replace(heads, shot=np.array([0, 1, 1, 1, 1, 1], np.int32))
    (score,) = scored(clip, cut, made)
    assert np.isnan(score.flicker)
    (score,) = scored(clip, heads, made, every=2)
    assert score.flicker == whole.flicker  # three consecutive frames all the same


@pytest.mark.parametrize("count", [COUNT - 1, COUNT + 1])
def test_a_fake_of_another_length_is_named(
    tmp_path: Path, clip: Path, heads: HeadMasks, count: int
) -> None:
    with pytest.raises(DataError, match=r"celebdf\.mkv: its length differs"):
        scored(clip, heads, fake(tmp_path, [TARGET] * count))
