"""Figures 4.6 and 4.7: frames synthesised again with one setting changed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from swapset.build.figures import mask_rows
from swapset.config.methods import synthesis_of
from swapset.config.recipes import Recipe, SynthesisRecipe
from swapset.dataset.selection import pair_name
from swapset.errors import DataError
from swapset.faces.align import crop_corners, warp_crop
from swapset.faces.masks import render_mask
from swapset.generation.blend import FaceMask, paste
from swapset.generation.checkpoint import TrainedPair, load_model
from swapset.generation.synthesis import Synthesiser
from swapset.media.decode import frames
from swapset.report.figures.finished import Fake, FinishedBuild, spread_over_targets, zoom
from swapset.report.figures.sheet import Panel, Sheet, compose, message
from swapset.types import Floats32, Image

SIDE = 300
EXAMPLES = 2
"""Largest number of rows of figure 4.6."""
_TITLE = "Masks and what they leave visible"


@dataclass(frozen=True)
class MaskSteps:
    """A frame and the three columns of figure 4.7, all of the frame's size.

    Attributes
    ----------
    frame : (H, W, 3) uint8, RGB
        The target's frame.
    overlay : (H, W, 3) uint8, RGB
        The whole synthesised face, warped back over the target's.
    mask : (H, W) float32 in [0, 1]
        The blending mask.
    result : (H, W, 3) uint8, RGB
        The finished frame, before encoding.
    """

    frame: Image
    overlay: Image
    mask: Floats32
    result: Image


def mask_steps(
    pictures: Sequence[Image],
    landmarks: npt.NDArray[np.floating],
    chosen: int,
    synthesiser: Synthesiser,
) -> MaskSteps:
    """Swap one frame and return the intermediate steps.

    Parameters
    ----------
    pictures : sequence of (H, W, 3) uint8, RGB
        The frame's whole batch: other frames of the batch may change the frame's last bit.
    landmarks : (n, 68, 2) float
        Landmarks of these frames, x and y in pixels.
    chosen : int
        Place of the shown frame in the batch.
    synthesiser : Synthesiser

    Raises
    ------
    DataError
        If the frame has no face.
    """
    swapped = list(synthesiser.swap(pictures, landmarks))
    result, label = swapped[chosen]
    if label.transform is None or label.outline is None:
        raise DataError(f"frame {chosen} has no face to swap")
    frame = pictures[chosen]
    matrix, side = label.transform, synthesiser.trained.recipe.resolution
    crop = warp_crop(frame, matrix, side)
    synthesised = synthesiser.synthesise(crop[None])[0]
    mask = FaceMask(label.outline, label.feather)
    face = synthesiser.match_colours(synthesised, crop, matrix, mask)
    whole = paste(frame, face, matrix, FaceMask(crop_corners(matrix, side), 0.0))
    return MaskSteps(
        frame,
        frame if whole is None else whole,
        render_mask(mask.outline, frame.shape[:2], mask.feather),
        result,
    )


@dataclass(frozen=True)
class Models:
    """Models by which the fakes of a build were made.

    Attributes
    ----------
    owners : mapping of str to str
        The recipe whose models a method uses.
    shared : bool
        True: a recipe has one model of all subjects instead of one for each pair.
    precision : {"auto", "fp32", "bf16"}
        Precision with which the fakes were made.
    """

    owners: Mapping[str, str]
    shared: bool
    precision: str

    def load(self, build: FinishedBuild, method: str, fake: Fake) -> TrainedPair:
        """Load the model that made a fake.

        Parameters
        ----------
        build : FinishedBuild
        method : str
        fake : Fake

        Returns
        -------
        TrainedPair
            On the CPU.
        """
        name = "all" if self.shared else pair_name(fake.target, fake.donor)
        return load_model(build.model(self.owners[method], name), torch.device("cpu"))


def colour_steps_figure(build: FinishedBuild, method: str, recipe: Recipe, models: Models) -> Image:
    """Draw figure 4.6 with one method's models: its swaps without and with colour transfer.

    If the method itself has no colour transfer, the figure uses Reinhard's.

    Parameters
    ----------
    build : FinishedBuild
    method : str
    recipe : Recipe
        The method's recipe.
    models : Models

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    kind = "reinhard" if recipe.colour_transfer == "none" else recipe.colour_transfer
    rows, labels = [], []
    for fake in spread_over_targets(build.fakes_by([method]), EXAMPLES):
        index = build.middle_frame({method: [fake]})
        if index is None:
            continue
        pair = models.load(build, method, fake)
        points = build.landmarks(fake.clip).chosen(recipe.smoothing)
        results = []
        for colours in ("none", kind):
            changed = synthesis_of(recipe).model_copy(update={"colour_transfer": colours})
            steps = steps_of_frame(
                build.source(fake.clip),
                points,
                index,
                pair,
                fake.donor,
                changed,
                models.precision,
            )
            results.append(steps.result)
        shown = [steps.frame, *results]
        rows.append([Panel(zoom(picture, points[index], SIDE)) for picture in shown])
        labels.append(f"{fake.clip}\nframe {index}\ndonor {fake.donor}")
    title = "Without and with colour transfer"
    if not rows:
        return message(f"No face was swapped by {method}.", title)
    note = (
        f"Frames before encoding, by the models of {models.owners[method]}, all else as {method} "
        f"does it. With: {kind} (as figure 4.6 of the chapter)."
    )
    return compose(
        Sheet(title, rows, (SIDE, SIDE), ["real frame", "without", "with"], labels, note)
    )


def masks_figure(
    build: FinishedBuild, methods: Sequence[str], recipes: Mapping[str, Recipe], models: Models
) -> Image:
    """Draw figure 4.7 for the first fake of the first method.

    Parameters
    ----------
    build : FinishedBuild
    methods : sequence of str
    recipes : mapping of str to Recipe
        Recipe of each method.
    models : Models

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    first = methods[0]
    fakes = build.fakes_by([first])
    index = build.middle_frame({first: fakes[:1]}) if fakes else None
    if index is None:
        return message(f"No face was swapped by {first}.", _TITLE)
    fake = fakes[0]
    pair = models.load(build, first, fake)
    landmarks = build.landmarks(fake.clip)
    rows, labels = [], []
    for kind, method, recipe in mask_rows(methods, recipes, models.owners):
        points = landmarks.chosen(recipe.smoothing)
        steps = steps_of_frame(
            build.source(fake.clip), points, index, pair, fake.donor, recipe, models.precision
        )
        rows.append(_row(steps, points[index]))
        labels.append(f"{kind}\n" + (f"as by\n{method}" if method else f"{first}\nwith this mask"))
    return compose(
        Sheet(
            _TITLE,
            rows,
            (SIDE, SIDE),
            ["real frame", "(a) synthesised face", "(b) mask", "(c) result"],
            labels,
            f"{fake.clip}, frame {index}, donor {fake.donor}, by {models.owners[first]}'s model. "
            "(a) the whole synthesised face warped back over the target's, its colours matched "
            "inside the row's mask if the method does so, (b) the blending mask (white: "
            "synthesised), (c) the final frame before encoding (as figure 4.7 of the chapter).",
        )
    )


def steps_of_frame(
    clip: Path,
    landmarks: npt.NDArray[np.floating],
    index: int,
    pair: TrainedPair,
    donor: str,
    recipe: SynthesisRecipe,
    precision: str,
) -> MaskSteps:
    """Swap frame `index` of a clip, in the same batch as for its fake, and return the steps.

    Parameters
    ----------
    clip : Path
    landmarks : (n, 68, 2) float
        Landmarks of all frames of the clip, x and y in pixels; NaN where there is no face.
    index : int
        Number of the frame, from 0.
    pair : TrainedPair
    donor : str
    recipe : SynthesisRecipe
    precision : {"auto", "fp32", "bf16"}

    Returns
    -------
    MaskSteps
        Pictures of (H, W, 3) uint8, RGB.

    Raises
    ------
    DataError
        If the frame has no face.
    """
    synthesiser = Synthesiser(pair, donor, recipe, torch.device("cpu"), precision=precision)
    start = index - index % synthesiser.batch
    stop = min(start + synthesiser.batch, len(landmarks))
    pictures = list(itertools.islice(frames(clip), start, stop))
    return mask_steps(pictures, landmarks[start:stop], index - start, synthesiser)


def _row(steps: MaskSteps, points: npt.NDArray[np.floating]) -> list[Panel]:
    grey = cv2.cvtColor((steps.mask * 255).round().astype(np.uint8), cv2.COLOR_GRAY2RGB)
    shown = [steps.frame, steps.overlay, np.asarray(grey, np.uint8), steps.result]
    return [Panel(zoom(picture, points, SIDE, context=1.75)) for picture in shown]
