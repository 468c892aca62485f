"""Frames of the dataset's videos: contact sheets, and methods side by side."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from swapset.build.figures import describe, differ_in_size_only
from swapset.config.recipes import Recipe
from swapset.report.figures.finished import (
    Fake,
    FinishedBuild,
    evenly,
    frame_at,
    spread_over_targets,
    zoom,
)
from swapset.report.figures.sheet import Panel, Sheet, compose, message
from swapset.types import Image

TARGETS, DONORS = 6, 5
"""Largest number of rows of a contact sheet, and of fakes in a row, as in figure 4.4."""
EXAMPLES = 4
"""Largest number of rows of a comparison."""
_ACROSS = DONORS + 1


def contact_sheet(build: FinishedBuild, method: str) -> Image:
    """Draw figure 4.4 for a method: real frames, and the same frames with other people's faces.

    Each target is shown by one frame of one clip. Where clips have few fakes, several targets share
    a row of the sheet.

    Parameters
    ----------
    build : FinishedBuild
    method : str

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    title = f"{method}: real frames and their fakes"
    targets = dict.fromkeys(fake.target for fake in build.fakes_by([method]))
    shown = (_strip(build, method, target) for target in evenly(list(targets), TARGETS))
    strips = [strip for strip in shown if strip]
    if not strips:
        return message(f"No fake was made by {method}.", title)
    # All strips are padded to the longest one, so that real frames stand in columns.
    longest = max(map(len, strips))
    beside = max(1, _ACROSS // longest)
    # Put fewer strips side by side if the number of rows stays: the last row is then fuller.
    beside = math.ceil(len(strips) / math.ceil(len(strips) / beside))
    padded = [strip + [Panel(None)] * (longest - len(strip)) for strip in strips]
    rows = [list(itertools.chain(*padded[k : k + beside])) for k in range(0, len(padded), beside)]
    height, width = max(p.image.shape[:2] for s in strips for p in s if p.image is not None)
    heads = (["real"] + ["fake"] * (longest - 1)) * len(padded[:beside])
    return compose(
        Sheet(
            title,
            rows,
            (round(220 * width / height), 220),
            columns=heads,
            note="The left picture is a frame of the real video; to its right the same frame of "
            "the fakes made of it, each with the face of another donor (as figure 4.4 of the "
            "chapter).",
        )
    )


def _strip(build: FinishedBuild, method: str, target: str) -> list[Panel]:
    """Return a frame of a target and of its fakes; empty if no frame is swapped in all of them."""
    by_clip: dict[str, list[Fake]] = {}
    for fake in build.fakes_by([method]):
        if fake.target == target:
            by_clip.setdefault(fake.clip, []).append(fake)
    clip, fakes = max(by_clip.items(), key=lambda item: len(item[1]))
    fakes = evenly(fakes, DONORS)
    index = build.middle_frame({method: fakes})
    if index is None:
        return []
    real = Panel(frame_at(build.video("real", clip), index), f"{clip}, frame {index}")
    return [
        real,
        *(
            Panel(frame_at(build.video(method, fake.name), index), f"donor {fake.donor}")
            for fake in fakes
        ),
    ]


def comparison(
    build: FinishedBuild,
    methods: Sequence[str],
    recipes: Mapping[str, Recipe],
    *,
    title: str,
    note: str,
    side: int = 232,
    examples: int = EXAMPLES,
) -> Image:
    """Draw the same frames by several methods, zoomed to the face, the real frame first.

    Parameters
    ----------
    build : FinishedBuild
    methods : sequence of str
        The methods, one column each.
    recipes : mapping of str to Recipe
        Recipe of each method, described in the head of its column.
    title, note : str
        Texts above and below the pictures.
    side : int
        Side of a picture in pixels.
    examples : int
        Largest number of rows.

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    rows, labels = [], []
    for fake in spread_over_targets(build.fakes_by(methods), examples):
        index = build.middle_frame({method: [fake] for method in methods})
        if index is None:
            continue
        points = build.landmarks(fake.clip).smooth[index]
        videos = [build.video("real", fake.clip)]
        videos += [build.video(method, fake.name) for method in methods]
        rows.append([Panel(zoom(frame_at(video, index), points, side)) for video in videos])
        labels.append(f"{fake.clip}\nframe {index}\ndonor {fake.donor}")
    if not rows:
        return message(f"No fake was made by all of {', '.join(methods)}.", title)
    heads = ["real frame", *("\n".join([name, *describe(recipes[name])]) for name in methods)]
    return compose(Sheet(title, rows, (side, side), _level(heads), labels, note))


def _level(heads: Sequence[str]) -> list[str]:
    """Pad heads to the same number of lines, so that their first lines stand level."""
    most = max(head.count("\n") for head in heads)
    return [head + "\n" * (most - head.count("\n")) for head in heads]


def methods_figure(
    build: FinishedBuild, methods: Sequence[str], recipes: Mapping[str, Recipe]
) -> Image:
    """Draw the same frames by every method.

    Parameters
    ----------
    build : FinishedBuild
    methods : sequence of str
    recipes : mapping of str to Recipe
        Recipe of each method.

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    return comparison(
        build,
        methods,
        recipes,
        title="The same frames by every method",
        note="Frames of the dataset's videos as encoded, cut around the face. Under a method's "
        "name: size of the synthesised face, colour correction, mask, landmarks over time.",
        side=232 if len(methods) < 5 else 200,
    )


def resolution_figure(
    build: FinishedBuild, methods: Sequence[str], recipes: Mapping[str, Recipe]
) -> Image:
    """Draw figure 4.5: synthesised faces of different sizes, if possible with all else equal.

    Parameters
    ----------
    build : FinishedBuild
    methods : sequence of str
    recipes : mapping of str to Recipe
        Recipe of each method.

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    if differ_in_size_only(methods, recipes):
        note = (
            "Methods that differ in the size of the synthesised face, and what the network needs "
        )
        note += "for it, only (as figure 4.5 of the chapter)."
    else:
        note = "Methods with synthesised faces of different sizes, as figure 4.5 of the chapter. "
        note += "They differ in other things too: for the size alone see config/ablation.yaml."
    return comparison(
        build,
        methods,
        recipes,
        title="Size of the synthesised face",
        note=note,
        side=320,
        examples=2,
    )


def colour_figure(
    build: FinishedBuild, methods: Sequence[str], recipes: Mapping[str, Recipe]
) -> Image:
    """Draw figure 4.6: fakes without and with colour correction, all else equal.

    Parameters
    ----------
    build : FinishedBuild
    methods : sequence of str
        Methods that differ in colour correction alone.
    recipes : mapping of str to Recipe
        Recipe of each method.

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    return comparison(
        build,
        methods,
        recipes,
        title="Without and with colour correction",
        note="Methods that differ in colour correction only: augmentation perturbs the colours of "
        "the training faces, transfer matches the swapped face to the target's (as figure 4.6 of "
        "the chapter).",
        side=320,
        examples=2,
    )
