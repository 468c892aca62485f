import cv2
import numpy as np
import pytest
from skimage import data

from swapset.errors import DataError
from swapset.faces.align import MEAN_FACE, transform_points
from swapset.faces.head_masks import HeadMasks, head_masks

# The mean face laid over the face of scikit-image's astronaut.
ASTRONAUT = transform_points([[93.0, -4.9, 179.7], [4.9, 93.0, 83.5]], MEAN_FACE)
SIDE = 100.0
SKIN, HAIR, CLOTHES = (205, 160, 130), (70, 45, 30), (60, 70, 140)


def painted(x, y, background, seed=0):
    """Return a frame with a painted person, its landmarks and the true head."""
    rng = np.random.default_rng(seed)
    frame = np.full((300, 320, 3), background, np.float32)

    def oval(cx, cy, ax, ay, colour=None, start=0, end=360):
        centre, axes = (
            (round(x + cx * SIDE), round(y + cy * SIDE)),
            (
                round(ax * SIDE),
                round(ay * SIDE),
            ),
        )
        if colour is None:
            drawn = cv2.ellipse(np.zeros((300, 320), np.uint8), centre, axes, 0, start, end, 1, -1)
            return drawn.astype(bool)
        return cv2.ellipse(frame, centre, axes, 0, start, end, colour, -1)

    oval(0.5, 1.6, 0.9, 0.5, CLOTHES)
    oval(0.5, 1.1, 0.25, 0.4, SKIN)
    oval(0.5, 0.1, 0.62, 0.72, HAIR, 180, 360)
    oval(0.5, 0.3, 0.5, 0.7, SKIN)
    head = oval(0.5, 0.3, 0.5, 0.7) | oval(0.5, 0.1, 0.62, 0.72, None, 180, 360)
    frame += rng.normal(0, 6, frame.shape)
    landmarks = MEAN_FACE * SIDE + [x, y]
    return np.clip(frame, 0, 255).astype(np.uint8), landmarks, head


def clip(count=24, background=(120, 150, 110)):
    spots = [(110 + 15 * np.sin(k / 5), 90 + 5 * np.cos(k / 4)) for k in range(count)]
    frames, landmarks, heads = zip(
        *(painted(x, y, background, seed) for seed, (x, y) in enumerate(spots)), strict=True
    )
    return list(frames), np.array(landmarks), heads


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.fixture(scope="module")
def painted_clip():
    return clip()


@pytest.fixture(scope="module")
def painted_masks(painted_clip):
    frames, landmarks, _ = painted_clip
    return head_masks(frames, landmarks)


def test_every_frame_finds_face_and_hair_and_little_else(painted_clip, painted_masks):
    _, _, heads = painted_clip
    assert len(painted_masks) == 24
    for k, head in enumerate(heads):
        assert overlap(painted_masks.mask(k), head) > 0.93


def test_dark_hair_on_a_dark_background():
    frames, landmarks, heads = clip(6, background=(45, 45, 48))
    masks = head_masks(frames, landmarks)
    for k, head in enumerate(heads):
        assert overlap(masks.mask(k), head) > 0.85


def test_passing_hand_stays_out(painted_clip):
    frames, landmarks, heads = painted_clip
    waved = [frame.copy() for frame in frames]
    hands = []
    for k in range(9, 14):
        centre = (int(landmarks[k, 16, 0]) + 45, 150)
        cv2.circle(waved[k], centre, 28, SKIN, -1)
        hand = cv2.circle(np.zeros((300, 320), np.uint8), centre, 28, 1, -1).astype(bool)
        hands.append(hand & ~heads[k])
    masks = head_masks(waved, landmarks)
    for k, hand in zip(range(9, 14), hands, strict=True):
        assert masks.mask(k)[hand].mean() < 0.2
        assert overlap(masks.mask(k), heads[k]) > 0.88


def test_photograph_hair_and_face_without_neck_or_background():
    frame = np.ascontiguousarray(data.astronaut())
    masks = head_masks([frame], ASTRONAUT[None])
    mask = masks.mask(0)
    face, hair = (120, 225), (45, 225)
    background, collar = (40, 60), (230, 225)
    assert mask[face]
    assert mask[hair]
    assert not mask[background]
    assert not mask[collar]
    assert mask[:, 140].sum() == 0
    x0, y0, x1, y1 = masks.box(0)
    assert not mask[:y0].any()
    assert mask[y0, x0:x1].any()
    assert mask[y0:y1, x1 - 1].any()
    assert 100 < x1 - x0 < 200


def test_stable_from_frame_to_frame(painted_clip, painted_masks):
    _, landmarks, _ = painted_clip
    moves = np.round(np.diff(landmarks[:, 0], axis=0)).astype(int)
    for k, (dx, dy) in enumerate(moves):
        shifted = np.roll(painted_masks.mask(k), (dy, dx), axis=(0, 1))
        assert overlap(shifted, painted_masks.mask(k + 1)) > 0.95


def test_frames_without_a_face_have_no_head(painted_clip):
    frames, landmarks, heads = painted_clip
    gappy = landmarks.copy()
    gappy[[0, 7, 8]] = np.nan
    masks = head_masks(frames, gappy)
    for k in (0, 7, 8):
        assert not masks.mask(k).any()
        assert masks.box(k) is None
    assert overlap(masks.mask(9), heads[9]) > 0.93
    nobody = head_masks(frames, np.full_like(landmarks, np.nan))
    assert not nobody.mask(3).any()


def test_shots_share_nothing():
    first, first_landmarks, _ = clip(6)
    second, second_landmarks, _ = clip(6, background=(30, 160, 220))
    second = [np.ascontiguousarray(frame[:, ::-1]) for frame in second]
    second_landmarks = second_landmarks * [-1, 1] + [319, 0]
    both = head_masks(
        first + second, np.concatenate([first_landmarks, second_landmarks]), restarts=[6]
    )
    alone = head_masks(first, first_landmarks), head_masks(second, second_landmarks)
    for k in range(6):
        np.testing.assert_array_equal(both.mask(k), alone[0].mask(k))
        np.testing.assert_array_equal(both.mask(6 + k), alone[1].mask(k))


def test_same_input_same_bytes_and_round_trip(painted_clip, painted_masks, tmp_path):
    frames, landmarks, _ = painted_clip
    head_masks(frames, landmarks).save(tmp_path / "a.npz")
    painted_masks.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    loaded = HeadMasks.load(tmp_path / "a.npz")
    assert len(loaded) == 24
    for k in (0, 3, 23):
        np.testing.assert_array_equal(loaded.mask(k), painted_masks.mask(k))


@pytest.mark.parametrize("shift", [-90, 0, 5000])
def test_featureless_frames_and_faces_off_the_frame_do_no_harm(shift):
    black = np.zeros((200, 210, 3), np.uint8)
    mask = head_masks([black], MEAN_FACE[None] * SIDE + 50 + shift).mask(0)
    assert mask.shape == (200, 210)
    assert mask.any() == (shift != 5000)


def test_damaged_file_and_wrong_lengths_are_named(painted_clip, tmp_path):
    frames, landmarks, _ = painted_clip
    broken = tmp_path / "broken.npz"
    head_masks(frames[:2], landmarks[:2]).save(broken)
    broken.write_bytes(broken.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"broken\.npz"):
        HeadMasks.load(broken)
    broken.write_bytes(b"")
    with pytest.raises(DataError, match=r"broken\.npz"):
        HeadMasks.load(broken)
    for count in (3, 5):
        with pytest.raises(DataError, match=f"{count} frames but 4"):
            head_masks(frames[:count], landmarks[:4])
