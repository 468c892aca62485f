"""Files that tidy removes, and files that it never touches."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from swapset.build.tidy import LEFTOVERS, TidyPlan
from swapset.dataset.tidy import Removed, tidy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "results" / "made"
    for name in ("faces/id0/a.npy", "heads/id0/a.npz", "models/celebdf/id0-id1.safetensors"):
        path = root / name
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(10))
    return root


def test_named_kinds_go_and_all_else_stays(root: Path) -> None:
    assert tidy(root, ["faces", "crops"], {}, []) == [Removed("faces", 1, 10, "removed")]
    assert not (root / "faces").exists()
    assert (root / "heads/id0/a.npz").is_file()
    assert (root / "models/celebdf/id0-id1.safetensors").is_file()


def test_what_is_kept_says_how_it_goes(root: Path) -> None:
    rows = tidy(root, [], {"heads": "build it", "crops": "build it"}, [])
    assert rows == [Removed("heads", 1, 10, "kept: build it")]
    assert (root / "heads/id0/a.npz").is_file()


@pytest.mark.parametrize("linked", ["faces", "faces/id0", "obstruction"])
def test_links_are_not_followed(root: Path, tmp_path: Path, linked: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    for name in ("noisy", "lb"):
        (elsewhere / name).mkdir(parents=True)
        (elsewhere / name / "precious").write_text("x")
    place = root / linked
    if place.exists():
        place.rename(root / "moved")
    place.symlink_to(elsewhere)
    tidy(root, ["faces", "obstruction/noisy"], {}, [])
    assert (elsewhere / "noisy" / "precious").is_file()
    assert (elsewhere / "lb" / "precious").is_file()


def test_sources_stay_wherever_they_are(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    rows = tidy(root, ["faces", "heads"], {}, ["made/faces/id0/a.npy"])
    assert [row.fate for row in rows] == ["kept: holds source clips", "removed"]
    assert (root / "faces/id0/a.npy").is_file()


def test_nothing_that_others_are_made_of_is_a_leftover() -> None:
    for kind in ("clips", "tracks", "landmarks", "models", "dataset", "labels", "tables"):
        assert kind not in LEFTOVERS


def plan(root: Path, detectors: list[str], attacks: bool, pairs: bool) -> TidyPlan:
    results = [f"{root}/tables/protected_training.csv"] if pairs else []
    perturbed = [f"{root}/tables/robustness.csv"] if detectors else []
    matrix = [f"{root}/tables/detector_matrix.csv"] if detectors else []
    return TidyPlan(
        SimpleNamespace(root=str(root)),
        detection=SimpleNamespace(scores=lambda: detectors),
        matrix=SimpleNamespace(results=lambda: matrix),
        robustness=SimpleNamespace(results=lambda: perturbed),
        breaker=SimpleNamespace(why_not="" if attacks else "off"),
        protected=SimpleNamespace(results=lambda: results),
    )


def test_what_a_build_never_wants_goes(root: Path) -> None:
    alone = plan(root, [], attacks=False, pairs=False)
    assert (set(alone.removed()), alone.kept(), alone.finished()) == (set(LEFTOVERS), {}, [])


def test_what_is_still_to_be_used_stays_until_it_was(root: Path) -> None:
    full = plan(root, ["Meso4"], attacks=True, pairs=True)
    assert full.removed() == []
    assert "detection.perturbations: []" in full.kept()["perturbed/crops"]
    assert "protected_pairs: 0" in full.kept()["faces"]
    assert "detector_auc" in full.kept()["crops"]
    assert "detector_auc" in full.kept()["checkpoints"]
    assert "landmark_breaker" in full.kept()["checkpoints"]
    (root / "tables").mkdir()
    (root / "tables" / "detector_auc.csv").touch()
    assert full.removed() == []
    assert "detector_matrix" in full.kept()["crops"]
    assert full.finished() == [f"{root}/tables/detector_auc.csv"]
    (root / "tables" / "detector_matrix.csv").touch()
    assert full.removed() == ["crops"]
    (root / "tables" / "robustness.csv").touch()
    assert full.removed() == ["heads", "crops", "perturbed/crops"]
    assert "detector_auc" not in full.kept()["checkpoints"]
    for name in ("landmark_breaker", "protected_training"):
        (root / "tables" / f"{name}.csv").touch()
    assert full.removed() == list(LEFTOVERS)
    assert len(full.finished()) == 5
