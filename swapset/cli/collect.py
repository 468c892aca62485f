"""Find and name the clips in a folder, and write their manifest, for `swapset init`."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from swapset.dataset.manifest import REQUIRED, natural_key
from swapset.errors import ManifestError
from swapset.io.files import atomic_output


def _suffixes(names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names.split())


SUFFIXES = _suffixes(
    "264 265 3g2 3gp 3gpp asf avi divx dv f4v flv gxf h264 h265 hevc ivf m1v m2t m2ts m2v m4v mj2 "
    "mk3d mkv mov mp4 mpe mpeg mpg mpv mts mxf nsv nut nuv obu ogm ogv qt rm rmvb tp trp ts vob "
    "vro webm wmv wtv y4m"
)
"""Suffixes of clips; `swapset.media.container` opens the containers that they stand for."""
_OTHERS = _suffixes(
    "aac ass bmp csv db doc docx flac heic htm html ini jpeg jpg json jsonl log m4a md mp3 nfo npy "
    "npz ods odt opus parquet pdf pkl png pts py rtf sh srt sub svg tar tif tiff tsv txt vtt wav "
    "webp wma xls xlsx xml yaml yml zip"
)
"""Suffixes of files that are certainly not videos and are skipped without a message."""

_NAME = re.compile(r"(id\d+)_(\d+)")


@dataclass
class Collection:
    """The clips in a folder, and the videos that are left out.

    Attributes
    ----------
    rows : list of (clip, subject, path)
        Paths relative to the folder, with forward slashes.
    people : dict of str to str
        Subject to the name of its sub-folder; empty for a folder of `idX_NNNN` files.
    left_out : dict of str to str
        Relative path of each video that is not used, to the reason.
    """

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def subjects(self) -> dict[str, int]:
        """Return the number of clips of each subject."""
        counts: dict[str, int] = {}
        for _, subject, _ in self.rows:
            counts[subject] = counts.get(subject, 0) + 1
        return counts


def collect(folder: Path) -> Collection:
    """Find the clips in a folder and name them.

    Files called `idX_NNNN.*` directly in the folder keep their names. If there are none, every
    sub-folder is one person: those called `idX` keep that name, the others get the free numbers
    in natural order, so that no person's name gets into a dataset. Hidden files and files that are
    certainly not videos (texts, pictures, sound) are skipped; other files with unknown suffixes
    are left out with a reason.

    Raises
    ------
    ManifestError
        If the folder does not exist, two files have the same clip name, or there are fewer than
        two people.
    """
    if not folder.is_dir():
        raise ManifestError(f"{folder}: is not a folder")
    clips = Collection()
    videos = _usable(folder, clips)
    if any(_NAME.fullmatch(path.stem) for path in videos if path.parent == folder):
        _add_flat(folder, videos, clips)
    else:
        _add_people(folder, videos, clips)
    _check(folder, clips)
    return clips


def _usable(folder: Path, clips: Collection) -> list[Path]:
    """Return the folder's videos that a manifest can name, in natural order."""
    root = folder.resolve()
    videos = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if hidden or path.suffix.lower() in _OTHERS or not path.is_file():
            continue
        reason = _unusable(path, inside.as_posix(), root)
        if reason:
            clips.left_out[ascii(inside.as_posix())] = reason
        else:
            videos.append(path)
    return sorted(videos, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def _unusable(path: Path, text: str, root: Path) -> str:
    if path.suffix.lower() not in SUFFIXES:
        return "not a known suffix of videos; if it is a video, rename it, for example to .mp4"
    if text != text.strip():
        return "its path begins or ends with a space"
    if not path.resolve().is_relative_to(root):
        return "it is a link to a file outside the folder"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    return ""


def _add_flat(folder: Path, videos: Sequence[Path], clips: Collection) -> None:
    for path in videos:
        text = path.relative_to(folder).as_posix()
        name = _NAME.fullmatch(path.stem)
        if name and path.parent == folder:
            clips.rows.append((path.stem, name[1], text))
        else:
            clips.left_out[text] = "it is not called idX_NNNN"


def _add_people(folder: Path, videos: Sequence[Path], clips: Collection) -> None:
    by_person: dict[str, list[Path]] = {}
    for path in videos:
        parts = path.relative_to(folder).parts
        if len(parts) == 1:
            clips.left_out[parts[0]] = "it is in no person's sub-folder and not called idX_NNNN"
        else:
            by_person.setdefault(parts[0], []).append(path)
    for person, subject in _subjects(by_person).items():
        clips.people[subject] = person
        for clip, path in _numbered(subject, by_person[person]):
            clips.rows.append((clip, subject, path.relative_to(folder).as_posix()))


def _subjects(people: Iterable[str]) -> dict[str, str]:
    """Return the name of the subject for each person's folder."""
    people = sorted(people, key=natural_key)
    kept = {person for person in people if re.fullmatch(r"id\d+", person)}
    free = (f"id{n}" for n in range(len(people) + len(kept)) if f"id{n}" not in kept)
    return {person: person if person in kept else next(free) for person in people}


def _numbered(subject: str, paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return the name of each clip: the file's if all are `idX_NNNN`, else numbers from 0000."""
    stems = [path.stem for path in paths]
    if all((name := _NAME.fullmatch(stem)) and name[1] == subject for stem in stems):
        return list(zip(stems, paths, strict=True))
    return [(f"{subject}_{number:04d}", path) for number, path in enumerate(paths)]


def _check(folder: Path, clips: Collection) -> None:
    files: dict[str, str] = {}
    for clip, _, path in clips.rows:
        if clip in files:
            raise ManifestError(
                f"{folder}: {files[clip]} and {path} are both clip {clip}; rename one"
            )
        files[clip] = path
    if len(clips.subjects) < 2:
        people = ", ".join(clips.subjects) or "nobody"
        raise ManifestError(
            f"{folder}: clips of at least two people are needed, and there is {people}; "
            "name the files idX_NNNN.mp4, or make one sub-folder for each person"
        )


def write_manifest(path: Path, clips: Collection, licence: str) -> None:
    """Write `clips.csv`.

    Parameters
    ----------
    path : Path
        Where to write it.
    clips : Collection
        The clips.
    licence : str
        Licence of all clips; "" = the user fills in the column.

    Raises
    ------
    ManifestError
        If the file exists.
    """
    refuse_existing(path)
    with atomic_output(path) as scratch, scratch.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(REQUIRED)
        table.writerows((*row, licence) for row in clips.rows)


def refuse_existing(path: Path) -> None:
    """Raise a `ManifestError` if a file that is to be written exists."""
    if path.exists():
        raise ManifestError(f"{path}: exists already; move it away, for nothing is overwritten")
