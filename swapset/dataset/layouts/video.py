"""What is known of a video of a dataset, whatever its layout. Standard library only."""

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
        What it is called in tables and file names; a dataset has it once in each compression.
    path : Path
        The file; for originals of DF-TIMIT perhaps a folder of numbered JPEG frames.
    label : int
        0: real. 1: fake.
    target : str or None
        Who is in the original video, or for a real video who is in it. None: not published.
    donor : str or None
        Whose face was put in. None: not published, or the video is real.
    split : "train", "val", "test" or None
        None: the dataset publishes no split, and then all of it is for testing.
    compression : "original", "c23" or "c40"
        "original": as the dataset was published first, which for FaceForensics++ is `raw`.
    method : str or None
        How the dataset calls the way in which the fake was made. None: the video is real, or it
        is not published.
    original : str or None
        Name of the real video that shows the same frames without the swap.
    likely_original : str or None
        Name of the real video that should be the original by its name, where the dataset does
        not promise the same frames; see `swapset.quality.same_frames`.
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
        """Return those of target and donor that are known."""
        return tuple(person for person in (self.target, self.donor) if person is not None)


@dataclass
class Dataset:
    """The videos of a dataset and what was found beside them.

    Attributes
    ----------
    name : str
    root : Path
        The folder that it was read from.
    videos : list of Video
        By compression, then in natural order of names.
    left_out : dict of str to str
        Path of each video that is on disk or in a list and not used, to the reason.
    notes : list of str
        What a user should know, one sentence each.
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
