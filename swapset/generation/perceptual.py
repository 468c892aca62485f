"""Perceptual loss: faces compared in the features of a face recognition network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from swapset.faces.dlib_files import EMBEDDER, find_model
from swapset.faces.dlib_resnet import load_face_resnet
from swapset.generation.autoencoder import resized

_SIDE = 150
# Features are compared after these numbers of blocks: the ends of the first three stages.
_DEPTHS = (3, 7, 10)
_WEIGHTS = (0.3, 0.3, 0.4)


class Perceptual:
    """Mean squared difference of faces in a face recognition network's normalised features.

    Only the first layers count (J. Johnson et al., ECCV 2016). faceswap-GAN takes VGGFace's
    ResNet-50; this is dlib's network, which swapset needs anyway, and only its first stages, far
    from the embedding that tells people apart.

    It is no module, because its weights do not belong to a training's checkpoint.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: torch.device):
        network = load_face_resnet(find_model(EMBEDDER, key="track.embedder")).to(device)
        self._stem, self._mean = network.stem.requires_grad_(False), network.mean
        self._blocks = list(network.blocks.requires_grad_(False))[: _DEPTHS[-1]]

    def __call__(self, decoded: Tensor, target: Tensor) -> Tensor:
        """Compare decoded faces with their targets.

        Parameters
        ----------
        decoded, target : (B, 3, R, R) float32 in [0, 1], RGB

        Returns
        -------
        scalar float32
        """
        with torch.no_grad():
            wanted = self._features(target)
        pairs = zip(_WEIGHTS, self._features(decoded), wanted, strict=True)
        return torch.stack([w * (one - other).square().mean() for w, one, other in pairs]).sum()

    def _features(self, faces: Tensor) -> list[Tensor]:
        pixels = (resized(faces, _SIDE) * 255 - self._mean) / 256
        features = nn.functional.max_pool2d(torch.relu(self._stem(pixels)), 3, 2)
        normalised = []
        for depth, block in enumerate(self._blocks, start=1):
            features = block(features)
            if depth in _DEPTHS:
                # Instance normalisation, as X. Huang et al., ECCV 2018 (MUNIT), and the original.
                normalised.append(nn.functional.instance_norm(features.float()))
        return normalised
