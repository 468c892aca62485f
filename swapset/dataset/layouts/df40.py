"""DF40: frames of fakes by 40 methods, made from FaceForensics++ and Celeb-DF.

The dataset publishes cut-out frames, not videos; a folder of frames is a video here.

    <root>/simswap/ff/frames/000_003/000.png, 010.png     of FaceForensics++: 000, face of 003
    <root>/simswap/cdf/frames/id0_id16_0000/000.png       of Celeb-DF
    <root>/VQGAN/ff/000/, cdf/Fake_from_Celeb-real/...    whole faces, without `frames`
    <root>/heygen/fake/frames/NAME/, heygen/real/NAME/    with real ones of their own
    FaceForensics++/original_sequences/youtube/c23/frames/000/000.png     the real ones of `ff`
    Celeb-DF-v2/Celeb-real/frames/id0_0000/000.png                        and of `cdf`

Sources: Yan et al., "DF40: Toward Next-Generation Deepfake Detection", NeurIPS 2024; the README of
YZY-stack/DF40 and `DeepfakeBench_DF40/preprocessing/rearrange.py` there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from swapset.dataset.layouts.files import existing, scan, video_files
from swapset.dataset.layouts.video import Dataset, Video
from swapset.errors import ConfigError, ManifestError

_NAME = "DF40"
_PICTURES = (".png", ".jpg", ".jpeg")
_REAL = {
    "ff": ("FaceForensics++/original_sequences/youtube/c23",),
    "cdf": ("Celeb-DF-v2/Celeb-real", "Celeb-DF-v2/YouTube-real"),
}
"""Folders of the real frames of each domain."""
_NAMES = {
    "ff": re.compile(r"(?P<target>\d{3})(?:_(?P<donor>\d{3}))?"),
    "cdf": re.compile(r"(?P<target>id\d+)(?:_(?P<donor>id\d+))?_(?P<number>\d+)|\d{5}"),
}
_ODD = re.compile(r"[\w.-]+")


def read(
    root: Path,
    *,
    methods: Sequence[str] | None = None,
    domains: Sequence[str] = ("ff", "cdf"),
    originals: Path | None = None,
) -> Dataset:
    """Read the test part of DF40, which publishes no split within it.

    Names begin with method and domain (`simswap_ff_000_003`), those of real ones with the domain.
    Targets and donors are numbers of videos of FaceForensics++, or people of Celeb-DF.

    Parameters
    ----------
    root : Path
        The folder of the methods' folders, or the one above it with `DF40` in it.
    methods : sequence of str, optional
        Names of methods' folders; by default all on disk.
    domains : sequence of {"ff", "cdf"}
        What the fakes were made from; methods with real frames of their own do not depend on it.
    originals : Path, optional
        The folder with `FaceForensics++` and `Celeb-DF-v2`; by default `root` or the one above it.

    Raises
    ------
    ManifestError
        If a folder is missing.
    ConfigError
        If a domain is unknown, or a method is not on disk.
    """
    given = existing(root, _NAME)
    root = given / _NAME if (given / _NAME).is_dir() else given
    dataset = Dataset(_NAME, root)
    wanted = _domains(domains)
    places = dict(_methods(root, methods))
    used = [domain for domain in wanted if any((p / domain).is_dir() for p in places.values())]
    tops = [Path(originals)] if originals else [given, root, root.parent]
    for domain in used:
        _add_real(dataset, tops, domain)
    present = {video.name for video in dataset.videos}
    for method, place in places.items():
        reading = _Method(dataset, method, present)
        for domain in used:
            reading.add_domain(place / domain, domain)
        for label, kind in enumerate(("real", "fake")):
            reading.add_own(place / kind, kind, label)
    return dataset


def _domains(domains: Sequence[str]) -> list[str]:
    names = [domains] if isinstance(domains, str) else list(domains)
    for name in names:
        if name not in _REAL:
            raise ConfigError(f"{_NAME}: domains: {name!r} is not allowed: choose from ff, cdf")
    return names


def _methods(root: Path, methods: Sequence[str] | None) -> Iterator[tuple[str, Path]]:
    """Yield names and folders of the methods on disk."""
    kinds = (*_REAL, "fake")
    present = {
        entry.name: Path(entry.path)
        for entry in sorted(scan(root), key=lambda entry: entry.name)
        if entry.is_dir() and any(Path(entry.path, kind).is_dir() for kind in kinds)
    }
    if not present:
        raise ManifestError(
            f"{root}: is not {_NAME}: it has no method's folder with 'ff', 'cdf' or 'fake' in it; "
            "docs/datasets.md shows the folders that are expected"
        )
    chosen = [methods] if isinstance(methods, str) else methods
    for name in present if chosen is None else chosen:
        if name not in present:
            raise ConfigError(
                f"{_NAME}: methods: {name!r} is not allowed: it is not on disk; choose from "
                f"{', '.join(present)}"
            )
        yield name, present[name]


def _add_real(dataset: Dataset, tops: Sequence[Path], domain: str) -> None:
    """Add the real frames of a domain."""
    folders = [top / place for top in tops for place in _REAL[domain] if (top / place).is_dir()]
    if not folders:
        raise ManifestError(
            f"{tops[0]}: has no {' or '.join(_REAL[domain])} with the real frames of {_NAME}'s "
            f"domain {domain}; set the option 'originals' to the folder with it, or leave the "
            "domain out (option 'domains')"
        )
    for folder in dict.fromkeys(folders):
        for stem, path in frame_folders(dataset, folder).items():
            name = _NAMES[domain].fullmatch(stem)
            if name is None or name["donor"]:
                dataset.leave_out(path, f"is not called as the real ones of {domain} are")
                continue
            dataset.videos.append(Video(f"{domain}_{stem}", path, 0, target=name["target"]))


def frame_folders(dataset: Dataset, folder: Path) -> dict[str, Path]:
    """Return the folders of frames in a folder, or in `frames` inside it, by name.

    Where there is no `frames`, a folder that has folders only, such as `Fake_from_Celeb-real`, is
    looked into. Video files are left out
    of the dataset; single pictures are counted in a note.
    """
    inner = folder / "frames"
    entries = scan(inner if inner.is_dir() else folder)
    for path in video_files(entries):
        dataset.leave_out(path, "is no folder of frames")
    pictures = sum(entry.name.lower().endswith(_PICTURES) for entry in entries)
    if pictures:
        dataset.notes.append(
            f"{pictures} single pictures in {folder} are not read: they are no frames of a video."
        )
    found: dict[str, Path] = {}
    for entry in sorted(entries, key=lambda each: each.name):
        if entry.is_dir() and entry.name[0] != ".":
            path = Path(entry.path)
            if not inner.is_dir() and _holds_folders(path):
                found |= frame_folders(dataset, path)
            else:
                found[entry.name] = path
    return found


def _holds_folders(folder: Path) -> bool:
    """Return whether a folder has folders and no pictures."""
    entries = scan(folder)
    pictures = any(entry.name.lower().endswith(_PICTURES) for entry in entries)
    return not pictures and any(entry.is_dir() for entry in entries)


@dataclass(frozen=True)
class _Method:
    """A method while its folders are read.

    Attributes
    ----------
    dataset : Dataset
    name : str
    present : set of str
        Names of the real ones.
    """

    dataset: Dataset
    name: str
    present: set[str]

    def add_domain(self, folder: Path, domain: str) -> None:
        """Add the fakes that were made from the videos of a domain."""
        if not folder.is_dir():
            return
        for stem, path in frame_folders(self.dataset, folder).items():
            name = _NAMES[domain].fullmatch(stem)
            if name is None:
                self.dataset.leave_out(path, f"is not called as the fakes of {domain} are")
                continue
            number = name.groupdict().get("number")
            target = name["target"] or stem
            original = f"{domain}_{target}_{number}" if number else f"{domain}_{target}"
            self.dataset.videos.append(
                Video(
                    f"{self.name}_{domain}_{stem}",
                    path,
                    1,
                    target=name["target"],
                    donor=name["donor"],
                    method=self.name,
                    likely_original=original if original in self.present else None,
                )
            )

    def add_own(self, folder: Path, kind: str, label: int) -> None:
        """Add the real or fake ones of a method that has both."""
        if not folder.is_dir():
            return
        for stem, path in frame_folders(self.dataset, folder).items():
            if not _ODD.fullmatch(stem):
                self.dataset.leave_out(path, "has a name that no file can have")
                continue
            method = self.name if label else None
            video = Video(f"{self.name}_{kind}_{stem}", path, label, method=method)
            self.dataset.videos.append(video)
