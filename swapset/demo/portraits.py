"""Load the two public-domain portraits, scaled alike and cut out of their backgrounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import dlib
import numpy as np

from swapset.demo.glasses import take_off_glasses
from swapset.demo.sampling import blur, traced_points
from swapset.errors import DataError
from swapset.faces.landmarks import LandmarkPredictor
from swapset.types import Floats, Floats32, Image

CANVAS = 512
_FACE_HEIGHTS = {"astronaut": 182.0, "hopper": 170.0}  # brows to chin, in canvas pixels
_NOSE_BRIDGE = (256.0, 248.0)
_BAND = 7

# Rough outlines in source pixels, traced by eye; GrabCut starts from them and finds the edge.
_OUTLINES: dict[str, str] = {
    "astronaut": (
        "60,290 80,232 100,218 112,206 113,189 118,178 126,173 132,164 143,155 159,149 181,148 "
        "183,133 180,132 175,127 171,119 162,111 155,100 153,84 153,71 156,62 165,51 176,42 "
        "189,35 193,29 209,21 222,18 232,15 245,16 260,22 275,30 288,41 296,56 301,76 301,89 "
        "297,104 291,117 282,128 275,136 268,136 266,142 263,152 258,165 256,174 268,182 281,193 "
        "293,208 302,226 306,236 316,240 329,249 341,261 360,290"
    ),
    "hopper": (
        "27,480 28,458 29,437 38,404 49,385 64,377 93,366 133,354 164,342 182,332 203,322 "
        "209,312 204,302 194,296 178,291 164,277 161,262 165,242 158,222 153,204 156,186 154,172 "
        "147,164 146,138 155,113 166,93 178,82 180,71 191,55 217,41 231,31 244,24 262,23 284,29 "
        "302,41 329,51 346,67 354,84 362,87 369,93 371,115 371,146 369,178 377,191 375,213 369,244 "
        "364,266 359,284 349,302 340,306 331,306 331,313 355,335 400,357 466,377 493,393 502,415 "
        "511,437 530,480"
    ),
}


@dataclass(frozen=True)
class Portrait:
    """A person cut out of the background.

    Attributes
    ----------
    image : ndarray of float32, shape (512, 512, 3)
        RGB in [0, 255]. The person's colours continue beyond the outline, so that edges have no
        halo.
    alpha : ndarray of float32, shape (512, 512)
        1 on the person, 0 on the background.
    landmarks : ndarray of float64, shape (68, 2)
        dlib's 68 points, x and y in pixels.
    lid : float
        Height of the skin above the eyes that may be drawn down as a lid, in eye distances.
    """

    image: Floats32
    alpha: Floats32
    landmarks: Floats
    lid: float = 0.11

    @property
    def eye_distance(self) -> float:
        """Distance between the outer eye corners in pixels, the unit of all warps."""
        return float(np.linalg.norm(self.landmarks[45] - self.landmarks[36]))


def _read_source(name: str) -> Image:
    """Return a packaged picture, (H, W, 3) uint8 RGB."""
    if name == "astronaut":
        from skimage import data

        return np.ascontiguousarray(data.astronaut())
    from matplotlib.cbook import get_sample_data
    from PIL import Image as Pictures

    with Pictures.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as picture:
        return np.ascontiguousarray(picture.convert("RGB"))


def _find_landmarks(image: Image) -> Floats:
    """Return the 68 landmarks of the highest-scoring face in `image`."""
    boxes, scores, _ = dlib.get_frontal_face_detector().run(image, 1)
    if not boxes:
        raise DataError("demo: no face found in the packaged portrait; reinstall scikit-image")
    box = boxes[int(np.argmax(scores))]
    corners = (box.left(), box.top(), box.right(), box.bottom())
    return LandmarkPredictor().predict(image, corners).astype(np.float64)


def _placement(landmarks: Floats, face_height: float) -> Floats:
    """Return the (2, 3) matrix from source pixels to canvas pixels."""
    height = landmarks[8, 1] - landmarks[17:27, 1].min()
    scale = face_height / height
    middle = np.array([landmarks[[0, 16, 27, 30], 0].mean(), landmarks[27, 1]])
    shift = np.array(_NOSE_BRIDGE) - scale * middle
    return np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])


def _cut_out(image: Image, outline: Floats) -> Floats32:
    """Return the person's alpha, found by GrabCut in a narrow band around the rough `outline`."""
    inside = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(outline).astype(np.int32)], 1)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _BAND + 1, 2 * _BAND + 1))
    labels = np.where(inside > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[cv2.erode(inside, brush) > 0] = cv2.GC_FGD
    labels[cv2.dilate(inside, brush) == 0] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    back, fore = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image, labels, (0, 0, 1, 1), back, fore, 4, cv2.GC_INIT_WITH_MASK)
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    smooth = blur(person, 3.0) > 0.5
    return blur(smooth.astype(np.float32), 1.2)


def _spread_colours(image: Floats32, alpha: Floats32) -> Floats32:
    """Continue the person's colours outwards, so that the old background never shows at edges."""
    sure = cv2.erode((alpha > 0.97).astype(np.uint8), np.ones((5, 5), np.uint8))
    _, nearest = cv2.distanceTransformWithLabels(
        1 - sure, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest.max()) + 1, 3), np.float32)
    colours[nearest[sure > 0]] = image[sure > 0]
    spread = colours[nearest]
    smooth = blur(spread, 2.0)
    keep = blur(sure.astype(np.float32), 1.0)[..., None]
    return keep * image + (1 - keep) * smooth


@lru_cache(maxsize=2)
def load_portrait(name: str) -> Portrait:
    """Return a packaged portrait on the common canvas, without its background.

    Grace Hopper's glasses are taken off: a swapped face has none, so that the ends of its target's
    would remain beside it, and half-blended ones look like a ghost.

    Parameters
    ----------
    name : {"astronaut", "hopper"}
        The picture.

    Raises
    ------
    ConfigError
        If dlib's 68-point model is not installed.
    DataError
        If no face is found in the packaged picture.
    """
    source = _read_source(name)
    landmarks = _find_landmarks(source)
    matrix = _placement(landmarks, _FACE_HEIGHTS[name])
    if name == "hopper":
        source = take_off_glasses(source, landmarks)
    size = (CANVAS, CANVAS)
    image = cv2.warpAffine(
        source, matrix, size, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
    )
    outline = traced_points(_OUTLINES[name])
    alpha = _cut_out(np.asarray(image, dtype=np.uint8), outline @ matrix[:, :2].T + matrix[:, 2])
    colours = _spread_colours(image.astype(np.float32), alpha)
    return Portrait(colours, alpha, landmarks @ matrix[:, :2].T + matrix[:, 2])
