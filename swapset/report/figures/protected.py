"""Swaps by models that were trained on protected clips, and the faces of the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from swapset.dataset.labels import read_labels
from swapset.faces.prepare import ClipLandmarks, load_faces
from swapset.obstruction.attacks.registry import CLEAN, DONOR
from swapset.report.figures.finished import evenly, frame_at, zoom
from swapset.report.figures.sheet import Panel, Sheet, compose, message
from swapset.types import Image

SIDE = 240
ACROSS = 3
"""Faces in a row of a panel that shows training faces."""
_TITLE = "Models trained on protected clips"

Part = Mapping[str, Any]
"""Attack, source, method, target, donor and role of some fakes, by these names."""


def protected_figure(root: Path, parts: Sequence[Part]) -> Image:
    """Draw fakes by every model for each protected person, and the faces the models learnt from.

    Parameters
    ----------
    root : Path
        The build's folder.
    parts : sequence of mapping
        All fakes that were measured; see `swapset.build.protected`.

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    groups: dict[tuple[str, str, str], list[Part]] = {}
    for part in parts:
        groups.setdefault((part["role"], part["target"], part["donor"]), []).append(part)
    rows = []
    for (role, target, donor), group in groups.items():
        if role == DONOR:
            rows.append((f"{donor}'s faces\nin training", _faces(root, group)))
        rows.append((f"{target} with\n{donor}'s face", _fakes(root, group)))
    rows = [(label, panels) for label, panels in rows if panels]
    if not rows:
        return message("No model was trained on protected clips.", _TITLE)
    attacks = list(dict.fromkeys(part["attack"] for part in parts))
    heads = ["original\nfaces: by dlib", *(_head(name) for name in attacks)]
    labels, panels = zip(*rows, strict=True)
    return compose(Sheet(_TITLE, panels, (SIDE, SIDE), heads, labels, caption(parts)))


def caption(parts: Sequence[Part]) -> str:
    """Return the caption of the figure."""
    people = list(dict.fromkeys(p["donor"] for p in parts if p["role"] == DONOR))
    names = {key: ", ".join(dict.fromkeys(p[key] for p in parts)) for key in ("source", "method")}
    return (
        f"Clips of {', '.join(people)} got noise against {names['source']}, which then found the "
        f"landmarks that their faces were aligned by; the model of {names['method']} was trained "
        "on these faces (nine are shown) and on clean ones of the other "
        "person. Each column is one model; steps and seed are the same. Swaps into clean frames "
        "use the clean landmarks, swaps into protected frames those that were found."
    )


def _head(attack: str) -> str:
    return "trained on\nclean clips" if attack == CLEAN else f"trained on\nclips with {attack}"


def _folder(root: Path, part: Part) -> Path:
    return root / "obstruction" / "protected" / part["attack"] / part["source"]


def _fakes(root: Path, group: Sequence[Part]) -> list[Panel]:
    """Return the clean frame and the same frame of each fake; empty if none is swapped in all."""
    method, target, donor = (group[0][key] for key in ("method", "target", "donor"))
    for clip in sorted((root / "landmarks" / target).glob("*.npz")):
        fake = f"{target}_{donor}_{clip.stem.partition('_')[2]}"
        points = ClipLandmarks.load(clip).smooth
        shared = np.flatnonzero(np.isfinite(points).all(axis=(1, 2)))
        for part in group:
            labels = _folder(root, part) / "labels" / method / f"{fake}.parquet"
            shared = np.intersect1d(shared, _swapped(labels))
        if len(shared):
            index = int(shared[len(shared) // 2])
            videos = [root / "clips" / target / f"{clip.stem}.mkv"]
            videos += [
                _folder(root, part) / "dataset" / method / "original" / f"{fake}.mp4"
                for part in group
            ]
            return [
                Panel(zoom(frame_at(video, index), points[index], SIDE, context=1.75))
                for video in videos
            ]
    return []


def _swapped(labels: Path) -> npt.NDArray[np.intp]:
    """Return the numbers (n,) of the swapped frames; empty if the fake could not be made."""
    table, _ = read_labels(labels)
    return np.flatnonzero(np.array(table.column("swapped"), bool))


def _faces(root: Path, group: Sequence[Part]) -> list[Panel]:
    """Return panels of the donor's faces: those by dlib's landmarks, then those of each model."""
    panels = []
    for folder in (root, *(_folder(root, part) for part in group)):
        faces = load_faces(folder / "faces" / group[0]["donor"])
        chosen = [faces[k] for k in evenly(range(len(faces)), ACROSS**2)]
        panels.append(Panel(_montage(chosen) if chosen else None))
    return panels if any(panel.image is not None for panel in panels) else []


def _montage(faces: Sequence[Image]) -> Image:
    """Return up to nine faces in rows of three, (SIDE, SIDE, 3) uint8 RGB."""
    side = SIDE // ACROSS
    canvas = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for place, face in enumerate(faces):
        y, x = (side * k for k in divmod(place, ACROSS))
        canvas[y : y + side, x : x + side] = cv2.resize(
            face, (side, side), interpolation=cv2.INTER_AREA
        )
    return canvas
