"""The picture of models that were trained on protected clips."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from material.report import make_build

from swapset.dataset.labels import write_labels
from swapset.report.figures.protected import SIDE, caption, protected_figure
from swapset.report.figures.sheet import GAP

ROLES = (("id0", "id1", "donor"), ("id1", "id0", "target"))
PARTS = [
    {"attack": name, "source": "fan", "method": "first", "target": a, "donor": b, "role": role}
    for a, b, role in ROLES
    for name in ("none", "lb")
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A finished build in which id0 with id1's face was made again, with and without noise."""
    make_build(tmp_path)
    (tmp_path / "faces/id1").mkdir(parents=True)
    np.save(tmp_path / "faces/id1/id1_0000.npy", np.full((4, 30, 30, 3), 200, np.uint8))
    for attack in ("none", "lb"):
        folder = tmp_path / "obstruction/protected" / attack / "fan"
        for kind in ("dataset", "labels"):
            shutil.copytree(tmp_path / kind / "first", folder / kind / "first")
        shutil.copytree(tmp_path / "faces/id1", folder / "faces/id1")
    return tmp_path


def rows_of(picture: np.ndarray) -> int:
    return int(picture.shape[0] // (SIDE + GAP))


def test_each_role_is_a_row_and_the_learnt_faces_are_one(root: Path) -> None:
    picture = protected_figure(root, PARTS[:2])
    assert rows_of(picture) == 2
    assert picture.shape[1] > 3 * SIDE
    # Four of nine faces are there, in each of the three panels.
    grey = (picture == 200).all(-1).sum()
    assert grey == pytest.approx(3 * 4 * (SIDE // 3) ** 2, rel=0.05)


def test_a_role_without_fakes_is_left_out(root: Path) -> None:
    assert protected_figure(root, PARTS).shape == protected_figure(root, PARTS[:2]).shape


def test_what_could_not_be_made_is_said(root: Path) -> None:
    labels = root / "obstruction/protected/lb/fan/labels/first/id0_id1_0000.parquet"
    write_labels(labels, [], {"reason": "no model: no accepted clip of id1"})
    shutil.rmtree(root / "faces/id1")
    for attack in ("none", "lb"):
        shutil.rmtree(root / "obstruction/protected" / attack / "fan/faces/id1")
    assert protected_figure(root, PARTS).shape[0] < SIDE
    assert protected_figure(root, []).shape[0] < SIDE


def test_caption_names_who_was_protected_against_what() -> None:
    text = caption(PARTS)
    assert "Clips of id1 got noise against fan" in text
    assert "first" in text
