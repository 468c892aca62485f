"""The faces of a block of videos on disk: found and cut out once, read by all detectors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swapset.detectors.face import Face
from swapset.detectors.margins import MARGIN
from swapset.errors import DataError
from swapset.io.arrays import read_arrays
from swapset.types import Bytes

PIXELS = "pixels.bin"
INDEX = "index.npz"


@dataclass(frozen=True)
class VideoFaces:
    """Sampled frames of one video, each with its face.

    Attributes
    ----------
    video : str
        Name of the video.
    frames : sequence of int
        Numbers of the sampled frames.
    faces : sequence of Face or None
        None for a frame without a face.
    reason : str
        Why there are no frames; empty if there are some.
    """

    video: str
    frames: Sequence[int] = ()
    faces: Sequence[Face | None] = ()
    reason: str = ""


def write_store(folder: Path, videos: Iterable[VideoFaces]) -> None:
    """Write the faces of a block of videos into an existing folder.

    `pixels.bin` holds the regions one after the other, each followed by its packed mask if it has
    one; `index.npz` holds their positions and everything else.
    """
    rows: list[tuple[int, int, int, int, int, int, int, int, int, int]] = []
    landmarks, names, reasons = [], [], []
    position = 0
    with (folder / PIXELS).open("wb") as stream:
        for number, video in enumerate(videos):
            names.append(video.video)
            reasons.append(video.reason)
            for frame, face in zip(video.frames, video.faces, strict=True):
                if face is None:
                    rows.append((number, frame, -1, 0, 0, 0, 0, 0, 0, 0))
                    landmarks.append(np.full((68, 2), np.nan, np.float32))
                    continue
                height, width = face.pixels.shape[:2]
                masked = int(face.swapped is not None)
                row = (number, frame, position, height, width, *face.origin, *face.frame_size)
                rows.append((*row, masked))
                landmarks.append(face.landmarks)
                position += stream.write(np.ascontiguousarray(face.pixels).data)
                if face.swapped is not None:
                    position += stream.write(np.packbits(face.swapped).tobytes())
    np.savez(
        folder / INDEX,
        rows=np.array(rows, np.int64).reshape(-1, 10),
        landmarks=np.array(landmarks, np.float32).reshape(-1, 68, 2),
        names=np.array(names, dtype=np.str_),
        reasons=np.array(reasons, dtype=np.str_),
    )


class FaceStore:
    """Faces that `write_store` wrote.

    Attributes
    ----------
    videos : list of str
        Names of all videos, with and without frames.
    reasons : list of str
        For each video, why it has no frames, or "".
    video : (n,) int64
        For each sampled frame, the index of its video in `videos`.
    frame : (n,) int64
        For each sampled frame, its number in the video.
    present : (n,) bool
        For each sampled frame, whether it has a face.

    Raises
    ------
    DataError
        If a file is missing or damaged.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        try:
            index = read_arrays(folder / INDEX)
            self._rows, self._landmarks = index["rows"], index["landmarks"]
            self.videos = [str(name) for name in index["names"]]
            self.reasons = [str(reason) for reason in index["reasons"]]
            size = (folder / PIXELS).stat().st_size
            self._pixels: Bytes = (
                np.memmap(folder / PIXELS, np.uint8, mode="r") if size else np.empty(0, np.uint8)
            )
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{folder}: holds no faces ({error})") from error
        self.video, self.frame = self._rows[:, 0], self._rows[:, 1]
        self.present = self._rows[:, 2] >= 0

    def __len__(self) -> int:
        return len(self._rows)

    def face(self, index: int, margin: float = MARGIN) -> Face | None:
        """Return the face in a sampled frame, or None if there is none.

        Parameters
        ----------
        index : int
        margin : float
            Side of its region, in sides of the face's box, if so much was stored.
        """
        _, _, start, height, width, x, y, *frame_size, masked = (int(v) for v in self._rows[index])
        if start < 0:
            return None
        end = start + 3 * height * width
        swapped = None
        if masked:
            bits = self._pixels[end : end + -(-height * width // 8)]
            swapped = np.unpackbits(bits, count=height * width).reshape(height, width).view(bool)
        return Face(
            pixels=self._pixels[start:end].reshape(height, width, 3),
            origin=(x, y),
            landmarks=self._landmarks[index],
            frame_size=(frame_size[0], frame_size[1]),
            swapped=swapped,
        ).narrowed(margin)


class StoredSamples:
    """Faces of chosen videos from several stores, in the form of `Samples` for `Detector.fit`.

    Parameters
    ----------
    stores : sequence of FaceStore
    labels : sequence of mapping of str to int
        For each store, the label (1 = fake) of each video to use; other videos are left out.
    margin : float
        See `FaceStore.face`.
    """

    def __init__(
        self,
        stores: Sequence[FaceStore],
        labels: Sequence[dict[str, int]],
        *,
        margin: float = MARGIN,
    ):
        self._margin = margin
        self._where: list[tuple[FaceStore, int]] = []
        face_labels, numbers = [], []
        count = 0
        for store, known in zip(stores, labels, strict=True):
            for index in np.flatnonzero(store.present):
                name = store.videos[store.video[index]]
                if name in known:
                    self._where.append((store, int(index)))
                    face_labels.append(known[name])
                    numbers.append(count + int(store.video[index]))
            count += len(store.videos)
        self.labels = np.array(face_labels, np.int8)
        self.videos = np.array(numbers, np.int32)

    def __len__(self) -> int:
        return len(self._where)

    def fingerprint(self) -> str:
        """Return a hash of the faces and their labels, in order."""
        digest = hashlib.sha256(self.labels.tobytes() + self.videos.tobytes())
        for index in range(len(self)):
            face = self[index]
            places = (face.pixels.shape, face.origin, face.frame_size, face.swapped is None)
            digest.update(repr(places).encode())
            digest.update(np.ascontiguousarray(face.pixels).data)
            digest.update(np.ascontiguousarray(face.landmarks).data)
            if face.swapped is not None:
                digest.update(np.packbits(face.swapped).data)
        return digest.hexdigest()

    def __getitem__(self, index: int) -> Face:
        store, row = self._where[index]
        face = store.face(row, self._margin)
        assert face is not None  # noqa: S101 - only frames with a face are taken
        return face
