"""Contract of all extractors, on narrow networks without training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from swapset.errors import ConfigError
from swapset.extractors.base import Extractor
from swapset.extractors.crops import to_crop
from swapset.extractors.registry import EXTRACTORS, extractor_class

WIDTH = 0.1
BOX = torch.tensor([[40.0, 50, 140, 150]])


@pytest.fixture(scope="module", params=EXTRACTORS)
def extractor(request: pytest.FixtureRequest) -> Extractor:
    made = extractor_class(request.param)(width=WIDTH, seed=5)
    # With these weights, maps depend on the picture even without training.
    torch.manual_seed(1)
    for module in made.network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return made


def frames(count: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    coarse = torch.rand(count, 3, 25, 30, generator=generator) * 255
    return torch.nn.functional.interpolate(coarse, (200, 240), mode="bilinear")


def all_known(extractor: Extractor, count: int) -> Tensor:
    return torch.ones(count, extractor.points, dtype=torch.bool)


def test_the_name_is_the_tables(extractor: Extractor) -> None:
    assert type(extractor) is extractor_class(extractor.name)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match="'dlib' is not allowed: it is unknown; choose from fan, hrnet, avs-san"
    ):
        extractor_class("dlib")


@pytest.mark.parametrize("points", [68, 98])
def test_maps_and_landmarks_have_their_shapes(extractor: Extractor, points: int) -> None:
    own = type(extractor)(points=points, width=WIDTH)
    crops = own.crop(frames(2), BOX.expand(2, -1))
    assert crops.shape == (2, 3, own.side, own.side)
    assert crops.min() >= 0
    assert crops.max() <= 255
    with torch.inference_mode():
        maps = own.heatmaps(crops)
        found = own.landmarks(frames(2), BOX.expand(2, -1))
    assert maps.shape == (2, points, own.map_side, own.map_side)
    assert maps.isfinite().all()
    assert found.shape == (2, points, 2)
    assert found.isfinite().all()


@pytest.mark.parametrize("bad", [{"points": 29}, {"width": 0}, {"width": -1}])
def test_other_numbers_of_points_and_widths_are_refused(
    extractor: Extractor, bad: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        type(extractor)(**bad)


def test_fresh_weights_are_marked_and_follow_the_seed(extractor: Extractor) -> None:
    assert not extractor.trained
    one, same, other = (type(extractor)(width=WIDTH, seed=seed) for seed in (5, 5, 6))
    for name, part in one.network.named_parameters():
        assert torch.equal(part, same.network.get_parameter(name)), name
    first = next(iter(one.network.parameters()))
    assert not torch.equal(first, next(iter(other.network.parameters())))


def test_the_square_holds_the_face(extractor: Extractor) -> None:
    x, y, side = extractor.regions(BOX)[0].tolist()
    assert 1.2 * 100 <= side <= 2.1 * 100
    assert abs(x - 90) < 1
    assert abs(y - 100) < 15


def test_a_twice_as_large_face_gives_the_same_crop(extractor: Extractor) -> None:
    large = torch.nn.functional.interpolate(frames(), scale_factor=2, mode="bilinear")
    crops = extractor.crop(frames(), BOX)
    doubled = extractor.crop(large, BOX * 2 + 0.5)
    assert (crops - doubled).abs().mean() < 2


def test_a_shifted_frame_shifts_the_landmarks(extractor: Extractor) -> None:
    shifted = frames().roll((11, 7), (2, 3))
    with torch.inference_mode():
        crops = (
            extractor.crop(frames(), BOX - 8),
            extractor.crop(shifted, BOX - 8 + torch.tensor([7, 11, 7, 11])),
        )
    inner = slice(extractor.side // 4, -extractor.side // 4)
    np.testing.assert_allclose(crops[0][..., inner, inner], crops[1][..., inner, inner], atol=0.1)


def test_the_same_twice_and_alone_or_in_a_batch(extractor: Extractor) -> None:
    many = extractor.crop(frames(3), BOX.expand(3, -1))
    with torch.inference_mode():
        together = extractor.heatmaps(many)
        assert torch.equal(together, extractor.heatmaps(many))
        alone = extractor.heatmaps(many[1:2])
    torch.testing.assert_close(alone[0], together[1], rtol=1e-3, atol=1e-3 * together.std().item())


def test_the_gradient_reaches_the_face_and_nothing_else(extractor: Extractor) -> None:
    frame = frames().requires_grad_()
    middle = extractor.map_side // 2
    maps = extractor.heatmaps(extractor.crop(frame, BOX))
    maps[:, :, middle, middle].square().sum().backward()
    assert frame.grad is not None
    assert frame.grad.isfinite().all()
    assert frame.grad[0, :, 60:140, 60:130].abs().max() > 0
    x, y, side = extractor.regions(BOX)[0].tolist()
    outside = torch.ones(200, 240, dtype=torch.bool)
    low_x, low_y = (max(0, int(centre - side / 2) - 2) for centre in (x, y))
    outside[low_y : int(y + side / 2) + 3, low_x : int(x + side / 2) + 3] = False
    assert (frame.grad[0, :, outside] == 0).all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in extractor.network.parameters())


def test_a_face_partly_outside_of_the_frame(extractor: Extractor) -> None:
    frame = frames().requires_grad_()
    box = torch.tensor([[-40.0, 130, 60, 230]])
    maps = extractor.heatmaps(extractor.crop(frame, box))
    maps.square().sum().backward()
    assert maps.isfinite().all()
    assert frame.grad is not None
    assert frame.grad.isfinite().all()
    assert extractor.landmarks(frame.detach(), box).isfinite().all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_a_face_is_no_error(extractor: Extractor, level: int) -> None:
    wall = torch.full((1, 3, 200, 240), float(level))
    with torch.inference_mode():
        found = extractor.landmarks(wall, BOX)
    x, y, side = extractor.regions(BOX)[0].tolist()
    assert found.isfinite().all()
    near = side / 2 + side / extractor.map_side
    assert (found[0] - torch.tensor([x, y])).abs().max() <= near


def test_decoding_finds_the_targets(extractor: Extractor) -> None:
    generator = torch.Generator().manual_seed(1)
    face = 45 + 90 * torch.rand(1, extractor.points, 2, generator=generator)
    points = to_crop(face, extractor.regions(BOX), extractor.side)
    maps = extractor.targets(points, all_known(extractor, 1))
    stride = extractor.side / extractor.map_side
    found = extractor.decode(maps[:, : extractor.points])
    assert (found - points).abs().max() <= stride / 2 + 1e-3


def test_the_loss_is_zero_at_the_targets_and_only_known_points_count(extractor: Extractor) -> None:
    crops = extractor.crop(frames(2), BOX.expand(2, -1))
    outputs = extractor.outputs(crops)
    points = torch.rand(2, extractor.points, 2) * extractor.side
    there = all_known(extractor, 2)
    wanted = extractor.targets(points, there)
    assert [maps.shape for maps in outputs] == [wanted.shape] * len(outputs)
    assert extractor.loss([wanted] * len(outputs), points, there) == 0
    there[:, 3] = False
    points[:, 3] = float("nan")
    loss = extractor.loss(outputs, points, there)
    loss.backward()
    assert loss.isfinite()
    assert loss > 0
    changed = [maps.detach().clone() for maps in outputs]
    for maps in changed:
        maps[:, 3] += 7
    assert extractor.loss(changed, points, there).item() == pytest.approx(loss.item(), rel=1e-5)
    assert all(p.grad is None or p.grad.isfinite().all() for p in extractor.network.parameters())


def test_a_step_of_the_published_optimiser_lowers_the_loss(extractor: Extractor) -> None:
    own = type(extractor)(width=WIDTH)
    crops = own.crop(frames(2), BOX.expand(2, -1))
    points = torch.rand(2, own.points, 2) * own.side
    optimiser = own.optimiser(own.published.learning_rate / 10)
    own.network.train()
    losses = []
    for _ in range(3):
        loss = own.loss(own.outputs(crops), points, all_known(own, 2))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_the_published_schedule_is_one(extractor: Extractor) -> None:
    schedule = extractor.published
    assert schedule.steps > 0
    assert all(0 < share < 1 for share in schedule.milestones)
    assert list(schedule.milestones) == sorted(schedule.milestones)
    assert 0 < schedule.factor < 1
    assert extractor.variation.law in ("normal", "uniform")
