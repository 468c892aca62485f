"""Models that no attack follows, on clean and spoilt frames of a portrait."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from material.faces import ASTRONAUT_BOX, portrait

from swapset.faces.landmarks import LandmarkPredictor
from swapset.faces.packaged_models import CENTERFACE, FACEMESH
from swapset.obstruction.black_boxes import black_box_detectors, black_box_finders, face_found
from swapset.obstruction.evaluation import Evaluator, write_measures
from swapset.obstruction.keyframes import LANDMARKS, Run
from swapset.obstruction.tables import DETECTION_ROW, ROW
from swapset.types import Frames

FILES = {"facemesh": str(FACEMESH.find()), "centerface": str(CENTERFACE.find())}
SHIFT = 20


@pytest.fixture(scope="module")
def clean() -> Frames:
    """A frame of 240 x 240 pixels, and another SHIFT pixels further to the left."""
    image = portrait("astronaut")
    return np.stack([image[20:260, x : x + 240] for x in (100, 100 + SHIFT)])


@pytest.fixture(scope="module")
def run() -> Run:
    points = LandmarkPredictor().predict(portrait("astronaut"), ASTRONAUT_BOX)
    moved = [points - np.array([x, 20], np.float32) for x in (100, 100 + SHIFT)]
    return Run("id0_0000", 30, np.stack(moved))


def test_models_of_packages_are_there_where_their_files_are() -> None:
    assert set(black_box_finders("", {})) == {"dlib"}
    assert set(black_box_detectors({})) == {"hog"}
    assert set(black_box_finders("", FILES)) == {"dlib", "facemesh"}
    assert set(black_box_detectors(FILES)) == {"hog", "centerface"}


@pytest.mark.parametrize("name", ["hog", "centerface"])
def test_a_face_is_found_in_its_place_alone(name: str, clean: Frames, run: Run) -> None:
    detector = black_box_detectors(FILES)[name]
    assert face_found(detector, clean, run).tolist() == [True, True]
    elsewhere = Run(run.clip, run.first, run.landmarks + 90)
    assert not face_found(detector, clean, elsewhere).any()
    assert not face_found(detector, np.zeros_like(clean), run).any()
    # Small faces are enlarged.
    small = np.ascontiguousarray(clean[:, ::2, ::2])
    assert face_found(detector, small, Run(run.clip, run.first, run.landmarks / 2)).all()


def test_points_move_from_their_own_and_err_from_the_references(
    clean: Frames, run: Run, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).normal(0, 40, clean.shape)
    noisy = np.clip(clean + noise, 0, 255).astype(np.uint8)
    for name, frames in (("clean", clean), ("noisy", noisy)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / f"{run.name}.npy", frames)
        np.savez(tmp_path / name / LANDMARKS, **{run.name: run.landmarks})
    finders, detectors = black_box_finders("", FILES), black_box_detectors(FILES)
    evaluator = Evaluator(finders, "dlib", None, detectors=detectors)
    tables = {}
    for name in ("clean", "noisy"):
        path, found = tmp_path / f"{name}.csv", tmp_path / f"{name}-found.csv"
        folders = {"clean": tmp_path / "clean", "noisy": tmp_path / name}
        write_measures(path, found, evaluator, **folders, compressions=["none"])
        tables[name] = pd.read_csv(path), pd.read_csv(found)
        assert list(tables[name][0]) == ROW
        assert list(tables[name][1]) == DETECTION_ROW
        assert set(tables[name][1]["frame"]) == {30, 31}
    still, moved = (
        tables[name][0].groupby("target")[["nme", "moved"]].mean() for name in ("clean", "noisy")
    )
    assert still.loc["dlib"].tolist() == [0, 0]
    assert still.loc["facemesh", "nme"] > 0.02  # another markup
    assert still.loc["facemesh", "moved"] == 0
    assert (moved["moved"] > 0.005).all()
    assert moved.loc["dlib", "nme"] == moved.loc["dlib", "moved"]
    assert tables["clean"][1]["found"].all()
