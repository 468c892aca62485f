"""Doubts about a file of published weights that only its name raises. Imports nothing heavy."""

from __future__ import annotations

import re
from pathlib import Path

_TRAINED_ON = {
    "Xception-raw": ("raw", "c0"),
    "Xception-c23": ("c23",),
    "Xception-c40": ("c40",),
}
_COMPRESSION = re.compile(r"(?<![a-z0-9])(raw|c0|c23|c40)(?![a-z0-9])", re.IGNORECASE)


def doubt(detector: str, path: Path) -> str:
    """Return why a file may be the wrong one for a detector, in a sentence; "" for no doubt.

    FaceForensics publishes each Xception twice: trained on whole images (`full_c23.p`) and on
    faces (`all_c23.p`). Names, shapes and numbers of tensors are alike, so both load, and only the
    name of the file tells them apart.

    Parameters
    ----------
    detector : str
    path : Path
        The file of weights.
    """
    if detector not in _TRAINED_ON:
        return ""
    folders = [part.lower() for part in path.parts[-3:-1]]
    if path.name.lower().startswith("full_") or folders == ["full", "xception"]:
        return (
            f"{path}: by its name, this Xception was trained on whole images, and here it sees "
            "faces: its scores would mean nothing; give the one of FaceForensics' folder "
            "face_detection/xception (all_raw.p, all_c23.p, all_c40.p; docs/weights.md)"
        )
    named = [name.lower() for name in _COMPRESSION.findall(path.stem.replace("_", "-"))]
    if named and not set(named) & set(_TRAINED_ON[detector]):
        return (
            f"{path}: by its name, this Xception was trained on {named[0]} videos, and "
            f"{detector} stands for {_TRAINED_ON[detector][0]} ones; give the file of that name"
        )
    return ""
