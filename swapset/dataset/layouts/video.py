"""The records of videos and datasets, common to all layouts. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from swapset.media.compressions import Compression

Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True)
class Video:
    """One video.

    Attributes
    ----------
    name : str
        Name in tables and files, unique in a dataset and compression.
    path : Path
        The file; for originals of DF-TIMIT possibly a folder of numbered JPEG frames.
    label : int
        0: real. 1: fake.
    target : str or None
        The person in the video, or in the original of a fake. None: not published.
    donor : str or None
        The person whose face was put in. None: not published, or the video is real.
    split : "train", "val", "test" or None
        None: the dataset publishes no split, and then all of it is for testing.
    compression : "original", "c23" or "c40"
        "original": as first published, which for FaceForensics++ is `raw`.
    method : str or None
        The dataset's name for the method of the fake. None: the video is real, or the method is
        not published.
    original : str or None
        Name of the real video that shows the same frames without the swap.
    likely_original : str or None
        Name of the real video that is the original according to the names, if the dataset does
        not promise that it shows the same frames; see `swapset.quality.same_frames`.
    """

    name: str
    path: Path
    label: int
    target: str | None = None
    donor: str | None = None
    split: Split | None = None
    compression: Compression = "original"
    method: str | None = None
    original: str | None = None
    likely_original: str | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """Return target and donor, as far as they are known."""
        return tuple(person for person in (self.target, self.donor) if person is not None)


@dataclass
class Dataset:
    """The videos of a dataset, with notes and the videos that are left out.

    Attributes
    ----------
    name : str
    root : Path
        The folder of the dataset.
    videos : list of Video
        Sorted by compression, then in natural order of names.
    left_out : dict of str to str
        Path of each video that is on disk or in a list but not used, to the reason.
    notes : list of str
        Notes for the user, one sentence each.
    """

    name: str
    root: Path
    videos: list[Video] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, path: Path | str, reason: str) -> None:
        """Note that a video is not used, by its path from the dataset's folder."""
        path = Path(path)
        inside = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        self.left_out[inside.as_posix()] = reason
