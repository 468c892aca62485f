"""Folders: real and fake videos in a folder each.

<root>/real/anna_1.mp4        a video of anna
<root>/fake/anna_ben_1.mp4    the same with the face of ben
<root>/tested.txt             names of the videos to test on, one a line; the others train
"""

from __future__ import annotations

import re
from pathlib import Path

from swapset.dataset.layouts.checks import check_splits
from swapset.dataset.layouts.files import find_root, list_videos, report_missing, subfolder
from swapset.dataset.layouts.video import Dataset, Video
from swapset.errors import ManifestError
from swapset.io.untrusted import whole_text

NAMES = {
    "real": re.compile(r"(?P<target>[a-z]+)_(?P<number>\d+)"),
    "fake": re.compile(r"(?P<target>[a-z]+)_(?P<donor>[a-z]+)_(?P<number>\d+)"),
}


def read(root: Path, *, partial: bool = False) -> Dataset:
    """Read the videos; `partial` does without those that are listed and not on disk."""
    root = find_root(root, (), NAMES, "Folders")
    listing = root / "tested.txt"
    tested = whole_text(listing, ManifestError).split()
    dataset, names = Dataset("Folders", root), set()
    for label, (folder, pattern) in enumerate(NAMES.items()):
        for stem, path in list_videos(subfolder(root, (folder,), "Folders")).items():
            found = pattern.fullmatch(stem)
            if not found:
                dataset.leave_out(path, f"is not called as the videos of {folder} are")
                continue
            original = f"{found['target']}_{found['number']}"
            video = Video(
                stem,
                path,
                label,
                target=found["target"],
                donor=found["donor"] if label else None,
                split="test" if stem in tested else "train",
                original=original if label and original in names else None,
            )
            names.add(stem)
            dataset.videos.append(video)
    report_missing(dataset, {name: str(listing) for name in tested if name not in names}, partial)
    check_splits(dataset.videos)  # nobody may be learnt from and tested on
    return dataset
