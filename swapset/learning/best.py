"""The best weights of a training, kept beside those that go on learning."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

_BEST = "best."


class BestWeights:
    """Copy of a network's weights from the look at which it was best.

    Parameters
    ----------
    network : nn.Module

    Attributes
    ----------
    step : int
        When the copy was made; 0 = not yet.
    """

    def __init__(self, network: nn.Module):
        self._network = network
        self._weights: dict[str, Tensor] = {}
        self.step = 0

    def keep(self, step: int) -> None:
        """Copy the present weights and buffers."""
        self._weights = {
            name: part.detach().clone() for name, part in self._network.state_dict().items()
        }
        self.step = step

    def put_back(self) -> None:
        """Give the network the best weights; it stays as it is if none were kept."""
        if self._weights:
            self._network.load_state_dict(self._weights)

    def tensors(self) -> dict[str, Tensor]:
        """Return the copy for a checkpoint."""
        return {_BEST + name: part for name, part in self._weights.items()}

    def restore(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Take the copy out of a checkpoint's tensors."""
        self._weights = {
            name.removeprefix(_BEST): part
            for name, part in tensors.items()
            if name.startswith(_BEST)
        }
        self.step = step
