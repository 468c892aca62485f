"""Find the faces in a block of videos, the build's own or a public dataset's."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from swapset.dataset.labels import read_labels
from swapset.detection.find import Find, Outlines, sampled_faces, video_faces
from swapset.detection.store import VideoFaces
from swapset.faces.prepare import ClipLandmarks
from swapset.faces.track import Tracker
from swapset.io.files import is_empty
from swapset.media.any_source import with_samples
from swapset.media.container import UnusableMedia

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnVideo:
    """A video of the build, and what is known about the clip it was made from.

    Attributes
    ----------
    path : Path
        The video; an empty file if its clip was rejected.
    landmarks : Path
        The target's landmarks in the clip, to tell the target from other people in the picture.
    labels : Path or None
        A fake's labels; None for a real video.
    """

    path: Path
    landmarks: Path
    labels: Path | None

    @classmethod
    def of(
        cls, name: str, path: Path, landmarks: Mapping[str, Path], labels: Path | None
    ) -> OwnVideo:
        """Return the video of a name.

        Parameters
        ----------
        name : str
            `idA_NNNN` for a real video, `idT_idD_NNNN` for a fake.
        path : Path
            The video file.
        landmarks : mapping of str to Path
            Folder of the clips' landmarks, by target.
        labels : Path or None
            A fake's labels.
        """
        target, number = name.partition("_")[0], name.rpartition("_")[2]
        return cls(path, landmarks[target] / f"{target}_{number}.npz", labels)

    def faces(self, tracker: Tracker, wanted: int, find: Find = sampled_faces) -> VideoFaces:
        """Find and cut out the target's face.

        Parameters
        ----------
        tracker : Tracker
        wanted : int
            Number of frames to sample.
        find : callable
            Finds the faces in the video's samples.
        """
        name = self.path.stem
        if is_empty(self.path):
            return VideoFaces(name, reason="not made")
        points = ClipLandmarks.load(self.landmarks).smooth
        return video_faces(
            name,
            self.path,
            tracker,
            wanted=wanted,
            expected=points,
            outlines=self._outlines(),
            find=find,
        )

    def _outlines(self) -> Outlines:
        if self.labels is None:
            return ()
        table, _ = read_labels(self.labels)
        return [
            None if values is None else np.array(values, np.float64).reshape(-1, 2)
            for values in table.column("mask").to_pylist()
        ]


def own_faces(
    videos: Sequence[OwnVideo], tracker: Tracker, wanted: int, find: Find = sampled_faces
) -> Iterator[VideoFaces]:
    """Yield the faces of the build's own videos.

    Parameters
    ----------
    videos : sequence of OwnVideo
    tracker : Tracker
    wanted : int
        Number of frames to sample from each video.
    find : callable
        Finds the faces in a video's samples.

    Raises
    ------
    MediaError
        If a video of the build is damaged.
    """
    return (video.faces(tracker, wanted, find) for video in videos)


def public_faces(
    videos: Mapping[str, Path], tracker: Tracker, wanted: int, find: Find = sampled_faces
) -> Iterator[VideoFaces]:
    """Yield the faces of a public dataset's videos, or the reason why a video cannot be used.

    Parameters
    ----------
    videos : mapping of str to Path
        Untrusted files of any codec, or folders of pictures, by name.
    tracker : Tracker
    wanted : int
        Number of frames to sample from each video.
    find : callable
        Finds the faces in a video's samples.
    """
    for name, path in videos.items():
        try:
            yield with_samples(path, partial(find, name, tracker=tracker, wanted=wanted))
        except UnusableMedia as error:
            logger.warning("%s is left out: %s", path, error.reason)
            yield VideoFaces(name, reason=error.reason)
