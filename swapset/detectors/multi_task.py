"""Multi-task: a Y-shaped autoencoder that detects, segments and reconstructs a face.

H. H. Nguyen et al., "Multi-task Learning For Detecting and Segmenting Manipulated Facial Images
and Videos", BTAS 2019; github.com/nii-yamagishilab/ClassNSeg: `model/ae.py` (network, losses),
`train.py` (training), `test_cls.py` (score), `create_dataset_*.py` (crop, mask).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from swapset.detectors.base import Schedule
from swapset.detectors.batches import Batch, Example
from swapset.detectors.engine import NetworkDetector
from swapset.detectors.face import Face
from swapset.detectors.inputs.face_square import face_square, normalised
from swapset.detectors.weights.folders import only_file
from swapset.errors import DataError
from swapset.learning.state_dicts import read_state
from swapset.types import Image

SIDE = 256
HALF = 64
"""Channels of each half of the latent: fakes activate the first, real faces the second."""
UNKNOWN = 255
"""Value in a mask where it is unknown whether the pixel was swapped."""

# Input and output channels, and stride, of each layer.
_ENCODER = (
    *((3, 8, 1), (8, 8, 2), (8, 16, 1), (16, 16, 2), (16, 32, 1), (32, 32, 2)),
    *((32, 64, 1), (64, 64, 2), (64, 128, 1)),
)
_SHARED = ((128, 64, 1), (64, 64, 2), (64, 32, 1), (32, 32, 2))
_BRANCH = ((32, 16, 1), (16, 16, 2), (16, 8, 1), (8, 8, 2))


class Encoder(nn.Module):
    """Nine convolutions with BatchNorm and ReLU; four of them, every second, halve the side."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs, stride in _ENCODER:
            layers += [nn.Conv2d(inputs, outputs, 3, stride, 1), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.encoder = nn.Sequential(*layers).apply(_start)

    def forward(self, images: Tensor) -> Tensor:
        """Return the latent (B, 128, S/16, S/16) float of images (B, 3, S, S)."""
        latent: Tensor = self.encoder(images)
        return latent


class Decoder(nn.Module):
    """Four shared transposed convolutions, then five for each of two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(*_up(_SHARED))
        self.segmenter = nn.Sequential(*_up(_BRANCH), _transposed(8, 2, 1), nn.Softmax(dim=1))
        self.decoder = nn.Sequential(*_up(_BRANCH), _transposed(8, 3, 1), nn.Tanh())
        self.segmenter.apply(_start)
        self.decoder.apply(_start)

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return the segmentation and the image of a latent (B, 128, S/16, S/16) float.

        Returns
        -------
        (B, 2, S, S) float in [0, 1]
            Probabilities of "not swapped" and "swapped" of each pixel.
        (B, 3, S, S) float in [-1, 1]
        """
        shared = self.shared(latent)
        return self.segmenter(shared), self.decoder(shared)


class YAutoencoder(nn.Module):
    """Encoder and decoder; scoring uses the encoder alone."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, images: Tensor) -> Tensor:
        """Return the latent (B, 2, 64, S/16, S/16) float of images (B, 3, S, S) float.

        Of its two halves, the first is for fakes, the second for real faces.
        """
        latent: Tensor = self.encoder(images)
        return latent.unflatten(1, (2, HALF))

    def decode(self, latent: Tensor, half: Tensor) -> tuple[Tensor, Tensor]:
        """Decode one half of each latent, with the other half set to 0; see `Decoder.forward`.

        Parameters
        ----------
        latent : (B, 2, 64, S/16, S/16) float
        half : (B,) int64
            0 or 1.
        """
        chosen = functional.one_hot(half, 2).to(latent.dtype).view(-1, 2, 1, 1, 1)
        segmented, rebuilt = self.decoder((latent * chosen).flatten(1, 2))
        return segmented, rebuilt


def _transposed(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.ConvTranspose2d(inputs, outputs, 3, stride, 1, output_padding=stride - 1)


def _up(sizes: Sequence[tuple[int, int, int]]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inputs, outputs, stride in sizes:
        layers += [_transposed(inputs, outputs, stride), nn.BatchNorm2d(outputs), nn.ReLU()]
    return layers


def _start(module: nn.Module) -> None:
    """Draw initial weights as the authors do; biases of convolutions stay as torch draws them."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 0.5, 0.02)
        nn.init.zeros_(module.bias)


def activations(latent: Tensor) -> Tensor:
    """Return the mean absolute activation of each half of a latent.

    Parameters
    ----------
    latent : (B, 2, 64, h, w) float

    Returns
    -------
    (B, 2) float32
    """
    return latent.float().abs().mean((2, 3, 4))


class MultiTask(NetworkDetector):
    """Multi-task detection and segmentation of manipulated faces.

    - **Crop**: a square of 1.3 times the face's height (`face_square`), resized to 256² by
      bilinear interpolation; normalised by ImageNet's mean and standard deviation.
    - **Score**: softmax of the mean absolute activations of both halves of the latent. The
      authors' classes are in the order of their folders, `altered` = 0 and `original` = 1: the
      score is the first, one minus the value that `test_cls.py` ranks by.
    - **Losses**, with equal weights (the authors' gamma is 1): activation (absolute error of both
      halves against 0 or 1), cross entropy of the segmentation (applied to its softmax, as in the
      original), mean squared error of the reconstructed image. The decoder gets the half of the
      true class.
    - **Training**: Adam, learning rate 1e-3, weight decay 5e-4, epsilon 1e-7, batches of 64, no
      augmentation. The authors' best of 100 epochs is the 46th, at about 4,400 steps each; the
      default here is 3,000 steps.

    Notes
    -----
    Every training face of the authors has a mask, which is all zero for real ones. Here, too, a
    real face without a known mask gets an empty one; a fake without a known mask is left out of
    the segmentation loss. The authors store their crops as JPEG; this detector does not.
    """

    name: ClassVar[str] = "Multi-task"
    side: ClassVar[int] = SIDE
    published: ClassVar[Schedule] = Schedule(steps=3000, batch=64, learning_rate=1e-3)

    network: YAutoencoder

    def build(self) -> nn.Module:
        """Return the network; its keys are `encoder.` or `decoder.` and the published names."""
        return YAutoencoder()

    def crop(self, face: Face) -> Image:
        """Return a square around the face (256, 256, 3) uint8, RGB; see `face_square`."""
        return np.asarray(cv2.resize(face.pixels[face_square(face)], (SIDE, SIDE)), np.uint8)

    def example(self, face: Face, label: int, generator: np.random.Generator) -> Example:
        """Return a face's crop and, cut in the same way, the mask of its swapped pixels.

        Parameters
        ----------
        face : Face
        label : {0, 1}
            1 = fake.
        generator : numpy.random.Generator
            Not used.

        Returns
        -------
        Example
            Crop (256, 256, 3) uint8, RGB, and mask (256, 256) uint8: 1 = swapped, 0 = not,
            255 = unknown.
        """
        if face.swapped is not None:
            cut = face.swapped[face_square(face)].astype(np.uint8) * 255
            mask = (cv2.resize(cut, (SIDE, SIDE)) >= 128).astype(np.uint8)
        else:
            mask = np.full((SIDE, SIDE), UNKNOWN if label else 0, np.uint8)
        return Example(self.crop(face), label, mask)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch unchanged: the authors do not augment."""
        return batch

    def prepare(self, crops: Tensor) -> Tensor:
        """Return crops normalised by ImageNet's mean and standard deviation."""
        return normalised(crops)

    def fake_probability(self, output: Any) -> Tensor:
        """Return the probability of fake, (B,) float32, of latents (B, 2, 64, 16, 16)."""
        return activations(output).softmax(1)[:, 0]

    def optimiser(self, learning_rate: float) -> torch.optim.Optimizer:
        """Return the published Adam; the authors' two, for encoder and decoder, are alike."""
        return torch.optim.Adam(
            self.network.parameters(), lr=learning_rate, weight_decay=5e-4, eps=1e-7
        )

    def loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the sum of activation, segmentation and reconstruction loss, a scalar float32."""
        real = 1 - batch.labels
        wanted = torch.stack([batch.labels, real], dim=1)
        activation = (activations(output) - wanted).abs().sum() / len(wanted)
        bf16 = output.dtype == torch.bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            segmented, rebuilt = self.network.decode(output, real.long())
        images = self.prepare(batch.images)
        reconstruction = functional.mse_loss(rebuilt.float(), images)
        return activation + self._segmentation(segmented.float(), batch) + reconstruction

    def _segmentation(self, segmented: Tensor, batch: Batch) -> Tensor:
        """Return the mean cross entropy over the pixels with a known mask."""
        assert batch.swapped is not None  # noqa: S101 - every example has a mask
        mask = batch.swapped.nan_to_num(UNKNOWN).long()
        total = functional.cross_entropy(segmented, mask, ignore_index=UNKNOWN, reduction="sum")
        return total / (mask != UNKNOWN).sum().clamp(min=1)

    @classmethod
    def from_weights(cls, path: Path, *, device: torch.device | str = "cpu") -> Self:
        """Return the detector with the authors' weights, `encoder_N.pt` and `decoder_N.pt`.

        Parameters
        ----------
        path : Path
            The encoder's file, with the decoder's beside it, or the folder of both. Scores do not
            need the decoder: without its file, it keeps its initial weights.
        device : torch.device or str

        Raises
        ------
        DataError
            If a file is missing, damaged or of another network.
        """
        detector = cls(device=device)
        file, *beside = cls.weight_files(path)
        decoder = detector.network.decoder.state_dict()
        if beside:
            decoder = read_state(beside[0])
        state = {f"encoder.{name}": part for name, part in read_state(file).items()}
        state |= {f"decoder.{name}": part for name, part in decoder.items()}
        try:
            detector.take_state(state)
        except DataError as error:
            raise DataError(
                f"{file}: {error}; give `encoder_N.pt` of ClassNSeg, with `decoder_N.pt` beside it"
            ) from error
        return detector

    @classmethod
    def weight_files(cls, path: Path, backbone: Path | None = None) -> list[Path]:
        """Return the encoder's file and, if there is one, the decoder's; see `from_weights`."""
        file = only_file(path, "encoder_*.pt")
        beside = file.with_name(file.name.replace("encoder", "decoder", 1))
        both = [file, beside] if beside != file and beside.exists() else [file]
        return both if backbone is None else [*both, backbone]
