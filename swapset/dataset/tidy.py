"""What a finished build no longer needs, and its removal. Standard library only.

Only what can be made again goes. What more fakes of trained pairs are made from stays: ingested
clips, tracks, landmarks and models.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swapset.build.build import Build

_DETECTION, _BREAKER, _PROTECTED = "detector_auc", "landmark_breaker", "protected_pairs"
_OFF = {
    _DETECTION: "build detector_auc or set detectors: []",
    _BREAKER: "build landmark_breaker or set attacks: []",
    _PROTECTED: "build landmark_breaker or set landmark_breaker.protected_pairs: 0",
}
"""What may still be built from leftovers, and how a user gets them removed."""

_THERE = "obstruction/protected/*/*"
LEFTOVERS = {
    "heads": None,
    # Faces that are made again are newer than all models, which would then be trained again.
    "faces": _PROTECTED,
    "events": _BREAKER,
    "checkpoints": _BREAKER,
    "crops": _DETECTION,
    "extractors/labels": _BREAKER,
    "obstruction/frames": _BREAKER,
    "obstruction/noisy": _BREAKER,
    f"{_THERE}/clips": _PROTECTED,
    f"{_THERE}/tracks": _PROTECTED,
    f"{_THERE}/landmarks": _PROTECTED,
    f"{_THERE}/faces": _PROTECTED,
    f"{_THERE}/heads": _PROTECTED,
}
"""Folders of a build (patterns), and what they have to stay for until it is built."""


class TidyPlan:
    """What `tidy` waits for, and what it then removes.

    Parameters
    ----------
    build : Build
    """

    def __init__(self, build: Build):
        self._build = build

    @cached_property
    def _results(self) -> dict[str, list[str]]:
        """Return the last files of what is built beside the dataset, if this config has it."""
        build, obstruction = self._build, self._build.obstruction
        auc, noise = (f"{build.root}/tables/{t}.csv" for t in (_DETECTION, _BREAKER))
        return {
            _DETECTION: [auc] if build.detection.detectors else [],
            _BREAKER: [] if obstruction.why_not else [noise],
            _PROTECTED: obstruction.protected.results(),
        }

    def finished(self) -> list[str]:
        """Return the results, beside the dataset's, that are there: they have to be up to date."""
        return [path for paths in self._results.values() for path in paths if Path(path).exists()]

    def _missing(self, needed: str | None) -> bool:
        return needed is not None and not all(Path(path).exists() for path in self._results[needed])

    def removed(self) -> list[str]:
        """Return the patterns of what is removed."""
        return [pattern for pattern, needed in LEFTOVERS.items() if not self._missing(needed)]

    def kept(self) -> dict[str, str]:
        """Return the patterns of what stays for the time being, and how to get it removed."""
        return {
            pattern: _OFF[needed]
            for pattern, needed in LEFTOVERS.items()
            if needed and self._missing(needed)
        }

    def sources(self) -> list[str]:
        """Return the files that clips are ingested from."""
        return [self._build.source_of(clip) for clip in self._build.manifest.clips]


@dataclass(frozen=True)
class Removed:
    """One kind of leftovers.

    Attributes
    ----------
    kind : str
        Pattern of the folders.
    files, bytes : int
    fate : str
        "removed", or why not.
    """

    kind: str
    files: int
    bytes: int
    fate: str


def tidy(
    root: Path,
    removed: Iterable[str],
    kept: Mapping[str, str],
    sources: Sequence[str],
) -> list[Removed]:
    """Remove leftovers of a finished build; return what went and what stayed.

    Links are not followed: a folder that is a link, or lies behind one, stays.

    Parameters
    ----------
    root : Path
        The build's folder.
    removed, kept : see `TidyPlan`
    sources : sequence of str
        Files that are never removed: a folder that holds one stays.
    """
    rows = []
    own = {Path(source).resolve() for source in sources}
    for pattern in removed:
        for reason, folders in _by_reason(root, pattern, own).items():
            rows.append(Removed(pattern, *_size(folders), reason or "removed"))
            for folder in folders if not reason else []:
                shutil.rmtree(folder)
    for pattern, way in kept.items():
        if folders := list(root.glob(pattern)):
            rows.append(Removed(pattern, *_size(folders), f"kept: {way}"))
    return rows


def _by_reason(root: Path, pattern: str, sources: set[Path]) -> dict[str, list[Path]]:
    """Return the folders of a pattern by why they stay; "" are those that go."""
    found: dict[str, list[Path]] = {}
    for folder in sorted(root.glob(pattern)):
        place = root.resolve() / folder.relative_to(root)
        reason = ""
        if folder.resolve() != place or not folder.is_dir():
            reason = "kept: no folder of its own"
        elif any(source.is_relative_to(place) for source in sources):
            reason = "kept: holds source clips"
        found.setdefault(reason, []).append(folder)
    return found


def _size(folders: Iterable[Path]) -> tuple[int, int]:
    sizes = [path.lstat().st_size for folder in folders for path in _files(folder)]
    return len(sizes), sum(sizes)


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder, followlinks=False):
        yield from (Path(place, name) for name in names)
