"""All detectors by name; a detector's module is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from swapset.detectors.base import Detector
from swapset.detectors.names import DETECTORS
from swapset.errors import ConfigError, DataError
from swapset.learning.model_files import read_model


def detector_class(name: str) -> type[Detector]:
    """Return the class of a detector.

    Raises
    ------
    ConfigError
        If the name is unknown.
    """
    if name not in DETECTORS:
        raise ConfigError(f"detector {name!r} is unknown; choose of {', '.join(DETECTORS)}")
    module, _, attribute = DETECTORS[name].partition(":")
    found: type[Detector] = getattr(import_module(f"swapset.detectors.{module}"), attribute)
    return found


def load_detector(path: Path, *, device: str = "cpu") -> Detector:
    """Return the detector in a file that `Detector.save` wrote, whichever it is.

    Raises
    ------
    DataError
        If the file is damaged or of an unknown detector.
    """
    name = read_model(path)[1].get("detector")
    if not isinstance(name, str) or name not in DETECTORS:
        raise DataError(f"{path}: is of the unknown detector {name!r}")
    return detector_class(name).load(path, device=device)
