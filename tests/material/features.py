"""A drawn face with known landmarks, and its features by the original code.

The numbers come from the authors' code with the versions that it pins: for HeadPose,
headpose_forensic under OpenCV 3.4.3; for the visual artifacts, Exploiting-Visual-Artifacts under
Python 2.7 with scikit-image 0.14.0, scikit-learn 0.19.1 and OpenCV 4.1.2, in the box `BOX`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from swapset.detectors.face import Face, cut_face
from swapset.detectors.inputs.head_model import HEAD

SIZE = (320, 240)
"""Width and height of the frame."""


def landmarks(*, eyes: float = 3.0, mouth: float = 8.0) -> npt.NDArray[np.float32]:
    """Return landmarks (68, 2) float32 in whole pixels, with lids and lips moved apart."""
    points = HEAD[:, :2].astype(np.float64).copy()
    points[[40, 41, 46, 47], 1] += eyes
    points[[65, 66, 67], 1] += mouth
    points[:17, 0] *= 1.05
    return np.rint(points * 0.8 + (166, 118)).astype(np.float32)


def frame() -> npt.NDArray[np.uint8]:
    """Return a frame (240, 320, 3) uint8 with a pattern in each channel, and teeth."""
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    red = (x * x + 3 * y * y) // 40 % 200
    green = (x * 5 + y * 3 + x * y // 16) % 256
    blue = (x * 11) % 90 + (y * 7) % 120
    drawn = np.stack([red, green, blue], axis=-1)
    teeth = (np.abs(x - 166) < 20) & (np.abs(y - 143) < 5)
    drawn[teeth] = 170 + drawn[teeth] // 4
    return drawn.astype(np.uint8)


def drawn_face(points: npt.NDArray[np.float32] | None = None) -> Face:
    """Return the face of the frame at these landmarks."""
    face = cut_face(frame(), landmarks() if points is None else points)
    assert face is not None
    return face


POSE_FEATURES = (
    *(-1.9996882, 0.0051317, -0.0143468, -0.0059349, -1.9989709, -0.0212589),
    *(0.0316389, -0.0602916, -0.0004121, -15.159309, 6.0967618, -818.1066028),
)
BOX = (104, 51, 228, 176)
"""x0, y0, x1, y1 of the drawn face, in whole pixels of the frame."""
TEXTURE_FEATURES = (
    *(92.4991, 96.6500, 90.7672, 83.9328, 71.7328, 86.0681, 67.9763, 89.7724, 91.0944),
    *(65.7246, 71.5040, 87.3114, 67.7351, 71.9111, 56.2213, 67.3013, 60.1567, 56.9116),
)
"""In the order that Python 2 gives; OpenCV 5 rounds a few pixels differently."""
