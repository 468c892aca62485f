"""Freeze the networks of extractors while an attack runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn


@contextmanager
def frozen(extractor: Any) -> Iterator[None]:
    """Switch off the weights' gradients and training mode of an extractor or an ensemble's members.

    Both are restored at the end.
    """
    with ExitStack() as stack:
        for member in getattr(extractor, "members", [extractor]):
            network = getattr(member, "network", None)
            if isinstance(network, nn.Module):
                stack.enter_context(_frozen_network(network))
        yield


@contextmanager
def _frozen_network(network: nn.Module) -> Iterator[None]:
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    training = [module for module in network.modules() if module.training]
    try:
        for weight in learning:
            weight.requires_grad_(False)
        network.eval()  # batch normalisation would let pictures of a batch influence each other
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)
        for module in training:
            module.training = True
