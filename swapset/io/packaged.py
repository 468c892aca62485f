"""Files that other installed packages hold, such as weights of networks."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def packaged_file(package: str, name: str) -> Path | None:
    """Return the path of a package's file, without importing the package.

    Parameters
    ----------
    package : str
        As `pip install` knows it; "" for none.
    name : str
        Path of the file beside the package's folders, with "/".

    Returns
    -------
    Path or None
        None if the package, or the file in it, is not installed.
    """
    if not package:
        return None
    try:
        path = Path(str(distribution(package).locate_file(name)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None
