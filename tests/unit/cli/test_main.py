"""The `swapset` command: a manifest and a config for a folder of clips."""

import csv
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from swapset import __version__
from swapset.cli.main import main
from swapset.config.methods import BUILT_IN
from swapset.config.schema import load
from swapset.dataset.manifest import read_manifest
from swapset.errors import ManifestError
from swapset.extractors.registry import EXTRACTORS


def put(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "clips.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_folder_of_named_files(tmp_path, capsys):
    put(tmp_path, "id10_0000.mp4", "id2_0001.MKV", "id2_0000.mov", "notes.txt", ".id3_0000.mp4")
    assert main(["init", str(tmp_path), "--licence", "CC BY 4.0"]) == 0
    manifest = read_manifest(tmp_path / "clips.csv")
    assert list(manifest.clips) == ["id2_0000", "id2_0001", "id10_0000"]
    assert manifest.clips["id2_0001"].path == tmp_path / "id2_0001.MKV"
    assert manifest.clips["id2_0001"].licence == "CC BY 4.0"
    said = capsys.readouterr()
    assert "3 clips of 2 people" in said.out
    assert f"snakemake --cores all --configfile {tmp_path / 'config.yaml'}" in said.out
    assert said.err == ""


def test_sub_folders_are_people_and_their_names_stay_out(tmp_path, capsys):
    folder = put(tmp_path / "own clips", "Zoë K/b 2.mp4", "Zoë K/b 10.mp4", "id1/x.avi")
    put(folder, "Bo, jr./deep/er/c.webm", "stray.mp4")
    assert main(["init", str(folder), "--licence", "mine"]) == 0
    found = {row["clip"]: row["path"] for row in rows(folder)}
    assert found == {
        "id0_0000": "Bo, jr./deep/er/c.webm",
        "id2_0000": "Zoë K/b 2.mp4",
        "id2_0001": "Zoë K/b 10.mp4",
        "id1_0000": "id1/x.avi",
    }
    assert read_manifest(folder / "clips.csv").subjects == ["id0", "id1", "id2"]
    said = capsys.readouterr().out
    assert "id2 is Zoë K" in said
    assert "left out stray.mp4" in said
    assert f"--configfile '{folder / 'config.yaml'}'" in said  # quoted for the shell


def test_what_could_be_a_video_is_taken_or_listed(tmp_path, capsys):
    taken = ("id0_0000.f4v", "id0_0001.dv", "id1_0000.3g2", "id1_0001.RM", "id2_0000.nut")
    put(
        tmp_path,
        *taken,
        "id2_0001.braw",
        "id2_0002.gif",
        "id2_0003",
        "notes.txt",
        "a.JPG",
        ".b.braw",
    )
    assert main(["init", str(tmp_path), "--licence", "x"]) == 0
    assert {row["path"] for row in rows(tmp_path)} == set(taken)
    left_out = [line for line in capsys.readouterr().out.splitlines() if "left out" in line]
    assert all("not a known suffix of videos" in line for line in left_out)
    assert {line.split()[2].strip(":'") for line in left_out} == {
        "id2_0001.braw",
        "id2_0002.gif",
        "id2_0003",
    }


def test_named_files_in_their_subjects_folder_keep_their_names(tmp_path):
    put(tmp_path, "id7/id7_0042.mp4", "id8/id8_0001.mp4", "id8/other.mp4")
    assert main(["init", str(tmp_path)]) == 0
    assert [row["clip"] for row in rows(tmp_path)] == ["id7_0042", "id8_0000", "id8_0001"]


def test_a_missing_licence_stops_the_build_with_its_line(tmp_path, capsys):
    put(tmp_path, "id0_0000.mp4", "id1_0000.mp4")
    assert main(["init", str(tmp_path)]) == 0
    assert "licence" in capsys.readouterr().out
    with pytest.raises(ManifestError, match=r"clips\.csv, line 2: clip 'id0_0000' has no licence"):
        read_manifest(tmp_path / "clips.csv")


@pytest.mark.parametrize("existing", ["clips.csv", "config.yaml"])
def test_nothing_is_overwritten_and_nothing_half_written(tmp_path, capsys, existing):
    put(tmp_path, "id0_0000.mp4", "id1_0000.mp4")
    (tmp_path / existing).write_text("precious")
    assert main(["init", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / existing).read_text() == "precious"
    assert len(list(tmp_path.iterdir())) == 3


def test_files_may_go_elsewhere(tmp_path):
    clips = put(tmp_path / "archive", "id0_0000.mp4", "id1_0000.mp4")
    into = tmp_path / "work"
    assert main(["init", str(clips), "--into", str(into), "--licence", "x"]) == 0
    config = load(yaml.safe_load((into / "config.yaml").read_text()))
    manifest = read_manifest(Path(config.clips), config.clips_root)
    assert manifest.clips["id0_0000"].path == clips / "id0_0000.mp4"
    assert len(list(clips.iterdir())) == 2


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "there is nobody"),
        (["id0_0000.mp4", "id0_0001.mp4"], "there is id0"),
        (["id0_0000.mp4", "id0_0000.avi", "id1_0000.mp4"], "are both clip id0_0000"),
        (["a.mp4", "b.mp4"], "one sub-folder for each person"),
    ],
)
def test_folders_that_cannot_be_used(tmp_path, capsys, names, says):
    put(tmp_path, *names)
    assert main(["init", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "clips.csv").exists()


def test_a_missing_folder(tmp_path, capsys):
    assert main(["init", str(tmp_path / "nowhere")]) == 1
    assert "nowhere: is not a folder" in capsys.readouterr().err


def test_links_that_leave_the_folder_are_left_out(tmp_path, capsys):
    outside = put(tmp_path / "out", "id2_0000.mp4") / "id2_0000.mp4"
    folder = put(tmp_path / "in", "id0_0000.mp4", "id1_0000.mp4")
    (folder / "id2_0000.mp4").symlink_to(outside)
    assert main(["init", str(folder), "--licence", "x"]) == 0
    assert "link to a file outside the folder" in capsys.readouterr().out
    assert len(read_manifest(folder / "clips.csv").clips) == 2


@pytest.mark.parametrize("networks", ["full", "small"])
def test_the_config_is_short_and_leaves_the_rest_to_the_defaults(tmp_path, networks):
    folder = put(tmp_path / "demo", "id0_0000.mp4", "id1_0000.mp4")
    assert main(["init", str(folder), "--networks", networks]) == 0
    text = (folder / "config.yaml").read_text(encoding="utf-8")
    written = yaml.safe_load(text)
    small = {"recipes", "landmark_breaker"}
    assert len(written.keys() - small) == 12
    assert small & written.keys() == (small if networks == "small" else set())
    assert "config.yaml beside the Snakefile" in text  # where all others are explained
    lines = text.splitlines()
    for name in written:
        (place,) = [n for n, line in enumerate(lines) if line.startswith(f"{name}:")]
        assert lines[place - 1].startswith("# ")
    config, real = load(written), load({"clips": "clips.csv"})
    assert config.name != "demo"  # the demo's results are there
    changed = {name for name in written if getattr(config, name) != getattr(real, name)}
    assert changed <= {"name", "clips", "clips_root"} | small
    if networks == "full":
        assert config.all_recipes() == BUILT_IN


def test_small_networks_are_written_for_all_that_is_trained(tmp_path):
    folder = put(tmp_path, "id0_0000.mp4", "id1_0000.mp4")
    assert main(["init", str(folder), "--networks", "small"]) == 0
    written = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    recipes = load(written).all_recipes()
    assert all(recipes[name].width <= 24 and recipes[name].batch == 4 for name in BUILT_IN)
    assert all(recipes[name].mask == BUILT_IN[name].mask for name in BUILT_IN)
    extractors = load(written).landmark_breaker.settings
    assert set(extractors) == set(EXTRACTORS)
    assert all(own.width == 0.25 and own.steps for own in extractors.values())
    changed = load({**written, "recipes": {**written["recipes"], "faceswap": {"width": 40}}})
    assert changed.recipe("fakeapp").width == 40  # it follows, as docs/methods.md says


def test_the_command_in_the_config_is_on_one_line(tmp_path):
    folder = put(tmp_path / ("a long-name " * 12).strip(), "id0_0000.mp4", "id1_0000.mp4")
    assert main(["init", str(folder)]) == 0
    lines = (folder / "config.yaml").read_text(encoding="utf-8").splitlines()
    config = shlex.quote(str(folder / "config.yaml"))
    assert f"#   snakemake --cores all --configfile {config}" in lines


STRANGE = 'My "Pro\'ject" $HOME `x` \\ ü; #'


def test_the_printed_command_can_be_pasted(tmp_path, capsys):
    """A shell reads it as it was meant, whatever the folder is called."""
    folder = put(tmp_path / STRANGE, "id0_0000.mp4", "id1_0000.mp4")
    assert main(["init", str(folder), "--licence", "mine"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    (command,) = [line for line in lines if line.startswith("snakemake ")]
    done = subprocess.run(  # noqa: S602 - what a user does
        command.replace("snakemake", "printf '%s\\n'"), shell=True, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    config = str(folder / "config.yaml")
    assert done.stdout.splitlines() == ["--cores", "all", "--configfile", config]
    assert load(yaml.safe_load(Path(config).read_text())).clips == str(folder / "clips.csv")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(["--licence", "\udce9"], "--licence"), (["--into", "b\udcff"], "--into")],
)
def test_words_that_are_no_utf8_are_named(tmp_path, capsys, arguments, name):
    folder = put(tmp_path, "id0_0000.mp4", "id1_0000.mp4")
    assert main(["init", str(folder), *arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"swapset: {name}: ")
    assert "is not UTF-8 text" in said
    assert not (folder / "clips.csv").exists()


def test_version_and_wrong_arguments(capsys):
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0
    assert capsys.readouterr().out == f"swapset {__version__}\n"
    for wrong in ([], ["init"], ["unknown"], ["init", "x", "--networks", "huge"]):
        with pytest.raises(SystemExit) as done:
            main(wrong)
        assert done.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
