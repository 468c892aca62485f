"""Hostile files: their numbers, and a table of outcomes at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import pytest
from child import Child
from hypothesis import HealthCheck, settings
from sandbox import Sandbox
from seeds import make_media
from strange import STRANGE
from tally import Tally
from words import NAMES, RAW

FILES = int(os.environ.get("SWAPSET_FUZZ_FILES", "40"))
"""Number of media files; there are half as many weights and stored arrays."""
FIRST = int(os.environ.get("SWAPSET_FUZZ_FIRST", "0"))
"""Number of the first file; with FILES=1, that of the file that a failure names."""

settings.register_profile(
    "fuzz",
    max_examples=max(10, FILES // 2),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("fuzz")

_TALLY = Tally()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "media_number" in metafunc.fixturenames:
        metafunc.parametrize("media_number", range(FIRST, FIRST + FILES))
    if "name" in metafunc.fixturenames:
        names = [*NAMES, os.fsdecode(RAW)]
        metafunc.parametrize("name", names if len(STRANGE) <= FILES else names[::9], ids=ascii)
    if "model_number" in metafunc.fixturenames:
        metafunc.parametrize("model_number", range(FIRST, FIRST + -(-FILES // 2)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _TALLY.lines():
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def tally() -> Tally:
    return _TALLY


@pytest.fixture(scope="session")
def media_seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return a good file of every container."""
    return make_media(tmp_path_factory.mktemp("seeds"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with closing(Sandbox(tmp_path_factory.mktemp("sandbox"))) as made:
        yield made


@pytest.fixture(scope="session")
def child(sandbox: Sandbox) -> Iterator[Child]:
    """Yield the process that reads hostile files; it is replaced when it dies or is ended."""
    with closing(Child(sandbox)) as made:
        yield made
