"""Interface of a protector of frames, for modules that must not import the attacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from swapset.types import Image, Points


class ProtectsFrames(Protocol):
    """Interface of `swapset.obstruction.protect.noise.Protector`: noise on the faces of frames.

    Attributes
    ----------
    restart : float
        Time that a face's first frame takes over that of its others.
    """

    restart: float

    def protect(self, frames: Iterable[Image], landmarks: Iterable[Points]) -> Iterator[Image]:
        """Yield the frames with noise, in order; frames without a face unchanged.

        Parameters
        ----------
        frames : iterable of (H, W, 3) uint8 in [0, 255], RGB
        landmarks : iterable of (n, 68, 2) float32
            x and y in pixels of each frame; NaN where a face is not visible.

        Yields
        ------
        (H, W, 3) uint8 in [0, 255], RGB
        """

    def seconds(self, image: Image, points: Points) -> float:
        """Return about how long a frame takes on which a face was seen before, by a trial.

        Parameters
        ----------
        image : (H, W, 3) uint8 in [0, 255], RGB
        points : (68, 2) float32
            Landmarks of the face, x and y in pixels.
        """
