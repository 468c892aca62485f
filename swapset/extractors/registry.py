"""All extractors by name; an extractor's module is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import torch

from swapset.errors import ConfigError, DataError
from swapset.extractors.base import KIND, Extractor
from swapset.extractors.names import EXTRACTORS
from swapset.learning.model_files import read_model


def extractor_class(name: str) -> type[Extractor]:
    """Return the class of an extractor.

    Raises
    ------
    ConfigError
        If the name is unknown.
    """
    if name not in EXTRACTORS:
        raise ConfigError(f"extractor {name!r} is unknown; choose of {', '.join(EXTRACTORS)}")
    module, _, attribute = EXTRACTORS[name].partition(":")
    found: type[Extractor] = getattr(import_module(f"swapset.extractors.{module}"), attribute)
    return found


def load_extractor(path: Path, *, device: torch.device | str = "cpu") -> Extractor:
    """Return the extractor in a file that `Extractor.save` wrote, whichever it is.

    Raises
    ------
    DataError
        If the file is damaged, no extractor or of an unknown one.
    """
    name = read_model(path, KIND)[1].get("extractor")
    if name is None:
        raise DataError(f"{path}: is no {KIND}")
    if not isinstance(name, str) or name not in EXTRACTORS:
        raise DataError(f"{path}: is of the unknown extractor {name!r}")
    return extractor_class(name).load(path, device=device)
