"""CenterFace: faces as centre points, with five landmarks each, by OpenCV's DNN module."""

from __future__ import annotations

import os

import cv2
import numpy as np

from swapset.types import Floats, Image

_STRIDE = 4  # pixels of the picture for a value of the maps
_MULTIPLE = 32  # both sides of the network's input
_OUTPUTS = ("537", "538", "539", "540")  # heat-map, log size, offset, landmarks


class CenterFace:
    """CenterFace's network and the decoding of its maps.

    Parameters
    ----------
    model_path : path-like
        `centerface.onnx`; see `swapset.faces.packaged_models`.

    References
    ----------
    Y. Xu, W. Yan, H. Sun, G. Yang, J. Luo, "CenterFace: Joint Face Detection and Alignment Using
    Face as Point", arXiv:1911.03599, 2019. Decoding as in Star-Clouds/CenterFace,
    prj-python/centerface.py, except that pictures are padded to multiples of 32 pixels instead of
    stretched.
    """

    def __init__(self, model_path: str | os.PathLike[str]) -> None:
        self._network = cv2.dnn.readNetFromONNX(str(model_path))

    def find(self, image: Image, threshold: float) -> tuple[Floats, Floats]:
        """Return the landmarks of all faces; several of the same face are not joined.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB
        threshold : float
            Smallest score, in [0, 1].

        Returns
        -------
        points : (n, 5, 2) float64
            x, y in pixels of the eyes, the nose and the corners of the mouth; left ones (in the
            picture) first.
        scores : (n,) float64 in [0, 1]
        """
        height, width = image.shape[:2]
        padded = cv2.copyMakeBorder(
            image, 0, -height % _MULTIPLE, 0, -width % _MULTIPLE, cv2.BORDER_CONSTANT
        )
        self._network.setInput(padded.transpose(2, 0, 1)[None].astype(np.float32))
        heat, sizes, offsets, landmarks = self._network.forward(_OUTPUTS)
        return decoded(heat[0, 0], sizes[0], offsets[0], landmarks[0], threshold)


def decoded(
    heat: Floats, sizes: Floats, offsets: Floats, landmarks: Floats, threshold: float
) -> tuple[Floats, Floats]:
    """Return the landmarks and scores of the places of the heat-map above a threshold.

    Parameters
    ----------
    heat : (h, w) float
        Score of a face whose centre is there.
    sizes : (2, h, w) float
        Logarithm of the box's height and width, in values of the map.
    offsets : (2, h, w) float
        From the place to the box's centre, y and x, in values of the map.
    landmarks : (10, h, w) float
        y and x of five landmarks, from the box's upper left corner, in heights and widths of it.
    threshold : float
        Smallest score.

    Returns
    -------
    points : (n, 5, 2) float64
        x, y in pixels.
    scores : (n,) float64
    """
    rows, columns = np.nonzero(heat > threshold)
    places = np.stack([rows, columns], axis=1).astype(np.float64)
    extent = np.exp(sizes[:, rows, columns].T.astype(np.float64)) * _STRIDE
    centres = (places + offsets[:, rows, columns].T + 0.5) * _STRIDE
    shares = landmarks[:, rows, columns].T.astype(np.float64).reshape(-1, 5, 2)
    points = (centres - extent / 2)[:, None] + shares * extent[:, None]
    return points[..., ::-1], heat[rows, columns].astype(np.float64)
