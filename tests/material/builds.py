"""Clips, tables and a config of the smallest build that runs every rule."""

from __future__ import annotations

import csv
import wave
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import yaml

from swapset.demo.clips import render_frames
from swapset.demo.specs import DEMO_SPECS
from swapset.media.encode import VideoWriter

SIZE = 256
FRAMES = 40
FACELESS = 6
"""Frames at the start of id0_0000 that show a grey wall instead of a face."""
CLIPS = ("id0_0000", "id0_0001", "id1_0000", "id1_0001")
REJECTED = {
    "id2_0000": "unreadable",
    "id2_0001": "no_face",
    "id2_0002": "too_few_frames",
    "id2_0003": "no_video",
}
SWAPS = [("id0_0000", "id1"), ("id1_0000", "id0"), ("id0_0001", "id2"), ("id2_0000", "id0")]
"""The last two cannot be made: all clips of id2 are rejected."""
NETWORK = {"resolution": 64, "width": 8, "code": 32, "batch": 4, "learning_rate": 1e-3}
CONFIG = {
    "name": "tiny",
    "clips": "clips/clips.csv",
    "subjects": "clips/subjects.csv",
    "swaps": "clips/swaps.csv",
    "device": "cpu",
    "recipes": {
        "celebdf": {**NETWORK, "steps": 150, "context": 1.5},
        "faceswap": {**NETWORK, "steps": 20, "context": 1.2},
    },
    "align": {"size": 96},
    "training": {"threads": 1, "checkpoint_every": 10, "preview_every": 100, "patience": 0},
    "quality": {"bootstrap": 200, "identity_frames": 4},
}


def write_video(path: Path, frames: Iterable[np.ndarray]) -> None:
    with VideoWriter(path, SIZE, SIZE, fps=30, codec="h264", quality=18) as video:
        for frame in frames:
            video.write(frame)


def write_rows(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


def small_clip(clip: str) -> list[np.ndarray]:
    """Return the first frames of one of the demo's clips, (256, 256, 3) uint8 RGB each."""
    spec = next(spec for spec in DEMO_SPECS if spec.clip == clip)
    large = render_frames(spec, frames=FRAMES)
    return [cv2.resize(frame, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for frame in large]


def make_clips(folder: Path) -> None:
    """Write two clips each of two people, and clips of a third that must all be rejected."""
    folder.mkdir(parents=True)
    for clip in CLIPS:
        frames = small_clip(clip)
        if clip == "id0_0000":
            frames[:FACELESS] = [np.full((SIZE, SIZE, 3), 128, np.uint8)] * FACELESS
        if clip == "id0_0001":
            write_video(folder / "id2_0002.mp4", frames[:1])
        write_video(folder / f"{clip}.mp4", frames)
    (folder / "id2_0000.mp4").write_text("This is not a video.\n" * 100)
    noise = np.random.default_rng(0).integers(0, 256, (FRAMES, SIZE, SIZE, 3), np.uint8)
    write_video(folder / "id2_0001.mp4", noise)
    with wave.open(str(folder / "id2_0003.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))


def write_empty_clips(folder: Path, people: int, each: int = 1) -> Path:
    """Write a manifest of clips that are empty files, which is enough to plan; return its path."""
    rows = [["clip", "subject", "path", "licence"]]
    for person in range(people):
        for number in range(each):
            clip = f"id{person}_{number:04d}"
            (folder / f"{clip}.mp4").touch()
            rows.append([clip, f"id{person}", f"{clip}.mp4", "CC0"])
    write_rows(folder / "clips.csv", rows)
    return folder / "clips.csv"


def write_tables(folder: Path) -> None:
    """Write the manifest of the clips in `folder`, and tables of people and swaps."""
    rows = [["clip", "subject", "path", "licence", "source", "redistribute"]]
    for clip in [*CLIPS, *REJECTED]:
        path = next(folder.glob(f"{clip}.*")).name
        rows.append([clip, clip.partition("_")[0], path, "CC0", "made by a test", "yes"])
    write_rows(folder / "clips.csv", rows)
    people = [["id0", "female", "41", "a"], ["id1", "male", "29", "b"]]
    write_rows(folder / "subjects.csv", [["subject", "gender", "age", "ethnicity"], *people])
    write_rows(folder / "swaps.csv", [["clip", "donor"], *SWAPS])


def write_config(path: Path) -> Path:
    path.write_text(yaml.safe_dump(CONFIG))
    return path
