"""Which landmark becomes which when a picture is mirrored.

From `MATCHED_PARTS` of HRNet/HRNet-Facial-Landmark-Detection, lib/utils/transforms.py ("300W", less
1, and "WFLW"); the pairs of 1adrianb/face-alignment-training, utils.lua, are the same for 68.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def _crossed(first: range, second: range) -> list[tuple[int, int]]:
    return list(zip(first, second, strict=True))


_PAIRS = {
    68: (
        *_crossed(range(8), range(16, 8, -1)),  # outline of the face
        *_crossed(range(17, 22), range(26, 21, -1)),  # eyebrows
        *_crossed(range(31, 33), range(35, 33, -1)),  # nostrils
        *_crossed(range(36, 40), range(45, 41, -1)),  # upper lids
        *_crossed(range(40, 42), range(47, 45, -1)),  # lower lids
        *_crossed(range(48, 51), range(54, 51, -1)),  # outer lips
        *_crossed(range(58, 60), range(56, 54, -1)),
        *_crossed(range(60, 62), range(64, 62, -1)),  # inner lips
        (67, 65),
    ),
    98: (
        *_crossed(range(16), range(32, 16, -1)),
        *_crossed(range(33, 38), range(46, 41, -1)),
        *_crossed(range(38, 42), range(50, 46, -1)),
        *_crossed(range(55, 57), range(59, 57, -1)),
        *_crossed(range(60, 65), range(72, 67, -1)),
        *_crossed(range(65, 68), range(75, 72, -1)),
        *_crossed(range(76, 79), range(82, 79, -1)),
        *_crossed(range(86, 88), range(84, 82, -1)),
        *_crossed(range(88, 90), range(92, 90, -1)),
        (95, 93),
        (96, 97),  # pupils
    ),
}


def _swapped(points: int, pairs: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    order = list(range(points))
    for one, other in pairs:
        order[one], order[other] = other, one
    return tuple(order)


MIRRORED: dict[int, tuple[int, ...]] = {k: _swapped(k, pairs) for k, pairs in _PAIRS.items()}
"""By their number: point k of a mirrored picture is the picture's point MIRRORED[number][k]."""


def mirror_points(points: Tensor, side: int) -> Tensor:
    """Return the points (..., K, 2) of crops of `side` pixels that are mirrored left to right."""
    order = torch.tensor(MIRRORED[points.shape[-2]], device=points.device)
    taken = points[..., order, :]
    return torch.stack((side - 1 - taken[..., 0], taken[..., 1]), -1)
