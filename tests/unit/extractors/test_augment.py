"""Augmentation of training faces: pictures and landmarks move alike, within the stored rim."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from material.extractors import MOVING, STILL, Tiny, csv_tree
from torch import Tensor

from swapset.errors import DataError
from swapset.extractors.augment import (
    Poses,
    draw_batch,
    draw_poses,
    place_images,
    place_points,
)
from swapset.extractors.bank import FaceBank, bank_name, cut_bank, margin_of, read_labelled_picture
from swapset.extractors.labels.csv_file import read_csv
from swapset.extractors.labels.faces import LabelledFaces
from swapset.extractors.markup import MIRRORED
from swapset.extractors.registry import EXTRACTORS, extractor_class
from swapset.extractors.restyle import STYLES, restyle
from swapset.extractors.schedules import widened

SIDE, RIM = 96, 40
CPU = torch.device("cpu")
LEVELS = 40 + 3 * torch.arange(68)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dotted(count: int = 1) -> FaceBank:
    """Return faces with a dot, 7 pixels wide and of a different grey, about each landmark."""
    k = torch.arange(68)
    points = torch.stack((6 + 10 * (k % 9), 8 + 10 * (k // 9)), 1).float()
    face = torch.zeros(SIDE + 2 * RIM, SIDE + 2 * RIM, dtype=torch.uint8)
    for (x, y), level in zip((points + RIM).long().tolist(), LEVELS, strict=True):
        face[y - 3 : y + 4, x - 3 : x + 4] = level
    faces = face.expand(count, 3, -1, -1).clone()
    return FaceBank(faces, points.expand(count, -1, -1).clone(), SIDE, 0.0)


def grey_at(images: Tensor, points: Tensor) -> Tensor:
    """Return the grey (B, K) of the pixels nearest to points, NaN outside of the crop."""
    places = points.round().long()
    inside = ((places >= 1) & (places < SIDE - 1)).all(-1)
    x, y = places.clamp(0, SIDE - 1).unbind(-1)
    rows = torch.arange(len(images))[:, None]
    return torch.where(inside, images[rows, 0, y, x], math.nan)


@pytest.mark.parametrize("mirrored", [0, 1])
def test_landmarks_stay_on_their_dots(mirrored: int) -> None:
    variation = dataclasses.replace(MOVING, mirrored=mirrored, colour=0, turn=40, scale=0.2)
    bank = dotted(12)
    batch = draw_batch(bank, torch.arange(12), variation, generator=generator(), device=CPU)
    order = torch.tensor(MIRRORED[68]) if mirrored else torch.arange(68)
    expected = LEVELS[order].expand(12, -1).float()
    found = grey_at(batch.images, batch.points)
    seen = found.isfinite()
    assert 0.6 < seen.float().mean() < 1
    assert (batch.points - bank.points).abs().max() > 10
    assert (found - expected)[seen].abs().max() < 0.5
    assert batch.known.all()


@pytest.mark.parametrize(("stretch", "bend"), [(0.2, 0.0), (0.0, 0.02), (0.2, 0.02)])
def test_landmarks_stay_on_their_dots_in_other_shapes(stretch: float, bend: float) -> None:
    shaped = {"stretch": stretch, "bend": bend, "turn": 25.0, "scale": 0.1, "shift": 0.05}
    variation = dataclasses.replace(MOVING, mirrored=0, colour=0, **shaped)
    bank = dotted(12)
    batch = draw_batch(bank, torch.arange(12), variation, generator=generator(), device=CPU)
    plain = dataclasses.replace(variation, stretch=0.0, bend=0.0)
    without = draw_batch(bank, torch.arange(12), plain, generator=generator(), device=CPU)
    found = grey_at(batch.images, batch.points)
    seen = found.isfinite()
    assert 0.6 < seen.float().mean() < 1
    assert (batch.points - without.points).abs().max() > 3
    wrong = (found - LEVELS.expand(12, -1).float())[seen].abs() > 0.5
    assert wrong.float().mean() < 0.02  # a bend may squeeze a dot of 7 pixels below one


def test_a_bend_moves_points_as_it_moves_the_picture() -> None:
    side, place = 64, torch.full((1, 68, 2), 31.5)
    right = torch.zeros(1, 2, 5, 5)
    right[:, 0] = 0.1  # the crop shows what lies a tenth of its side further right
    poses = still_poses(bend=right)
    torch.testing.assert_close(place_points(place, poses, side=side)[0, 0, 0], torch.tensor(25.1))
    face = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    face[..., 32] = 250
    shown = place_images(face, poses, side=side, fill=0)[0, 0, 32]
    assert abs(int(shown.argmax()) - (32 - 6.4)) < 1


def test_without_variation_the_middle_comes_out_as_it_is() -> None:
    bank = dotted(3)
    batch = draw_batch(bank, torch.tensor([2, 0]), STILL, generator=generator(), device=CPU)
    middle = bank.faces[[2, 0], :, RIM:-RIM, RIM:-RIM].float()
    torch.testing.assert_close(batch.images, middle, atol=0.01, rtol=0)
    torch.testing.assert_close(batch.points, bank.points[[2, 0]])


def still_poses(**changed: Tensor) -> Poses:
    zero = torch.zeros(1)
    poses = Poses(zero, zero + 1, torch.zeros(1, 2), torch.zeros(1, dtype=torch.bool))
    return dataclasses.replace(poses, **changed)


def test_mirroring_twice_gives_the_face_back() -> None:
    bank, mirrored = dotted(), still_poses(mirrored=torch.ones(1, dtype=torch.bool))
    once = place_images(bank.faces, mirrored, side=SIDE, fill=0)
    points = place_points(bank.points, mirrored, side=SIDE)
    crop = bank.faces[:, :, RIM:-RIM, RIM:-RIM]
    assert not torch.equal(once.round().byte(), crop)
    again = place_images(once.round().byte(), mirrored, side=SIDE, fill=0)
    assert torch.equal(again.round().byte(), crop)
    torch.testing.assert_close(place_points(points, mirrored, side=SIDE), bank.points)


def test_directions_and_sizes() -> None:
    centre = (SIDE - 1) / 2
    points = torch.full((1, 68, 2), centre) + torch.tensor([10.0, 0.0])
    smaller = place_points(points, still_poses(scale=torch.tensor([2.0])), side=SIDE)
    torch.testing.assert_close(smaller[0, 0], torch.tensor([centre + 5, centre]))
    moved = place_points(points, still_poses(shift=torch.tensor([[0.1, 0.0]])), side=SIDE)
    torch.testing.assert_close(moved[0, 0], torch.tensor([centre + 10 - SIDE / 10, centre]))
    turned = place_points(points, still_poses(angle=torch.tensor([math.pi / 2])), side=SIDE)
    assert turned[0, 0, 1].sub(centre).abs().item() == pytest.approx(10, abs=1e-4)
    assert turned[0, 0, 0].item() == pytest.approx(centre, abs=1e-4)


def test_a_wide_variation_is_the_same_for_all_but_the_fill() -> None:
    wide = [widened(extractor_class(name).variation) for name in EXTRACTORS]
    fills = {extractor_class(name).variation.fill for name in EXTRACTORS}
    assert {each.fill for each in wide} == fills
    assert len({dataclasses.replace(each, fill=0.0) for each in wide}) == 1


def test_faces_of_a_wide_variation_look_different_and_hold_their_landmarks() -> None:
    variation = widened(STILL)
    bank = dotted(24)
    batch = draw_batch(bank, torch.arange(24), variation, generator=generator(3), device=CPU)
    assert batch.images.isfinite().all()
    assert 0 <= batch.images.min() < batch.images.max() <= 255
    means = batch.images.mean((2, 3))
    assert means.std(0).min() > 5  # light and colours differ from face to face
    beyond = ((batch.points < -0.5) | (batch.points > SIDE - 0.5)).any(-1)
    assert torch.equal(batch.known, ~beyond)


@pytest.mark.parametrize("name", EXTRACTORS)
def test_published_variation_never_sees_beyond_what_is_kept(name: str) -> None:
    variation = extractor_class(name).variation
    margin = margin_of(variation)
    poses = draw_poses(4000, variation, generator(1))
    corners = torch.tensor([[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]])
    cosine, sine = poses.angle.cos(), poses.angle.sin()
    turn = torch.stack((cosine, -sine, sine, cosine), 1).view(-1, 2, 2)
    seen = corners @ turn.mT * poses.scale[:, None, None] + poses.shift[:, None]
    assert 0.9 * margin / 2 < seen.abs().max() <= margin / 2 + 1e-5


def test_draws_follow_the_published_laws() -> None:
    fan = draw_poses(20_000, extractor_class("fan").variation, generator(1))
    assert (fan.angle != 0).float().mean().item() == pytest.approx(0.6, abs=0.02)
    assert fan.angle.abs().max().item() == pytest.approx(math.radians(60), rel=1e-5)
    assert fan.angle[fan.angle != 0].std().item() == pytest.approx(math.radians(30), rel=0.07)
    at_rim = (fan.scale - 1).abs() > 0.2999
    assert at_rim.float().mean().item() == pytest.approx(0.317, abs=0.02)  # beyond one sigma
    hrnet = draw_poses(20_000, extractor_class("hrnet").variation, generator(1))
    assert (hrnet.scale - 1).abs().max().item() == pytest.approx(0.25, abs=1e-3)
    assert (hrnet.scale - 1).std().item() == pytest.approx(0.25 / 3**0.5, rel=0.02)
    assert hrnet.mirrored.float().mean().item() == pytest.approx(0.5, abs=0.02)
    san = draw_poses(20_000, extractor_class("avs-san").variation, generator(1))
    assert not san.angle.any()
    assert not san.mirrored.any()
    assert (san.shift * 128).abs().max().item() == pytest.approx(30, abs=0.1)


def test_draws_depend_on_the_seed_alone() -> None:
    def drawn(seed: int) -> Tensor:
        variation = dataclasses.replace(MOVING, restyled=0.5)
        torch.manual_seed(torch.seed() % 2**31)
        index = torch.arange(4)
        return draw_batch(dotted(4), index, variation, generator=generator(seed), device=CPU).images

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_landmarks_beyond_the_crop_are_empty_or_unknown() -> None:
    bank = dotted()
    bank.points[0, 5] = torch.tensor([-3.0, 20.0])
    bank.points[0, 7] = math.nan
    unknown = dataclasses.replace(STILL, beyond="unknown")
    for variation, missing in ((STILL, {7}), (unknown, {5, 7})):
        batch = draw_batch(bank, torch.tensor([0]), variation, generator=generator(), device=CPU)
        assert set((~batch.known[0]).nonzero()[:, 0].tolist()) == missing


def test_colour_changes_channels_apart_and_stays_in_range() -> None:
    bank = dotted(8)
    bank.faces[:] = 200
    colourful = dataclasses.replace(STILL, colour=0.5)
    images = draw_batch(bank, torch.arange(8), colourful, generator=generator(), device=CPU).images
    factors = images[:, :, 0, 0] / 200
    assert factors.min() >= 0.5
    assert images.max() <= 255
    assert (factors.std(1) > 0.02).all()
    torch.testing.assert_close(images, images[:, :, :1, :1].expand_as(images))


def test_fill_stands_where_there_is_no_picture() -> None:
    faces = torch.full((1, 3, 32, 32), 10, dtype=torch.uint8)
    wide = still_poses(scale=torch.tensor([2.0]))
    images = place_images(faces, wide, side=32, fill=127)
    assert images[0, 0, 0, 0] == 127
    assert images[0, 0, 16, 16] == 10


# -- styles ----------------------------------------------------------------------------------------


def stepped() -> Tensor:
    """Return a picture with one edge, at column 30 of 64, and colours on both sides."""
    images = torch.full((1, 3, 64, 64), 90.0)
    images[:, 0] += 30
    images[..., 30:] += 60
    return images


@pytest.mark.parametrize("style", STYLES)
def test_styles_change_a_face_but_leave_its_edges_in_place(style: str) -> None:
    images = stepped()
    for strength in (0.1, 0.9):
        noise = torch.rand(1, 3, 4, 4, generator=generator(3))
        made = STYLES[style](images, torch.full((1, 1, 1, 1), strength), noise)
        assert made.shape == images.shape
        assert made.isfinite().all()
        assert not torch.allclose(made, images)
        slope = made.diff(dim=-1).abs().sum((0, 1, 2))
        assert abs(int(slope.argmax()) - 29) <= 2


def test_about_the_wanted_share_is_restyled() -> None:
    images = stepped().expand(400, -1, -1, -1)
    torch.testing.assert_close(restyle(images, 0.0, generator()), images)
    made = restyle(images, 0.25, generator())
    changed = (made != images).flatten(1).any(1)
    assert changed.float().mean().item() == pytest.approx(0.25, abs=0.07)
    everything = restyle(images, 1.0, generator())
    assert everything.min() >= 0
    assert everything.max() <= 255
    assert len(everything.flatten(1).unique(dim=0)) > len(STYLES)


# -- stored faces ----------------------------------------------------------------------------------


@pytest.fixture
def labels(tmp_path: Path) -> LabelledFaces:
    return read_csv(csv_tree(tmp_path, {"ann": "train", "bob": "train"}))


@pytest.mark.parametrize("name", EXTRACTORS)
def test_the_middle_of_a_kept_face_is_the_extractors_crop(labels: LabelledFaces, name: str) -> None:
    extractor = extractor_class(name)(width=0.1)
    bank = cut_bank(labels, extractor, margin=1.3)
    rim = (bank.faces.shape[-1] - bank.side) // 2
    assert rim >= 0.15 * extractor.side
    boxes = torch.from_numpy(labels.boxes)
    for number, path in enumerate(labels.images):
        frame = torch.from_numpy(read_labelled_picture(path)).permute(2, 0, 1)[None].float()
        crop = extractor.crop(frame, boxes[number : number + 1])
        kept = bank.faces[number : number + 1, :, rim:-rim, rim:-rim].float()
        assert (crop - kept).abs().max() <= 0.5 + 1e-3


def test_landmarks_are_those_of_the_crop(labels: LabelledFaces) -> None:
    path = labels.images[0]
    image = np.zeros((96, 96, 3), np.uint8)
    x, y = labels.points[0, 30].astype(int)
    image[y, x] = 255
    cv2.imwrite(str(path), image)
    bank = cut_bank(labels.taken([0]), Tiny())
    weights = bank.faces[0, 0].double()
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    found = torch.stack(((weights * columns).sum(), (weights * rows).sum())) / weights.sum()
    torch.testing.assert_close(found.float(), bank.points[0, 30], atol=0.15, rtol=0)


def test_outside_of_a_picture_is_the_fill(labels: LabelledFaces) -> None:
    for path in labels.images:
        cv2.imwrite(str(path), np.full((96, 96, 3), 50, np.uint8))
    bank = cut_bank(labels, extractor_class("avs-san")(width=0.1), margin=4, fill=127)
    assert (bank.faces[:, :, 0, 0] == 127).all()
    assert (bank.faces[:, :, 256, 256] == 50).all()


def test_faces_are_kept_in_a_file_and_used_again(tmp_path: Path, labels: LabelledFaces) -> None:
    file = tmp_path / f"{bank_name(labels, Tiny(), 1.2)}.npy"
    once = cut_bank(labels, Tiny(), margin=1.2, file=file)
    for path in labels.images:
        path.unlink()
    again = cut_bank(labels, Tiny(), margin=1.2, file=file)
    assert torch.equal(once.faces, again.faces)
    with pytest.raises(DataError, match="holds other faces"):
        cut_bank(labels, Tiny(), margin=1.5, file=file)
    file.write_bytes(b"damaged")
    with pytest.raises(DataError, match="holds no faces"):
        cut_bank(labels, Tiny(), margin=1.2, file=file)


def test_name_of_kept_faces_tells_what_is_in_them(labels: LabelledFaces) -> None:
    names = {
        bank_name(labels, Tiny(), 1.2),
        bank_name(labels, Tiny(), 1.3),
        bank_name(labels.taken([0, 1]), Tiny(), 1.2),
        bank_name(labels, extractor_class("avs-san")(width=0.1), 1.2),
    }
    assert len(names) == 4


def test_pictures_of_other_kinds_become_rgb(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 40).astype(np.uint16), (30, 1))
    colours = np.dstack([np.full((30, 40), level, np.uint8) for level in (10, 20, 30, 0)])
    for name, image in (("deep.png", ramp), ("alpha.png", colours), ("grey.png", colours[..., 0])):
        cv2.imwrite(str(tmp_path / name), image)
    deep = read_labelled_picture(tmp_path / "deep.png")
    assert deep.shape == (30, 40, 3)
    assert np.abs(deep[0, :, 0] - ramp[0] / 257).max() <= 1
    assert read_labelled_picture(tmp_path / "alpha.png")[0, 0].tolist() == [30, 20, 10]
    assert read_labelled_picture(tmp_path / "grey.png")[0, 0].tolist() == [10, 10, 10]


def test_pictures_that_cannot_be_read_are_named(labels: LabelledFaces) -> None:
    labels.images[1].write_text("no picture")
    with pytest.raises(DataError, match=r"ann_1\.png: cannot be read as a picture"):
        cut_bank(labels, Tiny())
