"""The manifest: all clips, with their subjects and licences.

Standard library only, because every cluster job parses the Snakefile, which reads the manifest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from swapset.errors import ManifestError
from swapset.io.names import Names, on_disk
from swapset.io.tables import read_table

REQUIRED = ("clip", "subject", "path", "licence")
OPTIONAL = ("url", "start", "end", "source", "redistribute")
SUBJECT_COLUMNS = ("subject", "gender", "age", "ethnicity")
_SUBJECT = re.compile(r"[A-Za-z0-9]+")
_NUMBER = re.compile(r"([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][+-]?[0-9]{1,2})?")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}


@dataclass(frozen=True)
class Clip:
    """One row of `clips.csv`."""

    clip: str
    subject: str
    path: Path | None
    """The source file; None if it must be fetched from `url`."""
    licence: str
    url: str = ""
    start: float | None = None
    end: float | None = None
    source: str = ""
    redistribute: bool = False

    @property
    def number(self) -> str:
        """Return the number in the clip's name, `NNNN` in `idX_NNNN`."""
        return self.clip.partition("_")[2]


@dataclass(frozen=True)
class Person:
    """One row of `subjects.csv`; unknown values are empty or None."""

    subject: str
    gender: str = ""
    age: int | None = None
    ethnicity: str = ""


class Manifest:
    """All clips of a build, in the order of the file.

    Attributes
    ----------
    clips : dict of str to Clip
        Clips by name.
    subjects : list of str
        Subjects in natural order (`id2` before `id10`).
    """

    def __init__(self, clips: Iterable[Clip]):
        self.clips = {clip.clip: clip for clip in clips}
        self._by_subject: dict[str, list[str]] = {}
        for clip in self.clips.values():
            self._by_subject.setdefault(clip.subject, []).append(clip.clip)
        self.subjects = sorted(self._by_subject, key=natural_key)

    def in_order(self) -> Manifest:
        """Return the same clips in natural order of their names."""
        return Manifest(sorted(self.clips.values(), key=lambda clip: natural_key(clip.clip)))

    def of(self, subject: str) -> list[str]:
        """Return the names of the subject's clips."""
        return self._by_subject[subject]


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """Return a sort key that compares runs of digits as numbers: id2 before id10."""
    return [
        (0, int(part)) if part.isdigit() else (1, part) for part in re.findall(r"\d+|\D+", name)
    ]


def read_manifest(path: Path, root: Path | None = None) -> Manifest:
    """Read and check `clips.csv`.

    Parameters
    ----------
    path : Path
        The manifest.
    root : Path, optional
        Folder to which the rows' paths are relative and which they must not leave; by default the
        manifest's folder.

    Returns
    -------
    Manifest

    Raises
    ------
    ManifestError
        If a row is wrong; the message names the line of the first one.
    """
    path = on_disk(path)
    try:
        base = on_disk(root or path.parent).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, a NUL
        raise ManifestError(
            f"clips_root: {str(root or path)!r} cannot be used ({error})"
        ) from error
    seen: dict[str, int] = {}
    clips = []
    names = Names()
    for line, row in read_table(path, REQUIRED, OPTIONAL, ManifestError):
        where = f"{path}, line {line}"
        clip = _clip_of(where, row, base, names)
        if clip.clip in seen:
            raise ManifestError(f"{where}: clip {clip.clip!r} is already in line {seen[clip.clip]}")
        seen[clip.clip] = line
        clips.append(clip)
    manifest = Manifest(clips)
    if len(manifest.subjects) < 2:
        raise ManifestError(f"{path}: has only one subject; a swap needs at least two")
    return manifest


def _clip_of(where: str, row: dict[str, str], base: Path, names: Names) -> Clip:
    subject = row["subject"]
    if not _SUBJECT.fullmatch(subject):
        raise ManifestError(f"{where}: subject {subject!r} must be letters and digits, like id0")
    if not re.fullmatch(rf"{subject}_[A-Za-z0-9]+", row["clip"]):
        raise ManifestError(
            f"{where}: clip {row['clip']!r} must be its subject, '_' and a number, "
            f"like {subject}_0000"
        )
    if not row["licence"]:
        raise ManifestError(f"{where}: clip {row['clip']!r} has no licence; every clip needs one")
    start, end = (_seconds(where, row, key) for key in ("start", "end"))
    if end is not None and end <= (start or 0.0):
        raise ManifestError(f"{where}: end {end} is not after start {start or 0.0}")
    return Clip(
        clip=row["clip"],
        subject=subject,
        path=_source_of(where, row, base, names),
        licence=row["licence"],
        url=row.get("url", ""),
        start=start,
        end=end,
        source=row.get("source", ""),
        redistribute=_yes(where, row.get("redistribute", "")),
    )


def _seconds(where: str, row: dict[str, str], key: str) -> float | None:
    text = row.get(key, "")
    if not text:
        return None
    if _THOUSANDS.fullmatch(text):
        raise ManifestError(
            f"{where}: {key} {text!r} may be two numbers; write {text.replace(',', '')} or, with a "
            f"decimal point, {text.replace(',', '.', 1)}"
        )
    value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else -1.0
    if not 0 <= value < 1e7:
        raise ManifestError(f"{where}: {key} {text!r} is not a number of seconds")
    return value


def _yes(where: str, text: str) -> bool:
    if text.lower() not in _YES:
        raise ManifestError(f"{where}: redistribute {text!r} is neither yes nor no")
    return _YES[text.lower()]


def _source_of(where: str, row: dict[str, str], base: Path, names: Names) -> Path | None:
    url = row.get("url", "")
    if url and not re.match(r"https?://[^\s/]+|s3://[^\s/]+/\S", url):
        raise ManifestError(
            f"{where}: url {url!r} must start with http:// or https://, or be s3://bucket/file"
        )
    if not row["path"]:
        if not url:
            raise ManifestError(f"{where}: path is empty, and there is no url to fetch from")
        return None
    try:
        path = names.on_disk(base / row["path"]).resolve()
        exists = path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a circle of links, a NUL
        raise ManifestError(f"{where}: path {row['path']!r} cannot be used ({error})") from error
    if not path.is_relative_to(base):
        raise ManifestError(
            f"{where}: path {row['path']!r} leaves {base}; move the file or set clips_root"
        )
    if not exists:
        raise ManifestError(f"{where}: file {path} does not exist")
    return path


def read_subjects(path: Path, manifest: Manifest) -> list[Person]:
    """Read and check `subjects.csv`.

    Raises
    ------
    ManifestError
        If a row is wrong or its subject has no clip; the message names the line of the first one.
    """
    people: dict[str, Person] = {}
    for line, row in read_table(on_disk(path), ("subject",), SUBJECT_COLUMNS[1:], ManifestError):
        where = f"{path}, line {line}"
        name = row["subject"]
        if name in people:
            raise ManifestError(f"{where}: subject {name!r} is listed twice")
        if name not in manifest.subjects:
            raise ManifestError(f"{where}: subject {name!r} has no clip in the manifest")
        people[name] = Person(
            name, row.get("gender", ""), _age(where, row.get("age", "")), row.get("ethnicity", "")
        )
    return list(people.values())


def _age(where: str, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,3}", text) or int(text) > 130:
        raise ManifestError(f"{where}: age {text!r} is not a whole number of years")
    return int(text)
