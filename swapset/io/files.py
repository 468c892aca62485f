"""Files that appear whole or not at all, and their hashes."""

from __future__ import annotations

import glob
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swapset.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


_CLOCKS = 1.0  # seconds by which times of files and of processes may differ
_UMASK = os.umask(0o022)
os.umask(_UMASK)


def _partial(path: Path) -> Path:
    """Return this process's scratch path beside `path`, with the same extension."""
    return path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")


def _is_writing(pid: int, scratch: Path) -> bool:
    """Return whether another process that began a scratch file still runs.

    Parameters
    ----------
    pid : int
        The number of the process; after its end, a later one may have it.
    scratch : Path
        The file or folder.
    """
    if pid == os.getpid():
        return False
    import psutil  # a rare case, and most jobs are short

    try:
        return psutil.Process(pid).create_time() <= scratch.lstat().st_mtime + _CLOCKS
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
    except psutil.Error:  # somebody else's, of which nothing is told
        return True


def _discard(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _discard_abandoned(path: Path) -> None:
    """Remove scratch files of `path` that killed processes left."""
    for stale in path.parent.glob(f".{glob.escape(path.stem)}.*.partial{glob.escape(path.suffix)}"):
        pid = stale.name.removesuffix(f".partial{path.suffix}").removeprefix(f".{path.stem}.")
        if pid.isdigit() and not _is_writing(int(pid), stale):
            _discard(stale)


@contextmanager
def atomic_output(path: str | os.PathLike[str], *, directory: bool = False) -> Iterator[Path]:
    """Yield a scratch path beside `path`, and rename it to `path` only if the block succeeds.

    Parameters
    ----------
    path : path-like
        Where the finished file or folder belongs. Its parent is created.
    directory : bool
        Whether to create the scratch path as a folder; an older folder at `path` is replaced.

    Yields
    ------
    Path
        The scratch path to write to. It keeps the extension of `path`.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    _discard_abandoned(target)
    scratch = _partial(target)
    if directory:
        scratch.mkdir()
    try:
        yield scratch
        if directory and target.exists():
            _discard(target)
        if not directory:  # some writers (safetensors) make files that only their owner can read
            scratch.chmod(0o666 & ~_UMASK)
        os.replace(scratch, target)
    finally:
        _discard(scratch)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def content_hash(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes, or of the names and bytes of a folder's files."""
    if not Path(path).is_dir():
        return sha256_of(path)
    digest = hashlib.sha256()
    for file in sorted(each for each in Path(path).rglob("*") if each.is_file()):
        digest.update(os.fsencode(file.relative_to(path)) + b"\0")
        digest.update(bytes.fromhex(sha256_of(file)))
    return digest.hexdigest()


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all.

    Raises
    ------
    ValueError
        If it contains NaN or an infinity.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic_output(path) as scratch:
        # Bytes of a file name that are not text are written as JSON's escapes, \udcXX.
        scratch.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file written by this project.

    Raises
    ------
    DataError
        If the file is not JSON (for example cut short by another program).
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: not valid JSON ({error})") from error


def write_csv(path: str | os.PathLike[str], table: pd.DataFrame) -> None:
    """Write a table as CSV with six decimals and NaN as an empty cell, whole or not at all."""
    with atomic_output(path) as scratch:
        table.to_csv(scratch, index=False, float_format="%.6f")


def read_csv(path: str | os.PathLike[str], **options: Any) -> pd.DataFrame:
    """Read a table that `write_csv` wrote; `options` are those of `pandas.read_csv`.

    Raises
    ------
    DataError
        If the file was cut short or is not a table.
    """
    import pandas as pd

    try:
        text = Path(path).read_text(encoding="utf-8")
        if not text.endswith("\n"):
            raise ValueError("its last line is incomplete")
        return pd.read_csv(io.StringIO(text), **options)
    except ValueError as error:
        raise DataError(f"{path}: not a complete table ({error})") from error


def is_empty(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is empty, as jobs leave it that had nothing to make."""
    return Path(path).stat().st_size == 0


def write_empty(path: str | os.PathLike[str]) -> None:
    """Write an empty file: the result of a job that had nothing to make."""
    with atomic_output(path) as scratch:
        scratch.touch()
