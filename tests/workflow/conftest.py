from __future__ import annotations

from pathlib import Path

import pytest
from material.builds import make_clips, write_config, write_tables
from material.running import Run, copy_checkout, once, snakemake


def _build(folder: Path) -> None:
    copy_checkout(folder)
    make_clips(folder / "clips")
    write_tables(folder / "clips")
    write_config(folder / "tiny.yaml")
    (folder / "said.txt").write_text(snakemake(folder, "--configfile", "tiny.yaml").check().output)


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A checkout with a finished build in it (leave it as it is), and what building it printed."""
    folder = once(tmp_path_factory, "build", _build)
    return folder, Run(0, (folder / "said.txt").read_text())


@pytest.fixture(scope="session")
def build(first_run: tuple[Path, Run]) -> Path:
    """The folder of the finished build's checkout."""
    return first_run[0]


@pytest.fixture(scope="session")
def results(build: Path) -> Path:
    return build / "results" / "tiny"
