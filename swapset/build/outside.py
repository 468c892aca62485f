"""The files from outside that a build reads: source clips, public videos, weights and models.

Imports nothing heavy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from swapset.build.build import Build
from swapset.build.contents import OutsideFile
from swapset.build.detection import DetectionPlan
from swapset.build.landmark_breaker import LandmarkBreakerPlan


class OutsideFiles:
    """All files from outside that the config names, directly or through lists and folders.

    Parameters
    ----------
    build : Build
    detection : DetectionPlan
    breaker : LandmarkBreakerPlan
    """

    def __init__(self, build: Build, detection: DetectionPlan, breaker: LandmarkBreakerPlan):
        self._build, self._detection, self._breaker = build, detection, breaker

    def __iter__(self) -> Iterator[OutsideFile]:
        yield from self._clips()
        yield from self._public_videos()
        yield from self._named()

    def _clips(self) -> Iterator[OutsideFile]:
        for clip in self._build.manifest.clips:
            path = self._build.source_of(clip)
            if self._build.is_outside(path):
                yield OutsideFile(f"clips/{clip}", path)

    def _public_videos(self) -> Iterator[OutsideFile]:
        for key, path in self._public.items():
            yield OutsideFile(key, path)

    @cached_property
    def _public(self) -> dict[str, str]:
        public = self._detection.public
        return {
            f"datasets/{dataset}/{video.compression}/{video.name}": str(video.path)
            for dataset in public
            for video in public.videos(dataset)
        }

    def _named(self) -> Iterator[OutsideFile]:
        """Yield what the config names one by one: weights, models and labelled faces."""
        for key, path in self._named_in_config():
            if path is not None:
                yield OutsideFile(key, str(path), hashed_now=True)

    def _named_in_config(self) -> Iterator[tuple[str, Any]]:
        config = self._build.config
        for name, path in config.training.bases.items():
            yield f"training.bases.{name}", path
        for name, value in self._build.track:
            yield f"track.{name}", value if isinstance(value, Path) else None
        for name, files in config.scores.items():
            for dataset, sources in files.items():
                for place, source in enumerate(sources):
                    yield f"scores.{name}.{dataset}.{place}", source.file
        for name, file in self._breaker.black_boxes.items():
            yield f"landmark_breaker.black_boxes.{name}", file
        if labels := config.landmark_breaker.labels:
            yield "landmark_breaker.labels.root", labels.root
            yield "landmark_breaker.labels.lists", labels.lists
        detectors = self._detection.detector_settings
        sections: dict[str, Mapping[str, Any]] = {
            "detection": detectors,
            "landmark_breaker": config.landmark_breaker.settings,
        }
        for section, all_settings in sections.items():
            for name, settings in all_settings.items():
                for key in ("weights", "backbone_weights"):
                    yield f"{section}.settings.{name}.{key}", getattr(settings, key)
        for name in detectors:
            for beside in self._detection.weights_beside(name):
                yield f"detection.settings.{name}.beside/{Path(beside).name}", beside

    # -- hashes that jobs have recorded --------------------------------------------------------

    def recorded_hash(self, key: str) -> str | None:
        """Return the hash of the content that a job has read from the file of a key, if any."""
        if key.startswith("clips/"):
            return self._of_clips.get(key.removeprefix("clips/"))
        return self._of_videos.get(key)

    @cached_property
    def _of_clips(self) -> dict[str, str | None]:
        root = Path(self._build.root)  # `tidy` removes clips, and keeps the decisions on them
        files = [*root.glob("accepted/*.json"), *root.glob("clips/*/ingest.json")]
        records = {clip: record for file in files for clip, record in _read(file).items()}
        return {clip: record.get("source_sha256") for clip, record in records.items()}

    @cached_property
    def _of_videos(self) -> dict[str, str]:
        files = Path(self._build.root, "sources").rglob("*.json")
        return {key: sha256 for file in files for key, sha256 in _read(file).items()}

    def keys(self, paths: Iterable[str]) -> dict[str, str]:
        """Return public videos (paths) by the keys under which a job records their hashes."""
        by_path = self._keys
        return {by_path[path]: path for path in paths}

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {path: key for key, path in self._public.items()}


def _read(file: Path) -> Mapping[str, Any]:
    """Return a JSON file that a job has written; empty if it is damaged."""
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
