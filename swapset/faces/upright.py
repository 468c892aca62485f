"""Find clips that show faces on the side or upside down although their metadata are applied."""

from __future__ import annotations

import logging
from itertools import islice
from pathlib import Path

from swapset.faces.detect import Detector, search
from swapset.faces.diagnose import Samples, diagnose
from swapset.media.decode import frames, planar_frames

logger = logging.getLogger(__name__)

_FIRST_LOOKS = (0, 15, 45)  # frames; nearly every upright clip shows a face in one of them


def turn_needed(clip: Path, detector: Detector, *, min_face: float = 48) -> int:
    """Return the degrees (0, 90, 180, 270) by which a clip must be turned clockwise.

    Parameters
    ----------
    clip : Path
        An ingested clip.
    detector : Detector
        A detector of upright faces.
    min_face : float
        Smallest face to look for, in pixels.

    Returns
    -------
    int
        0 if there is an upright face, or no face in any orientation.
    """
    for index, image in enumerate(islice(frames(clip), max(_FIRST_LOOKS) + 1)):
        if index in _FIRST_LOOKS and len(search(detector, image, min_face=min_face)[0]):
            return 0
    samples = Samples()
    for index, frame in enumerate(planar_frames(clip)):
        samples.offer(index, frame)
    images = samples.images
    if any(len(search(detector, image, min_face=min_face)[0]) for image in images):
        return 0
    turn = int(diagnose(images, detector, min_face=min_face).get("upside_down", 0))
    if turn:
        logger.warning("%s: turned clockwise by %d degrees to show its faces upright", clip, turn)
    return turn
