"""Find the file of published weights in a folder."""

from __future__ import annotations

from pathlib import Path

from swapset.errors import DataError


def only_file(path: Path, pattern: str) -> Path:
    """Return the file `path`, or if it is a folder the only file in it with a fitting name.

    Parameters
    ----------
    path : Path
    pattern : str
        Of the file's name, such as `encoder_*.pt`.

    Raises
    ------
    DataError
        If no file or several in the folder fit.
    """
    if not path.is_dir():
        return path
    files = sorted(path.glob(pattern))
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise DataError(f"{path}: needs one file {pattern}, has {names}; give the file itself")
    return files[0]
