"""Brows, eyes, lips, nose and jaw of other light and colours."""

from __future__ import annotations

import torch
from torch import Tensor

from swapset.extractors.make_up import make_up

SIDE = 128


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def face_points(count: int) -> Tensor:
    """Return landmarks (n, 68, 2) of a face that fills most of the picture."""
    ring = torch.linspace(0, torch.pi, 17)
    points = torch.zeros(68, 2)
    points[:17] = torch.stack((64 - 50 * ring.cos(), 50 + 60 * ring.sin()), 1)
    for first, x in ((17, 25), (22, 75)):
        points[first : first + 5] = torch.stack((x + 6 * torch.arange(5), torch.full((5,), 32)), 1)
    points[27:36] = torch.stack((torch.full((9,), 64), 45 + 4 * torch.arange(9)), 1)
    for first, x in ((36, 38), (42, 90)):
        turn = torch.arange(6) * torch.pi / 3
        points[first : first + 6] = torch.stack((x - 9 * turn.cos(), 48 - 4 * turn.sin()), 1)
    turn = torch.arange(20) * torch.pi / 10
    points[48:] = torch.stack((64 - 20 * turn.cos(), 92 - 8 * turn.sin()), 1)
    return points.expand(count, -1, -1)


def test_parts_change_and_the_rest_stays() -> None:
    grey = torch.full((200, 3, SIDE, SIDE), 100.0)
    made_up = make_up(grey, face_points(200), 1.0, generator())
    change = (made_up / grey).log().abs().mean((0, 1))
    on_brow, on_lips, on_cheek = change[32, 35], change[100, 64], change[70, 30]
    assert on_brow > 0.2
    assert on_lips > 0.1
    assert on_cheek < 0.3 * on_brow
    assert change[:8].max() < 0.01
    both = (made_up / grey).log().mean(1)[:, 32]
    alike = torch.corrcoef(torch.stack((both[:, 37], both[:, 87])))[0, 1]
    assert alike > 0.8  # both brows are of one colour


def test_range_seed_and_strength() -> None:
    faces = 255 * torch.rand(8, 3, SIDE, SIDE, generator=generator(1))
    points = face_points(8)
    once = make_up(faces, points, 1.0, generator())
    assert once.min() >= 0
    assert once.max() <= 255
    assert torch.equal(once, make_up(faces, points, 1.0, generator()))
    assert not torch.equal(once, make_up(faces, points, 1.0, generator(2)))
    torch.testing.assert_close(make_up(faces, points, 0.0, generator()), faces)


def test_faces_that_lack_landmarks_stay_as_they_are() -> None:
    faces = 255 * torch.rand(6, 3, SIDE, SIDE, generator=generator(1))
    points = face_points(6).clone()
    points[2, 40] = torch.nan
    points[4] = 0
    made_up = make_up(faces, points, 1.0, generator())
    assert torch.equal(made_up[2], faces[2])
    assert made_up.isfinite().all()
    assert not torch.equal(made_up[0], faces[0])
