"""Verify that a dataset's videos are still those of its provenance records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from swapset.errors import DataError
from swapset.io.files import is_empty, sha256_of
from swapset.io.untrusted import lines

PROVENANCE = Path("dataset", "provenance.jsonl")
_SHA256 = re.compile("[0-9a-f]{64}")
_READERS = 4


@dataclass(frozen=True)
class Findings:
    """State of a dataset's videos; paths are relative to the build's folder.

    Attributes
    ----------
    whole : tuple of str
        Videos that are unchanged, to the bit.
    changed, missing : tuple of str
        Videos that differ from their record, and videos that are not there.
    extra : tuple of str
        Files of the dataset without a record, except empty ones, which stand for requested fakes
        that were not made.
    """

    whole: tuple[str, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Return whether no video is changed, missing or extra."""
        return not (self.changed or self.missing or self.extra)


def read_provenance(root: Path) -> dict[str, dict[str, Any]]:
    """Read the provenance of a build's dataset: record by video.

    Parameters
    ----------
    root : Path
        The build's folder. Its file is not trusted.

    Returns
    -------
    dict of str to dict
        Record by the video's path.

    Raises
    ------
    DataError
        If the file does not exist, or a line is not a record; the message names the line.
    """
    path = root / PROVENANCE
    if not path.is_file():
        raise DataError(f"{path}: no such file; is {root} a build's folder (results/<name>)?")
    records: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(lines(path), start=1):
        record = _record(line, f"{path}:{number}")
        if record["video"] in records:
            raise DataError(f"{path}:{number}: {record['video']} has a record already")
        records[record["video"]] = record
    return records


def _record(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not JSON ({error})") from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: must be a JSON object, not {type(record).__name__}")
    video, digest = record.get("video"), record.get("sha256")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise DataError(f"{where}: sha256 must be 64 hex digits")
    if not isinstance(video, str) or not _inside(video):
        raise DataError(f"{where}: video must be a path below dataset/, not {video!r}")
    return record


def _inside(video: str) -> bool:
    parts = PurePosixPath(video).parts
    return len(parts) > 1 and parts[0] == "dataset" and ".." not in parts and "\0" not in video


def verify(
    root: Path,
    records: dict[str, dict[str, Any]],
    only: Sequence[str] | None = None,
    shown: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> Findings:
    """Hash a dataset's videos again and compare them with their records.

    Parameters
    ----------
    root : Path
        The build's folder.
    records : dict of str to dict
        The result of `read_provenance`.
    only : sequence of str, optional
        Videos to check; by default all, and extra files are looked for.
    shown : callable
        Wraps the iteration over the videos, to show progress.

    Returns
    -------
    Findings

    Raises
    ------
    DataError
        If a video of `only` has no record.
    """
    for video in only or []:
        if video not in records:
            raise DataError(f"{root / PROVENANCE}: has no record of {video}")
    chosen = list(records if only is None else only)
    base = root.resolve()

    def state(video: str) -> str:
        path = root / video
        if not path.is_file():
            return "missing"
        same = path.resolve().is_relative_to(base) and sha256_of(path) == records[video]["sha256"]
        return "whole" if same else "changed"

    with ThreadPoolExecutor(_READERS) as pool:
        states = dict(zip(chosen, pool.map(state, shown(chosen)), strict=True))
    by_state = {
        kind: tuple(video for video in chosen if states[video] == kind)
        for kind in ("whole", "changed", "missing")
    }
    return Findings(**by_state, extra=_extra(root, records) if only is None else ())


def _extra(root: Path, records: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    known = {*records, PROVENANCE.as_posix()}
    paths = sorted((root / "dataset").rglob("*"))
    files = (path for path in paths if path.is_symlink() or not path.is_dir())
    return tuple(
        name
        for path in files
        if (name := path.relative_to(root).as_posix()) not in known
        and (path.is_symlink() or not is_empty(path))
    )
