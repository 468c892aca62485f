"""Names of the detectors, as in table 4.3 of the chapter. Light to import."""

from __future__ import annotations

DETECTORS: dict[str, str] = {
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
"""Module and class, in the order of the table."""

COMPRESSIONS = ("original", "c23", "c40")
_LEARNS_FROM = {"Xception-c23": "c23", "Xception-c40": "c40"}


def needs_compression(detector: str) -> str:
    """Return which version of the training videos a detector learns from."""
    return _LEARNS_FROM.get(detector, "original")
