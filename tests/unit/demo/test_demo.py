"""The embedded demo: deterministic, four persons told apart, faces that really move."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from swapset.config.demo import DEMO_VALUES
from swapset.demo.clips import make_all, render_frames
from swapset.demo.expressions import Eye, Mouth
from swapset.demo.morph import load_subject
from swapset.demo.motion import band_limited, draw_motion
from swapset.demo.portraits import Portrait, load_portrait
from swapset.demo.sampling import sample
from swapset.demo.specs import DEMO_SPECS, DEMO_SUBJECTS, FPS, FRAMES, SIZE
from swapset.demo.warp import HeadWarp, Pose
from swapset.faces.detect import HogDetector
from swapset.faces.identity import FaceEmbedder
from swapset.faces.landmarks import LandmarkPredictor
from swapset.media.decode import frames as decode
from swapset.media.probe import probe

Image = np.ndarray


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="module")
def find():
    detector, predictor = HogDetector(), LandmarkPredictor()

    def landmarks(image: Image) -> np.ndarray:
        boxes, _ = detector.detect(image, min_face=80)
        assert len(boxes) == 1
        return predictor.predict(image, boxes[0])

    return landmarks


@pytest.fixture(scope="module")
def astronaut() -> Portrait:
    return load_portrait("astronaut")


def _picture(portrait: Portrait, lips: float, closure: float) -> Image:
    image = portrait.image.copy()
    Mouth(portrait).apply(image, lips)
    for first in (36, 42):
        Eye(portrait, first).apply(image, closure, 0.0)
    return np.clip(image, 0, 255).astype(np.uint8)


def _eye_ratio(points: np.ndarray) -> float:
    return np.linalg.norm(points[37] - points[41]) / np.linalg.norm(points[36] - points[39])


def _mouth_ratio(points: np.ndarray) -> float:
    return np.linalg.norm(points[62] - points[66]) / np.linalg.norm(points[36] - points[45])


def test_specs_are_light_and_complete():
    code = (
        "import sys, swapset.demo.specs; print(sorted({'cv2', 'dlib', 'torch'} & {*sys.modules}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    assert len({spec.clip for spec in DEMO_SPECS}) == len(DEMO_SPECS) == 8
    assert all(spec.licence and spec.source for spec in DEMO_SPECS)
    assert all(spec.clip.startswith(spec.subject.name + "_") for spec in DEMO_SPECS)
    assert FPS == 30
    assert FRAMES >= 60


def test_same_bytes_for_any_number_of_processes(tmp_path):
    names = ["id0_0000", "id0_0001"]
    for processes in (1, 2):
        paths = {name: tmp_path / str(processes) / f"{name}.mp4" for name in names}
        make_all(paths, processes=processes, frames=2)
    first, second = ([tmp_path / p / f"{n}.mp4" for n in names] for p in ("1", "2"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[0].read_bytes() != first[1].read_bytes()


def test_clip_has_the_frames_and_rate_it_promises(tmp_path):
    path = tmp_path / "clip.mp4"
    make_all({"id1_0000": path}, frames=7)
    info = probe(path)
    assert float(info.fps) == FPS
    assert (info.width, info.height) == (SIZE, SIZE)
    assert sum(1 for _ in decode(path)) == 7


def test_unknown_clip_is_refused(tmp_path):
    with pytest.raises(KeyError, match="id9_0000"):
        make_all({"id9_0000": tmp_path / "x.mp4"})


def test_subjects_are_told_apart_in_every_clip(find):
    embedder = FaceEmbedder()
    mean = {}
    for spec in DEMO_SPECS:
        images = list(render_frames(spec, every=25))
        mean[spec.clip] = np.mean([embedder.embed(i, find(i)) for i in images], axis=0)
    for clip, own in mean.items():
        others = {name: np.linalg.norm(own - one) for name, one in mean.items() if name != clip}
        assert min(others, key=others.__getitem__)[:3] == clip[:3]
        nearest_other = min(d for name, d in others.items() if name[:3] != clip[:3])
        assert nearest_other > 0.25
        assert min(others.values()) < 0.7 * nearest_other
    for one, other in DEMO_VALUES["pairs"]:  # who is swapped is clearly somebody else
        assert np.linalg.norm(mean[f"{one}_0000"] - mean[f"{other}_0000"]) > 0.45


def test_morph_changes_the_inner_face_only():
    for subject in DEMO_SUBJECTS[2:]:
        base = load_portrait(subject.base)
        morph = load_subject(subject)
        np.testing.assert_array_equal(morph.alpha, base.alpha)
        change = np.abs(morph.image - base.image).mean(axis=2)
        top = int(base.landmarks[19:25, 1].min() - 0.5 * base.eye_distance)
        assert change[:top].mean() < 0.15 * change[250:380, 200:310].mean()


def test_blink_closes_the_eyes_and_speech_opens_the_mouth(astronaut, find):
    ratios = [_eye_ratio(find(_picture(astronaut, 0.0, c))) for c in (0.0, 1.0)]
    assert ratios[1] < 0.6 * ratios[0]
    gaps = [_mouth_ratio(find(_picture(astronaut, lips, 0.0))) for lips in (0.0, 0.1, 0.18)]
    assert gaps[0] < 0.03
    assert gaps[0] + 0.03 < gaps[1] < gaps[2] - 0.03


def test_expression_leaves_the_rest_of_the_picture_alone(astronaut):
    changed = _picture(astronaut, 0.18, 1.0).astype(int)
    still = np.clip(astronaut.image, 0, 255).astype(np.uint8).astype(int)
    difference = np.abs(changed - still).max(axis=2)
    assert difference[: int(astronaut.landmarks[19, 1]) - 5].max() == 0
    assert difference[:, :80].max() == 0


def test_rest_pose_is_the_identity_and_a_turn_moves_the_nose_most(astronaut):
    warp = HeadWarp(astronaut, SIZE)
    margin = (512 - SIZE) / 2
    expected = np.arange(SIZE) + margin
    x, y = (warp.enlarge(at) for at in warp.inverse(Pose()))
    np.testing.assert_allclose(x, np.broadcast_to(expected, x.shape), atol=1e-2)
    np.testing.assert_allclose(y, np.broadcast_to(expected[:, None], y.shape), atol=1e-2)
    turned = warp.enlarge(warp.inverse(Pose(yaw=0.2))[0]) - x
    nose, ear, shoulder = (
        turned[int(at[1] - margin), int(at[0] - margin)]
        for at in (astronaut.landmarks[30], astronaut.landmarks[0] - (12, 0), (256, 476))
    )
    assert nose < -10
    assert abs(ear) < 0.5 * abs(nose)
    assert abs(shoulder) < 1


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("name", ["astronaut", "hopper"])
def test_person_is_neither_torn_nor_folded_at_the_ends_of_the_range(name, sign):
    portrait = load_portrait(name)
    warp = HeadWarp(portrait, SIZE)
    roll, yaw, pitch = 0.13 * sign, 0.25, 0.11
    at = warp.inverse(Pose(yaw, pitch, roll, (0.07 * sign, 0.03), 1.03, 1.0, 0.5, -0.5))
    x, y = (warp.enlarge(part) for part in at)
    person = sample(portrait.alpha, x, y)[1:, 1:] > 0.05
    across, down = np.diff(x, axis=1)[1:][person], np.diff(y, axis=0)[:, 1:][person]
    for steps in (across, down):
        assert steps.min() > 0.4
        assert steps.max() < 2.5


def test_motion_is_band_limited_and_uses_its_range():
    series = band_limited(np.random.default_rng(1), 300, 0.2, 0.8)
    assert np.abs(series).max() == pytest.approx(1)
    power = np.abs(np.fft.rfft(series * np.hanning(300))) ** 2
    rates = np.fft.rfftfreq(300, 1 / FPS)
    assert power[rates > 1.2].sum() < 0.01 * power[rates > 0.1].sum()


@pytest.mark.parametrize("seed", range(5))
def test_every_clip_blinks_speaks_and_looks_about(seed):
    motion = draw_motion(np.random.default_rng(seed), FRAMES)
    assert len(motion.poses) == FRAMES
    assert motion.closure.max() > 0.9
    assert motion.closure.min() < 0.1
    assert motion.lips.max() > 0.08
    assert motion.lips.min() < 0.01
    assert np.ptp([pose.yaw for pose in motion.poses]) > np.radians(10)


def test_background_and_light_differ_and_move():
    clips = [list(render_frames(spec, every=37)) for spec in DEMO_SPECS[:2]]
    corner = np.s_[10:70, 10:70]
    first, second = ([frame[corner].astype(int) for frame in clip] for clip in clips)
    assert np.abs(first[0].mean(axis=(0, 1)) - second[0].mean(axis=(0, 1))).max() > 5
    assert np.abs(second[0] - second[-1]).mean() > 3
