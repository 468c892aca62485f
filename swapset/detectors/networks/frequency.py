"""Xceptions that see frequencies: F3Net's decomposed image, SPSL's phase spectrum.

Y. Qian et al., "Thinking in Frequency: Face Forgery Detection by Mining Frequency-aware Clues",
ECCV 2020, section 3.1; H. Liu et al., "Spatial-Phase Shallow Learning: Rethinking Face Forgery
Detection in Frequency Domain", CVPR 2021, section 3. Layers and names as in DeepfakeBench
(github.com/SCLBD/DeepfakeBench, `f3net_detector.py`, `spsl_detector.py`), which has the first of
F3Net's two branches, and SPSL on a whole Xception.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from swapset.detectors.networks.xception import Xception

NARROWER = 2.82
"""The lowest band of F3Net ends at the sum of frequencies S / 2.82, for images of side S."""
START = 0.1
"""Standard deviation of the learnt filters' first values."""


def cosine_basis(side: int) -> Tensor:
    """Return the orthonormal type-2 DCT, (side, side) float32: a row for each frequency.

    Parameters
    ----------
    side : int
    """
    places = torch.arange(side, dtype=torch.float64)
    rows = torch.cos((places + 0.5) * torch.pi * places[:, None] / side)
    rows *= (2 / side) ** 0.5
    rows[0] *= 0.5**0.5
    return rows.float()


class Band(nn.Module):
    """A filter of DCT coefficients: a fixed band, and a learnt change of it in [-1, 1].

    Parameters
    ----------
    side, first, last : int
        The band has the coefficients whose row and column add up to `first` to `last`.
    """

    def __init__(self, side: int, first: int, last: int):
        super().__init__()
        sums = torch.arange(side)[:, None] + torch.arange(side)
        band = ((sums >= first) & (sums <= last)).float()
        self.base = nn.Parameter(band, requires_grad=False)
        self.learnable = nn.Parameter(torch.randn(side, side) * START)

    def forward(self, coefficients: Tensor) -> Tensor:
        """Return the coefficients (..., S, S) float32 times the filter."""
        return coefficients * (self.base + 2 * torch.sigmoid(self.learnable) - 1)


class FrequencyBands(nn.Module):
    """Low, middle, high and all frequencies of an image, each back in pixels.

    Parameters
    ----------
    side : int
        Side S of the images; the learnt filters allow no other.
    """

    def __init__(self, side: int):
        super().__init__()
        basis = cosine_basis(side)
        self._DCT_all = nn.Parameter(basis, requires_grad=False)
        self._DCT_all_T = nn.Parameter(basis.T.contiguous(), requires_grad=False)
        low, half, all_of_it = int(side // NARROWER), side // 2, 2 * side
        edges = ((0, low), (low, half), (half, all_of_it), (0, all_of_it))
        self.filters = nn.ModuleList(Band(side, first, last) for first, last in edges)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 12, S, S) float32 of images (B, 3, S, S): RGB of each band in turn."""
        with torch.autocast(images.device.type, enabled=False):
            forth, back = self._DCT_all, self._DCT_all_T
            coefficients = forth @ images.float().contiguous() @ back
            return torch.cat([back @ band(coefficients) @ forth for band in self.filters], dim=1)


class F3Network(nn.Module):
    """Xception on the frequency bands of an image: (B, 3, S, S) in [-1, 1] to logits (B, 2).

    Parameters
    ----------
    side : int
    """

    def __init__(self, side: int):
        super().__init__()
        self.backbone = Xception(2, inputs=12, dropout=0.5)
        self.FAD_head = FrequencyBands(side)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, 2) float of real and fake."""
        return self.backbone(self.FAD_head(images))


def phase_picture(images: Tensor) -> Tensor:
    """Return the inverse transform of an image's phase alone, all amplitudes set to 1.

    Parameters
    ----------
    images : (B, 3, S, S) float
        Their channels are averaged first.

    Returns
    -------
    (B, 1, S, S) float32
        Outlines on about 0, with a root mean square of 1 / S.
    """
    spectrum = torch.fft.fft2(images.float().mean(dim=1, keepdim=True))
    phase = torch.angle(spectrum)
    return torch.fft.ifft2(torch.polar(torch.ones_like(phase), phase)).real


class PhaseNetwork(nn.Module):
    """Xception on RGB and phase: images (B, 3, S, S) in [-1, 1] to logits (B, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Xception(2, inputs=4)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, 2) float of real and fake."""
        return self.backbone(torch.cat([images, phase_picture(images)], dim=1))
