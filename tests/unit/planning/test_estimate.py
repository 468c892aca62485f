"""Cost of finished builds, and estimates for the next one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from swapset.build.workflow import Workflow
from swapset.config.methods import BUILT_IN, training_of
from swapset.errors import DataError
from swapset.generation.flops import operations
from swapset.generation.size import weights
from swapset.io.files import write_json
from swapset.planning.disk import bytes_per_frame, disk_by_rule
from swapset.planning.rates import Job, Rate, measured_rates, reference_rates
from swapset.planning.work import training_work

FRAMES = {"id0_0000": 100, "id0_0001": 200, "id1_0000": 1000}
COLUMNS = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def benchmark(path: Path, seconds: float, memory: str = "150.0") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{COLUMNS}{seconds}\t0:00:01\t{memory}\t-\t-\t-\t0\t0\t0\t{seconds / 2}\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "made"
    (root / "tables").mkdir(parents=True)
    rows = [f"{clip},{clip.partition('_')[0]},True,,{count}" for clip, count in FRAMES.items()]
    text = "\n".join(["clip,subject,accepted,reason,frames", *rows])
    (root / "tables" / "clips.csv").write_text(text)
    for subject, frames in (("id0", 300), ("id1", 1000)):
        benchmark(root / "benchmarks" / "ingest" / f"{subject}.tsv", 2 + 0.01 * frames)
    return root


def test_start_and_slope_are_told_apart_by_jobs_of_two_sizes(root: Path) -> None:
    rate = measured_rates([root])["ingest"]
    assert rate.start == pytest.approx(2)
    assert rate.per_unit == pytest.approx(0.01)
    assert rate.seconds(500) == pytest.approx(7)
    assert (rate.busy, rate.memory, rate.jobs) == (pytest.approx(0.5), 150, 2)
    assert rate.source == "made"


@pytest.mark.parametrize(("seconds", "start"), [(2.0, 1.0), (100.0, 3.0)])
def test_jobs_of_one_size_have_an_assumed_start(seconds: float, start: float) -> None:
    rate = Rate.of([Job(10, seconds, 1, 100)] * 3, "x")
    assert rate.start == start
    assert rate.seconds(10) == pytest.approx(seconds)


def test_work_of_each_rule_is_what_its_jobs_saw(root: Path) -> None:
    folder = root / "benchmarks"
    benchmark(folder / "synthesise" / "celebdf" / "id0_id1_0001.tsv", 20)
    benchmark(folder / "measure" / "id0.tsv", 5)
    benchmark(folder / "mask_ssim.tsv", 1)
    for method in ("celebdf", "faceswap"):
        path = root / "labels" / method / "id0_id1_0001.parquet"
        path.parent.mkdir(parents=True)
        path.touch()
    rates = measured_rates([root])
    assert rates["synthesise"].seconds(200) == pytest.approx(20)
    assert rates["measure"].seconds(2 * 200) == pytest.approx(5)
    assert rates["mask_ssim"].seconds(1) == pytest.approx(1)


def test_a_training_is_told_by_its_card(root: Path) -> None:
    recipe = training_of(BUILT_IN["faceswap"]).model_dump()
    benchmark(root / "benchmarks" / "train" / "faceswap" / "id0-id1.tsv", 50)
    benchmark(root / "benchmarks" / "train" / "faceswap" / "id0-id2.tsv", 50)
    card = {"trained": True, "recipe": recipe, "steps": 100, "device": "cuda:1"}
    write_json(root / "models" / "faceswap" / "id0-id1.json", card)
    write_json(root / "models" / "faceswap" / "id0-id2.json", {"trained": False, "reason": "x"})
    rate = measured_rates([root])["train on cuda"]
    assert rate.jobs == 1
    assert rate.seconds(training_work(recipe, 100)) == pytest.approx(50)


def test_an_untouched_machine_has_the_rates_that_come_along(tmp_path: Path) -> None:
    assert measured_rates([tmp_path]) == {}
    rates = reference_rates()
    assert {"ingest", "track", "align", "train on cpu", "train on cuda", "synthesise"} <= set(rates)
    assert all(rate.seconds(1) > 0 and rate.memory > 0 for rate in rates.values())


def test_a_damaged_benchmark_file_is_named(root: Path) -> None:
    (root / "benchmarks" / "ingest" / "id1.tsv").write_text("s\n")
    with pytest.raises(DataError, match=r"ingest/id1\.tsv: is not a benchmark file"):
        measured_rates([root])


def test_a_short_job_without_readings_counts_its_seconds(root: Path) -> None:
    path = root / "benchmarks" / "accept.tsv"
    path.write_text(COLUMNS + "\t".join(["0.4", "0:00:00", *["NA"] * 8]) + "\n")
    rate = measured_rates([root])["accept"]
    assert rate.seconds(1) == pytest.approx(0.4)
    assert rate.busy == 1


def test_operations_are_those_of_the_layers() -> None:
    # 64 x 64, width 8: four halvings to 4 x 4 with 8, 16, 32, 64 channels.
    recipe = training_of(BUILT_IN["faceswap"]).model_copy(update={"width": 8, "code": 32})
    downs = [(32, 3, 8), (16, 8, 16), (8, 16, 32), (4, 32, 64)]
    counts = [side**2 * 25 * i * o for side, i, o in downs]
    counts += [16 * 64 * 32, 32 * 64 * 16]
    counts += [
        side**2 * 9 * i * 4 * o
        for side, i, o in ((4, 64, 32), (8, 32, 16), (16, 16, 8), (32, 8, 4))
    ]
    counts += [64**2 * 25 * 4 * 3]
    # Forward and two ways back; the first layer's input wants no gradient.
    assert operations(recipe) == 2 * (3 * sum(counts) - counts[0])


def test_moving_and_mixing_textures_counts() -> None:
    base = training_of(BUILT_IN["celebdf"])
    values = base.model_dump() | {"resolution": 128, "width": 24, "code": 256, "kernel": 3}
    values |= {"input_resolution": None, "decoder": "convolutional", "coarse_first": False}
    plain, four, eight, coarse = (
        training_work(values | changes, 100)
        for changes in (
            {},
            {"decoder": "textures", "textures": 4},
            {"decoder": "textures", "textures": 8},
            {"decoder": "textures", "textures": 8, "coarse_first": True},
        )
    )
    # Milliseconds of a face on one core, measured together: 7.5, 8.3, 11.2; coarse ones 7.5.
    assert four / plain == pytest.approx(8.3 / 7.5, rel=0.25)
    assert eight / plain == pytest.approx(11.2 / 7.5, rel=0.25)
    assert coarse / eight == pytest.approx((0.6 * 7.5 + 0.4 * 11.2) / 11.2, rel=0.1)


@pytest.mark.parametrize("decoder", ["convolutional", "textures"])
def test_weights_grow_by_a_decoder_each(decoder: str) -> None:
    recipe = training_of(BUILT_IN["celebdf"]).model_copy(update={"decoder": decoder})
    two, three, four = (weights(recipe, count) for count in (2, 3, 4))
    assert four - three == three - two > 0
    assert two > 50e6


def test_bytes_of_a_frame_are_those_on_disk(root: Path) -> None:
    (root / "clips" / "id0").mkdir(parents=True)
    (root / "clips" / "id0" / "id0_0000.mkv").write_bytes(bytes(13_000))
    write_json(root / "records" / "real" / "id0_0000.json", {"frames": 100, "sha256": {"c23": "x"}})
    (root / "dataset" / "real" / "c23").mkdir(parents=True)
    (root / "dataset" / "real" / "c23" / "id0_0000.mp4").write_bytes(bytes(500))
    each = bytes_per_frame([root])
    assert (each.ingest, each.video) == (10, 5)
    assert each.track == bytes_per_frame([]).track


@pytest.mark.parametrize("detectors", [["Meso4"], ["Meso4", "SPSL"], [], "all"])
def test_faces_take_as_much_room_as_the_detectors_margin(
    root: Path, tmp_path: Path, detectors: list[str] | str
) -> None:
    """A build with wider regions tells of builds without them, and the other way round."""
    wide = "SPSL" in detectors or detectors == "all"
    place = root / "crops" / "real" / "c23" / "0000"
    place.mkdir(parents=True)
    np.savez(place / "index.npz", rows=np.zeros((10, 10), np.int64))
    (place / "pixels.bin").write_bytes(bytes(90_000 if wide else 40_000))
    write_json(root / "config.json", {"detectors": detectors})
    crop = bytes_per_frame([root]).crop
    assert crop == pytest.approx(4000, rel=0.05)  # at a margin of 2; 3 has 9/4 of the area
    rows = [f"id{person}_0000,id{person},{person}.mp4,CC0" for person in range(2)]
    for person in range(2):
        (tmp_path / f"{person}.mp4").touch()
    (tmp_path / "clips.csv").write_text("\n".join(["clip,subject,path,licence", *rows]))
    values = {"clips": str(tmp_path / "clips.csv")}
    sizes = {
        name: disk_by_rule(Workflow({**values, "detectors": [name]}), bytes_per_frame([root]), 10)
        for name in ("Meso4", "SPSL")
    }
    ratio = sizes["SPSL"]["find_faces"].finished / sizes["Meso4"]["find_faces"].finished
    assert ratio == pytest.approx(9 / 4)
