"""Face-swap autoencoder: one shared encoder and one decoder per subject.

Section 4.2.1 of the chapter; the blocks are those of the open-source "basic DeepFake maker"
(github.com/deepfakes/faceswap, "original" model): strided 5x5 convolutions, a dense bottleneck,
and pixel-shuffle upscaling. Higher resolutions add layers (section 4.3.1); a recipe may add
residual blocks, self-attention and a mask beside the face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from swapset.config.recipes import TrainingRecipe
from swapset.generation.blocks import Down, Head, SelfAttention, Up, init_weights, upscaling
from swapset.generation.size import ENCODER_ATTENTION, decoder_channels, encoder_channels
from swapset.generation.textures import Motion, TextureDecoder


class Encoder(nn.Module):
    """Encoder that all subjects share; by training, its features carry no identity.

    W is the recipe's width, S its smallest side. For decoders of textures, the features say where
    textures move and how they mix, see `swapset.generation.textures`.

    Parameters
    ----------
    recipe : TrainingRecipe
    """

    def __init__(self, recipe: TrainingRecipe):
        super().__init__()
        self.side = recipe.smallest_side
        channels = encoder_channels(recipe)
        layers: list[nn.Module] = []
        for level in range(len(channels) - 1):
            layers.append(Down(channels[level], channels[level + 1], recipe.kernel))
            if recipe.attention and recipe.input_side >> (level + 1) in ENCODER_ATTENTION:
                layers.append(SelfAttention(channels[level + 1]))
        self.downs = nn.Sequential(*layers)
        flat = channels[-1] * self.side**2
        self.code = nn.Linear(flat, recipe.code)
        self.spread = nn.Linear(recipe.code, 8 * recipe.width * self.side**2)
        self.up = Up(8 * recipe.width, 4 * recipe.width)
        self.motion = Motion(recipe) if recipe.decoder == "textures" else None

    def forward(self, faces: Tensor) -> Tensor:
        """Return features of faces (B, 3, I, I) float32 in [0, 1], RGB.

        They are (B, 4W, 2S, 2S) float32; of textures, those of `Motion`.
        """
        code = self.code(self.downs(faces).flatten(1))
        features = self.up(self.spread(code).unflatten(1, (-1, self.side, self.side)))
        return features if self.motion is None else self.motion(features)


class Decoder(nn.Module):
    """Decoder of one subject's faces.

    Parameters
    ----------
    recipe : TrainingRecipe
    """

    def __init__(self, recipe: TrainingRecipe):
        super().__init__()
        channels = decoder_channels(recipe)[-1]
        self.ups = upscaling(recipe)
        self.to_rgb = Head(channels, 3, recipe.kernel)
        masks = recipe.learned_mask != "none"
        self.to_mask = Head(channels, 1, recipe.kernel) if masks else None

    def forward(self, features: Tensor) -> Tensor:
        """Return faces (B, 3 or 4, R, R) float32 in [0, 1] from features (B, 4W, 2S, 2S) float32.

        RGB; the fourth channel is the mask, where the recipe learns one.
        """
        features = self.ups(features)
        logits = self.to_rgb(features)
        if self.to_mask is not None:
            logits = torch.cat([logits, self.to_mask(features)], dim=1)
        return torch.sigmoid(logits.float())


def _init_autoencoder(module: nn.Module) -> None:
    init_weights(module)
    if isinstance(module, Decoder):
        for head in filter(None, (module.to_rgb, module.to_mask)):
            nn.init.xavier_uniform_(head.weight, gain=0.5)
    elif isinstance(module, Motion | TextureDecoder):
        module.init_head()


class SwapAutoencoder(nn.Module):
    """One encoder, and a decoder for each subject.

    Parameters
    ----------
    recipe : TrainingRecipe
    subjects : sequence of str
        Names of the subjects; the keys of `decoders`.
    """

    def __init__(self, recipe: TrainingRecipe, subjects: Sequence[str]):
        super().__init__()
        self.encoder = Encoder(recipe)
        kind = Decoder if recipe.decoder == "convolutional" else TextureDecoder
        self.decoders = nn.ModuleDict({subject: kind(recipe) for subject in subjects})
        self.apply(_init_autoencoder)

    def forward(self, faces: Tensor, subject: str) -> Tensor:
        """Reconstruct faces with one subject's decoder.

        Parameters
        ----------
        faces : (B, 3, I, I) float32 in [0, 1], RGB
        subject : str

        Returns
        -------
        (B, 3, R, R) float32 in [0, 1]
            RGB; (B, 4, R, R) with the mask as the last channel where the recipe learns one.

        Raises
        ------
        KeyError
            If the model has no decoder of the subject.
        """
        return self.decoders[subject](self.encoder(faces))

    def reconstruct(self, faces: dict[str, Tensor], *, coarse: bool = False) -> dict[str, Tensor]:
        """Encode all subjects' faces in one batch; decode each subject's with its own decoder.

        Parameters
        ----------
        faces : dict of str to (B, 3, I, I) float32 in [0, 1], RGB
            By subject.
        coarse : bool
            Decode faces of half the side; only decoders of textures can.

        Returns
        -------
        dict of str to (B, 3 or 4, R, R) float32 in [0, 1]
            See `forward`.
        """
        more = {"coarse": True} if coarse else {}
        features = self.encoder(torch.cat(list(faces.values())))
        parts = features.split([len(batch) for batch in faces.values()])
        return {
            subject: self.decoders[subject](part, **more)
            for subject, part in zip(faces, parts, strict=True)
        }

    def expressions(self) -> Tensor | None:
        """Return the centres of the textures' expressions, (K, 7) float32, if there are any."""
        return None if self.encoder.motion is None else self.encoder.motion.centres

    def start_textures(self, centres: Tensor, pictures: Mapping[str, Tensor]) -> None:
        """Start each subject's textures as pictures of its faces around each centre.

        Parameters
        ----------
        centres : (K, 7) float32
            See `swapset.generation.expressions.group_centres`.
        pictures : mapping of str to (K, 3, T, T) float32 in [0, 1], RGB
            By subject, see `swapset.generation.expressions.mean_faces`.
        """
        if self.encoder.motion is not None:
            self.encoder.motion.centres.copy_(centres)
        for subject, part in pictures.items():
            decoder = self.decoders[subject]
            if isinstance(decoder, TextureDecoder):
                decoder.start(part)

    def textures(self) -> list[nn.Parameter]:
        """Return the textures of all decoders, if they are decoders of textures."""
        decoders = self.decoders.values()
        return [each.textures for each in decoders if isinstance(each, TextureDecoder)]

    def placed(self, device: torch.device) -> SwapAutoencoder:
        """Move the model to `device`, its weights in channels_last order; return it."""
        self.to(device)
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def copy_weights(self, other: SwapAutoencoder, decoders: dict[str, str]) -> None:
        """Copy the weights of another model with the same layers.

        Parameters
        ----------
        other : SwapAutoencoder
        decoders : dict of str to str
            For each subject here, the subject of `other` whose decoder is copied; its textures
            only if it is the same subject.
        """
        self.encoder.load_state_dict(other.encoder.state_dict())
        for subject, source in decoders.items():
            weights = other.decoders[source].state_dict()
            if subject != source:
                weights.pop("textures", None)
            self.decoders[subject].load_state_dict(weights, strict=subject == source)


def composite(output: Tensor, faces: Tensor) -> Tensor:
    """Blend decoded faces over the network's input by their mask, if they have one.

    Parameters
    ----------
    output : (B, 3 or 4, R, R) float32 in [0, 1], RGB and mask
        A decoder's output.
    faces : (B, 3, I, I) float32 in [0, 1], RGB
        The input, of any side.

    Returns
    -------
    (B, 3, R, R) float32 in [0, 1], RGB
    """
    if output.shape[1] == 3:
        return output
    below = resized(faces, output.shape[-1])
    return below + output[:, 3:] * (output[:, :3] - below)


def resized(faces: Tensor, side: int) -> Tensor:
    """Return faces (B, C, H, H), float32 or another floating dtype, scaled to (B, C, side, side).

    By linear interpolation, with antialiasing where they shrink.
    """
    if faces.shape[-1] == side:
        return faces
    shrinks = faces.shape[-1] > side
    return nn.functional.interpolate(
        faces, size=(side, side), mode="bilinear", align_corners=False, antialias=shrinks
    )
