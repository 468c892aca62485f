"""Number of weights of a recipe's networks, and the memory that their training takes.

The layers of `swapset.generation.autoencoder` are counted without making them, because the
Snakefile asks and must not import torch.
"""

from __future__ import annotations

import itertools
import math

from swapset.config.recipes import TrainingRecipe

DECODER_ATTENTION = (32,)
ENCODER_ATTENTION = (8, 16)
"""Sides of the maps with self-attention, where a recipe has it. Its cost grows with the fourth
power of the side."""
CORRECTIONS = 6
"""Channels by which a decoder of textures corrects each colour: a gain and a residual."""
EXPRESSION_VALUES = 7
"""Numbers that describe an expression, see `swapset.generation.expressions.describe`."""
SQUEEZE = 8
"""Ratio of a self-attention's channels to those of its keys and queries."""
SAMPLES, SHOWN = 3, 4
"""Faces of each subject, and most subjects, in a row of the preview; each is shown three times."""
_BYTES = 4
_COPIES = {True: 3, False: 7}
"""Copies of the weights in a job's memory at its peak, with and without a GPU; measured. With one,
the memory holds a checkpoint: weights and the optimiser's two averages. Without, it also holds the
weights, gradients and averages in use."""
_ON_GPU = 4500
"""MB of a training besides weights and faces, CUDA's part included; measured on an H200."""
_ON_PROCESSOR = 1000
"""MB of a training on a processor besides weights, faces and feature maps."""
_MAPS = 4
"""Feature maps of `width` channels that a processor holds for each face of a step: of the face's
side, and with textures of the input's."""
_TEXTURE_MAPS = 13
"""Maps of full side that a processor holds for each face of a step and each texture; measured."""


def encoder_channels(recipe: TrainingRecipe) -> list[int]:
    """Return the numbers of channels between the encoder's halvings, first the picture's."""
    depth = int(math.log2(recipe.input_side // recipe.smallest_side))
    return [3] + [recipe.width * min(2**level, 8) for level in range(depth)]


def decoder_channels(recipe: TrainingRecipe) -> list[int]:
    """Return the numbers of channels between the decoder's doublings, last the head's input."""
    depth = int(math.log2(recipe.resolution // (2 * recipe.smallest_side)))
    width = recipe.width
    growing = [max(width // 2, min(4 * width, width // 2 * 2**k)) for k in range(depth)]
    return [4 * width, *growing[::-1]]


def upscalings(recipe: TrainingRecipe) -> int:
    """Return the number of doublings in a decoder; of textures: in what all decoders share."""
    side = recipe.resolution if recipe.decoder == "convolutional" else recipe.motion_side
    return int(math.log2(side // (2 * recipe.smallest_side)))


def texture_side(recipe: TrainingRecipe) -> int:
    """Return the side of a texture: that of the face and a margin, from which pixels move in."""
    return recipe.resolution * 9 // 8


def encoder_weights(recipe: TrainingRecipe) -> int:
    """Return the number of weights of the encoder."""
    channels, area = encoder_channels(recipe), recipe.smallest_side**2
    count = 0
    for level, (inputs, outputs) in enumerate(itertools.pairwise(channels)):
        count += _convolution(inputs, outputs, recipe.kernel)
        if recipe.attention and recipe.input_side >> (level + 1) in ENCODER_ATTENTION:
            count += _attention(outputs)
    spread = 8 * recipe.width * area
    count += _convolution(channels[-1] * area, recipe.code) + _convolution(recipe.code, spread)
    count += _convolution(8 * recipe.width, 16 * recipe.width, 3)
    if recipe.decoder == "convolutional":
        return count
    shared = decoder_channels(recipe)[upscalings(recipe)]
    return count + _upscaling_weights(recipe) + _convolution(shared, 3 * recipe.textures, 3)


def decoder_weights(recipe: TrainingRecipe) -> int:
    """Return the number of weights of one subject's decoder."""
    channels = decoder_channels(recipe)[upscalings(recipe)]
    masks = recipe.learned_mask != "none"
    if recipe.decoder == "convolutional":
        head = _convolution(channels, 3 + masks, recipe.kernel)
        return _upscaling_weights(recipe) + head
    pictures = 3 * recipe.textures * texture_side(recipe) ** 2
    return pictures + _convolution(channels, CORRECTIONS + masks, 3)


def _upscaling_weights(recipe: TrainingRecipe) -> int:
    """Return the number of weights of the doublings."""
    channels, start = decoder_channels(recipe), 2 * recipe.smallest_side
    count = 0
    for level in range(upscalings(recipe)):
        inputs, outputs = channels[level : level + 2]
        count += _convolution(inputs, 4 * outputs, 3)
        if recipe.residual:
            count += 2 * _convolution(outputs, outputs, 3)
        if recipe.attention and start << (level + 1) in DECODER_ATTENTION:
            count += _attention(outputs)
    return count


def weights(recipe: TrainingRecipe, subjects: int) -> int:
    """Return the number of weights of a model with this number of subjects."""
    return encoder_weights(recipe) + subjects * decoder_weights(recipe)


def training_memory(
    recipe: TrainingRecipe, *, subjects: int, faces: float, rows: int, on_gpu: bool
) -> int:
    """Return the peak memory of a training's process, in MB.

    Parameters
    ----------
    recipe : TrainingRecipe
    subjects : int
        Number of the model's subjects.
    faces : float
        Bytes of all stored faces; memory holds them as read, as trained on, and in smaller sizes
        for small inputs and for the first steps of `coarse_first`.
    rows : int
        Rows of the preview; memory holds them three times, once as the encoded file.
    on_gpu : bool
        Whether networks and optimiser live in a GPU's memory.
    """
    networks = _COPIES[on_gpu] * _BYTES * weights(recipe, subjects)
    maps = _BYTES * 2 * recipe.batch * _values(recipe)
    start = _ON_GPU if on_gpu else _ON_PROCESSOR + math.ceil(maps / 1e6)
    shown = 3 * SAMPLES * min(subjects, SHOWN) * 3 * recipe.resolution**2
    stored = faces * (2 + _smaller(recipe))
    return start + math.ceil((networks + stored + 3 * rows * shown) / 1e6)


def _values(recipe: TrainingRecipe) -> int:
    """Return the values that a processor holds for each face of a step."""
    layers, pixels = _MAPS * recipe.width, recipe.resolution**2
    if recipe.decoder == "convolutional":
        return layers * pixels
    return layers * recipe.input_side**2 + _TEXTURE_MAPS * recipe.textures * pixels


def _smaller(recipe: TrainingRecipe) -> float:
    """Return the bytes of faces in smaller sizes, as a share of those that are trained on."""
    sides = {recipe.input_side, *([recipe.resolution // 2] if recipe.coarse_first else [])}
    return sum((side / recipe.resolution) ** 2 for side in sides if side < recipe.resolution)


def _convolution(inputs: int, outputs: int, kernel: int = 1) -> int:
    return outputs * (inputs * kernel**2 + 1)


def _attention(channels: int) -> int:
    narrow = max(1, channels // SQUEEZE)
    return 2 * _convolution(channels, narrow) + _convolution(channels, channels) + 1
