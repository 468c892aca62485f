"""Faces with known landmarks, for the training and tests of extractors."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from swapset.errors import DataError
from swapset.extractors.markup import as_68
from swapset.extractors.nme import eye_distance
from swapset.faces.boxes import box_from_landmarks
from swapset.io.names import Names
from swapset.seeds import derive_seed
from swapset.types import Floats, Floats32, Points

SPLITS = ("train", "val", "test")
SHOWN = 10
"""Largest number of wrong lines in one message."""
FEW_PEOPLE = 5
"""With fewer known people, holding out one would cost too many faces: pictures are held out."""


@dataclass(frozen=True)
class LabelledFaces:
    """Faces in pictures on disk.

    Attributes
    ----------
    images : tuple of Path
        The picture of each face; several faces may share one.
    points : (n, K, 2) float32
        x, y in pixels of the picture; 0 is the centre of the first pixel.
    people : tuple of str
        Person of each face; empty = unknown.
    splits : tuple of str
        "train", "val" or "test".
    """

    images: tuple[Path, ...]
    points: Points
    people: tuple[str, ...]
    splits: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def boxes(self) -> Floats32:
        """Boxes (n, 4) float32 of the faces, x0, y0, x1, y1 in pixels, as dlib draws them.

        98 landmarks are reduced to the 68 that dlib knows; the rectangles in WFLW's lists are not
        used, as they come from another detector.
        """
        boxes = [box_from_landmarks(points) for points in as_68(self.points)]
        return np.stack(boxes) if boxes else np.empty((0, 4), np.float32)

    def of(self, split: str) -> LabelledFaces:
        """Return the faces of a split."""
        return self.taken([k for k, name in enumerate(self.splits) if name == split])

    def taken(self, index: Sequence[int]) -> LabelledFaces:
        """Return the faces of an index, in its order."""
        return LabelledFaces(
            tuple(self.images[k] for k in index),
            self.points[list(index)],
            tuple(self.people[k] for k in index),
            tuple(self.splits[k] for k in index),
        )

    def with_validation(self, *, seed: int, share: float = 0.1) -> LabelledFaces:
        """Return the faces, with some training faces held out for validation if none are yet.

        People are held out as a whole; pictures are, if somebody is unknown or there are fewer than
        5 people. About `share` of them and at least one are held out, drawn by `seed`.
        """
        training = [k for k, name in enumerate(self.splits) if name == "train"]
        people = {self.people[k] for k in training}
        if "" in people or len(people) < FEW_PEOPLE:
            names = [str(path) for path in self.images]
        else:
            names = list(self.people)
        groups = sorted({names[k] for k in training})
        if "val" in self.splits or len(groups) < 2:
            return self
        order = np.random.default_rng(derive_seed(seed, "validation")).permutation(len(groups))
        held_out = {groups[k] for k in order[: max(1, round(share * len(groups)))]}
        splits = list(self.splits)
        for k in training:
            splits[k] = "val" if names[k] in held_out else "train"
        return replace(self, splits=tuple(splits))

    def fingerprint(self) -> str:
        """Return a hash of the labels, and of the pictures' names, sizes and dates."""
        digest = hashlib.sha256(self.points.tobytes())
        for path, split in zip(self.images, self.splits, strict=True):
            facts = path.stat()
            digest.update(f"{path}\0{split}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
        return digest.hexdigest()


def joined(parts: Sequence[LabelledFaces]) -> LabelledFaces:
    """Return the faces of all parts; there must be at least one part.

    Raises
    ------
    DataError
        If they have different numbers of landmarks.
    """
    counts = sorted({part.points.shape[1] for part in parts})
    if len(counts) > 1:
        raise DataError(
            f"labels with {' and '.join(map(str, counts))} landmarks cannot be learnt together; "
            "set landmark_breaker.labels.clips to false or give labels with 68"
        )
    return LabelledFaces(
        tuple(image for part in parts for image in part.images),
        np.concatenate([part.points for part in parts]),
        tuple(person for part in parts for person in part.people),
        tuple(split for part in parts for split in part.splits),
    )


class LabelRows:
    """Faces read from lines of a file, and the errors in these lines.

    Parameters
    ----------
    root : Path
        Folder of the pictures; their paths are relative to it and must stay in it.
    count : int
        Number of landmarks of each face.
    """

    def __init__(self, root: Path, count: int):
        self._root, self._count, self._names = root.resolve(), count, Names()
        self._images: list[Path] = []
        self._points: list[Floats] = []
        self._people: list[str] = []
        self._splits: list[str] = []
        self._errors: list[str] = []

    def reject(self, where: str, reason: str) -> None:
        """Note an error in a line."""
        self._errors.append(f"{where}: {reason}")

    def add(
        self, where: str, picture: str, values: Sequence[str], *, split: str, person: str = ""
    ) -> None:
        """Add a face, or note the error in its line.

        Parameters
        ----------
        where : str
            File and line, for messages.
        picture : str
            Path relative to the root.
        values : sequence of str
            x0, y0, x1, y1, … in pixels.
        split, person : str
        """
        try:
            points = self._numbers(values)
            image = self._picture(picture)
            if split not in SPLITS:
                raise ValueError(f"split {split!r} is none of {', '.join(SPLITS)}")
        except ValueError as error:
            self.reject(where, str(error))
            return
        self._images.append(image)
        self._points.append(points)
        self._people.append(person)
        self._splits.append(split)

    def _numbers(self, values: Sequence[str]) -> Floats:
        if len(values) != 2 * self._count:
            raise ValueError(
                f"has {len(values)} coordinates; {self._count} landmarks need {2 * self._count}"
            )
        points = np.empty(len(values))
        for place, text in enumerate(values):
            name = f"{'xy'[place % 2]}{place // 2}"
            try:
                points[place] = float(text)
            except ValueError:
                raise ValueError(f"{name} is {text!r}, not a number") from None
            if not math.isfinite(points[place]):
                raise ValueError(f"{name} is {text!r}; every landmark needs a place")
        pairs = points.reshape(-1, 2)
        if eye_distance(pairs) == 0:
            raise ValueError("the outer corners of both eyes are in the same place")
        return pairs

    def _picture(self, name: str) -> Path:
        if not name:
            raise ValueError("names no picture")
        try:
            path = self._names.on_disk(self._root / name).resolve()
            exists = path.is_file()
        except (OSError, RuntimeError, ValueError) as error:
            raise ValueError(f"picture {name!r} cannot be used ({error})") from error
        if not path.is_relative_to(self._root):
            raise ValueError(f"picture {name!r} leaves {self._root}; move it into that folder")
        if not exists:
            raise ValueError(f"picture {path} does not exist")
        return path

    def faces(self, *, source: Path, may_be_empty: bool = False) -> LabelledFaces:
        """Return all faces.

        Parameters
        ----------
        source : Path
            The file or folder, for messages.
        may_be_empty : bool
            Whether having no face is accepted.

        Raises
        ------
        DataError
            Naming each wrong line (at most ten), or somebody in two splits, or `source` if there
            are no faces.
        """
        if self._errors:
            more = len(self._errors) - SHOWN
            lines = self._errors[:SHOWN] + ([f"... and {more} more lines"] if more > 0 else [])
            raise DataError("\n".join(lines))
        if not self._images and not may_be_empty:
            raise DataError(f"{source}: has no labelled face; see docs/landmark_breaker.md")
        self._check_people(source)
        points = np.array(self._points, np.float32).reshape(-1, self._count, 2)
        return LabelledFaces(tuple(self._images), points, tuple(self._people), tuple(self._splits))

    def _check_people(self, source: Path) -> None:
        first: dict[str, str] = {}
        for person, split in zip(self._people, self._splits, strict=True):
            if person and first.setdefault(person, split) != split:
                raise DataError(
                    f"{source}: {person} is in {first[person]} and in {split}; an extractor would "
                    "be tested on people it knows, so put all of a person's pictures in one split"
                )


def check_points(faces: LabelledFaces, wanted: int, source: str) -> None:
    """Check that labels have as many landmarks as an extractor finds.

    Parameters
    ----------
    faces : LabelledFaces
    wanted : int
        Number of landmarks of the extractor.
    source : str
        Name of the labels, for the message.

    Raises
    ------
    DataError
        Naming both numbers.
    """
    labelled = faces.points.shape[1]
    if labelled != wanted:
        raise DataError(
            f"{source}: has faces with {labelled} landmarks, but the extractor finds {wanted}; "
            f"train one with {labelled}, or give labels with {wanted}"
        )
