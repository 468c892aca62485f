"""Celeb-DF++: Celeb-DF's real videos, and fakes of 22 methods in three scenarios.

    <root>/Celeb-real/id0_0000.mp4, YouTube-real/00000.mp4                as in Celeb-DF
    <root>/Celeb-synthesis/FaceSwap/SimSwap/id0_id16_0000.mp4             scenario, method, video
    <root>/Celeb-synthesis/FaceReenact/DaGAN/..., TalkingFace/SadTalker/...
    <root>/List_of_testing_videos.txt    "0 Celeb-synthesis/FaceReenact/DaGAN/id3_id28_0001.mp4"

Sources: Li, Zhu, Cui and Lyu, "Celeb-DF++: A Large-scale Challenging Video DeepFake Benchmark for
Generalizable Forensics", arXiv:2507.18015; the README of OUC-VAS/Celeb-DF-PP. The archive unpacks
as `Celeb-DF-v3`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from swapset.dataset.layouts.celeb_df import LIST, read_list
from swapset.dataset.layouts.checks import settle_shared
from swapset.dataset.layouts.files import (
    find_root,
    list_videos,
    report_missing,
    scan,
    subfolder,
    video_files,
)
from swapset.dataset.layouts.video import Dataset, Split, Video
from swapset.errors import ConfigError

SCENARIOS = ("FaceSwap", "FaceReenact", "TalkingFace")
_NAME = "Celeb-DF++"
_FAKES = "Celeb-synthesis"
_REAL = {"Celeb-real": re.compile(r"(id\d+)_\d+"), "YouTube-real": re.compile(r"\d+()")}
_FAKE = re.compile(r"(?P<target>id\d+)_(?:(?P<donor>id\d+)_)?(?:.*_)?(?P<number>\d+)")


def read(
    root: Path,
    *,
    methods: Sequence[str] | None = None,
    partial: bool = False,
    disjoint: bool = False,
) -> Dataset:
    """Read Celeb-DF++. A fake's name begins with its method.

    The videos of the test list are the test split, and all others are for training, as published;
    the same people are in both. A note says so; `disjoint` changes it.

    Parameters
    ----------
    root : Path
        The folder with `Celeb-real`, or the one above it.
    methods : sequence of str, optional
        Names of methods ("SimSwap") or scenarios ("FaceSwap"); by default all on disk.
    partial : bool
        Go on without videos that the test list names and that are not on disk.
    disjoint : bool
        Leave out the training videos of all people who are in a test video.

    Raises
    ------
    ManifestError
        If a folder or the list is missing, or a line of the list is wrong.
    ConfigError
        If a method is not on disk.
    """
    inside = ("Celeb-DF-v3", "Celeb-DF++", "Celeb-DF-PP")
    markers = tuple(f"{_FAKES}/{scenario}" for scenario in SCENARIOS)
    root = find_root(root, inside, (*markers, "Celeb-real", LIST), _NAME)
    listed = read_list(root / LIST)
    dataset = Dataset(_NAME, root)
    folders = dict(_chosen(_method_folders(dataset, root), methods))
    real: set[str] = set()
    for name, pattern in _REAL.items():
        for stem, path in list_videos(subfolder(root, (name,), _NAME)).items():
            split = _split(listed.pop((name.lower(), stem), None))
            if found := pattern.fullmatch(stem):
                real.add(stem)
                dataset.videos.append(Video(stem, path, 0, target=found[1] or None, split=split))
            else:
                dataset.leave_out(path, f"is not called as the videos of {name} are")
    for place, folder in folders.items():
        for stem, path in list_videos(folder).items():
            split = _split(listed.pop((f"{_FAKES}/{place}".lower(), stem), None))
            _add_fake(dataset, place, path, split, real)
    wanted = {f"{_FAKES}/{place}".lower() for place in folders} | {name.lower() for name in _REAL}
    absent = {
        text: f"{root / LIST}, line {line}"
        for (folder_name, _), (line, text) in listed.items()
        if methods is None or folder_name in wanted
    }
    report_missing(dataset, absent, partial)
    settle_shared(dataset, disjoint=disjoint)
    return dataset


def _split(listed: tuple[int, str] | None) -> Split:
    return "test" if listed else "train"


def _method_folders(dataset: Dataset, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield "scenario/method" and folder of each method on disk."""
    for scenario in scan(subfolder(root, (_FAKES,), _NAME)):
        if scenario.name not in SCENARIOS or not scenario.is_dir():
            continue
        entries = scan(Path(scenario.path))
        for path in video_files(entries):
            dataset.leave_out(path, "is in no method's folder")
        for method in sorted(entries, key=lambda entry: entry.name):
            if method.is_dir() and method.name[0] != ".":
                yield f"{scenario.name}/{method.name}", Path(method.path)


def _chosen(
    folders: Iterator[tuple[str, Path]], methods: Sequence[str] | None
) -> Iterator[tuple[str, Path]]:
    """Yield the folders of some methods or scenarios.

    Raises
    ------
    ConfigError
        If one of them is not on disk.
    """
    present = dict(folders)
    if methods is None:
        yield from present.items()
        return
    names = {part for place in present for part in place.split("/")}
    for name in [methods] if isinstance(methods, str) else methods:
        if name not in names:
            raise ConfigError(
                f"{_NAME}: methods: {name!r} is not allowed: it is not on disk; choose from "
                f"{', '.join(sorted(names)) or 'none'}"
            )
    for place, folder in present.items():
        if set(place.split("/")) & set([methods] if isinstance(methods, str) else methods):
            yield place, folder


def _add_fake(dataset: Dataset, place: str, path: Path, split: Split, real: Container[str]) -> None:
    """Add a method's fake. The original of a swap is likely one: frames are compared first."""
    scenario, method = place.split("/")
    name = _FAKE.fullmatch(path.stem)
    if name is None:
        dataset.leave_out(path, f"is not called as the videos of {scenario} are")
        return
    original = f"{name['target']}_{name['number']}"
    swapped = scenario == "FaceSwap" and original in real
    dataset.videos.append(
        Video(
            f"{method}_{path.stem}",
            path,
            1,
            target=name["target"],
            donor=name["donor"],
            split=split,
            method=method,
            likely_original=original if swapped else None,
        )
    )
