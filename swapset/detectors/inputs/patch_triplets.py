"""Training patches of the patch stream, and triplets of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from swapset.detectors.base import Samples
from swapset.detectors.inputs import srm
from swapset.detectors.inputs.patches import COUNT, INSIDE, cut_patches, evenly, present
from swapset.seeds import derive_seed
from swapset.types import Floats32

MARGIN = 0.2
"""As in FaceNet (F. Schroff et al., CVPR 2015), where vectors also have length 1."""
TRIPLETS = 32
"""Triplets in a step."""
OTHERS = 96
"""Patches of other images for the training of the support vector machines."""


class Gathered(NamedTuple):
    """Training patches.

    Attributes
    ----------
    features : (n, 5514) float32
    image : (n,) int64
        Number of the face that a patch comes from.
    video : (n,) int64
        Number of the video that a patch comes from.
    fake : (n,) bool
        Whether a patch is inside a swapped face.
    """

    features: Floats32
    image: npt.NDArray[np.int64]
    video: npt.NDArray[np.int64]
    fake: npt.NDArray[np.bool_]


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Return the mean of max(0, m + d(a, p) - d(a, n)), d the sum of squared differences.

    Parameters
    ----------
    anchor, positive, negative : (n, 512) float32
        The first two are of the same image, the third is of another.

    Returns
    -------
    scalar float32
    """
    near = (anchor - positive).square().sum(dim=1)
    far = (anchor - negative).square().sum(dim=1)
    return nn.functional.relu(MARGIN + near - far).mean()


class Triplets:
    """Draws triplets for each step: two patches of a real image, and one of another image.

    The third is a patch of a real image of another video or, in every other triplet, a patch
    inside a swapped face. The same seed gives the same triplets.

    Parameters
    ----------
    patches : Gathered
    seed : int
    """

    def __init__(self, patches: Gathered, seed: int):
        self._seed = seed
        real = ~patches.fake
        self._fakes = np.flatnonzero(patches.fake)
        images = {int(k): np.flatnonzero(real & (patches.image == k)) for k in patches.image[real]}
        self._pairs = [rows for rows in images.values() if len(rows) > 1]
        self._elsewhere = {
            int(video): np.flatnonzero(real & (patches.video != video))
            for video in np.unique(patches.video)
        }
        self._video = patches.video
        self._pairs = [rows for rows in self._pairs if len(self._negatives(rows[0], fake=False))]

    @property
    def possible(self) -> bool:
        """Return whether any triplet exists."""
        return bool(self._pairs)

    def _negatives(self, row: int, *, fake: bool) -> npt.NDArray[np.int64]:
        """Return the patches of other images than the image of patch `row`."""
        elsewhere = self._elsewhere[int(self._video[row])]
        if len(self._fakes) and (fake or not len(elsewhere)):
            return self._fakes
        return elsewhere

    def rows(self, step: int) -> npt.NDArray[np.int64]:
        """Return the numbers (3, n) int64 of a step's anchor, positive and negative patches."""
        rng = np.random.default_rng(derive_seed(self._seed, "triplets", step))
        drawn = np.empty((3, TRIPLETS), np.int64)
        for k in range(TRIPLETS):
            image = self._pairs[rng.integers(len(self._pairs))]
            drawn[:2, k] = rng.choice(image, 2, replace=False)
            drawn[2, k] = rng.choice(self._negatives(drawn[0, k], fake=k % 2 == 1))
        return drawn


def gather(training: Samples, faces: int) -> Gathered:
    """Return the features of the patches of up to `faces` faces of each class, evenly spread.

    All patches of a real face are of one image. Of a fake, only those inside the face are used:
    they come from another image than any surroundings, while the fake's surroundings are those of
    the original.
    """
    labels = np.asarray(training.labels)
    parts: list[Floats32] = [np.empty((0, srm.FEATURES), np.float32)]
    facts: list[tuple[int, int, bool]] = []
    for label in (0, 1):
        for index in evenly(np.flatnonzero(labels == label), faces):
            patches = cut_patches(training[int(index)])[: INSIDE if label else COUNT]
            parts.append(srm.features(patches[present(patches)]))
            fact = (int(index), int(training.videos[index]), bool(label))
            facts += [fact] * len(parts[-1])
    image, video, fake = np.array(facts, np.int64).reshape(-1, 3).T
    return Gathered(np.concatenate(parts), image, video, fake.astype(bool))


def of_other_images(patches: Gathered, seed: int) -> npt.NDArray[np.int64]:
    """Return the numbers (n,) int64 of patches for the support vector machines.

    Half of them are of real images, half are of swapped faces.
    """
    rng = np.random.default_rng(derive_seed(seed, "others"))
    kinds = [np.flatnonzero(patches.fake == kind) for kind in (False, True)]
    return np.concatenate(
        [rng.choice(rows, min(len(rows), OTHERS // 2), replace=False) for rows in kinds]
    )
