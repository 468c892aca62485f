"""Put back the times of results after a copy that did not keep them.

`cp -r` gives all files new times, in any order, and Snakemake would make again whatever then looks
older than what it was made from. Its records hold the time of each output.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = 978_307_200
"""Time of the lock of a build's folder (seconds; the first of 2001): any other means a copy."""
_FOLDERS_TIME = ".snakemake_timestamp"
_LONGEST = 254
"""Characters of a record's name in one folder, where names may have 255."""


def set_mark(lock: Path) -> None:
    """Give the lock of a build's folder the time by which a later run knows that it is no copy."""
    with suppress(OSError):  # another user's file; copies are then not noticed
        os.utime(lock, (MARK, MARK))


def is_copy(lock: Path) -> bool:
    """Return whether a build's folder was copied without times since it was last used."""
    try:
        return int(lock.stat().st_mtime) != MARK
    except OSError:
        return False


def lacks_records(root: str, records: Path) -> bool:
    """Return whether there are results that Snakemake has no records of, as after a copy.

    Parameters
    ----------
    root : str
        The build's folder, as Snakemake knows it.
    records : Path
        Folder of the records (`.snakemake/metadata`).
    """
    table = f"{root}/tables/clips.csv"
    name = urlsafe_b64encode(os.fsencode(table)).decode()
    parts = [name[start : start + _LONGEST] for start in range(0, len(name), _LONGEST)]
    record = records.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
    return Path(table).exists() and not record.exists()


def put_back(root: str, records: Path) -> int:
    """Give the outputs in a build's folder the times that Snakemake has recorded.

    Parameters
    ----------
    root : str
        The build's folder, as Snakemake knows it.
    records : Path
        Folder of the records (`.snakemake/metadata`).

    Returns
    -------
    int
        Number of outputs.
    """
    count = 0
    for path, record in _records(root, records):
        place = Path(path, _FOLDERS_TIME) if Path(path).is_dir() else Path(path)
        with suppress(OSError, ValueError, TypeError, KeyError):  # no longer there, or damaged
            time = json.loads(record.read_text(encoding="utf-8"))["endtime"]
            os.utime(place, (time, time))
            count += 1
    return count


def _records(root: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the outputs in a build's folder with the files of their records.

    A file is named by its output in base64. Long names go over several folders, marked by "@".
    """
    for place, _, names in os.walk(folder):
        parts = Path(place).relative_to(folder).parts
        before = "".join(part.removeprefix("@") for part in parts)
        for name in names:
            with suppress(ValueError):  # not one of its files
                path = os.fsdecode(urlsafe_b64decode(before + name))
                if path.startswith(f"{root}/"):
                    yield path, Path(place, name)
