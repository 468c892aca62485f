"""What a build leaves on disk, from what finished builds left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from swapset.files import read_json
from swapset.generation.operations import weights
from swapset.generation.recipes import TrainingRecipe
from swapset.planning.work import FinishedWork
from swapset.workflow import Build

PER_FRAME = {"ingest": ["clips"], "track": ["tracks"], "align": ["landmarks"]}
"""Folders of which each frame of a clip takes as much."""
_REFERENCE = {"ingest": 90_000.0, "track": 250.0, "align": 550.0, "video": 13_000.0}
_WEIGHT = 4


@dataclass(frozen=True)
class Bytes:
    """Bytes of a frame: of what rules leave, and of a video in one compression."""

    ingest: float
    track: float
    align: float
    video: float


def bytes_per_frame(roots: Iterable[Path]) -> Bytes:
    """Return what a frame takes, from the first of the builds that has any of it."""
    found = dict(_REFERENCE)
    for root in reversed(list(roots)):
        if not (root / "tables" / "clips.csv").is_file():
            continue
        frames = sum(FinishedWork(root).frames.values())
        for rule, folders in PER_FRAME.items():
            size = sum(_size(root / folder) for folder in folders)
            if frames and size:
                found[rule] = size / frames
        videos = _videos(root)
        if videos:
            found["video"] = videos
    return Bytes(**found)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _videos(root: Path) -> float | None:
    """Return the mean bytes of a video's frame, over all compressions that are there."""
    frames = 0.0
    for path in (root / "records").glob("*/*.json"):
        record = read_json(path)
        frames += record["frames"] * len(record["sha256"] or {})
    size = _size(root / "dataset")
    return size / frames if frames and size else None


def disk(build: Build, each: Bytes, frames: float) -> dict[str, float]:
    """Return the bytes that a finished build keeps, by rule.

    Parameters
    ----------
    build : Build
    each : Bytes
    frames : float
        Of a clip.
    """
    clips, fakes = len(build.manifest.clips), len(build.swaps) * len(build.methods)
    face = build.config.align.size**2 * 3 + 68 * 2 * 4
    kept = face / build.config.align.every + each.align
    video = each.video * frames * len(build.config.compressions)
    return {
        "ingest": clips * frames * each.ingest,
        "track": clips * frames * each.track,
        "align": clips * frames * kept,
        "real": clips * video,
        "synthesise": fakes * video,
        **_models(build),
    }


def _models(build: Build) -> dict[str, float]:
    plan = build.generation
    sizes = {"train": 0.0, "train_shared": 0.0}
    for owner in dict.fromkeys(map(build.owner, build.methods)):
        recipe = TrainingRecipe(**plan.cold(owner))
        if plan.shared or plan.trains_base(owner):
            sizes["train_shared"] += _WEIGHT * weights(recipe, len(build.subjects))
        if not plan.shared:
            sizes["train"] += _WEIGHT * len(plan.pairs) * weights(recipe, 2)
    return sizes
