"""Types of arrays that several rooms share. Shapes are conventions that docstrings may narrow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""One picture: (H, W, 3) uint8 in [0, 255], RGB."""

Frames = NDArray[np.uint8]
"""Pictures of one size: (n, H, W, 3) uint8 in [0, 255], RGB."""

Bytes = NDArray[np.uint8]
"""Pixels of a picture with any number of channels: (H, W) or (H, W, C) uint8 in [0, 255]."""

Mask = NDArray[np.bool_]
"""A region of one picture, (H, W) bool, or of several, (n, H, W) bool. True = inside."""

Points = NDArray[np.float32]
"""Landmarks in pixels, x before y: (n, 2) or (frames, n, 2) float32. NaN = not found."""

Floats = NDArray[np.float64]
"""Numbers of double precision, of any shape."""

Floats32 = NDArray[np.float32]
"""Numbers of single precision, of any shape."""
