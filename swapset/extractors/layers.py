"""Record the outputs of a network's inner layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn


def layer_outputs(
    network: nn.Module, names: Sequence[str], work: Callable[[], Tensor]
) -> tuple[list[Tensor], Tensor]:
    """Return the outputs of some layers while a network runs, and the result of the run.

    Parameters
    ----------
    network : nn.Module
    names : sequence of str
        Of submodules; one that returns several tensors adds all of them.
    work : callable
        Runs the network once.

    Returns
    -------
    outputs : list of Tensor
        Of any shape (B, ...) and floating dtype.
    result : Tensor
        As `work` returned it.
    """
    seen: dict[str, list[Tensor]] = {name: [] for name in names}

    def keeper(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_: nn.Module, __: Any, output: Any) -> None:
            seen[name] += [output] if isinstance(output, Tensor) else list(output)

        return keep

    handles = [network.get_submodule(name).register_forward_hook(keeper(name)) for name in names]
    try:
        result = work()
    finally:
        for handle in handles:
            handle.remove()
    return [tensor for tensors in seen.values() for tensor in tensors], result
