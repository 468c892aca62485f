"""The package of docs/extending.md: installed, it is tested as our own plug-ins are, and used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from material.detectors import picture
from material.plugins import SOURCE, add_package, install_example, with_packages
from material.running import ROOT

CONTRACTS = {
    "detectors/test_contract.py": "Sharpness",
    "extractors/test_contract.py": "tiny",
    "obstruction/test_contract.py": "lb-grey",
    "dataset/test_layouts_contract.py": "Folders",
}
FITTED = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from material.detectors import samples
from swapset.detectors.base import Schedule
from swapset.detectors.registry import detector_class
from swapset.extractors.registry import extractor_class

detector = detector_class("Sharpness")()
detector.fit(samples(8), None, Schedule())
detector.save(Path(sys.argv[1], "detector.safetensors"))
extractor = extractor_class("tiny")(width=1.0, seed=1)
extractor.trained = True
extractor.save(Path(sys.argv[1], "extractor.safetensors"))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    return install_example(folder, tmp_path_factory.mktemp("source"))


def run(site: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=with_packages(site),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def models(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fitted detector and an extractor of the package, and a picture."""
    folder = tmp_path_factory.mktemp("models")
    done = run(site, "-c", FITTED, folder)
    assert done.returncode == 0, done.stderr
    cv2.imwrite(str(folder / "face.png"), picture(2)[0][..., ::-1])
    return folder


def test_the_page_shows_the_package() -> None:
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    files = {str(path.relative_to(SOURCE)): path.read_text() for path in SOURCE.rglob("*.*")}
    files.pop("swapset_example/__init__.py")
    assert shown == {name: text for name, text in files.items() if "__pycache__" not in name}
    assert len(shown["swapset_example/detector.py"].splitlines()) < 60


def test_it_keeps_the_contracts_of_our_own(site: Path) -> None:
    files = [ROOT / "tests" / "unit" / name for name in CONTRACTS]
    chosen = " or ".join(CONTRACTS.values())
    done = run(
        site, "-m", "pytest", "-n", "0", "-vv", "-p", "no:cacheprovider", *files, "-k", chosen
    )
    assert done.returncode == 0, done.stdout
    for name, plugin in CONTRACTS.items():
        passed = re.findall(rf"unit/{name}::\w+\[[^]]*{plugin}[^]]*\] PASSED", done.stdout)
        assert len(passed) >= 9, done.stdout


def test_detect_scores_by_it(site: Path, models: Path) -> None:
    given = ("--detector", "Sharpness", "--model", models / "detector.safetensors")
    done = run(site, "-m", "swapset.cli.main", "detect", models / "face.png", *given)
    assert done.returncode == 0, done.stderr
    assert re.search(r"face\.png: Sharpness -?\d\.\d{4} \(higher", done.stdout)
    assert "1 of 1 scored frames" in done.stdout


def test_protect_takes_its_attack_and_its_extractor(site: Path, models: Path) -> None:
    output = models / "protected.png"
    given = ("--extractors", models / "extractor.safetensors", "--attack", "lb-grey")
    given += ("--first-steps", "3", "--device", "cpu")
    done = run(site, "-m", "swapset.cli.main", "protect", models / "face.png", output, *given)
    assert done.returncode == 0, done.stderr
    noise = cv2.imread(str(output)).astype(int) - cv2.imread(str(models / "face.png"))
    assert 0 < abs(noise).max() <= 15


def test_its_models_say_whose_they_are_where_it_is_missing(models: Path, tmp_path: Path) -> None:
    given = ("--detector", "Meso4", "--model", models / "detector.safetensors")
    done = run(tmp_path, "-m", "swapset.cli.main", "detect", models / "face.png", *given)
    assert done.returncode == 1
    assert "detector.safetensors: is no model of Meso4" in done.stderr
    given = ("--extractors", models / "extractor.safetensors")
    output = tmp_path / "out.png"
    done = run(tmp_path, "-m", "swapset.cli.main", "protect", models / "face.png", output, *given)
    assert done.returncode == 1
    assert "extractor.safetensors: is of the unknown extractor 'tiny'" in done.stderr


@pytest.mark.parametrize("kind", ["detect", "protect"])
def test_commands_say_in_one_line_what_is_broken(models: Path, tmp_path: Path, kind: str) -> None:
    entries = {"detectors": {"Bad": "bad:Bad"}, "attacks": {"Bad": "bad:Bad"}}
    add_package(tmp_path, "bad-package", entries, {"bad.py": "import nothing_of_the_kind\n"})
    given = {
        "detect": (models / "face.png", "--detector", "Bad", "--model", models / "face.png"),
        "protect": (models / "face.png", tmp_path / "out.png", "--attack", "Bad", "--extractors")
        + (models / "extractor.safetensors",),
    }[kind]
    if kind == "protect":
        install_example(tmp_path, tmp_path / "source")
    done = run(tmp_path, "-m", "swapset.cli.main", kind, *given)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert "'Bad' of package bad-package (bad:Bad) cannot be imported" in done.stderr
