"""Celeb-DF, versions 1 and 2.

    <root>/Celeb-real/id0_0000.mp4              person 0, video 0000
    <root>/YouTube-real/00000.mp4               real, people not published
    <root>/Celeb-synthesis/id0_id16_0000.mp4    video id0_0000 with the face of person 16
    <root>/List_of_testing_videos.txt           "1 Celeb-real/id0_0000.mp4": here 1 is real

Sources: Li, Yang, Sun, Qi and Lyu, "Celeb-DF: A Large-scale Challenging Dataset for DeepFake
Forensics", CVPR 2020; the READMEs of yuezunli/celeb-deepfakeforensics (`Celeb-DF-v1`,
`Celeb-DF-v2`), and for the names issue 6 there: "aa is the original id, bb is swapped id, cc is
the video index".
"""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import Path

from swapset.dataset.layouts.checks import settle_shared
from swapset.dataset.layouts.files import find_root, list_videos, report_missing, subfolder
from swapset.dataset.layouts.video import Dataset, Split, Video
from swapset.errors import ConfigError, ManifestError
from swapset.io.untrusted import whole_text

LIST = "List_of_testing_videos.txt"
_FOLDERS = {"Celeb-real": 0, "YouTube-real": 0, "Celeb-synthesis": 1}
_NAMES = {
    "Celeb-real": re.compile(r"(id\d+)_\d+"),
    "YouTube-real": re.compile(r"\d+"),
    "Celeb-synthesis": re.compile(r"(id\d+)_(id\d+)_(\d+)"),
}
_TESTED = {100: 1, 518: 2}
"""Number of videos in the test list of each version."""


def read(
    root: Path, *, version: int | None = None, partial: bool = False, disjoint: bool = False
) -> Dataset:
    """Read Celeb-DF.

    As published, the videos of the test list are the test split, and all others are for training.
    The same people are in both. A note says so; `disjoint` changes it.

    Parameters
    ----------
    root : Path
        The folder with `Celeb-real`, or the one above it.
    version : 1 or 2, optional
        The version that must be on disk; by default, the length of the test list decides.
    partial : bool
        Go on without videos that the test list names and that are not on disk.
    disjoint : bool
        Leave out the training videos of all people who are in a test video.

    Raises
    ------
    ManifestError
        If a folder or the list is missing, or a line of the list is wrong.
    ConfigError
        If the other version is on disk.
    """
    inside = ("Celeb-DF-v2", "Celeb-DF-v1", "Celeb-DF")
    root = find_root(root, inside, ("Celeb-real", "Celeb-synthesis", LIST), "Celeb-DF")
    listed = read_list(root / LIST)
    dataset = Dataset("Celeb-DF", root)
    _note_version(dataset, version, _TESTED.get(len(listed)))
    files = {name: list_videos(subfolder(root, (name,), "Celeb-DF")) for name in _FOLDERS}
    real = files["Celeb-real"]
    for folder, videos in files.items():
        for stem, path in videos.items():
            tested = listed.pop((folder.lower(), stem), None)
            video = _video(folder, stem, path, "test" if tested else "train", real)
            if video:
                dataset.videos.append(video)
            else:
                dataset.leave_out(path, f"is not called as the videos of {folder} are")
    absent = {text: f"{root / LIST}, line {line}" for line, text in listed.values()}
    report_missing(dataset, absent, partial)
    settle_shared(dataset, disjoint=disjoint)
    return dataset


def read_list(path: Path) -> dict[tuple[str, str], tuple[int, str]]:
    """Read the test list of any version; in Celeb-DF++, fakes are in folders of their methods.

    Returns
    -------
    dict of (folder in lower case, stem) to (line number, path as in the list)

    Raises
    ------
    ManifestError
        If a line has no label, an unknown label or folder, a label that contradicts the folder, or
        a video that is listed twice; the message names the line.
    """
    try:
        lines = whole_text(path, ManifestError).splitlines()
    except ManifestError as error:
        raise ManifestError(
            f"{error}; it comes with the dataset and lists the test videos"
        ) from error
    listed: dict[tuple[str, str], tuple[int, str]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        key, text = _listed(where, line)
        if key in listed:
            raise ManifestError(
                f"{where}: {text} is already in line {listed[key][0]}; restore the published list"
            )
        listed[key] = (number, text)
    return listed


def _listed(where: str, line: str) -> tuple[tuple[str, str], str]:
    label, text = [*line.split(maxsplit=1), ""][:2]
    text = text.strip().replace("\\", "/")
    folder, _, file = text.rpartition("/")
    labels = {name.lower(): fake for name, fake in _FOLDERS.items()}
    if label not in ("0", "1"):
        raise ManifestError(
            f"{where}: label {label!r} is not allowed: it is 1 (real) or 0 (fake) in this list; "
            "restore the published list"
        )
    top = folder.lower().partition("/")[0]
    if top not in labels:
        raise ManifestError(
            f"{where}: {text!r} is not allowed: it is in none of {', '.join(_FOLDERS)}; restore "
            "the published list"
        )
    if int(label) == labels[top]:
        raise ManifestError(
            f"{where}: {text} has label {label}, but in this list 1 is real and 0 is fake; "
            "restore the published list"
        )
    return (folder.lower(), Path(file).stem), text


def _video(folder: str, stem: str, path: Path, split: Split, real: Container[str]) -> Video | None:
    """Return the video of a file in a folder, or None if its name does not fit the folder."""
    name = _NAMES[folder].fullmatch(stem)
    if name is None:
        return None
    if folder == "YouTube-real":
        return Video(stem, path, 0, split=split)
    if folder == "Celeb-real":
        return Video(stem, path, 0, target=name[1], split=split)
    original = f"{name[1]}_{name[3]}"
    return Video(
        stem,
        path,
        1,
        target=name[1],
        donor=name[2],
        split=split,
        method="Celeb-synthesis",
        original=original if original in real else None,
    )


def _note_version(dataset: Dataset, wanted: int | None, listed: int | None) -> None:
    if wanted not in (None, 1, 2):
        raise ConfigError(f"Celeb-DF: version {wanted!r} is not allowed: choose 1 or 2")
    if wanted and listed and wanted != listed:
        raise ConfigError(
            f"{dataset.root}: is version {listed} of Celeb-DF by its test list, not {wanted}; "
            "correct the root or the version"
        )
    version = wanted or listed
    dataset.notes.append(
        f"Version {version}." if version else f"{LIST} has the length of no published version."
    )
