"""Faces that a training does not see, to find out whether it still learns."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from swapset.config.recipes import TrainingRecipe
from swapset.generation.augment import FaceBank, plain_batch
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.losses import Reconstruction, l1

HELD_OUT_SHARE = 1 / 16
"""Of each subject's faces are held out: the last ones of the last clip."""
MOST_FACES = 16
"""Most faces of a subject that are looked at, evenly over those held out."""


def hold_out(banks: Mapping[str, FaceBank]) -> tuple[dict[str, FaceBank], dict[str, FaceBank]]:
    """Return the faces to learn from, and those held out.

    Neighbouring frames are nearly the same picture, so the held-out ones are one run at the end.
    A subject with a single face learns from it all the same.
    """
    learnt, held = {}, {}
    for subject, bank in banks.items():
        count = max(1, round(HELD_OUT_SHARE * len(bank)))
        rest = max(1, len(bank) - count)
        learnt[subject] = bank.part(slice(0, rest))
        held[subject] = bank.part(slice(len(bank) - count, len(bank)))
    return learnt, held


@torch.inference_mode()
def validation_losses(
    model: SwapAutoencoder, held_out: Mapping[str, FaceBank], recipe: TrainingRecipe
) -> dict[str, float]:
    """Return each subject's L1 between held-out faces and their reconstructions.

    In the caller's precision. Faces go in unwarped, with their own colours.
    """
    losses = {}
    for subject, bank in held_out.items():
        index = torch.linspace(0, len(bank) - 1, min(MOST_FACES, len(bank))).round().long()
        index = index.to(bank.faces.device)
        batch = plain_batch(bank, index, recipe.resolution, recipe.input_side)
        made = model(batch.warped.contiguous(memory_format=torch.channels_last), subject)
        losses[subject] = l1(Reconstruction.from_output(recipe, made, batch))
    return {subject: float(loss) for subject, loss in losses.items()}


def most_similar_decoder(model: SwapAutoencoder, bank: FaceBank, recipe: TrainingRecipe) -> str:
    """Return the subject of a model whose decoder makes someone else's faces best."""
    everyone = dict.fromkeys(model.decoders, bank)
    losses = validation_losses(model, everyone, recipe)
    return min(losses, key=losses.__getitem__)
