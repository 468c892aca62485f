"""Losses of trainings, each against a value computed in another way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from material.generation import CPU, astronaut, training_recipe
from skimage.metrics import structural_similarity
from torch import Tensor

from swapset.generation.augment import Batch
from swapset.generation.critic import Critic, adversarial_loss, critic_loss
from swapset.generation.losses import LEAST_MASK, LOSSES, Objective, Reconstruction
from swapset.generation.perceptual import Perceptual


def picture(noise: float = 0.0, side: int = 128) -> Tensor:
    crop = astronaut()[40 : 40 + side, 160 : 160 + side] / 255
    rng = np.random.default_rng(0)
    noisy = np.clip(crop + noise * rng.normal(size=crop.shape), 0, 1)
    return torch.from_numpy(noisy).float().permute(2, 0, 1)[None]


def made(one: Tensor, other: Tensor, **more: Tensor) -> Reconstruction:
    return Reconstruction(rgb=one, target=other, warped=other, **more)


def test_l1_and_l2_are_means() -> None:
    pair = made(torch.full((2, 3, 8, 8), 0.75), torch.full((2, 3, 8, 8), 0.5))
    assert float(LOSSES["l1"](pair)) == pytest.approx(0.25)
    assert float(LOSSES["l2"](pair)) == pytest.approx(0.0625)


def test_only_what_counts_counts() -> None:
    wrong = torch.full((2, 3, 8, 8), 0.5)
    pixel_weights = torch.zeros(2, 1, 8, 8)
    pixel_weights[:, :, 2:4] = 1
    wrong[:, :, 2:4] = 0.25
    pair = made(wrong, torch.zeros_like(wrong), pixel_weights=pixel_weights)
    assert float(LOSSES["l1"](pair)) == pytest.approx(0.25)
    nothing = made(wrong, torch.zeros_like(wrong), pixel_weights=torch.zeros_like(pixel_weights))
    assert float(LOSSES["l1"](nothing)) == 0


def skimage_ssim(one: Tensor, other: Tensor) -> np.ndarray:
    """Return scikit-image's SSIM of each pixel, (R, R, 3), with the windows of Wang et al."""
    _, values = structural_similarity(
        one[0].permute(1, 2, 0).numpy(),
        other[0].permute(1, 2, 0).numpy(),
        channel_axis=2,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5 * one.shape[-1] / 128,
        use_sample_covariance=False,
        full=True,
    )
    return np.asarray(values)


@pytest.mark.parametrize(("side", "spacing"), [(64, 1), (192, 3)])
def test_dssim_is_the_one_of_scikit_image(side: int, spacing: int) -> None:
    other = picture(side=side)
    one = other.clone()
    inner = slice(side // 4, -side // 4)  # equal at the border, where windows differ
    one[..., inner, inner] = picture(0.05, side)[..., inner, inner]
    values = skimage_ssim(one, other)[spacing // 2 :: spacing, spacing // 2 :: spacing]
    ours = float(LOSSES["dssim"](made(one, other)))
    assert ours == pytest.approx((1 - values.mean()) / 2, rel=1e-4)


@pytest.mark.parametrize("side", [64, 128, 256])
def test_dssim_of_whole_pictures_is_about_the_one_of_scikit_image(side: int) -> None:
    one, other = picture(0.05, side), picture(side=side)
    ours = float(LOSSES["dssim"](made(one, other)))
    assert ours == pytest.approx((1 - skimage_ssim(one, other).mean()) / 2, rel=0.02)
    assert float(LOSSES["dssim"](made(other, other))) == pytest.approx(0, abs=1e-6)
    negative = float(LOSSES["dssim"](made(1 - other, other)))
    assert 0.5 < negative <= 1


@pytest.mark.parametrize("side", [64, 96, 128, 192, 256])
def test_dssim_sees_all_pixels_alike(side: int) -> None:
    """Errors of one pixel weigh the same wherever they are, also between the windows' centres."""
    grey = torch.full((1, 1, side, side), 0.5)

    def value(row: int, column: int) -> float:
        one = grey.clone()
        one[..., row, column] = 0.6
        return float(LOSSES["dssim"](made(one, grey)))

    middle = [value(side // 2 + i, side // 2 + j) for i in range(4) for j in range(4)]
    assert min(middle) > 0
    assert max(middle) / min(middle) < 1.01
    at_border = [value(0, side // 2), value(side - 1, side // 2)]
    assert at_border[0] == pytest.approx(at_border[1], rel=0.01)
    assert 0.6 < at_border[0] / middle[0] < 1.2


def test_dssim_in_the_face_does_not_see_the_rest() -> None:
    region = torch.zeros(2, 1, 128, 128)
    region[..., 32:96, 40:90] = 1
    other = picture().repeat(2, 1, 1, 1)
    one = picture(0.05).repeat(2, 1, 1, 1).requires_grad_()
    loss = LOSSES["dssim"](made(one, other, pixel_weights=region))
    loss.backward()
    assert one.grad is not None
    assert float((one.grad * (1 - region)).abs().max()) == 0
    assert float((one.grad * region).abs().sum()) > 0
    elsewhere = torch.where(region > 0, one.detach(), torch.rand_like(other))
    again = LOSSES["dssim"](made(elsewhere, other, pixel_weights=region))
    assert float(again) == pytest.approx(float(loss.detach()), rel=1e-6)
    everywhere = LOSSES["dssim"](made(one, other, pixel_weights=torch.ones_like(region)))
    assert everywhere.item() == pytest.approx(LOSSES["dssim"](made(one, other)).item(), rel=1e-5)
    none = torch.zeros_like(region)
    assert float(LOSSES["dssim"](made(one.detach(), other, pixel_weights=none))) == 0


def test_dssim_is_computed_in_float32_under_autocast() -> None:
    pair = made(picture(0.02), picture())
    expected = float(LOSSES["dssim"](pair))
    with torch.autocast("cpu", torch.bfloat16):
        loss = LOSSES["dssim"](pair)
    assert loss.dtype == torch.float32
    assert float(loss) == expected


def test_dssim_is_one_graph() -> None:
    """No part of it waits for the device or leaves the compiler."""
    whole = torch.compile(LOSSES["dssim"], backend="eager", fullgraph=True)
    pair = made(picture(0.05), picture(), pixel_weights=torch.ones(1, 1, 128, 128))
    assert float(whole(pair)) == float(LOSSES["dssim"](pair))


def test_edges_see_no_brightness() -> None:
    assert float(LOSSES["edge"](made(picture() * 0.5 + 0.25, picture() * 0.5))) < 1e-6
    assert float(LOSSES["edge"](made(picture(0.1), picture()))) > 0.05


def test_masks_are_taught_their_region_and_kept_from_vanishing() -> None:
    region = torch.zeros(1, 1, 8, 8)
    region[..., 2:6, 2:6] = 1
    pair = made(picture(side=8), picture(side=8), mask=region, region=region)
    assert float(LOSSES["mask"](pair)) == 0
    none = made(picture(side=8), picture(side=8), mask=0 * region, region=region)
    assert float(LOSSES["mask"](none)) == pytest.approx(16 / 64)
    assert float(LOSSES["mask_size"](none)) == LEAST_MASK
    assert float(LOSSES["mask_edge"](none)) == 0
    assert float(LOSSES["mask_edge"](pair)) == pytest.approx(2 * 8 / 56)


def test_a_loss_without_its_mask_is_an_error() -> None:
    with pytest.raises(ValueError, match="mask"):
        LOSSES["mask"](made(picture(), picture()))


def test_perceptual_is_zero_for_equal_faces_and_grows_with_blur() -> None:
    loss = Perceptual(CPU)
    sharp = picture()
    blurred = [torch.nn.functional.avg_pool2d(sharp, k, 1, k // 2) for k in (1, 3, 7)]
    values = [float(loss(face, sharp)) for face in blurred]
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert values[0] < values[1] < values[2]
    face = blurred[2].clone().requires_grad_()
    loss(face, sharp).backward()
    assert face.grad is not None
    assert float(face.grad.abs().sum()) > 0


def test_critic_and_autoencoder_have_opposite_aims() -> None:
    torch.manual_seed(0)
    critic = Critic(training_recipe(attention=True))
    real, fake = picture(side=64), picture(0.3, side=64)
    optimiser = torch.optim.Adam(critic.parameters(), lr=1e-3)
    for share in (1.0, 0.0) * 40:
        loss = critic_loss(critic, fake, real, real=real, share=torch.full((1, 1, 1, 1), share))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        assert float(critic(real, real).mean()) > 0.8
        assert float(critic(fake, real).mean()) < 0.2
        assert float(adversarial_loss(critic, fake, real)) > 0.6
        assert float(adversarial_loss(critic, real, real)) < 0.1


def test_objective_weighs_losses_by_the_recipe() -> None:
    recipe = training_recipe(losses={"l1": 2.0, "edge": 0.5})
    objective = Objective(recipe, ["id0"], CPU, bf16=False)
    terms = objective.terms("id0", made(picture(0.1), picture()))
    expected = 2 * float(terms["l1"]) + 0.5 * float(terms["edge"])
    assert float(objective.weighted(terms)) == pytest.approx(expected)
    assert not list(objective.parameters())


def test_each_subject_has_its_critic_and_the_seed_decides_mixing() -> None:
    recipe = training_recipe(batch=1, losses={"l1": 1.0, "adversarial": 0.1})
    torch.manual_seed(0)
    objective = Objective(recipe, ["id0", "id1"], CPU, bf16=False)
    assert list(objective.critics) == ["id0", "id1"]
    parts = {"id0": made(picture(0.3, 64), picture(side=64))}
    values = [
        objective.critics_loss(parts, objective.shares(list(parts), seed)).item()
        for seed in (1, 1, 2)
    ]
    assert values[0] == values[1] != values[2]


def test_a_reconstruction_splits_a_decoders_output() -> None:
    recipe = training_recipe(
        learned_mask="face",
        losses={"dssim": 1.0, "mask": 1.0},
        loss_region="face",
        resolution=128,
        input_resolution=64,
    )
    output = torch.rand(2, 4, 128, 128)
    region = torch.ones(2, 1, 128, 128)
    batch = Batch(torch.rand(2, 3, 64, 64), torch.rand(2, 3, 128, 128), region)
    parts = Reconstruction.from_output(recipe, output, batch)
    assert parts.warped.shape == (2, 3, 128, 128)
    assert parts.mask is not None
    assert torch.equal(torch.cat([parts.rgb, parts.mask], 1), output)
    assert parts.pixel_weights is region
    laid = parts.composited
    expected = parts.mask * parts.rgb + (1 - parts.mask) * parts.warped
    torch.testing.assert_close(laid, expected)
