"""Copy of a training's best weights, kept while the network trains on."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

_BEST = "best."


class BestWeights:
    """A copy of a network's weights from the step in which they did best on held-out data.

    Parameters
    ----------
    network : nn.Module

    Attributes
    ----------
    step : int
        Step of the copy; 0 = there is none.
    """

    def __init__(self, network: nn.Module):
        self._network = network
        self._weights: dict[str, Tensor] = {}
        self.step = 0

    def keep(self, step: int) -> None:
        """Copy the network's current weights and buffers."""
        self._weights = {
            name: part.detach().clone() for name, part in self._network.state_dict().items()
        }
        self.step = step

    def put_back(self) -> None:
        """Load the best weights into the network; without a copy it stays unchanged."""
        if self._weights:
            self._network.load_state_dict(self._weights)

    def tensors(self) -> dict[str, Tensor]:
        """Return the copied tensors by name, for a checkpoint."""
        return {_BEST + name: part for name, part in self._weights.items()}

    def restore(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Restore the copy from a checkpoint's tensors; others among them are ignored."""
        self._weights = {
            name.removeprefix(_BEST): part
            for name, part in tensors.items()
            if name.startswith(_BEST)
        }
        self.step = step
