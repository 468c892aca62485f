"""All detectors by name. Imports nothing heavy: a detector's module is imported when used."""

from __future__ import annotations

from typing import Any

from swapset.plugins import Plugin, Plugins

_IN_THE_TABLE = {
    "Two-stream": "two_stream:TwoStream",
    "Meso4": "mesonet:Meso4",
    "MesoInception4": "mesonet:MesoInception4",
    "HeadPose": "head_pose:HeadPose",
    "FWA": "warping:FWA",
    "VA-MLP": "visual_artifacts:VAMLP",
    "VA-LogReg": "visual_artifacts:VALogReg",
    "Xception-raw": "xception:XceptionRaw",
    "Xception-c23": "xception:XceptionC23",
    "Xception-c40": "xception:XceptionC40",
    "Multi-task": "multi_task:MultiTask",
    "Capsule": "capsule:Capsule",
    "DSP-FWA": "warping:DSPFWA",
}
"""Module and class, in the order of table 4.3 of the chapter."""
_LEARNS_FROM = {"Xception-c23": "c23", "Xception-c40": "c40"}

DETECTORS = Plugins(
    "detector",
    {
        name: Plugin(
            f"swapset.detectors.{place}",
            {"learns_from": _LEARNS_FROM[name]} if name in _LEARNS_FROM else {},
        )
        for name, place in _IN_THE_TABLE.items()
    },
    methods=("crop", "forward", "fit", "score", "save", "load", "from_weights"),
    traits={"learns_from": "original"},
)
"""Detectors. The trait `learns_from` is the compression of the training videos."""


def needs_compression(detector: str) -> str:
    """Return the compression of the training videos of a detector."""
    return str(DETECTORS.find(detector).traits["learns_from"])


def detector_class(name: str) -> Any:
    """Return the class of a detector, a `swapset.detectors.base.Detector`.

    Raises
    ------
    ConfigError
        If the name is unknown, or the detector of another package cannot be imported.
    """
    return DETECTORS.load(name)
