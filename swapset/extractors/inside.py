"""What is inside of a network while it works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn


def outputs_within(
    network: nn.Module, names: Sequence[str], work: Callable[[], Tensor]
) -> tuple[list[Tensor], Tensor]:
    """Return what parts of a network gave while it worked, and what the work gave.

    Parameters
    ----------
    network : nn.Module
    names : sequence of str
        Of its submodules; one that gives several tensors counts as many times.
    work : callable
        Runs the network once.
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
