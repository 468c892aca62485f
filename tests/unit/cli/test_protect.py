"""`swapset protect`: what a user gives, sees and is told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from material.faces import background
from material.protect import extractor, extractor_file, face, save, talk
from safetensors.numpy import save_file

from swapset.cli.main import main
from swapset.media.picture import read_picture
from swapset.obstruction.protect.noise import Protector


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extractor_file(tmp_path_factory.mktemp("models") / "avs-san.safetensors")


def protect(source: Path, output: Path, *more: str | Path) -> int:
    cheap = ("--first-steps", "2", "--steps", "1", "--threads", "1", "--device", "cpu")
    return main(["protect", *map(str, (source, output, *cheap, *more))])


def test_a_picture_is_protected_and_the_report_says_what_was_done(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = save(tmp_path / "a.png", face()), tmp_path / "b.png"
    extractor_file(model.parent / "other" / "fan.safetensors", seed=2)
    report = tmp_path / "report.json"
    assert protect(source, output, "--extractors", model, model.parent / "other", "--attack", "lb",
                   "--epsilon", "6", "--report", report) == 0  # fmt: skip
    moved = np.abs(read_picture(output).view().astype(int) - read_picture(source).view())
    assert 1 <= moved.max() <= 6
    said = capsys.readouterr().out
    assert "1 face" in said
    assert "prevents none for certain" in said
    about = json.loads(report.read_text())
    assert about["settings"]["epsilon"] == 6
    (row,) = about["files"]
    follows = {Path(one["file"]).name: one["noise_follows_it"] for one in row["extractors"]}
    assert follows == {"avs-san.safetensors": True, "fan.safetensors": False, "dlib": False}
    for one in row["extractors"]:  # PNG keeps the noise as it was made, and the terminal says so
        assert one["nme_written"] == one["nme_protected"] > 0
        assert f"by {one['nme_written']:.3f} in the written file" in said
    assert "fan.safetensors" not in about["note"]
    for one in row["extractors"][:2]:  # they are not trained, and find nothing
        assert one["poor"]
        assert one["nme_clean"] > 0.1
        missed = f"a.png: {one['extractor']} misses the landmarks of this face by "
        assert f"{missed}{one['nme_clean']:.2f} of the distance of the eyes" in said
    assert said.count("Noise against it protects from little") == 1
    assert about["note"].startswith("All extractors that the noise follows miss the landmarks")
    assert about["note"] in said


def test_extractors_that_find_landmarks_are_not_called_poor(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("swapset.obstruction.protect.measure.POOR", 9.0)
    source = save(tmp_path / "a.png", face())
    assert protect(source, tmp_path / "b.png", "--extractors", model) == 0
    said = capsys.readouterr().out
    assert "Noise was made against" in said
    assert "misses" not in said
    assert "miss the landmarks" not in said


def test_threads_are_told_to_sleep_before_torch_is_there() -> None:
    script = (
        "import sys\n"
        "from swapset.learning import device\n"
        "device.let_threads_sleep = lambda: print('torch' in sys.modules) or sys.exit(3)\n"
        "from swapset.cli.main import main\n"
        "main(['protect', sys.executable, 'b.mp4', '--extractors', 'none'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "False\n")


def test_the_same_command_gives_the_same_file(model: Path, tmp_path: Path) -> None:
    source = talk(tmp_path / "a.mp4")
    for name in ("b.mp4", "c.mp4"):
        assert protect(source, tmp_path / name, "--extractors", model) == 0
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "c.mp4").read_bytes()


def test_one_bad_file_of_a_folder_fails_and_the_others_go_on(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    save(tmp_path / "in" / "a.png", background())
    save(tmp_path / "in" / "b.png", face())
    assert protect(tmp_path / "in", tmp_path / "out", "--extractors", model) == 1
    said = capsys.readouterr().out
    assert "not protected: " in said
    assert "a.png: no face was found" in said
    assert "1 of 2 files are protected" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def _text(path: Path) -> None:
    path.write_text("no model")


def _foreign(path: Path) -> None:
    from swapset.learning.model_files import write_model

    write_model(path, {"weight": np.zeros(3, np.float32)}, {"detector": "Meso4"}, {})


def _swaps(path: Path) -> None:
    """Write weights with the metadata of a model of swaps."""
    save_file({"weight": np.zeros(3, np.float32)}, path, metadata={"recipe": "{}"})


def _broken(path: Path) -> None:
    own = extractor()
    next(own.network.parameters()).data.fill_(float("nan"))
    own.save(path)


def _cut(path: Path) -> None:
    extractor_file(path)
    path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_text, "is not a swapset model"),
        (_foreign, "is no landmark extractor"),
        (_broken, "not finite; train it again"),
        (_cut, "is not a swapset model"),
        (_swaps, "is no landmark extractor"),
        (lambda path: None, "no extractor is there; `snakemake --cores 2 landmark_breaker`"),
        (lambda path: path.mkdir(), "no extractor is there"),
    ],
)
def test_extractors_that_cannot_be_used_are_named(
    make: object, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fan.safetensors"
    make(path)  # type: ignore[operator]
    source = save(tmp_path / "a.png", face())
    assert protect(source, tmp_path / "b.png", "--extractors", path) == 1
    errors = capsys.readouterr().err
    assert str(path) in errors
    assert said in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--crf", "60"), "--crf: 60"),
        (("--quality", "0"), "--quality: 0"),
        (("--epsilon", "0"), "--epsilon: 0"),
        (("--steps", "0"), "--steps: 0"),
    ],
)
def test_numbers_out_of_range_are_refused(
    model: Path,
    arguments: tuple[str, str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = save(tmp_path / "a.png", face())
    assert protect(source, tmp_path / "b.png", "--extractors", model, *arguments) == 1
    assert said in capsys.readouterr().err


def test_a_missing_file_and_a_closed_folder_are_named(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert protect(tmp_path / "none.mp4", tmp_path / "b.mp4", "--extractors", model) == 1
    assert "none.mp4: no such file or folder" in capsys.readouterr().err
    source = save(tmp_path / "a.png", face())
    below = source / "b.png"  # a file is no folder: as closed as one without permission
    assert protect(source, below, "--extractors", model) == 1
    assert str(source) in capsys.readouterr().err


def test_ctrl_c_is_one_line_and_leaves_nothing(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Protector, "protect", stop)
    source = save(tmp_path / "a.png", face())
    assert protect(source, tmp_path / "b.png", "--extractors", model) == 130
    assert "no half-written file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_sigterm_leaves_nothing_either(model: Path, tmp_path: Path) -> None:
    talk(tmp_path / "a.mp4")
    command = ["protect", "a.mp4", "b.mp4", "--extractors", str(model), "--first-steps", "10000"]
    script = "import sys; from swapset.cli.main import main; sys.exit(main())"
    with subprocess.Popen([sys.executable, "-c", script, *command], cwd=tmp_path) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".b.*.partial.mp4")) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.1)
        assert process.poll() is None
        process.terminate()
        assert process.wait(60) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
