"""DFDC: the preview of the Deepfake Detection Challenge, and the challenge's own data.

The preview, which is the DFDC of the chapter (first round, 5,214 videos):

    <root>/dataset.json      path to {"label": "real" | "fake", "set": "train" | "test", ...}
    <root>/original_videos/643049/643049_A_001.mp4
    <root>/method_A/1003254/1003254_A/1255229_1003254_A_001.mp4    1003254 with the face of 1255229

The challenge:

    <root>/**/dfdc_train_part_0/metadata.json    file to {"label": "REAL" | "FAKE", "original": ...}
    <root>/**/test/labels.csv                    filename,label: 1 is fake
    <root>/**/test/metadata.json                 or file to {"is_fake": 0 | 1}

Sources: Dolhansky et al., "The Deepfake Detection Challenge (DFDC) Preview Dataset", arXiv
1910.08854, and "The DeepFake Detection Challenge (DFDC) Dataset", arXiv 2006.07397; how SCLBD/
DeepfakeBench (`preprocessing/rearrange.py`), mapooon/SelfBlendedImages (`data/datasets.md`),
polimi-ispl/icpr2020dfdc (`index_dfdc.py`) and wdrink/PyDeepFakeDet read them.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from swapset.dataset.layouts.checks import settle_shared
from swapset.dataset.layouts.dfdc_parts import add_parts
from swapset.dataset.layouts.files import existing, read_json, report_missing, video_files, walk
from swapset.dataset.layouts.video import Dataset, Split, Video
from swapset.errors import ManifestError

PREVIEW = "dataset.json"
_NAME = re.compile(r"(?:(\d+)_)?(\d+)_([A-Z]+)_(\d+)")
_LABELS = {"real": 0, "fake": 1}
_SETS: dict[str, Split] = {"train": "train", "val": "val", "validation": "val", "test": "test"}


def read(root: Path, *, partial: bool = False, disjoint: bool = False) -> Dataset:
    """Read the preview if `dataset.json` exists, else the parts of the challenge.

    The preview publishes training and test videos; names give target and donor, and people who
    are in both sets are noted. The preview's real video of the same name is the *likely* original
    of a fake (the chapter found 2,025 exact pairs among 4,113 fakes).

    The challenge does not publish the people in its videos. Its training parts name the exact
    original of each fake. If test videos are on disk as well, these parts are the training split;
    otherwise there is no split, and all videos are for testing.

    Parameters
    ----------
    root : Path
        The folder with `dataset.json`, or any folder above the parts.
    partial : bool
        Go on without listed videos that are not on disk.
    disjoint : bool
        Leave out the training videos of all people who are in a test video.

    Raises
    ------
    ManifestError
        If there is no list, or a list is wrong or names a missing video.
    """
    root = existing(root, "DFDC")
    places = (root, root / "dfdc_preview_set", root / "DFDCP")
    preview = next((place for place in places if (place / PREVIEW).is_file()), None)
    dataset = Dataset("DFDC", preview or root)
    if preview:
        _add_preview(dataset, partial)
        settle_shared(dataset, disjoint=disjoint)
    else:
        add_parts(dataset, partial=partial)
    return dataset


def _add_preview(dataset: Dataset, partial: bool) -> None:
    path = dataset.root / PREVIEW
    content = read_json(path)
    if not isinstance(content, dict):
        raise ManifestError(f"{path}: is not an object of videos; download it again")
    listed = {_key(text): text for text in content}
    if len(listed) < len(content):
        twice = next(text for text in content if listed[_key(text)] != text)
        raise ManifestError(f"{path}: {twice} is listed twice; download it again")
    files = {
        _key(file.relative_to(dataset.root).as_posix()): file
        for _, entries in walk(dataset.root)
        for file in video_files(entries)
    }
    real = {Path(key).stem for key in listed if key in files and key.startswith("original")}
    for key, file in files.items():
        if key in listed:
            entry = content[listed[key]]
            dataset.videos.append(_video(f"{path}, {listed[key]}", key, file, entry, real))
        else:
            dataset.leave_out(file, f"is not in {PREVIEW}")
    absent = {text: str(path) for key, text in listed.items() if key not in files}
    report_missing(dataset, absent, partial)


def _key(text: str) -> str:
    """Return a video's path as in the list, without the folder `videos` that some copies add."""
    return "/".join(part for part in PurePosixPath(text).parts if part != "videos")


def _video(where: str, key: str, file: Path, entry: Any, real: set[str]) -> Video:
    entry = entry if isinstance(entry, dict) else {}
    label = _LABELS.get(str(entry.get("label")).lower())
    split = _SETS.get(str(entry.get("set")).lower())
    if label is None or split is None:
        raise ManifestError(
            f"{where}: label {entry.get('label')!r} with set {entry.get('set')!r} is not allowed: "
            "it is real or fake, in train or test; download the list again"
        )
    name = _NAME.fullmatch(file.stem)
    target = name[2] if name else None
    if label == 0:
        return Video(file.stem, file, 0, target=target, split=split)
    method = key.partition("/")[0]
    likely = f"{name[2]}_{name[3]}_{name[4]}" if name else ""
    return Video(
        f"{method}_{file.stem}",
        file,
        1,
        target=target,
        donor=name[1] if name else None,
        split=split,
        method=method,
        likely_original=likely if likely in real and not entry.get("augmentations") else None,
    )
