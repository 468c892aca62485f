"""What a training minimises: a recipe's losses by name, each a function of what was made.

A loss sees one subject's batch as `Reconstruction` and returns a number. `Objective` holds those that a
recipe weighs, with the networks that some of them need.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from swapset.config.recipes import TrainingRecipe
from swapset.faces.dlib_files import EMBEDDER, find_model
from swapset.faces.dlib_resnet import load_face_resnet
from swapset.generation.augment import Batch
from swapset.generation.autoencoder import composite, resized
from swapset.generation.blocks import init_weights
from swapset.generation.critic import MIXUP, Critic, adversarial_loss, critic_loss

_SIDE = 150
# After so many blocks features are compared: the ends of the first three stages.
_DEPTHS = (3, 7, 10)
_WEIGHTS = (0.3, 0.3, 0.4)


class Perceptual:
    """Mean squared difference of normalised features (B, 3, R, R) in [0, 1], RGB.

    Faces are compared by what the first layers of a face recognition network see (J. Johnson et
    al., ECCV 2016). faceswap-GAN takes VGGFace's ResNet-50. This is dlib's network, which is there
    anyway, and only its first stages, far from the embedding that tells people apart.

    Not a module: its weights are no part of a training.
    """

    def __init__(self, device: torch.device):
        network = load_face_resnet(find_model(EMBEDDER, key="track.embedder")).to(device)
        self._stem, self._mean = network.stem.requires_grad_(False), network.mean
        self._blocks = list(network.blocks.requires_grad_(False))[: _DEPTHS[-1]]

    def __call__(self, made: Tensor, target: Tensor) -> Tensor:
        """Compare faces that were made with those that should have been."""
        with torch.no_grad():
            wanted = self._features(target)
        pairs = zip(_WEIGHTS, self._features(made), wanted, strict=True)
        return torch.stack([w * (one - other).square().mean() for w, one, other in pairs]).sum()

    def _features(self, faces: Tensor) -> list[Tensor]:
        pixels = (resized(faces, _SIDE) * 255 - self._mean) / 256
        features = nn.functional.max_pool2d(torch.relu(self._stem(pixels)), 3, 2)
        found = []
        for depth, block in enumerate(self._blocks, start=1):
            features = block(features)
            if depth in _DEPTHS:
                # Instance normalisation, as X. Huang et al., ECCV 2018 (MUNIT), and the original.
                found.append(nn.functional.instance_norm(features.float()))
        return found


_C1, _C2 = 0.01**2, 0.03**2
LEAST_MASK = 0.5
"""Mean of an attention mask below which `mask_size` pulls it up."""


@dataclass(frozen=True)
class Reconstruction:
    """One subject's batch after the decoder.

    Attributes
    ----------
    rgb, target : (B, 3, R, R) in [0, 1]
        The face that was made and the one that should have been.
    warped : (B, 3, R, R)
        What went in, at the size of what comes out.
    mask : (B, 1, R, R) in [0, 1] or None
        The decoder's mask.
    region : (B, 1, R, R) in [0, 1] or None
        The landmarks' hull.
    pixel_weights : (B, 1, R, R) or None
        Where pixels count; None: everywhere.
    """

    rgb: Tensor
    target: Tensor
    warped: Tensor
    mask: Tensor | None = None
    region: Tensor | None = None
    pixel_weights: Tensor | None = None

    @classmethod
    def from_output(cls, recipe: TrainingRecipe, made: Tensor, batch: Batch) -> Reconstruction:
        """Take apart what a decoder of `recipe` made of a batch."""
        return cls(
            rgb=made[:, :3],
            target=batch.target,
            warped=resized(batch.warped, made.shape[-1]),
            mask=made[:, 3:] if made.shape[1] > 3 else None,
            region=batch.region,
            pixel_weights=batch.region if recipe.loss_region == "face" else None,
        )

    @property
    def composited(self) -> Tensor:
        """Return the face laid over the input by its mask, (B, 3, R, R)."""
        if self.mask is None:
            return self.rgb
        return composite(torch.cat([self.rgb, self.mask], dim=1), self.warped)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of (B, C, R, R) values over the pixels that count."""
        if self.pixel_weights is None:
            return values.mean()
        weight = self.pixel_weights.expand_as(values)
        return (values * weight).sum() / weight.sum().clamp_min(1)


def l1(made: Reconstruction) -> Tensor:
    """Return the mean absolute difference."""
    return made.mean((made.rgb - made.target).abs())


def l2(made: Reconstruction) -> Tensor:
    """Return the mean squared difference."""
    return made.mean((made.rgb - made.target).square())


def dssim(made: Reconstruction) -> Tensor:
    """Return (1 - SSIM) / 2 over Gaussian windows (Z. Wang et al., 2004).

    Where only the face counts, both pictures are blacked out elsewhere first, as the original
    tools do. The window's sigma is 1.5 at 128 pixels and grows with the side.
    """
    one, other = made.rgb, made.target
    if made.pixel_weights is not None:
        one, other = one * made.pixel_weights, other * made.pixel_weights
    blur = _Gaussian(1.5 * max(64, one.shape[-1]) / 128, one)
    mean_one, mean_other = blur(one), blur(other)
    product = mean_one * mean_other
    squares = mean_one.square() + mean_other.square()
    spread = blur(one.square() + other.square()) - squares
    shared = blur(one * other) - product
    ssim = (2 * product + _C1) * (2 * shared + _C2) / ((squares + _C1) * (spread + _C2))
    return made.mean((1 - ssim) / 2)


class _Gaussian:
    """A separable Gaussian blur that keeps the size."""

    def __init__(self, sigma: float, like: Tensor):
        self.radius = math.ceil(3 * sigma)
        places = torch.arange(-self.radius, self.radius + 1, device=like.device)
        line = torch.exp(-places.square() / (2 * sigma**2))
        self.line = (line / line.sum()).to(like.dtype)

    def __call__(self, images: Tensor) -> Tensor:
        channels = images.shape[1]
        line = self.line.expand(channels, 1, 1, -1)
        pad = (self.radius,) * 4
        padded = nn.functional.pad(images, pad, mode="reflect")
        across = nn.functional.conv2d(padded, line, groups=channels)
        return nn.functional.conv2d(across, line.mT, groups=channels)


def _slopes(images: Tensor) -> tuple[Tensor, Tensor]:
    return images.diff(dim=2), images.diff(dim=3)


def edge(made: Reconstruction) -> Tensor:
    """Return the mean absolute difference of horizontal and vertical slopes."""
    pairs = zip(_slopes(made.rgb), _slopes(made.target), strict=True)
    return torch.stack([(one - other).abs().mean() for one, other in pairs]).sum()


def _there(part: Tensor | None) -> Tensor:
    """Return a part that a recipe with this loss always has."""
    if part is None:
        raise ValueError("this loss needs the decoder's mask and the landmarks' hull")
    return part


def mask(made: Reconstruction) -> Tensor:
    """Return the mean squared difference between the mask and the landmarks' hull."""
    return (_there(made.mask) - _there(made.region)).square().mean()


def mask_size(made: Reconstruction) -> Tensor:
    """Return how much an attention mask is below `LEAST_MASK`: taking nothing must not pay."""
    return (LEAST_MASK - _there(made.mask)).clamp_min(0).mean()


def mask_edge(made: Reconstruction) -> Tensor:
    """Return the total variation of the mask, per pixel."""
    return torch.stack([slope.abs().mean() for slope in _slopes(_there(made.mask))]).sum()


LOSSES: dict[str, Callable[[Reconstruction], Tensor]] = {
    "l1": l1,
    "l2": l2,
    "dssim": dssim,
    "edge": edge,
    "mask": mask,
    "mask_size": mask_size,
    "mask_edge": mask_edge,
}
"""Losses that need no network."""


class Objective(nn.Module):
    """The weighted sum of a recipe's losses, and the critics that learn beside.

    Parameters
    ----------
    recipe : TrainingRecipe
    subjects : sequence of str
        Each has a critic of its own, if the recipe weighs `adversarial`.
    device : torch.device
    bf16 : bool
        Whether critics and the perceptual network run in bf16.
    """

    def __init__(
        self, recipe: TrainingRecipe, subjects: Sequence[str], device: torch.device, *, bf16: bool
    ):
        super().__init__()
        self.recipe, self.device, self.bf16 = recipe, device, bf16
        adversarial = "adversarial" in recipe.losses
        self.critics = nn.ModuleDict({s: Critic(recipe) for s in subjects if adversarial})
        self.critics.apply(init_weights)
        self._perceptual = Perceptual(device) if "perceptual" in recipe.losses else None
        self.to(device)

    def terms(self, subject: str, made: Reconstruction) -> dict[str, Tensor]:
        """Return each loss of the recipe, unweighted, by name."""
        return {name: self._one(name, subject, made) for name in self.recipe.losses}

    def _one(self, name: str, subject: str, made: Reconstruction) -> Tensor:
        if name == "adversarial":
            return self._judged(subject, made, adversarial_loss)
        if name == "perceptual" and self._perceptual is not None:
            with self._arithmetic():
                return self._perceptual(made.rgb, made.target)
        return LOSSES[name](made)

    def _arithmetic(self) -> torch.autocast:
        """Return the precision of the networks in here; sums and SSIM stay in float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def weighted(self, terms: dict[str, Tensor]) -> Tensor:
        """Return the weighted sum of terms."""
        weights = self.recipe.losses
        return torch.stack([weights[name] * value for name, value in terms.items()]).sum()  # type: ignore[index]

    def _judged(self, subject: str, made: Reconstruction, loss: Callable[..., Tensor]) -> Tensor:
        """Return a loss of the critic on faces alone, and on those laid over the input."""
        critic = self.critics[subject]
        given = [made.rgb] if made.mask is None else [made.rgb, made.composited]
        with self._arithmetic():
            return torch.stack([loss(critic, face, made.warped) for face in given]).sum()

    def shares(self, subjects: Sequence[str], seed: int) -> dict[str, Tensor]:
        """Return the shares (B, 1, 1, 1) in which each subject's real and made faces are mixed."""
        if not len(self.critics):
            return {}
        rng, shape = np.random.default_rng(seed), (self.recipe.batch, 1, 1, 1)
        drawn = {subject: rng.beta(MIXUP, MIXUP, shape).astype(np.float32) for subject in subjects}
        return {name: torch.from_numpy(part).to(self.device) for name, part in drawn.items()}

    def critics_loss(self, made: dict[str, Reconstruction], shares: dict[str, Tensor]) -> Tensor:
        """Return what the critics minimise over all subjects' batches.

        Parameters
        ----------
        made : dict of str to Reconstruction
        shares : dict of str to Tensor
            See `shares`.
        """
        total = []
        for subject, part in made.items():
            loss = partial(critic_loss, real=part.target, share=shares[subject])
            total.append(self._judged(subject, part, loss))
        return torch.stack(total).sum()
