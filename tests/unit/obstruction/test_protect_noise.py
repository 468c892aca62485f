"""Noise on frames that follow each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from material.obstruction import face

from swapset.extractors.avs_san import AVSSAN
from swapset.obstruction.attacks.robust import LBRobust
from swapset.obstruction.protect import noise as protector
from swapset.obstruction.protect.noise import Protector

EPSILON = 12.0


@pytest.fixture(scope="module")
def extractor() -> AVSSAN:
    return AVSSAN(width=0.1, seed=1)


def frames(count: int) -> list[np.ndarray]:
    one = np.random.default_rng(2).integers(60, 190, (160, 200, 3), np.uint8)
    return [one] * count


def protect(extractor: AVSSAN, landmarks: list[np.ndarray], **settings) -> list[np.ndarray]:
    how = {"first": 3, "steps": 1, "epsilon": EPSILON, **settings}
    clean = frames(len(landmarks))
    noisy = list(Protector([extractor], **how).protect(clean, landmarks))
    return [one.astype(int) - other for one, other in zip(noisy, clean, strict=True)]


def alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_noise_is_on_faces_alone(extractor: AVSSAN) -> None:
    seen, gone, nobody = (
        face(70, 80)[None],
        np.full((1, 68, 2), np.nan, np.float32),
        np.zeros((0, 68, 2)),
    )
    noise = protect(extractor, [seen, gone, nobody, seen])
    assert not noise[1].any()
    assert not noise[2].any()
    for own in (noise[0], noise[3]):
        assert 0 < np.abs(own).max() <= EPSILON
        rows, columns = np.nonzero(own.any(-1))
        assert rows.min() >= 80 - 33
        assert columns.max() <= 70 + 33
    # Where a face was not seen, it is started anew.
    assert np.array_equal(noise[0], noise[3])


def test_noise_moves_with_the_face(extractor: AVSSAN) -> None:
    first, moved = protect(extractor, [face(70, 80)[None], face(82, 88)[None]], keep=1.0)
    stays, _ = protect(extractor, [face(70, 80)[None]] * 2)
    assert np.array_equal(stays, first)
    back = np.roll(moved, (-8, -12), (0, 1))
    assert alike(back, first) > 0.7
    assert alike(back, first) > alike(moved, first) + 0.5


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let faces of the tests' size be as large ones are."""
    monkeypatch.setattr(protector, "LARGEST_FACE", 20.0)


@pytest.mark.usefixtures("large")
def test_noise_of_a_large_face_is_made_on_a_smaller_picture(
    extractor: AVSSAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, run = [], LBRobust.run

    def watched(self: object, followed: object, images: torch.Tensor, **settings) -> torch.Tensor:
        sizes.append(tuple(images.shape[2:]))
        return run(self, followed, images, **settings)

    monkeypatch.setattr(LBRobust, "run", watched)
    noise, moved = protect(extractor, [face(70, 80)[None], face(76, 86)[None]], keep=1.0)
    assert max(map(max, sizes)) <= 48
    assert 0 < np.abs(noise).max() <= EPSILON
    rows, columns = np.nonzero(noise.any(-1))
    assert (rows.min() >= 80 - 36, rows.max() <= 80 + 36) == (True, True)
    assert (columns.min() >= 70 - 36, columns.max() <= 70 + 36) == (True, True)
    assert alike(np.roll(moved, (-6, -6), (0, 1)), noise) > alike(moved, noise) + 0.3


def test_pictures_made_smaller_and_noise_made_larger_stay_in_place() -> None:
    rows, columns = np.mgrid[:31, :47].astype(np.float32)
    images = np.stack([rows, columns, rows + columns], -1)[None]
    small = protector._smaller(images, 4)
    assert small.shape == (1, 8, 12, 3)
    np.testing.assert_allclose(small[0, 2, 3], (9.5, 13.5, 23.0))
    back = protector._larger((small * 64).astype(np.int16), 4, (31, 47)) / 64
    np.testing.assert_allclose(back[:, 2:26, 2:42], images[:, 2:26, 2:42], atol=0.05)


def test_few_steps_follow_all_extractors_by_turns_from_frame_to_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[AVSSAN] = []
    looked = AVSSAN.features

    def counting(self: AVSSAN, images: torch.Tensor) -> list[torch.Tensor]:
        asked.append(self)
        return looked(self, images)

    monkeypatch.setattr(AVSSAN, "features", counting)
    extractors = [AVSSAN(width=0.1, seed=k) for k in range(3)]
    several = Protector(extractors, first=3, steps=1, epsilon=EPSILON)
    list(several.protect(frames(4), [face(70, 80)[None]] * 4))
    # Clean, and 3 gradients in the first frame; then both once, in one of the other frames.
    assert [asked.count(one) for one in extractors] == [6, 6, 6]


def test_everyone_is_protected(extractor: AVSSAN) -> None:
    both = np.stack([face(50, 80), face(150, 80)])
    (noise,) = protect(extractor, [both])
    (left,) = protect(extractor, [both[:1]])
    assert np.array_equal(noise[:, :100], left[:, :100])
    assert noise[:, 120:].any()
    assert not left[:, 120:].any()


def test_noise_of_faces_that_overlap_keeps_to_the_budget(extractor: AVSSAN) -> None:
    (noise,) = protect(extractor, [np.stack([face(70, 80), face(74, 80)])])
    assert np.abs(noise).max() <= EPSILON


def test_the_chapters_attack_follows_the_first_extractor(extractor: AVSSAN) -> None:
    other = AVSSAN(width=0.1, seed=2)
    clean, landmarks = frames(1), [face(70, 80)[None]]
    found = [
        next(Protector(given, attack="lb", first=2).protect(clean, landmarks))
        for given in ([extractor], [extractor, other], [other])
    ]
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
