"""The 68 landmarks of 300-W among the 98 of WFLW."""

from __future__ import annotations

from typing import Any

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

The mapping that is common among users of both, for example `WFLW_98_TO_DLIB_68_IDX_MAPPING` in
code that runs DSLPT (Jiahao-UTS/DSLPT). Corners and tips are the same points; along outline and
lids the two markups space theirs a little differently.
"""


def as_68(points: Any) -> Any:
    """Return landmarks (..., 68, 2) of landmarks (..., 68, 2) or (..., 98, 2), array or tensor.

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
