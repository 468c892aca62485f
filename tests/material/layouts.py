"""Tiny trees in the layouts of public datasets; adapters read only names and lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from swapset.dataset.layouts.registry import read_dataset
from swapset.dataset.layouts.video import Dataset, Video
from swapset.errors import SwapsetError

SPLITS = {
    "train": [["000", "003"], ["010", "005"]],
    "val": [["720", "672"]],
    "test": [["953", "974"]],
}
NUMBERS = [number for pairs in SPLITS.values() for pair in pairs for number in pair]
PAIRS = [f"{a}_{b}" for pairs in SPLITS.values() for one in pairs for a, b in (one, one[::-1])]


def plant(root: Path, *paths: str) -> Path:
    """Create empty files."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root


def plant_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def plant_splits(folder: Path, splits: dict[str, list[list[str]]] = SPLITS) -> None:
    for name, pairs in splits.items():
        plant_json(folder / f"{name}.json", pairs)


def plant_ff(
    root: Path, methods: Sequence[str] = ("Deepfakes",), compressions: Sequence[str] = ("c23",)
) -> Path:
    """Create FaceForensics++ with four pairs, in the layout of its download script."""
    for folder in compressions:
        real = f"original_sequences/youtube/{folder}/videos"
        plant(root, *(f"{real}/{number}.mp4" for number in NUMBERS))
        for method in methods:
            fake = f"manipulated_sequences/{method}/{folder}/videos"
            plant(root, *(f"{fake}/{pair}.mp4" for pair in PAIRS))
    plant_splits(root)
    return root


def complaint(name: str, root: Path, **options: Any) -> str:
    """Return the message of the error that reading a dataset raises."""
    with pytest.raises(SwapsetError) as caught:
        read_dataset(name, root, **options)
    return str(caught.value)


def by_name(dataset: Dataset) -> dict[str, Video]:
    videos = {video.name: video for video in dataset.videos}
    assert len(videos) == len(dataset.videos)
    return videos
