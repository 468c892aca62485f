"""Ids of files from outside the build, which change with the files' content and with nothing else.

Snakemake would compare times and paths. Both change when a folder is renamed or copied, and cameras
write times in the future. Imports nothing heavy.
"""

from __future__ import annotations

import json
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swapset.errors import ConfigError
from swapset.io.files import content_hash

SETTLED = 2 * 10**9
"""Nanoseconds; a file that changed less than this ago may change again with the same times."""
_THREADS = 8

TOLD_FROM = 100_000_000
"""Bytes from which on reading them takes long enough to be announced."""


@dataclass(frozen=True)
class OutsideFile:
    """A file, or folder of files, that the build reads and does not make.

    Attributes
    ----------
    key : str
        Its role in the build. It stays the same when the file moves.
    path : str
    hashed_now : bool
        True: the id is the hash of its content. False: it is hashed only when its place, size or
        times change, because there may be many large ones.
    """

    key: str
    path: str
    hashed_now: bool = False


@dataclass
class _Entry:
    """Known facts of a file.

    Attributes
    ----------
    place : list
        Its path, size, and times of the last change of content and of properties, in ns.
    id : str
        Its present id.
    ids : dict of str to str
        The id of each content that it had, by the content's hash.
    """

    place: list[Any]
    id: str
    ids: dict[str, str] = field(default_factory=dict)


class Contents:
    """Ids of outside files, kept in a file between runs.

    A file whose path, size and times are those of the last run is not read. Otherwise its content
    decides: it is hashed and compared with the hash that the job that read it has recorded.

    Parameters
    ----------
    store : Path
        The file that keeps what is known.
    recorded : callable
        Returns the hash of the content that a job has read from the file of a key; None = no job
        has read it.
    """

    def __init__(self, store: Path, recorded: Callable[[str], str | None]):
        self._store, self._recorded = store, recorded
        self._entries: dict[str, tuple[str, _Entry]] | None = None

    def look(self, files: Iterable[OutsideFile], notify: Callable[[str], object]) -> None:
        """Find the ids of files.

        Parameters
        ----------
        files : iterable of OutsideFile
        notify : callable
            Called with one sentence before many bytes are read, `TOLD_FROM` or more.

        Raises
        ------
        ConfigError
            If a file is missing.
        """
        entries, changed = _load(self._store), {}
        known: dict[str, tuple[str, _Entry]] = {}
        to_hash = []
        for file in files:
            place = _place(file)
            entry = entries.get(file.key)
            if entry is None and not file.hashed_now:
                entry = changed[file.key] = _Entry(place, _first_id(place))
            elif entry is None or entry.place != place or None in place:
                to_hash.append((file, place))
                continue
            known[file.path] = file.key, entry
        if to_hash:
            size = sum(place[1] for _, place in to_hash)
            files_shown = f"{len(to_hash)} file{'s' * (len(to_hash) > 1)} ({_shown(size)})"
            if size >= TOLD_FROM:
                notify(f"reading {files_shown} to see whether they changed")
        for (file, place), sha256 in zip(to_hash, _hashes(f.path for f, _ in to_hash), strict=True):
            entry = changed[file.key] = self._compared(file.key, entries.get(file.key), sha256)
            entry.place = place
            known[file.path] = file.key, entry
        if changed:
            _save(self._store, changed)
        self._entries = known

    def _compared(self, key: str, old: _Entry | None, sha256: str) -> _Entry:
        """Return what is known of a file with this content."""
        ids = dict(old.ids) if old else {}
        if old and (recorded := self._recorded(key)):
            ids.setdefault(recorded, old.id)
        return _Entry([], ids.setdefault(sha256, sha256[:16]), ids)

    def of(self, path: str) -> str:
        """Return the id of a file from outside; "" for others."""
        return self._known[path][1].id if path in self._known else ""

    def sha256_of(self, path: str) -> str:
        """Return the hash of a file's content as far as it is known without reading it, or ""."""
        if path not in self._known:
            return ""
        key, entry = self._known[path]
        present = (sha256 for sha256, name in entry.ids.items() if name == entry.id)
        return next(present, None) or self._recorded(key) or ""

    def identify(self, settings: Any) -> Any:
        """Return settings (JSON values) with the ids of files in place of their paths."""
        if isinstance(settings, Mapping):
            return {key: self.identify(value) for key, value in settings.items()}
        if isinstance(settings, list | tuple):
            return [self.identify(value) for value in settings]
        return (self.of(settings) or settings) if isinstance(settings, str) else settings

    @property
    def _known(self) -> Mapping[str, tuple[str, _Entry]]:
        """Keys and entries by path; a process that runs a job has those that the run found."""
        if self._entries is None:
            stored = _load(self._store)
            self._entries = {entry.place[0]: (key, entry) for key, entry in stored.items()}
        return self._entries


def _place(file: OutsideFile) -> list[Any]:
    """Return path, size and times of a file; None for a time too near to tell of a next change."""
    try:
        facts = Path(file.path).stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{file.key}: {file.path} cannot be read ({reason})") from None
    settled = abs(time.time_ns() - facts.st_ctime_ns) > SETTLED
    size = facts.st_size if stat.S_ISREG(facts.st_mode) else 0
    times = [facts.st_mtime_ns, facts.st_ctime_ns] if settled else [facts.st_mtime_ns, None]
    return [file.path, size, *times]


def _first_id(place: list[Any]) -> str:
    return f"{place[1]}-{place[2]}"


def _hashes(paths: Iterable[str]) -> list[str]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(_hash, paths))


def _hash(path: str) -> str:
    try:
        return content_hash(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None


def _shown(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def _load(store: Path) -> dict[str, _Entry]:
    try:
        values = json.loads(store.read_text(encoding="utf-8"))
        return {key: _Entry(*value) for key, value in values.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # then all files are new


def _save(store: Path, changed: Mapping[str, _Entry]) -> None:
    """Add entries to the file; another process may have added some meanwhile."""
    entries = {**_load(store), **changed}
    values = {key: [entry.place, entry.id, entry.ids] for key, entry in entries.items()}
    beside = store.with_name(f"{store.name}.{secrets.token_hex(8)}")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(values, separators=(",", ":")), encoding="ascii")
        beside.replace(store)
    except OSError:
        pass  # the next run looks again
    finally:
        with suppress(OSError):  # normally it has been renamed, or was never written
            beside.unlink()
