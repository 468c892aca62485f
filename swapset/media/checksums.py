"""Check the checksums that Matroska files hold, and that ffmpeg writes but does not check.

Ut Video decodes almost any bits to some picture, so a clip's pictures alone do not tell damage.
"""

from __future__ import annotations

import mmap
import zlib
from pathlib import Path

from swapset.errors import MediaError

_HEADER, _SEGMENT = 0x1A45DFA3, 0x18538067
_CRC = b"\xbf\x84"  # the identifier of a checksum, and its size
_UNKNOWN = (1 << 56) - 1  # size of an element whose writer was stopped


def check_matroska(path: Path) -> None:
    """Compare the parts of a Matroska file with their checksums.

    Raises
    ------
    MediaError
        If a part differs from its checksum, or the file ends inside one.

    References
    ----------
    RFC 8794 (EBML), sections 5, 6 and 11.3.1.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position = 0
        while position < len(data):
            kind, start = _integer(data, position, keep_marker=True)
            size, start = _integer(data, start)
            position = start + size
            if kind == _SEGMENT:  # its parts are checked one by one
                position = start
            elif size == _UNKNOWN or position > len(data):
                raise MediaError(f"{path}: is damaged: it was not written to its end")
            elif kind != _HEADER and data[start : start + 2] == _CRC:
                with memoryview(data)[start + 6 : position] as part:
                    told = int.from_bytes(data[start + 2 : start + 6], "little")
                    if zlib.crc32(part) != told:
                        raise MediaError(f"{path}: is damaged: a checksum is wrong")


def _integer(data: mmap.mmap, position: int, *, keep_marker: bool = False) -> tuple[int, int]:
    """Return an EBML integer of variable length, and the position after it."""
    first = data[position] if position < len(data) else 0
    length = 9 - first.bit_length()
    value = int.from_bytes(data[position : position + length], "big")
    if not keep_marker:
        value &= (1 << 7 * length) - 1
    return value, position + length
