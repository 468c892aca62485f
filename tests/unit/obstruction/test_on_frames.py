"""Attacks on whole frames: through the crop, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from material.obstruction import OfSquares, noisier, pictures, plainly
from torch import Tensor

from swapset.obstruction.attacks.fgsm import Base2
from swapset.obstruction.attacks.landmark_breaker import LandmarkBreaker, LBTrans
from swapset.obstruction.attacks.objective import Objective, Reference, cosines
from swapset.obstruction.attacks.on_frames import OnFrames, cut_to_window, split

BOXES = torch.tensor([[40.0, 45, 60, 65], [52, 38, 74, 60]])


def frames(count: int = 2) -> Tensor:
    return pictures(count, 150, 130)


def outside(box: Tensor) -> Tensor:
    """Return the pixels that the crop of a face does not look at."""
    x, y, side = OfSquares().regions(box[None])[0].tolist()
    rows, columns = torch.arange(150)[:, None], torch.arange(130)
    half = side / 2 + 1
    return ((columns - x).abs() > half) | ((rows - y).abs() > half)


def test_noise_is_where_the_crop_looks_and_only_there() -> None:
    found = LandmarkBreaker(epsilon=4).run(OnFrames(OfSquares(), BOXES), frames())
    for image, noisy, box in zip(frames(), found, BOXES, strict=True):
        changed = (noisy != image).any(0)
        away = outside(box)
        assert not changed[away].any()
        assert changed[~away].double().mean() > 0.8


def test_the_gradient_is_the_frames_own() -> None:
    extractor, images = OnFrames(OfSquares(), BOXES), frames()
    start, box = noisier(images), BOXES[:1]
    rule = {"decay": 0.5, "epsilon": 4, "steps": 7}
    wanted = plainly(OnFrames(OfSquares(), box), images[:1], start[:1], **rule)
    attack = LandmarkBreaker(epsilon=4, iterations=7, budget="project")
    found = attack.run(extractor, images, start=start)
    inside = ~outside(box[0])
    assert torch.equal(found[0][:, inside], wanted[0][:, inside])
    # Of the start only what lies about the crops is taken.
    assert torch.equal(found[0, :, 100:], images[0, :, 100:])


def test_pictures_of_a_batch_are_independent() -> None:
    attack, images = LandmarkBreaker(epsilon=4), frames()
    together = attack.run(OnFrames(OfSquares(), BOXES), images)
    for k in range(2):
        alone = attack.run(OnFrames(OfSquares(), BOXES[k : k + 1]), images[k : k + 1])
        assert torch.equal(alone[0], together[k])


def test_a_mask_keeps_noise_away() -> None:
    mask = torch.zeros(2, 1, 150, 130)
    mask[0, :, :55], mask[1, :, :, 60:] = 1, 1
    inside = (mask > 0).expand(-1, 3, -1, -1)
    whole = LandmarkBreaker(iterations=4).run(OnFrames(OfSquares(), BOXES), frames())
    found = LandmarkBreaker(iterations=4).run(OnFrames(OfSquares(), BOXES, mask=mask), frames())
    assert torch.equal(found[~inside], frames()[~inside])
    assert ((found != frames()) & inside).sum() > 0.8 * ((whole != frames()) & inside).sum()


def test_only_the_part_that_crops_look_at_is_computed() -> None:
    shapes = []

    class Watched(OfSquares):
        def crop(self, frames: Tensor, boxes: Tensor) -> Tensor:
            shapes.append(frames.shape)
            return super().crop(frames, boxes)

    LandmarkBreaker(iterations=1).run(OnFrames(Watched(), BOXES), frames())
    assert set(shapes) == {(2, 3, 48, 48)}


def test_a_part_of_the_frame_gives_the_same_crop_in_whole_blocks() -> None:
    images = frames()
    for boxes in (BOXES, BOXES - 50, BOXES + 100):
        extractor = OnFrames(OfSquares(), boxes)
        inner, part = cut_to_window(extractor, images)
        assert isinstance(inner, OnFrames)
        torch.testing.assert_close(inner.inputs(images[part]), extractor.inputs(images))
        assert (part[1].start % 16, part[2].start % 16) == (0, 0)
        assert part[1].stop % 16 == 0 or part[1].stop == 150
    plain = OfSquares()
    assert cut_to_window(plain, images) == (plain, (...,))


def test_a_face_outside_of_the_frame_changes_nothing() -> None:
    images = frames(1)
    away = OnFrames(OfSquares(), BOXES[:1] + 900)
    assert torch.equal(LandmarkBreaker().run(away, images), images)


def test_random_sizes_are_of_the_crop() -> None:
    extractor = OnFrames(OfSquares(), BOXES)
    inner, inputs = split(extractor, frames())
    assert inner is extractor.extractor
    assert inputs.shape == (2, 3, 16, 16)
    found = LBTrans(epsilon=4).run(extractor, frames())
    for image, noisy, box in zip(frames(), found, BOXES, strict=True):
        assert not (noisy != image).any(0)[outside(box)].any()


def test_features_take_part() -> None:
    extractor, images = OnFrames(OfSquares(), BOXES), frames()
    objective = Objective(cosine=0, features=1)
    reference = objective.reference(extractor, images)
    torch.testing.assert_close(reference.maps, extractor.heatmaps(images).detach())
    one = torch.ones(2).double()
    torch.testing.assert_close(objective.losses(extractor, images, reference), one)
    found = LandmarkBreaker(objective=objective).run(extractor, images)
    assert (objective.losses(extractor, found, reference) < 0.99).all()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_cosines_and_their_gradient(layout: torch.memory_format) -> None:
    generator = torch.Generator().manual_seed(3)
    maps, other = torch.randn(2, 2, 3, 4, 5, generator=generator).double()
    maps, other = (
        maps.contiguous(memory_format=layout).requires_grad_(),
        other.requires_grad_(False),
    )
    exact = maps.detach().clone().requires_grad_()
    wanted = torch.cosine_similarity(exact.flatten(2), other.flatten(2), dim=2).sum(1)
    found = cosines(maps, other)
    torch.testing.assert_close(found, wanted)
    weights = torch.tensor([1.0, -3.0])
    (found * weights).sum().backward()
    (wanted * weights).sum().backward()
    torch.testing.assert_close(maps.grad, exact.grad)


def test_a_map_of_zeros_has_cosine_0_and_no_gradient() -> None:
    maps = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(2))
    other = maps.flip(0).clone()
    maps[0, 1], other[1, 2] = 0, 0
    maps.requires_grad_()
    found = cosines(maps, other)
    found.sum().backward()
    assert found.isfinite().all()
    assert maps.grad is not None
    assert maps.grad.isfinite().all()
    assert (maps.grad[0, 1] == 0).all()
    assert (maps.grad[1, 2] == 0).all()
    assert maps.grad[0, 0].abs().max() > 0


def test_displacement_moves_the_landmarks() -> None:
    class Peaks:
        """Maps with a peak at a place that the picture says."""

        def heatmaps(self, images: Tensor) -> Tensor:
            x = images[:, 0].mean((1, 2)).view(-1, 1, 1, 1) / 8
            return (-((torch.arange(32) - x) ** 2) / 4).exp().expand(-1, 1, 32, -1)

    images = torch.full((1, 3, 4, 4), 120.0)
    objective = Objective(cosine=0, displacement=1)
    reference = objective.reference(Peaks(), images)
    assert objective.losses(Peaks(), images, reference) == 0
    moved = objective.losses(Peaks(), images + 32, reference).item()
    assert moved == pytest.approx(1 - 17**0.5, abs=0.01)
    found = Base2(objective=objective, precision="fp32").run(Peaks(), images)
    assert (found[:, 0] - 120).abs().min() == 15
    assert objective.losses(Peaks(), found, reference) < -1


def test_a_reference_is_not_learnt_from() -> None:
    extractor = OfSquares()
    reference = Objective(features=1).reference(extractor, pictures(1, 16, 16).requires_grad_())
    assert isinstance(reference, Reference)
    assert not any(part.requires_grad for part in (reference.maps, *reference.features))
