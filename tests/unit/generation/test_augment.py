"""Augmentation of training faces: what moves, what is coloured, and how far."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch
from material.generation import CPU, bank
from skimage import data
from torch import Tensor

from swapset.config.methods import BUILT_IN
from swapset.faces.align import crop_transform, narrower_drop, standard_points, warp_crop
from swapset.faces.masks import polygon, render_mask
from swapset.generation import augment
from swapset.generation.augment import (
    augment_faces,
    draw_batch,
    perturb_colour,
    plain_batch,
)
from swapset.generation.bank import FaceBank

SIZE = 96
SHARE = 0.75
RESOLUTION = 72


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramps() -> FaceBank:
    """Return one face: red rises to the right, green downwards, blue is flat."""
    face = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    face[..., 0] = 20 + 2 * np.arange(SIZE)
    face[..., 1] = 20 + 2 * np.arange(SIZE)[:, None]
    face[..., 2] = 100
    return FaceBank.from_faces(face, resolution=RESOLUTION, share=SHARE, device=CPU)


def planes(images: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Fit a plane to every channel; return slopes (B, 3, 2) along x and y, and residuals (B, 3)."""
    side = images.shape[-1]
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    design = np.stack([x.ravel(), y.ravel(), np.ones(side**2)], axis=1)
    values = images.numpy().reshape(-1, side**2).T
    solution = np.linalg.lstsq(design, values, rcond=None)[0]
    residual = np.abs(values - design @ solution).max(axis=0)
    return solution[:2].T.reshape(len(images), 3, 2), residual.reshape(len(images), 3)


def test_generator_alone_decides() -> None:
    faces = bank(0)
    one, same, other = (
        draw_batch(faces, 4, 64, colour=True, generator=seeded(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one.warped, same.warped)
    assert torch.equal(one.target, same.target)
    assert not torch.equal(one.warped, other.warped)
    torch.manual_seed(99)
    again = draw_batch(faces, 4, 64, colour=True, generator=seeded(1))
    assert torch.equal(one.warped, again.warped)


@pytest.mark.parametrize("colour", [False, True])
def test_batches_are_faces_in_range(colour: bool) -> None:
    batch = draw_batch(bank(0), 5, 64, colour=colour, generator=seeded(0))
    for images in (batch.warped, batch.target):
        assert images.shape == (5, 3, 64, 64)
        assert images.dtype == torch.float32
        assert float(images.min()) >= 0
        assert float(images.max()) <= 1


def test_target_is_a_similarity_and_only_the_input_is_warped() -> None:
    # A similarity keeps a ramp a plane; a warp bends it.
    batch = draw_batch(ramps(), 40, RESOLUTION, colour=False, generator=seeded(3))
    slopes, residual = planes(batch.target)
    assert residual.max() < 0.005
    _, bent = planes(batch.warped)
    assert np.median(bent[:, :2].max(axis=1)) > 0.02
    red, green = slopes[:, 0], slopes[:, 1]
    assert np.abs((red * green).sum(axis=1)).max() < 1e-6
    angle = np.degrees(np.arctan2(green[:, 0], green[:, 1]))
    assert np.abs(angle).max() <= augment.ROTATION + 0.2
    assert np.abs(angle).max() > 0.7 * augment.ROTATION
    zoom = np.linalg.norm(red, axis=1) / (2 / 255 * SIZE * SHARE / RESOLUTION)
    assert np.abs(zoom - 1).max() <= augment.ZOOM + 0.005
    assert np.ptp(zoom) > augment.ZOOM
    flipped = np.mean(red[:, 0] < 0)
    assert 0.25 < flipped < 0.75


@pytest.mark.parametrize("jitter", [0.0, 0.3])
def test_jitter_is_a_share_of_the_movements(jitter: float) -> None:
    batch = draw_batch(ramps(), 40, RESOLUTION, colour=False, generator=seeded(3), jitter=jitter)
    slopes, _ = planes(batch.target)
    red, green = slopes[:, 0], slopes[:, 1]
    angle = np.degrees(np.arctan2(green[:, 0], green[:, 1]))
    assert 0.6 * jitter <= np.abs(angle).max() / augment.ROTATION <= jitter + 0.02
    zoom = np.linalg.norm(red, axis=1) / (2 / 255 * SIZE * SHARE / RESOLUTION)
    assert np.abs(zoom - 1).max() <= jitter * augment.ZOOM + 0.005
    middles = batch.target[:, :2].mean(dim=(2, 3)).numpy()
    spread = np.ptp(middles, axis=0)
    assert (spread > 0.003).all() if jitter else (spread < 1e-5).all()
    assert 0.25 < np.mean(red[:, 0] < 0) < 0.75


def test_input_and_target_show_the_same_face() -> None:
    # Each face has its own grey: a mix-up of faces would show.
    greys = np.arange(20, 240, 20, dtype=np.uint8)
    faces = np.broadcast_to(greys[:, None, None, None], (len(greys), SIZE, SIZE, 3))
    flat = FaceBank.from_faces(faces, resolution=RESOLUTION, share=SHARE, device=CPU)
    batch = draw_batch(flat, 60, RESOLUTION, colour=False, generator=seeded(0))
    assert torch.allclose(batch.warped, batch.target, atol=1e-5)
    drawn = (batch.target.mean(dim=(1, 2, 3)) * 255).round().int().tolist()
    assert set(drawn) == set(greys.tolist())


def test_colour_is_changed_alike_in_input_and_target_and_differs_by_face() -> None:
    flat = FaceBank(torch.full((1, 3, SIZE, SIZE), 110, dtype=torch.uint8), SHARE)
    batch = draw_batch(flat, 30, RESOLUTION, colour=True, generator=seeded(1))
    assert torch.allclose(batch.warped, batch.target, atol=1e-5)
    colours = batch.target.mean(dim=(2, 3))
    assert float(colours.std(dim=0).min()) > 0.03
    assert float((colours - colours.mean(dim=1, keepdim=True)).abs().max()) > 0.02


def test_without_colour_nothing_changes_colour() -> None:
    flat = FaceBank(torch.full((1, 3, SIZE, SIZE), 110, dtype=torch.uint8), SHARE)
    batch = draw_batch(flat, 8, RESOLUTION, colour=False, generator=seeded(1))
    for images in (batch.warped, batch.target):
        assert torch.allclose(images, torch.tensor(110 / 255), atol=1e-5)


def uniform(count: int, seed: int) -> torch.Tensor:
    """Return random numbers (count, 5) for `perturb_colour`, in [-1, 1)."""
    return torch.rand(count, 5, generator=seeded(seed)) * 2 - 1


def test_colour_is_one_straight_line_per_face_and_channel() -> None:
    grey = torch.linspace(0.35, 0.65, 64).expand(10, 3, 1, 64)
    changed = perturb_colour(grey.clone(), uniform(10, 4))
    steps = changed.diff(dim=-1)
    assert torch.allclose(steps, steps[..., :1].expand_as(steps), atol=1e-5)
    gain = steps[..., 0, 0] / grey.diff(dim=-1)[..., 0, 0]
    # Contrast within 20 % and white balance within 10 %.
    assert float(gain.min()) >= 0.8 * 0.9 - 1e-4
    assert float(gain.max()) <= 1.2 * 1.1 + 1e-4
    assert float(gain.std()) > 0.05


def test_colour_stays_in_range() -> None:
    extreme = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2).expand(50, 3, 4, 2).clone()
    changed = perturb_colour(extreme, uniform(50, 0))
    assert float(changed.min()) >= 0
    assert float(changed.max()) <= 1


def test_faces_are_cut_pixel_by_pixel() -> None:
    faces = np.random.default_rng(0).integers(0, 256, (3, 100, 100, 3), dtype=np.uint8)
    stored = FaceBank.from_faces(faces, resolution=80, share=0.8, device=CPU)
    assert torch.equal(stored.faces, torch.from_numpy(faces).permute(0, 3, 1, 2))
    cut = plain_batch(stored, torch.tensor([2, 0]), 80).target
    expected = faces[[2, 0], 12:92, 10:90].transpose(0, 3, 1, 2)  # 2 pixels below the middle
    assert np.abs(cut.numpy() * 255 - expected).max() < 0.02


@pytest.mark.parametrize("method", BUILT_IN)
def test_a_network_learns_from_the_crop_that_synthesis_gives_it(method: str) -> None:
    recipe, context = BUILT_IN[method], 1.6
    side = recipe.resolution
    frame = cv2.GaussianBlur(data.astronaut()[:300, 100:400], (0, 0), 3)
    points = standard_points(130, 1.2) + [60, 50]
    given = warp_crop(frame, crop_transform(points, side, recipe.context), side)
    stored = warp_crop(frame, crop_transform(points, 320, context), 320)
    share = recipe.context / context
    bank = FaceBank.from_faces(stored[None], resolution=side, share=share, device=CPU)
    seen = {"plain": plain_batch(bank, torch.tensor([0]), side).target}
    still = torch.zeros(1, 10), torch.zeros(1, 2, 5, 5)
    seen["augmented, not moved"] = augment_faces(
        bank.faces, bank.faces, None, *still, share=share, sides=(side, side), colour=False
    ).target
    for name, face in seen.items():
        difference = np.abs(face[0].permute(1, 2, 0).numpy() * 255 - given)
        assert difference.mean() < 1.5, name


@pytest.mark.parametrize(
    ("resolution", "stored", "kept"), [(64, 170, 85), (64, 85, 85), (128, 100, 100)]
)
def test_faces_shrink_to_the_networks_pixels_and_never_grow(
    resolution: int, stored: int, kept: int
) -> None:
    faces = np.full((70, stored, stored, 3), (10, 20, 30), np.uint8)
    made = FaceBank.from_faces(faces, resolution=resolution, share=SHARE, device=CPU).faces
    assert made.shape == (70, 3, kept, kept)
    assert made.dtype == torch.uint8
    assert torch.equal(
        made[:, :, 0, 0], torch.tensor([[10, 20, 30]], dtype=torch.uint8).expand(70, 3)
    )


def test_shrinking_averages() -> None:
    # The mean of 4 x 4 pixels has about a quarter of the noise; that of 2 x 2 has half of it.
    noise = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), dtype=np.uint8)
    made = FaceBank.from_faces(noise, resolution=64, share=1.0, device=CPU).faces.float()
    assert float(made.mean()) == pytest.approx(noise.mean(), abs=0.5)
    assert float(made.std()) < noise.std() / 3.5


def test_flips_come_in_half_of_the_draws() -> None:
    face = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    face[:, :, : SIZE // 2] = 200
    stored = FaceBank.from_faces(face, resolution=RESOLUTION, share=SHARE, device=CPU)
    target = draw_batch(stored, 400, RESOLUTION, colour=False, generator=seeded(1)).target
    left, right = target.mean(dim=(1, 2)).tensor_split(2, dim=1)
    assert 0.4 < float((left.mean(dim=1) > right.mean(dim=1)).float().mean()) < 0.6


def test_without_flips_no_face_is_mirrored() -> None:
    face = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    face[:, :, : SIZE // 2] = 200
    stored = FaceBank.from_faces(face, resolution=RESOLUTION, share=SHARE, device=CPU)
    for seed, colour in ((1, False), (2, True)):
        batch = draw_batch(
            stored, 200, RESOLUTION, colour=colour, generator=seeded(seed), flips=False
        )
        for images in (batch.target, batch.warped):
            left, right = images.mean(dim=(1, 2)).tensor_split(2, dim=1)
            assert bool((left.mean(dim=1) > right.mean(dim=1)).all())


def test_flips_change_nothing_else() -> None:
    one, other = (
        draw_batch(bank(0), 20, 64, colour=True, generator=seeded(1), flips=flips).target
        for flips in (True, False)
    )
    same = [bool(torch.equal(a, b)) for a, b in zip(one, other, strict=True)]
    assert 0 < sum(same) < 20


@pytest.mark.parametrize("colour", [False, True])
def test_without_a_warp_the_input_is_the_target(colour: bool) -> None:
    batch = draw_batch(bank(0), 8, 64, colour=colour, generator=seeded(0), warp=0.0)
    assert torch.equal(batch.warped, batch.target)


def test_a_stronger_warp_bends_more() -> None:
    bent = []
    for warp in (0.0, 0.03, augment.USUAL_WARP, 0.12):
        batch = draw_batch(
            ramps(), 60, RESOLUTION, colour=False, generator=seeded(3), flips=False, warp=warp
        )
        bent.append(float((batch.warped - batch.target).abs().mean()))
    assert bent[0] < 1e-6
    assert bent[2] == pytest.approx(2 * bent[1], rel=0.1)
    assert bent[3] > 1.6 * bent[2]


def test_every_face_is_drawn_and_keeps_its_place_in_the_bank() -> None:
    shades = np.arange(1, 151, dtype=np.uint8)
    faces = np.broadcast_to(shades[:, None, None, None], (150, SIZE, SIZE, 3))
    stored = FaceBank.from_faces(faces, resolution=RESOLUTION, share=SHARE, device=CPU)
    assert stored.faces[:, 0, 0, 0].tolist() == shades.tolist()
    batch = draw_batch(stored, 2000, RESOLUTION, colour=False, generator=seeded(2))
    assert len(batch.target[:, 0, 5, 5].mul(255).round().unique()) == 150


def test_surrounding_is_real_up_to_the_largest_movement() -> None:
    # The rim of the stored face is white; a target that shows it has moved too far out.
    face = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    taken = SHARE * 1.05 * 1.09 + 2 * 0.03 * SHARE + narrower_drop(SHARE)
    rim = math.floor(SIZE * (1 - taken) / 2) - 1
    assert rim >= 1
    face[:, :rim] = face[:, -rim:] = face[:, :, :rim] = face[:, :, -rim:] = 255
    stored = FaceBank.from_faces(face, resolution=RESOLUTION, share=SHARE, device=CPU)
    batch = draw_batch(stored, 200, RESOLUTION, colour=False, generator=seeded(0))
    assert float(batch.target.max()) == 0


def marked() -> FaceBank:
    """Return one face, white in its landmarks' hull and black around, with its mask."""
    points = standard_points(SIZE, 1.6)[None]
    inside = render_mask(polygon(points[0], "face-hull"), (SIZE, SIZE), 0)
    face = np.repeat(np.round(inside * 255).astype(np.uint8)[None, ..., None], 3, axis=-1)
    return FaceBank.from_faces(
        face, resolution=RESOLUTION, share=SHARE, device=CPU, points=points.astype(np.float32)
    )


def test_the_region_moves_with_the_target() -> None:
    batch = draw_batch(marked(), 8, RESOLUTION, colour=False, generator=seeded(0))
    assert batch.region is not None
    torch.testing.assert_close(batch.region, batch.target[:, :1], atol=0.02, rtol=0)
    assert 0.2 < float(batch.region.mean()) < 0.8
    assert float(batch.region.std(dim=0).max()) > 0.3


def test_smaller_inputs_show_the_same_part() -> None:
    batch = draw_batch(
        bank(0, resolution=128), 3, 128, colour=True, generator=seeded(0), input_side=64
    )
    assert batch.warped.shape == (3, 3, 64, 64)
    assert batch.target.shape == (3, 3, 128, 128)
    small = torch.nn.functional.avg_pool2d(batch.target, 2)
    assert float((small - batch.warped).abs().mean()) < 0.1


def test_a_part_of_a_bank_shares_its_memory() -> None:
    stored = marked()
    part = stored.part(slice(0, 1))
    assert len(part) == 1
    assert part.faces.data_ptr() == stored.faces.data_ptr()
    assert part.masks is not None
