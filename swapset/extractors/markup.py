"""Landmark numberings: the 68 of 300-W among the 98 of WFLW, and the left-right mirror of both.

The mirror's pairs are those of `MATCHED_PARTS` in HRNet/HRNet-Facial-Landmark-Detection,
lib/utils/transforms.py ("300W", less 1, and "WFLW"); the pairs of 1adrianb/face-alignment-training,
utils.lua, are the same for 68.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

AMONG_98: tuple[int, ...] = (
    *range(0, 33, 2),  # outline of the face: every other point
    *range(33, 38),  # upper edges of the eyebrows
    *range(42, 47),
    *range(51, 60),  # nose
    *(60, 61, 63, 64, 65, 67),  # eyes: without the middles of the lids
    *(68, 69, 71, 72, 73, 75),
    *range(76, 96),  # mouth
)
"""Point k of 68 is point AMONG_98[k] of 98.

Users of both numberings commonly map them in this way, for example `WFLW_98_TO_DLIB_68_IDX_MAPPING`
in code that runs DSLPT (Jiahao-UTS/DSLPT). Corners and tips are the same points; along outline and
lids, the spacing of the points differs a little.
"""


def as_68(points: Any) -> Any:
    """Return the 68 landmarks (..., 68, 2) among landmarks (..., 68, 2) or (..., 98, 2).

    An array or a tensor, of any floating dtype, in any unit.

    Raises
    ------
    ValueError
        If there are neither 68 nor 98.
    """
    count = points.shape[-2]
    if count == 68:
        return points
    if count != 98:
        raise ValueError(f"there must be 68 or 98 landmarks, not {count}")
    return points[..., list(AMONG_98), :]


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
"""For K landmarks, point k of a mirrored picture is point MIRRORED[K][k] of the picture."""


def mirror_points(points: Tensor, side: int) -> Tensor:
    """Return landmarks (..., K, 2) float in crops of `side` pixels, mirrored left to right."""
    order = torch.tensor(MIRRORED[points.shape[-2]], device=points.device)
    reordered = points[..., order, :]
    return torch.stack((side - 1 - reordered[..., 0], reordered[..., 1]), -1)
