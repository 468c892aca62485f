"""Hash the library's data files that a rule's jobs read: page templates and quoted tables.

The code hash covers Python files only. Imports nothing heavy: the Snakefile uses it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

LIBRARY = Path(__file__).parents[1]


def data_hash(folder: str) -> str:
    """Return 16 hex digits that change with the names and contents of a folder's files.

    Parameters
    ----------
    folder : str
        Path inside the library, for example "report/quoted". Folders inside it do not count.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in (LIBRARY / folder).iterdir() if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
