"""Results in object storage: the same bytes in the bucket of an S3 server, nothing beside it."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from material.builds import CLIPS, CONFIG, SWAPS, write_rows
from material.running import ROOT, Run, copy_checkout, digest, dry_run, snakemake

pytest.importorskip("snakemake_storage_plugin_s3", reason="needs swapset[s3]")
boto3 = pytest.importorskip("boto3")
server = pytest.importorskip("moto.server", reason="needs a local S3 server: swapset[test]")

BUCKET, PREFIX = "bucket", "some/where"
RESULTS = f"{PREFIX}/results/tiny/"
METHOD = "faceswap"
SHOWN = ("original", "c40")
IN_BUCKET = "id1_0001"
"""A clip that is itself read from the bucket."""
KEYS = {"ACCESS_KEY": "key", "SECRET_KEY": "secret", "REGION": "us-east-1"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return the address of an S3 server that keeps its objects in memory."""
    threaded = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    threaded.start()
    yield "http://{}:{}".format(*threaded.get_host_and_port())
    threaded.stop()


@pytest.fixture(scope="module")
def bucket(address: str) -> Any:
    names = {"ACCESS_KEY": "aws_access_key_id", "SECRET_KEY": "aws_secret_access_key"}
    keys = {names.get(key, "region_name"): value for key, value in KEYS.items()}
    found = boto3.resource("s3", endpoint_url=address, **keys).Bucket(BUCKET)
    found.create()
    return found


@pytest.fixture(scope="module")
def folder(build: Path, bucket: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout for two people's part of the finished build; one clip is in the bucket."""
    made = copy_checkout(tmp_path_factory.mktemp("storage") / "checkout")
    (made / "clips").mkdir()
    rows = [["clip", "subject", "path", "licence", "url"]]
    for clip in CLIPS:
        name, url = f"{clip}.mp4", ""
        if clip == IN_BUCKET:
            bucket.upload_file(str(build / "clips" / name), f"clips/{name}")
            name, url = "", f"s3://{BUCKET}/clips/{name}"
        else:
            shutil.copy2(build / "clips" / name, made / "clips")
        rows.append([clip, clip.partition("_")[0], name, "CC0", url])
    write_rows(made / "clips" / "clips.csv", rows)
    write_rows(made / "clips" / "swaps.csv", [["clip", "donor"], SWAPS[0]])
    config = {**CONFIG, "methods": [METHOD], "compressions": list(SHOWN), "subjects": None}
    (made / "tiny.yaml").write_text(yaml.safe_dump(config))
    return made


def options(address: str) -> tuple[list[str], dict[str, str]]:
    """Return what a run needs on its command line and in its environment."""
    place = ["--default-storage-provider", "s3", "--storage-s3-endpoint-url", address]
    place += ["--default-storage-prefix", f"s3://{BUCKET}/{PREFIX}", "--configfile", "tiny.yaml"]
    return place, {f"SNAKEMAKE_STORAGE_S3_{key}": value for key, value in KEYS.items()}


@pytest.fixture(scope="module")
def stored(folder: Path, address: str) -> Run:
    """Output of the build that put its results into the bucket.

    Its first jobs are a cluster's, whose nodes have their own disks: they upload what they make.
    """
    place, keys = options(address)
    own_disks = ["--shared-fs-usage", "persistence", "software-deployment", "sources"]
    own_disks += ["source-cache", "--local-storage-prefix", "of_main"]
    own_disks += ["--remote-job-local-storage-prefix", "of_node"]
    submit = ["--jobs", "2", "--executor", "cluster-generic"]
    submit += ["--cluster-generic-submit-cmd", "bash"]
    asked = [f"results/tiny/clips/{subject}" for subject in ("id0", "id1")]
    snakemake(folder, *place, *submit, *own_disks, "--", *asked, **keys).check()
    return snakemake(folder, *place, "--", "dataset", "mask_ssim", **keys).check()


@pytest.fixture(scope="module")
def objects(stored: Run, bucket: Any) -> Mapping[str, str]:
    """SHA-256 of each of the build's objects, by its name below the build's folder."""
    found = bucket.objects.filter(Prefix=RESULTS)
    return {
        item.key.removeprefix(RESULTS): hashlib.sha256(item.get()["Body"].read()).hexdigest()
        for item in found
    }


def test_same_bytes_as_on_a_disk(objects: Mapping[str, str], results: Path) -> None:
    stages = ("clips/", "tracks/", "faces/", "models/", "labels/", "dataset/real/", "dataset/face")
    compared = {name: sha256 for name, sha256 in objects.items() if name.startswith(stages)}
    for stage in stages:
        assert any(name.startswith(stage) for name in compared), stage
    assert {f"dataset/{METHOD}/{c}/id0_id1_0000.mp4" for c in SHOWN} <= set(compared)
    assert not [name for name, sha256 in compared.items() if sha256 != digest(results / name)]


def test_same_row_as_in_the_table_on_a_disk(stored: Run, bucket: Any, results: Path) -> None:
    name = "tables/mask_ssim_per_fake.csv"
    text = bucket.Object(RESULTS + name).get()["Body"].read().decode()
    [row] = csv.DictReader(text.splitlines())
    assert row["method"] == METHOD
    with (results / name).open(newline="") as stream:
        assert row in list(csv.DictReader(stream))


def test_nothing_is_left_on_the_disk_alone(folder: Path, objects: Mapping[str, str]) -> None:
    """Local copies of logs and benchmarks stay; of all else none does."""
    place = folder / ".snakemake" / "storage" / "s3" / BUCKET / RESULTS
    copies = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    assert copies <= set(objects)
    assert not [name for name in copies if not name.startswith(("logs/", "benchmarks/"))]
    kept = {path.name for path in (folder / "results" / "tiny").iterdir()}
    assert kept == {".swapset.lock", "checkpoints", "events"}
    assert not any((folder / "results" / "tiny" / "checkpoints").rglob("*.safetensors"))


def test_second_run_has_nothing_to_do(folder: Path, address: str, stored: Run) -> None:
    place, keys = options(address)
    run = dry_run(folder, *place, "--", "dataset", "mask_ssim", **keys)
    assert run.nothing_to_do, run.output


def test_changed_setting_remakes_what_it_has_to(
    folder: Path, address: str, stored: Run, bucket: Any
) -> None:
    """From what is in the bucket, since nothing is here any more."""
    place, keys = options(address)
    quality = {"quality": {**CONFIG["quality"], "level": 0.5}}
    (folder / "changed.yaml").write_text(yaml.safe_dump(quality))
    asked = (*place, "changed.yaml", "--", "dataset", "mask_ssim")
    before = bucket.Object(f"{RESULTS}tables/mask_ssim.csv").last_modified
    run = snakemake(folder, *asked, **keys).check()
    assert run.jobs == {"mask_ssim": 1}
    assert f"Retrieving from storage: s3://{BUCKET}/{RESULTS}quality/id0.csv" in run.output
    assert bucket.Object(f"{RESULTS}tables/mask_ssim.csv").last_modified > before
    assert dry_run(folder, *asked, **keys).nothing_to_do


def test_results_outside_the_folder_are_refused(folder: Path, address: str) -> None:
    place, keys = options(address)
    said = dry_run(folder, *place, "--config", f"results={folder}/results", **keys).refused()
    assert "results: " in said
    assert "relative" in said


def test_kubernetes_profile_is_understood(folder: Path, address: str) -> None:
    """A dry run by it; its bucket is not there yet, so that everything has to be made."""
    pytest.importorskip("snakemake_executor_plugin_kubernetes", reason="needs its executor plugin")
    keys = {**options(address)[1], "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL": address}
    profile = ("--workflow-profile", ROOT / "profiles" / "kubernetes", "--configfile", "tiny.yaml")
    run = dry_run(folder, *profile, "--", "mask_ssim", **keys).check()
    assert run.jobs["ingest"] == 2
    assert "unrestricted shared filesystem" not in run.output
