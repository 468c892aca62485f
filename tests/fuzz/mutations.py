"""Mutations that turn good files into hostile ones, determined by the generator's seed."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

import numpy as np

Generator = np.random.Generator

EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_FIELDS = re.compile(
    rb"mvhd|tkhd|mdhd|hdlr|stsd|stts|ctts|stsc|stsz|stco|stss|elst|dref|trun|tfhd|trex|moov|mdat"
    rb"|avc1|mp4v|mp4a|esds|avcC|ftyp|moof|free|udta|colr|pasp|"  # of ISO files
    rb"RIFF|LIST|avih|strh|strf|idx1|movi|indx|fmt |data|WEBP|VP8 |VP8X|"
    rb"IHDR|PLTE|IDAT|acTL|fcTL|fdAT|GIF89a|YUV4MPEG2|FLV|OggS|DKIF|ID3|JFIF|Exif|BM|II\*\0|"
    rb"\xff\xc0|\xff\xc4|\xff\xda|"  # JPEG's frame, tables, scan
    rb"\x1a\x45\xdf\xa3|\x18\x53\x80\x67|\x2a\xd7\xb1|\x44\x89|\x23\xe3\x83|\xb0|\xba|\x54\xb0|"
    rb"\x1f\x43\xb6\x75|\xa3|\xae|\xd7|\x86|\x63\xa2|"  # Matroska's elements
    rb"\x00\x00\x01[\xb3\xb5\xb8\xba\xbb\xe0\xc0\x67\x68\x65]|G[\x40-\x5f]"  # MPEG's start codes
)


def truncated(data: bytes, rng: Generator) -> bytes:
    return data[: int(rng.integers(0, len(data)))]


def beheaded(data: bytes, rng: Generator) -> bytes:
    return data[int(rng.integers(1, len(data))) :]


def few_bits(data: bytes, rng: Generator) -> bytes:
    return _flipped(data, rng, int(rng.integers(1, 16)))


def many_bits(data: bytes, rng: Generator) -> bytes:
    return _flipped(data, rng, int(rng.integers(64, 1024)))


def head_bytes(data: bytes, rng: Generator) -> bytes:
    """Change some of the first 600 bytes, where most headers are."""
    made = bytearray(data)
    for place in rng.integers(0, min(600, len(made)), int(rng.integers(1, 12))):
        made[place] = rng.integers(256)
    return bytes(made)


def tail_bytes(data: bytes, rng: Generator) -> bytes:
    """Change some of the last 600 bytes, where other headers and indices are."""
    return head_bytes(data[::-1], rng)[::-1]


def block_zeroed(data: bytes, rng: Generator) -> bytes:
    start, end = _block(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def block_random(data: bytes, rng: Generator) -> bytes:
    start, end = _block(data, rng)
    return data[:start] + rng.bytes(end - start) + data[end:]


def block_deleted(data: bytes, rng: Generator) -> bytes:
    start, end = _block(data, rng)
    return data[:start] + data[end:]


def block_doubled(data: bytes, rng: Generator) -> bytes:
    start, end = _block(data, rng)
    return data[:end] + data[start:end] * int(rng.integers(1, 20)) + data[end:]


def blocks_swapped(data: bytes, rng: Generator) -> bytes:
    a, b, c, d = np.sort(rng.integers(0, len(data) + 1, 4)).tolist()
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def extreme_fields(data: bytes, rng: Generator) -> bytes:
    """Write extreme numbers after the names of parts: sizes, rates, counts, lengths."""
    made = bytearray(data)
    places = [match.end() for match in _FIELDS.finditer(data)] or [0]
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.choice(places)) + int(rng.integers(0, 40))
        order = ">" if rng.random() < 0.7 else "<"
        width = "I" if rng.random() < 0.6 else "H"
        value = int(rng.choice(EXTREMES)) & (0xFFFFFFFF if width == "I" else 0xFFFF)
        word = struct.pack(order + width, value)
        made[place : place + len(word)] = word
    return _with_sums(bytes(made)) if data[:4] == b"\x89PNG" else bytes(made)


MUTATIONS: tuple[Callable[[bytes, Generator], bytes], ...] = (
    truncated,
    extreme_fields,
    few_bits,
    block_deleted,
    head_bytes,
    extreme_fields,
    block_zeroed,
    many_bits,
    block_doubled,
    blocks_swapped,
    tail_bytes,
    block_random,
    extreme_fields,
    beheaded,
)


def mutate(data: bytes, rng: Generator, which: int) -> tuple[str, bytes]:
    """Mutate a file once or twice; return the names of the mutations and the bytes."""
    first = MUTATIONS[which % len(MUTATIONS)]
    name, made = first.__name__, first(data, rng)
    if rng.random() < 0.25 and made:
        second = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
        name, made = f"{name}, {second.__name__}", second(made, rng)
    return name, made


def _flipped(data: bytes, rng: Generator, count: int) -> bytes:
    made = bytearray(data)
    for place in rng.integers(0, 8 * len(data), count):
        made[place // 8] ^= 1 << (place % 8)
    return bytes(made)


def _block(data: bytes, rng: Generator) -> tuple[int, int]:
    start = int(rng.integers(0, len(data)))
    return start, min(len(data), start + int(2 ** rng.uniform(0, 12)))


def _with_sums(data: bytes) -> bytes:
    """Correct the check sums of a PNG file; readers stop at a wrong one."""
    made, place = bytearray(data), 8
    while place + 12 <= len(made):
        size = int.from_bytes(made[place : place + 4], "big")
        end = place + 8 + size
        if end + 4 > len(made):
            break
        made[end : end + 4] = zlib.crc32(made[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return bytes(made)
