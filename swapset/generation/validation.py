"""Held-out faces: they show whether a training still improves."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from swapset.config.recipes import TrainingRecipe
from swapset.generation.augment import plain_batch
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.bank import FaceBank
from swapset.generation.losses import Reconstruction, l1

HELD_OUT_SHARE = 1 / 16
"""Share of each subject's faces that is held out: the last ones of the last clip."""
MOST_FACES = 16
"""Most faces of a subject that a look measures, spread evenly over those held out."""


def hold_out(banks: Mapping[str, FaceBank]) -> tuple[dict[str, FaceBank], dict[str, FaceBank]]:
    """Split each subject's faces into those to learn from and those held out.

    Neighbouring frames are nearly the same picture, so the held-out faces are consecutive ones at
    the end. A subject with a single face has it in both parts.
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

    Faces are neither warped nor recoloured. The caller sets the precision.

    Parameters
    ----------
    model : SwapAutoencoder
    held_out : mapping of str to FaceBank
        The faces by the subject whose decoder reconstructs them.
    recipe : TrainingRecipe
    """
    losses = {}
    for subject, bank in held_out.items():
        index = torch.linspace(0, len(bank) - 1, min(MOST_FACES, len(bank))).round().long()
        index = index.to(bank.faces.device)
        batch = plain_batch(bank, index, recipe.resolution, recipe.input_side)
        output = model(batch.warped.contiguous(memory_format=torch.channels_last), subject)
        losses[subject] = l1(Reconstruction.from_output(recipe, output, batch))
    return {subject: float(loss) for subject, loss in losses.items()}


def most_similar_decoder(model: SwapAutoencoder, bank: FaceBank, recipe: TrainingRecipe) -> str:
    """Return the subject of a model whose decoder reconstructs other faces best.

    Parameters
    ----------
    model : SwapAutoencoder
    bank : FaceBank
        The faces, usually of somebody whom the model does not know.
    recipe : TrainingRecipe
    """
    everyone = dict.fromkeys(model.decoders, bank)
    losses = validation_losses(model, everyone, recipe)
    return min(losses, key=losses.__getitem__)
