"""Expressions and poses of the demo's portraits, with openings that are drawn by known amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from material.faces import placed

from swapset.config.sections import TrackSettings
from swapset.demo.clips import render_frames
from swapset.demo.motion import draw_motion
from swapset.demo.specs import DEMO_SPECS, FRAMES
from swapset.detectors.inputs.head_model import HEAD
from swapset.faces.align import crop_transform, invert, warp_crop
from swapset.faces.masks import polygon, render_mask
from swapset.faces.track import track_clip
from swapset.quality.expression import (
    EYES_MOVE,
    Expression,
    ExpressionReader,
    ExpressionScore,
    expression,
    expression_error,
    expression_score,
    following,
)
from swapset.seeds import derive_seed

EVERY = 3
SIZE, CONTEXT = 256, 1.3
READER = ExpressionReader()
SPECS = {spec.clip: spec for spec in DEMO_SPECS}


@dataclass
class Clip:
    """Every third frame of a demo clip, with its landmarks."""

    pictures: list[np.ndarray]
    landmarks: np.ndarray

    def crops(self) -> list[np.ndarray]:
        transforms = crop_transform(self.landmarks, SIZE, CONTEXT)
        pairs = zip(self.pictures, transforms, strict=True)
        return [warp_crop(picture, matrix, SIZE) for picture, matrix in pairs]

    def expressions(self, pictures: Sequence[np.ndarray]) -> list[Expression]:
        pairs = zip(pictures, self.landmarks, strict=True)
        return [READER.read(picture, points) for picture, points in pairs]


def rendered(name: str) -> Clip:
    pictures = list(render_frames(SPECS[name], every=EVERY))
    tracks = track_clip(pictures, settings=TrackSettings())
    return Clip(pictures, tracks.landmarks_of(tracks.track_numbers()))


@pytest.fixture(scope="module")
def target() -> Clip:
    return rendered("id0_0000")


@pytest.fixture(scope="module")
def shown(target: Clip) -> list[Expression]:
    return target.expressions(target.pictures)


@pytest.fixture(scope="module")
def calm(target: Clip) -> list[np.ndarray]:
    """Return fakes that show the donor's mean face in every frame."""
    mean = np.mean(rendered("id1_0000").crops(), axis=0)
    fakes = []
    for picture, points in zip(target.pictures, target.landmarks, strict=True):
        size = picture.shape[1::-1]
        face = cv2.warpAffine(mean, invert(crop_transform(points, SIZE, CONTEXT)), size)
        alpha = render_mask(polygon(points, "smooth"), picture.shape[:2], 10)[..., None]
        fakes.append((alpha * face + (1 - alpha) * picture).astype(np.uint8))
    return fakes


def mixed(target: Clip, fakes: Sequence[np.ndarray], share: float) -> list[np.ndarray]:
    pairs = zip(target.pictures, fakes, strict=True)
    return [cv2.addWeighted(one, 1 - share, fake, share, 0) for one, fake in pairs]


def test_the_target_itself_has_no_error_and_follows(target: Clip, shown: list[Expression]) -> None:
    score = expression_score(shown, target.expressions(target.pictures))
    assert score[:5] == (0, 0, 0, 0, 0)
    assert score[5:] == pytest.approx((1, 1, 1, 1))


def test_openings_are_those_that_were_drawn(shown: list[Expression]) -> None:
    spec = SPECS["id0_0000"]
    motion = draw_motion(np.random.default_rng(derive_seed(spec.seed, "demo", spec.clip)), FRAMES)
    lips, closure = motion.lips[::EVERY], motion.closure[::EVERY]
    mouths = np.array([one.mouth for one in shown])
    eyes = np.array([one.eyes.mean() for one in shown])
    assert np.abs(mouths - lips).max() < 0.035  # both in distances of the eyes' outer corners
    assert np.abs(mouths - lips).mean() < 0.008
    assert eyes[closure < 0.1] == pytest.approx(0.33, abs=0.03)
    assert (eyes[closure > 0.7] < 0.15).all()
    assert following(closure, -eyes, EYES_MOVE).correlation > 0.97


def test_the_donors_mean_face_is_far_and_does_not_follow(
    target: Clip, shown: list[Expression], calm: list[np.ndarray]
) -> None:
    score = expression_score(shown, target.expressions(calm))
    assert score.landmark_distance > 0.015
    assert score.eye_error > 0.04
    assert score.mouth_error > 0.015
    assert score.pose_error > 4
    assert score.eyes_follow < 0.5
    assert score.mouth_follows < 0.6  # not 0, because landmarks of mouths also move with the pose
    assert max(abs(score.eyes_gain), abs(score.mouth_gain)) < 0.2


def test_a_mix_of_both_is_in_between(
    target: Clip, shown: list[Expression], calm: list[np.ndarray]
) -> None:
    scores = [
        expression_score(shown, target.expressions(mixed(target, calm, share)))
        for share in (0.25, 0.5, 1)
    ]
    for name in ("landmark_distance", "eye_error", "mouth_error", "pose_error"):
        values = [getattr(score, name) for score in scores]
        assert 0 < values[0] < values[1] < values[2], name
    for name in ("eyes_follow", "mouth_follows", "eyes_gain", "mouth_gain"):
        values = [getattr(score, name) for score in scores]
        assert values[0] > values[2], name


def test_recompression_is_the_floor(target: Clip, shown: list[Expression]) -> None:
    """A JPEG of quality 60 changes nothing that one would see."""
    coded = [
        cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 1)
        for picture in target.pictures
    ]
    score = expression_score(shown, target.expressions(coded))
    assert score.landmark_distance < 0.004
    assert score.eye_error < 0.015
    assert score.mouth_error < 0.006
    assert score.pose_error < 1.2
    assert min(score.eyes_follow, score.mouth_follows) > 0.95


@pytest.mark.parametrize("turn", [(15, 0, 0), (0, -20, 0), (0, 0, 30), (-10, 8, 5)])
def test_the_pose_of_a_turned_head_is_its_turn(turn: tuple[float, float, float]) -> None:
    yaw, pitch, roll = np.radians(turn)
    head = HEAD.astype(np.float64) * (1, 1, -1)  # depth grows away from the camera
    for first, second, angle in ((1, 2, pitch), (0, 2, yaw), (0, 1, roll)):
        rotation = np.eye(3)
        rotation[[first, second], [first, second]] = np.cos(angle)
        rotation[second, first], rotation[first, second] = np.sin(angle), -np.sin(angle)
        head = head @ rotation.T
    points = head[:, :2] / (head[:, 2:] + 600)
    points *= 1 / np.ptp(points[:17, 0])
    # A nose that points to the right and down, and a head that is rolled clockwise.
    assert expression(points + 0.75).pose == pytest.approx(turn, abs=1)


@pytest.mark.parametrize("degrees", [-12, 5, 20])
def test_a_rolled_face_gives_its_roll(degrees: float) -> None:
    centre, side = (160, 120), 110
    upright = placed("astronaut", centre, side)
    points = track_clip([upright] * 5, settings=TrackSettings(min_face=48)).landmarks[0]
    rolled = placed("astronaut", centre, side, degrees=degrees)
    before, after = (READER.read(picture, points) for picture in (upright, rolled))
    error = expression_error(before, after)
    assert error.pose_error == pytest.approx(abs(degrees), abs=1)
    assert before.pose[2] - after.pose[2] == pytest.approx(degrees, abs=1)  # counter-clockwise
    assert error.landmark_distance < 0.005
    assert error.smile_error < 0.02


def test_a_head_that_turns_has_another_yaw(target: Clip, shown: list[Expression]) -> None:
    spec = SPECS["id0_0000"]
    motion = draw_motion(np.random.default_rng(derive_seed(spec.seed, "demo", spec.clip)), FRAMES)
    yaws = np.degrees([motion.poses[index].yaw for index in range(0, FRAMES, EVERY)])
    seen = [one.pose[0] for one in shown]
    assert abs(np.corrcoef(yaws, seen)[0, 1]) > 0.95
    assert 0.5 < np.std(seen) / np.std(yaws) < 2


def test_the_size_of_the_face_and_its_colours_do_not_matter() -> None:
    centre, side = (160, 120), 110
    small = placed("astronaut", centre, side)
    points = track_clip([small] * 5, settings=TrackSettings(min_face=48)).landmarks[0]
    large = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    grey = cv2.cvtColor(large, cv2.COLOR_RGB2GRAY)
    one = READER.read(small, points)
    for picture in (large, grey):
        other = READER.read(picture, points * 2 + 0.5)
        assert other.mouth == pytest.approx(one.mouth, abs=0.01)
        assert other.eyes == pytest.approx(one.eyes, abs=0.03)
        assert other.pose == pytest.approx(one.pose, abs=2)


def test_following_needs_a_target_that_moves() -> None:
    wave = np.sin(np.arange(50))
    assert np.isnan(following(0.01 * wave, wave, 0.01)).all()
    assert following(0.1 * wave, 0.02 * wave + 3, 0.01) == pytest.approx((1, 0.2))
    assert following(0.1 * wave, -wave, 0.01) == pytest.approx((-1, -10))
    assert following(0.1 * wave, np.full(50, 0.3), 0.01) == (0, 0)
    noise = np.random.default_rng(0).normal(0, 0.1, 50)
    noisy = following(0.1 * wave, 0.05 * wave + noise, 0.01)
    assert 0.1 < noisy.correlation < 0.7
    assert noisy.gain == pytest.approx(0.5, abs=0.3)


def test_without_frames_nothing_is_known() -> None:
    assert np.isnan(expression_score([], [])).all()
    assert len(expression_score([], [])) == len(ExpressionScore._fields)
