"""Losses of a training, by their names in a recipe.

A loss takes one subject's batch as `Reconstruction` and returns a number. `Objective` holds the
losses that a recipe weighs, with the networks that some of them need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from swapset.config.recipes import TrainingRecipe
from swapset.generation.augment import Batch
from swapset.generation.autoencoder import composite, resized
from swapset.generation.blocks import init_weights
from swapset.generation.critic import MIXUP, Critic, adversarial_loss, critic_loss
from swapset.generation.perceptual import Perceptual

_C1, _C2 = 0.01**2, 0.03**2
LEAST_MASK = 0.5
"""Value below which `mask_size` pulls an attention mask up."""


@dataclass(frozen=True)
class Reconstruction:
    """One subject's batch after the decoder.

    Attributes
    ----------
    rgb, target : (B, 3, R, R) float32 in [0, 1], RGB
        The decoded faces, and the faces that they should be.
    warped : (B, 3, R, R) float32 in [0, 1], RGB
        The network's input, scaled to the output's size.
    mask : (B, 1, R, R) float32 in [0, 1] or None
        The decoder's mask.
    region : (B, 1, R, R) float32 in [0, 1] or None
        The landmarks' hull.
    pixel_weights : (B, 1, R, R) float32 in [0, 1] or None
        Weights of the pixels in `mean` and `dssim`; None = all alike.
    """

    rgb: Tensor
    target: Tensor
    warped: Tensor
    mask: Tensor | None = None
    region: Tensor | None = None
    pixel_weights: Tensor | None = None

    @classmethod
    def from_output(cls, recipe: TrainingRecipe, output: Tensor, batch: Batch) -> Reconstruction:
        """Split a decoder's output into faces and masks.

        Parameters
        ----------
        recipe : TrainingRecipe
        output : (B, 3 or 4, R, R) float32 in [0, 1], RGB and mask
        batch : Batch
            The batch that was decoded.
        """
        return cls(
            rgb=output[:, :3],
            target=batch.target,
            warped=resized(batch.warped, output.shape[-1]),
            mask=output[:, 3:] if output.shape[1] > 3 else None,
            region=batch.region,
            pixel_weights=batch.region if recipe.loss_region == "face" else None,
        )

    @property
    def composited(self) -> Tensor:
        """Return the faces blended over the input by their masks, (B, 3, R, R) float32."""
        if self.mask is None:
            return self.rgb
        return composite(torch.cat([self.rgb, self.mask], dim=1), self.warped)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of values (B, C, R, R) float32 by `pixel_weights`, a scalar float32."""
        if self.pixel_weights is None:
            return values.mean()
        weight = self.pixel_weights.expand_as(values)
        return (values * weight).sum() / weight.sum().clamp_min(1)


def l1(batch: Reconstruction) -> Tensor:
    """Return the mean absolute difference, a scalar float32."""
    return batch.mean((batch.rgb - batch.target).abs())


def l2(batch: Reconstruction) -> Tensor:
    """Return the mean squared difference, a scalar float32."""
    return batch.mean((batch.rgb - batch.target).square())


def dssim(batch: Reconstruction) -> Tensor:
    """Return (1 - SSIM) / 2 over Gaussian windows (Z. Wang et al., 2004), a scalar float32.

    Where only the face counts, both pictures are blacked out elsewhere first, as the original
    tools do. The windows' sigma is 1.5 at 128 pixels and grows with the side.
    """
    one, other = batch.rgb, batch.target
    if batch.pixel_weights is not None:
        one, other = one * batch.pixel_weights, other * batch.pixel_weights
    # A variance is a small difference of averages, which bf16 would round away.
    with torch.autocast(one.device.type, enabled=False):
        values = (1 - _ssim(one.float().flatten(0, 1), other.float().flatten(0, 1))) / 2
    values = values.unflatten(0, one.shape[:2])
    if batch.pixel_weights is None:
        return values.mean()
    weights = nn.functional.adaptive_avg_pool2d(batch.pixel_weights, values.shape[-2:])
    return replace(batch, pixel_weights=weights).mean(values)


def _ssim(one: Tensor, other: Tensor) -> Tensor:
    """Return the SSIM in each window, (N, r, r) float32, of pictures (N, R, R) float32 in [0, 1].

    Averages are taken one by one, because `other`'s need no gradients.
    """
    windows = _gaussian_windows(one.shape[-1], one.device)

    def averages(values: Tensor) -> Tensor:
        return windows @ (values @ windows.mT)

    mean_one, mean_other = averages(one), averages(other)
    product = mean_one * mean_other
    squares = mean_one.square() + mean_other.square()
    spread = averages(one.square() + other.square()) - squares
    shared = averages(one * other) - product
    return (2 * product + _C1) * (2 * shared + _C2) / ((squares + _C1) * (spread + _C2))


def _gaussian_windows(side: int, device: torch.device) -> Tensor:
    """Return the weights of a line's pixels in each Gaussian window along it, (r, side) float32.

    Windows are 4/3 of sigma apart, so r is 64 from 128 pixels on. In their sum all pixels weigh
    alike, to 0.04 %; windows between them would only repeat them. At the border of the picture a
    window has fewer pixels. On a processor a product with this matrix is faster than a convolution.
    """
    sigma = 1.5 * max(64, side) / 128
    spacing = max(1, side // 64)
    pixels = torch.arange(side, device=device)
    centres = torch.arange(side // spacing, device=device) * spacing + (spacing - 1) / 2
    offsets = pixels - centres[:, None]
    weights = torch.exp(-offsets.square() / (2 * sigma**2))
    weights = weights * (offsets.abs() <= int(3.5 * sigma + 0.5))
    return weights / weights.sum(dim=1, keepdim=True)


def _gradients(images: Tensor) -> tuple[Tensor, Tensor]:
    return images.diff(dim=2), images.diff(dim=3)


def edge(batch: Reconstruction) -> Tensor:
    """Return the mean absolute difference of the image gradients, a scalar float32."""
    pairs = zip(_gradients(batch.rgb), _gradients(batch.target), strict=True)
    return torch.stack([(one - other).abs().mean() for one, other in pairs]).sum()


def _required(part: Tensor | None) -> Tensor:
    """Return a part that every recipe with this loss has."""
    if part is None:
        raise ValueError("this loss needs the decoder's mask and the landmarks' hull")
    return part


def mask(batch: Reconstruction) -> Tensor:
    """Return the mean squared difference of mask and landmarks' hull, a scalar float32.

    Raises
    ------
    ValueError
        If the batch has no mask or no hull.
    """
    return (_required(batch.mask) - _required(batch.region)).square().mean()


def mask_size(batch: Reconstruction) -> Tensor:
    """Return how far an attention mask lies below `LEAST_MASK` on average, a scalar float32.

    Without this, an empty mask would lower the other losses.

    Raises
    ------
    ValueError
        If the batch has no mask.
    """
    return (LEAST_MASK - _required(batch.mask)).clamp_min(0).mean()


def mask_edge(batch: Reconstruction) -> Tensor:
    """Return the total variation of the mask per pixel, a scalar float32.

    Raises
    ------
    ValueError
        If the batch has no mask.
    """
    return torch.stack([slope.abs().mean() for slope in _gradients(_required(batch.mask))]).sum()


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
    """The weighted sum of a recipe's losses, with the critics that train alongside.

    Parameters
    ----------
    recipe : TrainingRecipe
    subjects : sequence of str
        Each has its own critic, if the recipe weighs `adversarial`.
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

    def terms(self, subject: str, batch: Reconstruction) -> dict[str, Tensor]:
        """Return each loss of the recipe by name, unweighted, a scalar float32."""
        return {name: self._term(name, subject, batch) for name in self.recipe.losses}

    def _term(self, name: str, subject: str, batch: Reconstruction) -> Tensor:
        if name == "adversarial":
            return self._with_critic(subject, batch, adversarial_loss)
        if name == "perceptual" and self._perceptual is not None:
            with self._autocast():
                return self._perceptual(batch.rgb, batch.target)
        return LOSSES[name](batch)

    def _autocast(self) -> torch.autocast:
        """Return the precision of the critics and the perceptual network.

        Sums and SSIM stay in float32.
        """
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def weighted(self, terms: dict[str, Tensor]) -> Tensor:
        """Return the weighted sum of `terms`, a scalar float32."""
        weights = self.recipe.losses
        return torch.stack([weights[name] * value for name, value in terms.items()]).sum()  # type: ignore[index]

    def _with_critic(
        self, subject: str, batch: Reconstruction, loss: Callable[..., Tensor]
    ) -> Tensor:
        """Sum a loss of the critic over decoded faces and, with masks, composited ones."""
        critic = self.critics[subject]
        faces = [batch.rgb] if batch.mask is None else [batch.rgb, batch.composited]
        with self._autocast():
            return torch.stack([loss(critic, each, batch.warped) for each in faces]).sum()

    def shares(self, subjects: Sequence[str], seed: int) -> dict[str, Tensor]:
        """Return each subject's shares of real faces in mixed ones, (B, 1, 1, 1) float32 in [0, 1].

        Empty without critics.
        """
        if not len(self.critics):
            return {}
        rng, shape = np.random.default_rng(seed), (self.recipe.batch, 1, 1, 1)
        drawn = {subject: rng.beta(MIXUP, MIXUP, shape).astype(np.float32) for subject in subjects}
        return {name: torch.from_numpy(part).to(self.device) for name, part in drawn.items()}

    def critics_loss(self, batches: dict[str, Reconstruction], shares: dict[str, Tensor]) -> Tensor:
        """Return the critics' loss, summed over all subjects' batches.

        Parameters
        ----------
        batches : dict of str to Reconstruction
        shares : dict of str to (B, 1, 1, 1) float32 in [0, 1]
            See `shares`.

        Returns
        -------
        scalar float32
        """
        total = []
        for subject, batch in batches.items():
            loss = partial(critic_loss, real=batch.target, share=shares[subject])
            total.append(self._with_critic(subject, batch, loss))
        return torch.stack(total).sum()
