"""Other light, colours, sharpness and covered parts of training faces."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from material.extractors import STILL

from swapset.extractors.appearance import blur_some, occlude, relight, vary_appearance


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 16) -> torch.Tensor:
    """Return pictures (n, 3, 48, 48) of one checked pattern in a colour."""
    across = torch.arange(48)
    checks = ((across[:, None] // 6 + across // 6) % 2).float()
    colour = torch.tensor([150.0, 100.0, 60.0])[:, None, None]
    return (colour * (0.5 + 0.5 * checks)).expand(count, -1, -1, -1).clone()


def test_nothing_changes_that_is_not_asked_for() -> None:
    faces = pictures(4)
    assert torch.equal(vary_appearance(faces, STILL, generator()), faces)


@pytest.mark.parametrize("part", ["light", "occluded", "blurred", "grain"])
def test_each_part_changes_faces_and_keeps_their_range(part: str) -> None:
    faces = pictures()
    kept = faces.clone()
    varied = vary_appearance(faces, dataclasses.replace(STILL, **{part: 1.0}), generator())
    assert torch.equal(faces, kept)
    assert (varied != faces).flatten(1).any(1).all()
    assert varied.min() >= 0
    assert varied.max() <= 255


def test_light_changes_brightness_and_colours_but_not_places() -> None:
    faces = pictures(200)
    lit = relight(faces, 1.0, generator())
    brightness = lit.mean((1, 2, 3)) / faces.mean((1, 2, 3))
    assert brightness.min() < 0.7
    assert brightness.max() > 1.3
    red = lit[:, 0].mean((1, 2)) / lit[:, 2].mean((1, 2))
    assert red.min() < 1.3 < 3 < red.max()  # 2.5 as it was
    steps, as_before = (part.diff(dim=-1).abs().mean((0, 1, 2)) for part in (lit, faces))
    assert torch.equal(steps > steps.mean(), as_before > as_before.mean())


def test_a_rectangle_of_one_colour_covers_a_share_of_the_faces() -> None:
    faces = pictures(400)
    changed = occlude(faces, 0.25, generator()) != faces
    assert changed.flatten(1).any(1).float().mean().item() == pytest.approx(0.25, abs=0.07)
    one = occlude(faces[:1], 1.0, generator(1))[0]
    covered = (one != faces[0]).any(0)
    rows, columns = covered.any(1), covered.any(0)
    assert torch.equal(covered, rows[:, None] & columns)
    assert len(one[:, covered].unique(dim=1)[0]) == 1
    assert 0.05 < covered.float().mean() ** 0.5 < 0.45


def test_some_faces_are_blurred_and_keep_their_brightness() -> None:
    faces = pictures(300)
    blurred = blur_some(faces, 0.5, generator())
    edges = blurred.diff(dim=-1).abs().mean((1, 2, 3)) / faces.diff(dim=-1).abs().mean((1, 2, 3))
    assert (edges < 0.999).float().mean().item() == pytest.approx(0.5, abs=0.1)
    assert edges.min() < 0.5
    torch.testing.assert_close(blurred.mean((2, 3)), faces.mean((2, 3)), atol=3, rtol=0)
