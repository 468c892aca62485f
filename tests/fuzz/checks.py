"""Put a hostile file in place, and check the outcome of reading it."""

from __future__ import annotations

from pathlib import Path

import pytest
from child import Outcome


def put(path: Path, content: bytes) -> Path:
    """Write a file and delete all others in its folder."""
    for other in path.parent.iterdir():
        other.unlink()
    path.write_bytes(content)
    return path


def check(name: str, path: Path, outcome: Outcome) -> None:
    if outcome.problems or not outcome.result:
        pytest.fail("\n".join([f"{name}, {path}:", *outcome.problems]), pytrace=False)
