"""Aligned faces with their landmarks, and a part of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from swapset.errors import DataError
from swapset.faces.align import MEAN_FACE, standard_points
from swapset.faces.prepare import load_faces, load_points, write_faces

FRAME = np.ascontiguousarray(data.astronaut()[:256, 96:352])


def clip(folder: Path, name: str, count: int, shift: float = 0.0) -> None:
    """Write a clip's faces; its second frame has none."""
    points = np.stack([MEAN_FACE * 90 + [85.0 + shift, 75.0 + k] for k in range(count)])
    points[1] = np.nan
    pictures = [np.full_like(FRAME, 10 * k) for k in range(count)]
    write_faces(folder / f"{name}.npy", pictures, points, size=64, context=1.3)


def test_landmarks_lie_beside_the_faces(tmp_path: Path) -> None:
    clip(tmp_path, "a", 4)
    clip(tmp_path, "b", 3)
    faces, points = load_faces(tmp_path), load_points(tmp_path)
    assert faces.shape == (5, 64, 64, 3)
    assert points.shape == (5, 68, 2)
    # These are the mean face, and so lie where it does.
    np.testing.assert_allclose(points[0], standard_points(64, 1.3), atol=1e-3)
    assert [int(face[32, 32, 0]) for face in faces] == [0, 20, 30, 0, 20]


def test_some_faces_are_taken_evenly_over_all_clips(tmp_path: Path) -> None:
    clip(tmp_path, "a", 11)
    clip(tmp_path, "b", 11)
    faces, points = load_faces(tmp_path, 4), load_points(tmp_path, 4)
    assert len(faces) == len(points) == 4
    everything = load_faces(tmp_path)
    for face, place in zip(faces, (0, 6, 13, 19), strict=True):
        np.testing.assert_array_equal(face, everything[place])
    assert len(load_faces(tmp_path, 100)) == 20


def test_without_clips_there_is_nothing(tmp_path: Path) -> None:
    assert len(load_faces(tmp_path)) == len(load_points(tmp_path, 3)) == 0


def test_faces_without_their_landmarks_are_named(tmp_path: Path) -> None:
    clip(tmp_path, "a", 3)
    (tmp_path / "a.points.npy").unlink()
    with pytest.raises(DataError, match=r"a\.points\.npy"):
        load_points(tmp_path)
