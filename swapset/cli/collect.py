"""A first manifest and config from a folder of clips: what `swapset init` writes."""

from __future__ import annotations

import csv
import re
import shlex
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from swapset.config.demo import DEMO
from swapset.config.schema import load
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
"""Endings of files that are taken for clips; `swapset.media.container` opens what is in them."""
_OTHERS = _suffixes(
    "aac ass bmp csv db doc docx flac heic htm html ini jpeg jpg json jsonl log m4a md mp3 nfo npy "
    "npz ods odt opus parquet pdf pkl png pts py rtf sh srt sub svg tar tif tiff tsv txt vtt wav "
    "webp wma xls xlsx xml yaml yml zip"
)
"""Endings of files that are no videos, and not worth a word."""

_NAME = re.compile(r"(id\d+)_(\d+)")
Networks = Literal["full", "small"]
_SMALL_EXTRACTORS: dict[str, dict[str, float]] = {
    "fan": {"width": 0.25, "steps": 10000, "batch": 4, "learning_rate": 1e-3},
    "hrnet": {"width": 0.25, "steps": 2600, "batch": 8, "learning_rate": 3e-3},
    "avs-san": {"width": 0.25, "steps": 3200, "batch": 8, "learning_rate": 1e-3},
}
"""Each trains within about 20 minutes on a core."""
_NARROW: dict[str, Any] = {"width": 24, "code": 256, "batch": 4, "learning_rate": 1e-3}
_SMALL: dict[str, dict[str, Any]] = {
    "celebdf": {"resolution": 128, "steps": 12000, **_NARROW},
    "faceswap": {"steps": 12000, **_NARROW},
    "faceswap-gan-lq": {"steps": 8000, **_NARROW},
    "faceswap-gan-hq": {"steps": 8000, **_NARROW},
    "dfaker": {"steps": 12000, **_NARROW},
    "deepfacelab": {"resolution": 128, "steps": 12000, **_NARROW},
}
_CHANGED_MOST = (
    "subjects",
    "results",
    "seed",
    "device",
    "methods",
    "pairs",
    "swaps_per_clip",
    "compressions",
    "detectors",
)
"""Keys that are written with their defaults, besides those that depend on the folder."""
_HEADER = """\
Config of a build from your own clips: {folder}
Run it beside the Snakefile:

  snakemake --cores all --configfile {config}

These are the keys that people change most. All others are explained, with their defaults, in
config.yaml beside the Snakefile; add here what you want to be different. Relative paths start
from the folder that snakemake runs in.

{networks}
"""
_NETWORKS = {
    "full": (
        "The networks are the paper's: they need a GPU. For a processor, start over with "
        "`swapset init --networks small`."
    ),
    "small": (
        "`recipes` and `landmark_breaker` below make the networks small: a processor can train "
        "them, and swaps are coarse. Without these two keys they are the paper's, for a GPU."
    ),
}


@dataclass
class Collection:
    """What a folder holds.

    Attributes
    ----------
    rows : list of (clip, subject, path)
        Paths relative to the folder, with forward slashes.
    people : dict of str to str
        Subject to the name of its sub-folder; empty for a folder of `idX_NNNN` files.
    left_out : dict of str to str
        Relative path of each video that is not used to the reason.
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
    in natural order, so that no person's name gets into a dataset. Hidden files and what is known
    to be something else (texts, pictures, sound) are not looked at; other endings than those of
    videos are left out with that reason.

    Raises
    ------
    ManifestError
        If the folder does not exist, two files claim one clip, or fewer than two people are found.
    """
    if not folder.is_dir():
        raise ManifestError(f"{folder}: is not a folder")
    found = Collection()
    videos = _usable(folder, found)
    if any(_NAME.fullmatch(path.stem) for path in videos if path.parent == folder):
        _take_flat(folder, videos, found)
    else:
        _take_people(folder, videos, found)
    _check(folder, found)
    return found


def _usable(folder: Path, found: Collection) -> list[Path]:
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
            found.left_out[ascii(inside.as_posix())] = reason
        else:
            videos.append(path)
    return sorted(videos, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def _unusable(path: Path, text: str, root: Path) -> str:
    if path.suffix.lower() not in SUFFIXES:
        return "not a known video ending; rename it, to .mp4 for example, if it is one"
    if text != text.strip():
        return "its path begins or ends with a space"
    if not path.resolve().is_relative_to(root):
        return "it is a link that leaves the folder"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    return ""


def _take_flat(folder: Path, videos: Sequence[Path], found: Collection) -> None:
    for path in videos:
        text = path.relative_to(folder).as_posix()
        name = _NAME.fullmatch(path.stem)
        if name and path.parent == folder:
            found.rows.append((path.stem, name[1], text))
        else:
            found.left_out[text] = "it is not called idX_NNNN"


def _take_people(folder: Path, videos: Sequence[Path], found: Collection) -> None:
    clips: dict[str, list[Path]] = {}
    for path in videos:
        parts = path.relative_to(folder).parts
        if len(parts) == 1:
            found.left_out[parts[0]] = "it is in no person's sub-folder and not called idX_NNNN"
        else:
            clips.setdefault(parts[0], []).append(path)
    for person, subject in _subjects(clips).items():
        found.people[subject] = person
        for clip, path in _numbered(subject, clips[person]):
            found.rows.append((clip, subject, path.relative_to(folder).as_posix()))


def _subjects(people: Iterable[str]) -> dict[str, str]:
    """Return the subject that each person's folder becomes."""
    people = sorted(people, key=natural_key)
    kept = {person for person in people if re.fullmatch(r"id\d+", person)}
    free = (f"id{n}" for n in range(len(people) + len(kept)) if f"id{n}" not in kept)
    return {person: person if person in kept else next(free) for person in people}


def _numbered(subject: str, paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return the clips' names: those of the files if all are `idX_NNNN`, else 0000 and on."""
    stems = [path.stem for path in paths]
    if all((name := _NAME.fullmatch(stem)) and name[1] == subject for stem in stems):
        return list(zip(stems, paths, strict=True))
    return [(f"{subject}_{number:04d}", path) for number, path in enumerate(paths)]


def _check(folder: Path, found: Collection) -> None:
    files: dict[str, str] = {}
    for clip, _, path in found.rows:
        if clip in files:
            raise ManifestError(f"{folder}: {files[clip]} and {path} are both clip {clip}")
        files[clip] = path
    if len(found.subjects) < 2:
        people = ", ".join(found.subjects) or "nobody"
        raise ManifestError(
            f"{folder}: needs clips of at least two people and has {people}; "
            "name the files idX_NNNN.mp4, or make one sub-folder for each person"
        )


def write_manifest(path: Path, found: Collection, licence: str) -> None:
    """Write `clips.csv`.

    Parameters
    ----------
    path : Path
        Where to write it.
    found : Collection
        The clips.
    licence : str
        Licence of all clips; "" leaves it to the user to fill in the column.

    Raises
    ------
    ManifestError
        If the file exists.
    """
    refuse_existing(path)
    with atomic_output(path) as scratch, scratch.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(REQUIRED)
        table.writerows((*row, licence) for row in found.rows)


def refuse_existing(path: Path) -> None:
    """Raise if a file that would be written is there already."""
    if path.exists():
        raise ManifestError(f"{path}: exists already and is not overwritten; move it away")


def config_values(folder: Path, manifest: Path, networks: Networks) -> dict[str, Any]:
    """Return the config keys of a build from `folder`, with absolute paths.

    Parameters
    ----------
    folder : Path
        Where the clips are.
    manifest : Path
        Where their manifest is, or will be.
    networks : {"full", "small"}
        The recipes' own networks, of which nothing is written, or small ones.
    """
    own_folder = manifest.parent.resolve() == folder.resolve()
    clips = {
        "name": build_name(folder),
        "clips": str(manifest.resolve()),
        "clips_root": None if own_folder else str(folder.resolve()),
    }
    defaults = load(clips).model_dump(mode="json", include=set(_CHANGED_MOST))
    small = {"recipes": _SMALL, "landmark_breaker": {"settings": _SMALL_EXTRACTORS}}
    return clips | defaults | (small if networks == "small" else {})


def config_header(folder: Path, config: Path, networks: Networks) -> str:
    """Return the text at the top of the config.

    Parameters
    ----------
    folder, config : Path
        Where the clips are, and where the config will be.
    networks : {"full", "small"}
        As for `config_values`.
    """
    return _HEADER.format(
        folder=text if (text := str(folder.resolve())).isprintable() else ascii(text),
        config=shlex.quote(str(config.resolve())),
        networks=_NETWORKS[networks],
    )


def build_name(folder: Path) -> str:
    """Return a build's name made from a folder's: letters, digits, '.', '_' and '-'.

    Examples
    --------
    >>> build_name(Path("Köln 2024"))
    'Koln-2024'
    """
    plain = unicodedata.normalize("NFKD", folder.resolve().name)
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", kept).strip("-._")
    return name[:60] if name and name != DEMO else "clips"
