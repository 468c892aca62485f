"""Clips that show their faces on the side or upside down, whatever their metadata say."""

from __future__ import annotations

import logging
from itertools import islice
from pathlib import Path

from swapset.faces.detect import Detector, search
from swapset.faces.diagnose import Samples, diagnose
from swapset.media.decode import frames

logger = logging.getLogger(__name__)

_FIRST_LOOKS = (0, 15, 45)  # frames; a face in one of them settles it for nearly every clip


def turn_needed(clip: Path, detector: Detector, *, min_face: float = 48) -> int:
    """Return by how many degrees (0, 90, 180, 270) a clip must be turned clockwise.

    Parameters
    ----------
    clip : Path
        An ingested clip.
    detector : Detector
        A detector of upright faces.
    min_face : float
        Smallest face it looks for, in pixels.

    Returns
    -------
    int
        0 if an upright face is found, or none whichever way the clip is turned.
    """
    for index, image in enumerate(islice(frames(clip), max(_FIRST_LOOKS) + 1)):
        if index in _FIRST_LOOKS and len(search(detector, image, min_face=min_face)[0]):
            return 0
    samples = Samples()
    for index, image in enumerate(frames(clip)):
        samples.offer(index, image)
    if any(len(search(detector, image, min_face=min_face)[0]) for image in samples.images):
        return 0
    turn = int(diagnose(samples.images, detector, min_face=min_face).get("upside_down", 0))
    if turn:
        logger.warning("%s: turned clockwise by %d degrees to show its faces upright", clip, turn)
    return turn
