"""The perceptual loss: faces compared by what a face recognition network's first layers see.

J. Johnson et al., ECCV 2016. faceswap-GAN takes VGGFace's ResNet-50; here it is dlib's network,
which is there anyway, and only its first stages, far from the embedding that tells people apart.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from swapset.faces.dlib_files import EMBEDDER, find_model
from swapset.faces.dlib_resnet import load_face_resnet
from swapset.generation.autoencoder import resized

_SIDE = 150
# After so many blocks features are compared: the ends of the first three stages.
_DEPTHS = (3, 7, 10)
_WEIGHTS = (0.3, 0.3, 0.4)


class Perceptual:
    """Mean squared difference of normalised features (B, 3, R, R) in [0, 1], RGB.

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
