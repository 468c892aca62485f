"""FaceForensics++: five methods, three compressions, published splits.

    <root>/original_sequences/youtube/<raw|c23|c40>/videos/033.mp4
    <root>/manipulated_sequences/<method>/<raw|c23|c40>/videos/033_097.mp4
    <root>/train.json, val.json, test.json      or in <root>/splits: [["033", "097"], ...]

or, in copies of a single compression, `<root>/original` and `<root>/<method>`. In 033_097 the
frames are those of video 033 and the face (or, for Face2Face and NeuralTextures, the expression)
comes from 097.

Source: Roessler et al., "FaceForensics++: Learning to Detect Manipulated Facial Images", ICCV
2019; ondyari/FaceForensics, `dataset/README.md` ("<target sequence>_<source sequence>") and
`dataset/splits`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from swapset.dataset.layouts.checks import check_splits
from swapset.dataset.layouts.files import (
    find_root,
    list_videos,
    read_json,
    report_missing,
    video_folder,
)
from swapset.dataset.layouts.sequences import (
    ROOTS,
    check_compressions,
    compression_folders,
    in_common,
)
from swapset.dataset.layouts.video import Dataset, Split, Video
from swapset.errors import ConfigError, ManifestError
from swapset.media.compressions import Compression

METHODS = {
    "FF-DF": "Deepfakes",
    "FF-F2F": "Face2Face",
    "FF-FS": "FaceSwap",
    "FF-NT": "NeuralTextures",
    "FF-FSh": "FaceShifter",
}
"""Name of a dataset to the name of its method on disk."""

_REAL = re.compile(r"\d{3}")
_FAKE = re.compile(r"(\d{3})_(\d{3})")
_YOUTUBE = ("original_sequences/youtube", "original")


@dataclass(frozen=True)
class Splits:
    """The published splits.

    Attributes
    ----------
    of : dict of str to str
        Number of a video, "033", to its split.
    pairs : frozenset of (str, str)
        The pairs of videos that are swapped, in both orders.
    """

    of: dict[str, Split]
    pairs: frozenset[tuple[str, str]]


def read(
    root: Path,
    *,
    name: str = "FF-DF",
    methods: Sequence[str] | None = None,
    compressions: Sequence[str] | None = None,
    splits: Path | None = None,
    partial: bool = False,
) -> Dataset:
    """Read the real videos and those of one or several methods.

    Target and donor are numbers of videos, because the people's names are not published; each
    number is in one split. With several methods, a fake's name begins with its method.

    Parameters
    ----------
    root : Path
        The folder with `original_sequences`, or the one above it.
    name : str
        Name of the dataset in this build.
    methods : sequence of str, optional
        Names on disk, for example "Deepfakes"; by default the method of the dataset's name, or all.
    compressions : sequence of str, optional
        Some of "original" (on disk `raw`), "c23", "c40"; by default all that are on disk.
    splits : Path, optional
        Folder of the three lists; by default the dataset's, or `splits` in it.
    partial : bool
        Go on without listed videos that are not on disk.

    Raises
    ------
    ManifestError
        If a folder, a list or a listed video is missing, or a number is in two splits.
    ConfigError
        If an option is wrong.
    """
    wanted = check_compressions(compressions, name)
    if methods is None:
        methods = [METHODS[name]] if name in METHODS else list(METHODS.values())
    _check_methods(methods, name)
    root = find_root(root, ROOTS, _YOUTUBE, name)
    lists = read_splits(splits or root, name)
    reading = _Reading(Dataset(name, root), lists, partial)
    real = compression_folders(root, _YOUTUBE, wanted, name)
    fake = {
        method: compression_folders(root, (f"manipulated_sequences/{method}", method), wanted, name)
        for method in methods
    }
    for compression in in_common(reading.dataset, [real, *fake.values()]):
        present = reading.add_real(real[compression], compression)
        for method, folders in fake.items():
            prefix = f"{method}_" if len(fake) > 1 else ""
            kind = _FakeKind(method, compression, prefix)
            reading.add_fakes(folders[compression], kind, present)
    check_splits(reading.dataset.videos)
    return reading.dataset


def _check_methods(methods: Sequence[str], name: str) -> None:
    known = METHODS.values()
    if isinstance(methods, str) or not methods or any(method not in known for method in methods):
        raise ConfigError(
            f"{name}: methods {methods!r} is not allowed: it must be a list of some of "
            f"{', '.join(known)}"
        )


def read_splits(folder: Path, dataset: str = "FaceForensics++") -> Splits:
    """Read `train.json`, `val.json` and `test.json`.

    Parameters
    ----------
    folder : Path
        The folder of the lists, or one with `splits` or `dataset/splits` in it.
    dataset : str
        For messages.

    Raises
    ------
    ManifestError
        If a list is missing, is not a list of pairs, or has a number twice.
    """
    folder = Path(folder)
    places = (folder, folder / "splits", folder / "dataset" / "splits")
    place = next((p for p in places if (p / "test.json").is_file()), folder)
    of: dict[str, Split] = {}
    pairs: set[tuple[str, str]] = set()
    for split in get_args(Split):
        path = place / f"{split}.json"
        if not path.is_file():
            raise ManifestError(
                f"{path}: is missing; {dataset} needs train.json, val.json and test.json from "
                "https://github.com/ondyari/FaceForensics/tree/master/dataset/splits, here or in "
                "the folder of the option 'splits'"
            )
        for one, other in _pairs(path, read_json(path)):
            for number in (one, other):
                if number in of:
                    raise ManifestError(
                        f"{path}: video {number} is already in {of[number]}.json; "
                        "a video belongs to one split and one pair: restore the published lists"
                    )
                of[number] = split
            pairs |= {(one, other), (other, one)}
    return Splits(of, frozenset(pairs))


def _pairs(path: Path, content: Any) -> Iterable[tuple[str, str]]:
    for index, pair in enumerate(content if isinstance(content, list) else [content]):
        good = isinstance(pair, list) and len(pair) == 2 and pair[0] != pair[1]
        if not good or not all(isinstance(n, str) and _REAL.fullmatch(n) for n in pair):
            raise ManifestError(
                f"{path}: entry {index} is {pair!r} and not a pair such as ['033', '097']; "
                "restore the published list"
            )
        yield pair[0], pair[1]


@dataclass(frozen=True)
class _FakeKind:
    """The method and compression of fakes, and the prefix of their names."""

    method: str
    compression: Compression
    prefix: str


@dataclass
class _Reading:
    """A dataset while its folders are read."""

    dataset: Dataset
    lists: Splits
    partial: bool

    def add_real(self, folder: Path, compression: Compression) -> set[str]:
        """Add the real videos; return their numbers."""
        present = set()
        for stem, path in list_videos(folder).items():
            split = self.lists.of.get(stem)
            if split:
                present.add(stem)
                real = Video(stem, path, 0, target=stem, split=split, compression=compression)
                self.dataset.videos.append(real)
            else:
                self.dataset.leave_out(path, "is in none of train.json, val.json and test.json")
        absent = {
            f"{video_folder(folder)}/{number}.mp4": f"{split}.json"
            for number, split in self.lists.of.items()
            if number not in present
        }
        report_missing(self.dataset, absent, self.partial)
        return present

    def add_fakes(self, folder: Path, kind: _FakeKind, present: Container[str]) -> None:
        """Add the fakes of a method in a compression.

        Parameters
        ----------
        folder : Path
        kind : _FakeKind
        present : container of str
            Numbers of the real videos on disk.
        """
        pairs = set()
        for stem, path in list_videos(folder).items():
            name = _FAKE.fullmatch(stem)
            if name is None or name.groups() not in self.lists.pairs:
                self.dataset.leave_out(path, "is no pair of train.json, val.json or test.json")
                continue
            pairs.add(name.groups())
            self.dataset.videos.append(self._fake(path, kind, name[1], name[2], present))
        absent = {
            f"{video_folder(folder)}/{a}_{b}.mp4": f"{self.lists.of[a]}.json"
            for a, b in sorted(self.lists.pairs)
            if (a, b) not in pairs
        }
        report_missing(self.dataset, absent, self.partial)

    def _fake(
        self, path: Path, kind: _FakeKind, target: str, donor: str, present: Container[str]
    ) -> Video:
        return Video(
            f"{kind.prefix}{target}_{donor}",
            path,
            1,
            target=target,
            donor=donor,
            split=self.lists.of[target],
            compression=kind.compression,
            method=kind.method,
            original=target if target in present else None,
        )
