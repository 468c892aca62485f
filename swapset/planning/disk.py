"""Estimate the disk space of a build from the files of finished builds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swapset.build.landmark_breaker import LandmarkBreakerPlan
from swapset.build.start import CONFIG
from swapset.build.workflow import Workflow
from swapset.config.recipes import TrainingRecipe
from swapset.detectors.margins import MARGIN
from swapset.detectors.registry import ALL, DETECTORS
from swapset.errors import DataError
from swapset.generation.size import weights
from swapset.io.files import read_json
from swapset.obstruction.attacks.registry import CLEAN, EVEN
from swapset.obstruction.runs import RUN_FRAMES
from swapset.planning.work import FinishedWork

PER_FRAME = {"ingest": "clips", "track": "tracks", "align": "landmarks", "measure": "heads"}
"""Folder of each rule whose results grow with the frames of the clips."""
_REFERENCE = {  # bytes per frame where no build was measured
    "ingest": 122_000.0,
    "track": 250.0,
    "align": 550.0,
    "measure": 420.0,
    "video": 13_000.0,
    "crop": 442_000.0,
}
_WEIGHT = {"float32": 4, "bfloat16": 2}  # bytes


@dataclass(frozen=True)
class FrameSizes:
    """Bytes per frame of a clip, by kind of file.

    Attributes
    ----------
    ingest, track, align, measure : float
        Results of these rules.
    video : float
        A video of the dataset in one compression.
    crop : float
        A face that detectors read, at the usual margin.
    picture : float
        An uncompressed frame.
    """

    ingest: float
    track: float
    align: float
    measure: float
    video: float
    crop: float
    picture: float = 512 * 512 * 3


@dataclass(frozen=True)
class Disk:
    """Bytes of a rule's results.

    Attributes
    ----------
    finished : float
        When the build is finished.
    tidied : float
        The part that `snakemake tidy` then removes.
    """

    finished: float
    tidied: float = 0.0


def bytes_per_frame(roots: Iterable[Path]) -> FrameSizes:
    """Measure the sizes of frames: each kind in the first of the builds that has files of it.

    Parameters
    ----------
    roots : iterable of Path
        Folders of builds. A kind that none of them has gets its reference size.
    """
    sizes = dict(_REFERENCE)
    for root in reversed(list(roots)):
        if not (root / "tables" / "clips.csv").is_file():
            continue
        frames = sum(FinishedWork(root).frames.values())
        for rule, folder in PER_FRAME.items():
            size = _size(root / folder)
            if frames and size:
                sizes[rule] = size / frames
        measured = {"video": _videos(root), "crop": _crops(root)}
        sizes |= {name: size for name, size in measured.items() if size}
    return FrameSizes(**sizes)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _videos(root: Path) -> float | None:
    """Return the mean bytes per frame of the videos, over all compressions that exist."""
    frames = 0.0
    for path in (root / "records").glob("*/*.json"):
        record = read_json(path)
        frames += record["frames"] * len(record["sha256"] or {})
    size = _size(root / "dataset")
    return size / frames if frames and size else None


def _crops(root: Path) -> float | None:
    """Return the mean bytes per frame of the faces that detectors read, at the usual margin."""
    frames = 0
    for path in (root / "crops").rglob("index.npz"):
        with np.load(path, allow_pickle=False) as index:
            frames += len(index["rows"])
    return _size(root / "crops") / frames / _widening(_margin(root)) if frames else None


def _margin(root: Path) -> float:
    """Return the margin of a build's faces, by the config of its last run."""
    try:
        chosen = read_json(root / CONFIG)["detectors"]
    except (OSError, KeyError, DataError):
        return MARGIN
    names = list(ALL) if chosen == "all" else chosen
    margins = [float(DETECTORS.find(n).traits["margin"]) for n in names if n in DETECTORS]
    return max(margins, default=MARGIN)


def _widening(margin: float) -> float:
    """Return the area of regions of faces, as a multiple of the usual one."""
    return (margin / MARGIN) ** 2


def disk_by_rule(stages: Workflow, each: FrameSizes, frames: float) -> dict[str, Disk]:
    """Return the size of each rule's results in a finished build.

    Parameters
    ----------
    stages : Workflow
    each : FrameSizes
    frames : float
        Mean number of frames of a clip.
    """
    build = stages.build
    clips, fakes = len(build.manifest.clips), len(build.swaps) * len(build.methods)
    kinds = len(build.config.compressions)
    face = build.config.align.size**2 * 3 + 68 * 2 * 4
    faces = clips * frames * face / build.config.align.every
    video, heads = each.video * frames * kinds, clips * frames * each.measure
    crop = each.crop * _widening(stages.detection.margin)
    crops = (clips + fakes) * kinds * build.config.detection.frames * crop
    perturbed = crops / kinds * len(stages.robustness.perturbations)
    return {
        "ingest": Disk(clips * frames * each.ingest),
        "track": Disk(clips * frames * each.track),
        "align": Disk(clips * frames * each.align + faces, faces),
        "measure": Disk(heads, heads),
        "real": Disk(clips * video),
        "synthesise": Disk(fakes * video),
        "find_faces": Disk(crops, crops),
        "find_faces_perturbed": Disk(perturbed, perturbed),
        **_key_frames(stages.breaker, each.picture),
        **_models(stages),
    }


def _key_frames(plan: LandmarkBreakerPlan, picture: float) -> dict[str, Disk]:
    """Return the size of the key frames, clean and noisy."""
    if plan.why_not:
        return {}
    sets = {"key_frames": 0, "attack": 0, "match_ssim": 0}
    for attack in {*plan.attacks, CLEAN}:
        rule = {CLEAN: "key_frames", EVEN: "match_ssim"}.get(attack, "attack")
        sets[rule] += len(plan.sources(attack)) * len(plan.subjects)
    each = plan.runs * RUN_FRAMES * picture
    return {rule: Disk(count * each, count * each) for rule, count in sets.items()}


def _models(stages: Workflow) -> dict[str, Disk]:
    build, plan = stages.build, stages.generation
    kept = _WEIGHT[build.config.training.keep]
    pairs = shared = 0.0
    for name in dict.fromkeys(map(build.model_recipe, build.methods)):
        recipe = TrainingRecipe(**plan.cold_recipe(name))
        if plan.shared or plan.trains_base(name):
            size = kept if plan.shared else _WEIGHT["float32"]
            shared += size * weights(recipe, len(build.subjects))
        if not plan.shared:
            pairs += kept * len(plan.pairs) * weights(recipe, 2)
    return {"train": Disk(pairs), "train_shared": Disk(shared)}
