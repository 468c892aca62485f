"""lb-robust: coarse brightness, several extractors, and noise as visible as another's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from material.obstruction import Convolutions, OfSquares, face, pictures
from torch import Tensor

from swapset.obstruction.attacks.face_mask import face_masks
from swapset.obstruction.attacks.landmark_breaker import l1_normalised
from swapset.obstruction.attacks.on_frames import Ensemble, OnFrames
from swapset.obstruction.attacks.robust import LBRobust
from swapset.obstruction.equal_ssim import matched, scaled
from swapset.obstruction.evaluation import face_ssim
from swapset.obstruction.keyframes import Run

BOXES = torch.tensor([[20.0, 24, 36, 40]])


def grey(height: int = 64, width: int = 70) -> Tensor:
    return pictures(1, height, width).clamp(60, 190)


def on_frames(seed: int = 0, mask: Tensor | None = None) -> OnFrames:
    return OnFrames(OfSquares(seed), BOXES, mask=mask)


def test_noise_is_brightness_in_cells() -> None:
    images = grey()
    noise = LBRobust(grid=4, iterations=1, step=10).run(Convolutions(), images) - images
    # Halves are rounded to even numbers, here of pixels that differ.
    assert (noise - noise[:, :1]).abs().max() <= 1
    assert noise.abs().max() == 10
    # Interpolated between centres that are 4 pixels apart: no step is larger than a quarter.
    assert noise.diff(dim=2).abs().max() <= 2 * 10 / 4 + 1
    free = LBRobust(grid=1, iterations=1, step=10).run(Convolutions(), images) - images
    assert free.diff(dim=2).abs().max() == 20


@pytest.mark.parametrize("grid", [1, 4])
def test_gradients_of_cells_are_those_of_their_pixels(grid: int) -> None:
    attack, gradient = LBRobust(grid=grid), torch.rand(2, 3, 22, 31, dtype=torch.float64)
    by_cell = attack._cells(gradient)
    cells = torch.rand(by_cell.shape, dtype=torch.float64)
    pixels = attack._pixels(cells, gradient.shape).expand(-1, 3, -1, -1)
    assert (pixels * gradient).sum().item() == pytest.approx((cells * by_cell).sum().item())


def test_extractors_count_alike() -> None:
    class Louder(OfSquares):
        def heatmaps(self, images: Tensor) -> Tensor:
            return 1000 * super().heatmaps(images)

    attack, images = LBRobust(smallest=1.0), grey()
    noisy = images + 3
    one, other = on_frames(1), OnFrames(Louder(2), BOXES)
    both = Ensemble([one, other])
    found = attack.gradient(both, noisy, attack.reference(both, images), 0)
    parts = []
    for number, member in enumerate((one, other)):
        start = noisy.clone().requires_grad_()
        reference = attack.objective.reference(member, images)
        attack.objective.losses(member, attack.seen(start, 0, number), reference).sum().backward()
        parts.append(l1_normalised(start.grad))
    torch.testing.assert_close(found, parts[0] + parts[1])


def test_steps_follow_extractors_by_turns() -> None:
    class Counting(OfSquares):
        asked = 0

        def features(self, images: Tensor) -> list[Tensor]:
            self.asked += 1
            return super().features(images)

    members = [OnFrames(Counting(k), BOXES) for k in range(3)]
    LBRobust(at_once=1, iterations=6).run(Ensemble(members), grey())
    # For its clean maps once, and for two gradients.
    assert [member.extractor.asked for member in members] == [3, 3, 3]


def test_an_ensemble_of_one_is_that_one() -> None:
    images, attack = grey(), LBRobust(iterations=3)
    alone = attack.run(on_frames(), images)
    assert torch.equal(attack.run(Ensemble([on_frames()]), images), alone)
    with pytest.raises(ValueError, match="at least one"):
        Ensemble([])


def test_an_ensemble_looks_at_what_any_member_looks_at() -> None:
    near, far = on_frames(), OnFrames(OfSquares(), BOXES + 20)
    whole = Ensemble([near, far]).window(64, 70)
    for part, one, other in zip(whole, near.window(64, 70), far.window(64, 70), strict=True):
        assert (part.start, part.stop) == (min(one.start, other.start), max(one.stop, other.stop))


def test_a_soft_mask_is_a_share_of_epsilon() -> None:
    mask = torch.linspace(-0.5, 1.5, 70).clamp(0, 1).expand(1, 1, 64, 70).double()
    images = grey()
    noise = LBRobust(epsilon=12, iterations=20).run(Ensemble([on_frames(mask=mask)]), images)
    noise = (noise - images).abs()
    assert (noise <= 12 * mask + 1e-6).all()
    assert noise.max() > 6


@pytest.mark.parametrize(
    "wrong", [{"grid": 0}, {"smallest": 0}, {"codecs": ["mp3"]}, {"at_once": 0}]
)
def test_impossible_settings_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LBRobust(**wrong)


def test_a_real_codec_may_be_looked_through() -> None:
    attack = LBRobust(iterations=4, codecs=["jpeg50"], seed=2)
    ways = [attack.seen(grey().requires_grad_(), turn, 0) for turn in range(12)]
    assert all(way.requires_grad for way in ways)
    assert attack.run(on_frames(), grey()).isfinite().all()


# -- where, and how visible --------------------------------------------------------------------


def test_masks_are_inside_of_faces_with_soft_edges() -> None:
    (mask,) = face_masks(face()[None], (120, 110))[:, 0]
    assert mask.shape == (120, 110)
    assert mask[60, 60] == 1
    assert mask[60, 60 + 33] == mask[10, 10] == 0
    assert ((mask > 0) & (mask < 1)).any()


@pytest.mark.parametrize("wanted", [0.95, 0.7])
def test_noise_is_scaled_to_a_likeness(wanted: float) -> None:
    chance = np.random.default_rng(1)
    clean = np.full((2, 120, 110, 3), 128, np.uint8) + chance.integers(
        0, 30, (2, 120, 110, 3), np.uint8
    )
    noisy = clean + chance.integers(0, 12, clean.shape, np.uint8)
    run = Run("a", 0, np.stack([face(), face()]))
    found = face_ssim(clean, matched(clean, noisy, run, wanted), run).mean()
    assert found >= wanted
    assert found == pytest.approx(wanted, abs=0.02)
    assert np.array_equal(scaled(clean, noisy, 0), clean)
    assert np.array_equal(scaled(clean, noisy, 1), noisy)
