"""The authors' box for visual artifacts: dlib's of the whole frame, of which a part is kept."""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest
from material.faces import ASTRONAUT_BOX, placed, portrait
from material.features import drawn_face
from material.pickles import write_python2

from swapset.detectors.face import Face, cut_face
from swapset.detectors.inputs.face_parts import face_crop
from swapset.detectors.inputs.hog_box import hog_box
from swapset.detectors.visual_artifacts import VAMLP, VALogReg
from swapset.faces.landmarks import LandmarkPredictor
from swapset.types import Image


def found(frame: Image) -> tuple[int, int, int, int]:
    """Return the only box of dlib's detector, as `get_crops_landmarks` of the authors asks."""
    [box], _, _ = dlib.get_frontal_face_detector().run(frame, 0, 0)
    return box.left(), box.top(), box.right(), box.bottom()


def cut(frame: Image, box: tuple[float, ...]) -> Face:
    face = cut_face(frame, np.rint(LandmarkPredictor().predict(frame, box)))
    assert face is not None
    return face


@pytest.mark.parametrize(
    ("name", "centre", "side", "size"),
    [
        ("astronaut", (170, 150), 120, (300, 340)),
        ("astronaut", (403, 211), 97, (480, 640)),
        ("hopper", (131, 377), 183, (512, 301)),
        ("hopper", (320, 170), 131, (360, 640)),
    ],
)
def test_the_box_is_that_of_the_whole_frame(
    name: str, centre: tuple[float, float], side: float, size: tuple[int, int]
) -> None:
    frame = placed(name, centre, side, size=size)
    box = found(frame)
    face = cut(frame, box)
    assert face.pixels.shape != frame.shape
    assert hog_box(face).tolist() == list(box)  # type: ignore[union-attr]
    x0, y0, x1, y1 = box
    image, points = face_crop(face, hog_box(face))
    np.testing.assert_array_equal(image, frame[max(y0, 0) : y1, max(x0, 0) : x1])
    np.testing.assert_array_equal(points, face.landmarks - (max(x0, 0), max(y0, 0)))


def test_only_a_box_around_this_face_counts() -> None:
    frame = portrait("astronaut")
    face = cut(frame, ASTRONAUT_BOX)
    away = Face(face.pixels, face.origin, face.landmarks + 150, face.frame_size)
    assert hog_box(face) is not None
    assert hog_box(away) is None
    assert hog_box(drawn_face()) is None


@pytest.mark.parametrize(("kind", "name"), [(VALogReg, "logistic"), (VAMLP, "perceptron")])
def test_the_authors_weights_see_the_authors_box(
    kind: type[VAMLP] | type[VALogReg], name: str, tmp_path: Path
) -> None:
    face = cut(portrait("astronaut"), ASTRONAUT_BOX)
    published = kind.from_weights(write_python2(tmp_path / "model.pkl", name))
    assert published.authors_box
    features, own = published.crop(face), kind()
    assert np.isfinite(features).all()
    own.columns = published.columns
    assert not np.allclose(own.crop(face), features, rtol=1e-3), "the box of the landmarks"
    assert np.isfinite(own.crop(drawn_face())).all()
    assert np.isnan(published.crop(drawn_face())).all(), "dlib finds no face in the drawing"
    published.save(tmp_path / "model.safetensors")
    loaded = kind.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.crop(face), features)
    own.save(tmp_path / "own.safetensors")
    assert not kind.load(tmp_path / "own.safetensors").authors_box
