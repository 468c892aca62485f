"""Read archives of arrays (.npz) that may be damaged or hostile.

Apart from `untrusted`, because that is read whenever a build is planned and must not load numpy.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 1 << 30
"""Most bytes of all arrays of an archive together; a small file may claim any number."""

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(OverflowError, MemoryError, SyntaxError, TokenError, TypeError, AttributeError),
)


def read_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return all arrays of an .npz archive by name; nothing is unpickled.

    Raises
    ------
    OSError
        If the file does not exist.
    ValueError
        If it is not an archive, is damaged, contains Python objects, or has more than `MOST_BYTES`.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            size = sum(part.file_size for part in archive.zip.infolist())
            if size > MOST_BYTES:
                raise ValueError(f"it holds {size >> 20} MiB of arrays")
            return {name: archive[name] for name in archive.files}
    except _DAMAGE as error:
        raise ValueError(f"not an archive of arrays: {error}") from error
