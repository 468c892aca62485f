"""Loading a detector's trainings, and which scripts do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from swapset.detection.trainings import load_trainings
from swapset.detectors.registry import detector_class

SCRIPTS = Path(__file__).parents[3] / "workflow_scripts"


def test_trainings_of_all_seeds_are_loaded_by_number(tmp_path: Path) -> None:
    seeds = {"0": 1, "1": 2, "0-s1": 3, "1-s2": 4}
    fresh = {name: detector_class("Meso4")(seed=seed) for name, seed in seeds.items()}
    for name, detector in fresh.items():
        detector.save(tmp_path / f"{name}.safetensors")
    loaded = load_trainings([tmp_path / f"{name}.safetensors" for name in seeds])
    assert list(loaded) == [0, 1, 1000, 2001]
    for detector, made in zip(loaded.values(), fresh.values(), strict=True):
        for name, part in detector.arrays().items():
            np.testing.assert_array_equal(part, made.arrays()[name])


@pytest.mark.parametrize("script", ["score", "score_perturbed", "score_matrix"])
def test_scripts_that_score_know_all_seeds(script: str) -> None:
    text = (SCRIPTS / f"{script}.py").read_text("utf-8")
    assert "load_trainings(inputs.models, device)" in text
    assert "load_detector" not in text
