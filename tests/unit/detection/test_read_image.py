"""Pictures for `swapset detect`: as people see them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from material.pictures import face

from swapset.detection.detect import read_image


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_grey_of_16_bits_is_not_white(tmp_path: Path, ending: str) -> None:
    grey = face()[..., 1]
    path = tmp_path / f"a{ending}"
    cv2.imwrite(str(path), grey.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(path), np.repeat(grey[..., None], 3, 2))


def test_transparency_is_laid_over_black(tmp_path: Path) -> None:
    alpha = np.full(face().shape[:2], 255, np.uint8)
    alpha[:40] = 0
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([face()[..., ::-1], alpha]))
    seen = read_image(tmp_path / "a.png")
    assert seen[:40].max() == 0
    np.testing.assert_array_equal(seen[40:], face()[40:])
