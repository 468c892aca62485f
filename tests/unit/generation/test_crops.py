"""Crops of stored faces: positions, and faces in smaller sizes without aliasing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from material.generation import CPU
from skimage import data

from swapset.faces.align import crop_transform, narrower_drop, standard_points, warp_crop
from swapset.generation.augment import draw_batch, plain_batch
from swapset.generation.autoencoder import resized
from swapset.generation.bank import FaceBank
from swapset.generation.crops import middle, positions, sample


def test_positions_are_pixel_centres_moved_by_the_matrix_after_the_warp() -> None:
    matrix = torch.tensor([[[0.5, 0.0, 0.1], [0.0, 0.25, -0.2]]])
    places = positions(matrix, 2)
    expected = [[[-0.15, -0.325], [0.35, -0.325]], [[-0.15, -0.075], [0.35, -0.075]]]
    assert torch.allclose(places, torch.tensor([expected]))
    warp = torch.zeros(1, 2, 2, 2)
    warp[:, 0], warp[:, 1] = 0.2, -0.4
    moved = positions(matrix, 2, warp) - places
    assert torch.allclose(moved, torch.tensor([0.1, -0.1]))


def test_sampling_takes_pixels_and_mirrors_at_the_border() -> None:
    images = torch.arange(16.0).view(1, 1, 4, 4) / 16
    whole = positions(torch.tensor([[[1.0, 0, 0], [0, 1.0, 0]]]), 4)
    assert torch.allclose(sample(images, whole), images, atol=1e-5)
    beside = positions(torch.tensor([[[1.0, 0, 0.5], [0, 1.0, 0]]]), 4)  # one pixel to the right
    row = torch.tensor([1.0, 2, 3, 3]) / 16
    assert torch.allclose(sample(images, beside)[0, 0, 0], row, atol=1e-5)


def test_the_middle_is_cut_pixel_by_pixel_and_lower() -> None:
    images = torch.randint(0, 256, (2, 3, 100, 100), dtype=torch.uint8)
    cut = middle(images, 80, 0.8, 0.04)
    assert torch.allclose(cut * 255, images[:, :, 12:92, 10:90].float(), atol=0.02)


def stripes(period: float, side: int = 160) -> np.ndarray:
    """Return one face (1, side, side, 3) uint8 of level stripes."""
    wave = 128 + 100 * np.sin(2 * np.pi * np.arange(side) / period)
    return np.broadcast_to(wave.astype(np.uint8)[None, :, None, None], (1, side, side, 3))


@pytest.mark.parametrize("period", [2.2, 2.7, 3.3])
def test_fine_stripes_do_not_turn_into_coarse_ones(period: float) -> None:
    bank = FaceBank.from_faces(stripes(period), resolution=128, share=0.8, device=CPU)
    skipped = middle(bank.faces, 64, 0.8, 1 / 160)  # every second pixel
    averaged = middle(bank.at(64), 64, 0.8, 0.0)
    assert float(skipped.std()) > 0.2
    assert float(averaged.std()) < 0.25 * float(skipped.std())
    # Training's inputs, and its targets of half the side.
    generator = torch.Generator().manual_seed(0)
    batch = draw_batch(
        bank, 4, 64, colour=False, generator=generator, input_side=64, warp=0.0, flips=False
    )
    for seen in (batch.warped, batch.target, plain_batch(bank, torch.tensor([0]), 64).warped):
        assert float(seen.std()) < 0.3 * float(skipped.std())


def test_training_faces_keep_fine_detail_wherever_they_are_sampled() -> None:
    bank = FaceBank.from_faces(stripes(4), resolution=128, share=0.8, device=CPU)
    generator = torch.Generator().manual_seed(0)
    target = draw_batch(bank, 64, 128, colour=False, generator=generator).target
    whole = float(bank.faces.float().div(255).std())
    # Linear interpolation leaves 0.82.
    assert 0.93 < float(target.std()) / whole < 1.02


def test_coarse_stripes_stay() -> None:
    bank = FaceBank.from_faces(stripes(16), resolution=128, share=0.8, device=CPU)
    fine, coarse = middle(bank.faces, 128, 0.8, 0.0), middle(bank.at(64), 64, 0.8, 0.0)
    assert float((torch.nn.functional.avg_pool2d(fine, 2) - coarse).abs().mean()) < 0.01


def test_smaller_faces_are_made_once_and_never_larger_ones() -> None:
    bank = FaceBank.from_faces(stripes(16), resolution=128, share=0.8, device=CPU)
    assert bank.at(64).shape == (1, 3, 80, 80)
    assert bank.at(64) is bank.at(64)
    assert bank.at(128) is bank.faces
    assert bank.at(256) is bank.faces
    small = FaceBank.from_faces(stripes(16, 70), resolution=128, share=0.8, device=CPU)
    assert small.at(64) is small.faces


def test_parts_and_weighted_banks_have_faces_of_their_own_in_smaller_sizes() -> None:
    faces = np.stack([np.full((80, 80, 3), shade, np.uint8) for shade in (0, 100, 200)])
    bank = FaceBank.from_faces(faces, resolution=64, share=0.8, device=CPU)
    assert len(bank.at(32)) == 3
    assert bank.part(slice(2, 3)).at(32).unique().tolist() == [200]
    assert len(bank.weighted(torch.tensor([0.1, 0.2, 1.0])).at(32)) == 3


@pytest.mark.parametrize("side", [64, 128, 256])
def test_faces_to_learn_are_those_of_synthesis(side: int) -> None:
    context, own = 1.6, 1.3
    frame, points = data.astronaut()[:300, 100:400], standard_points(130, 1.2) + [60, 50]
    frame, points = cv2.resize(frame, None, fx=2, fy=2), points * 2 + 0.5
    given = warp_crop(frame, crop_transform(points, side, own), side)
    stored = warp_crop(frame, crop_transform(points, 384, context), 384)
    bank = FaceBank.from_faces(stored[None], resolution=side, share=own / context, device=CPU)
    seen = plain_batch(bank, torch.tensor([0]), side).target[0].permute(1, 2, 0) * 255
    # With linear sampling it is 2.4 of 64 x 64 pixels.
    assert float((seen - torch.from_numpy(given)).abs().mean()) < 2


@pytest.mark.parametrize(("side", "input_side"), [(128, 64), (256, 128), (256, 64), (192, 96)])
def test_small_inputs_are_those_of_synthesis(side: int, input_side: int) -> None:
    context, own = 1.6, 1.3
    frame, points = data.astronaut()[:300, 100:400], standard_points(130, 1.2) + [60, 50]
    frame, points = cv2.resize(frame, None, fx=2, fy=2), points * 2 + 0.5
    crop = warp_crop(frame, crop_transform(points, side, own), side)
    given = resized(torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255, input_side)
    stored = warp_crop(frame, crop_transform(points, 384, context), 384)
    bank = FaceBank.from_faces(stored[None], resolution=side, share=own / context, device=CPU)
    seen = plain_batch(bank, torch.tensor([0]), side, input_side).warped
    assert float((seen - given).abs().mean()) < 2 / 255
    # A picture that lies half a pixel lower differs more.
    beside = (bank.share, narrower_drop(bank.share) + bank.share / input_side)
    lower = middle(bank.at(input_side), input_side, *beside)
    assert float((lower - given).abs().mean()) > 1.5 * float((seen - given).abs().mean())
