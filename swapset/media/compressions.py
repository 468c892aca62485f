"""The compressions in which every video is stored, and their H.264 quality (crf)."""

from __future__ import annotations

from typing import Literal, get_args

Compression = Literal["original", "c23", "c40"]
COMPRESSIONS: tuple[Compression, ...] = get_args(Compression)
"""The best one first."""

CRF: dict[str, int] = {"c23": 23, "c40": 40}
