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
_TRAITS: dict[str, dict[str, Any]] = {
    "Xception-c23": {"learns_from": "c23"},
    "Xception-c40": {"learns_from": "c40"},
    # `create_dataset_*.py` of ClassNSeg reads c23 videos; `datascripts/` of Capsule-Forensics-v2
    # cut faces from raw, c23 and c40 videos into one training set.
    "Multi-task": {"learns_from": "c23", "adapts": True, "weights_beside": "decoder_*.pt"},
    "Capsule": {
        "learns_from": "original+c23+c40",
        "adapts": True,
        "weights_beside": "vgg19*.pth",
    },
}

DETECTORS = Plugins(
    "detector",
    {
        name: Plugin(f"swapset.detectors.{place}", _TRAITS.get(name, {}))
        for name, place in _IN_THE_TABLE.items()
    },
    methods=("crop", "forward", "fit", "score", "save", "load", "from_weights"),
    traits={"learns_from": "original", "adapts": False, "weights_beside": ""},
)
"""Detectors. Their traits:

- `learns_from`: the compression of the training videos; several are joined by "+".
- `adapts`: True = where a compression is not there, it learns from those that are.
- `weights_beside`: a pattern of files that are read beside the published weights; these may then
  also be given as a folder.
"""


def needs_compression(detector: str) -> str:
    """Return the compression of the training videos of a detector; several are joined by "+"."""
    return str(DETECTORS.find(detector).traits["learns_from"])


def detector_class(name: str) -> Any:
    """Return the class of a detector, a `swapset.detectors.base.Detector`.

    Raises
    ------
    ConfigError
        If the name is unknown, or the detector of another package cannot be imported.
    """
    return DETECTORS.load(name)
