"""Imports between rooms go down only, no modules import each other in a circle, and what the
Snakefile reads is light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from swapset.config.text import ROOT

FLOORS = (
    {"errors", "seeds", "types"},
    {"bootstrap", "holm", "io", "plugins", "seen"},
    {"jackknife", "learning"},
    {"media"},
    {"config"},
    {"dataset"},
    {"faces"},
    {"demo", "generation", "detectors", "extractors"},
    {"quality", "detection"},
    {"obstruction"},
    {"build"},
    {"planning", "report"},
    {"cli"},
)
"""The rooms of the library from the ground up. A room imports from the floors below it alone."""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
HEAVY = {"torch", "numpy", "cv2", "dlib", "pandas", "av", "skimage", "matplotlib", "scipy"}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_of(path): path for path in sorted((ROOT / "swapset").rglob("*.py"))}


def imports(path: Path) -> set[str]:
    """Return the library's modules that a file imports anywhere, also for type checkers alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names} & FILES.keys()
            found |= names or {node.module}
    return {name for name in found if name.split(".")[0] == "swapset" and name in FILES}


IMPORTS = {name: imports(path) - {name} for name, path in FILES.items()}


def room(module: str) -> str:
    """Return the room of a module: the folder or, of what lies at the ground, the file."""
    return [*module.split("."), ""][1]


def circles(graph: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Yield paths that come back to where they began."""
    done: set[str] = set()
    for start in graph:
        trail: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(graph[start])))]
        while trail and start not in done:
            name, others = trail[-1]
            other = next((o for o in others if o not in done), None)
            names = [n for n, _ in trail]
            if other is None:
                done.add(name)
                trail.pop()
            elif other in names:
                yield [*names[names.index(other) :], other]
            else:
                trail.append((other, iter(sorted(graph[other]))))


def test_every_room_has_its_floor() -> None:
    assert {room(name) for name in FILES} - {""} == FLOOR.keys()


@pytest.mark.parametrize("name", [name for name in FILES if room(name)])
def test_imports_go_down(name: str) -> None:
    here = room(name)
    above = {
        other
        for other in IMPORTS[name]
        if room(other) not in ("", here) and FLOOR[room(other)] >= FLOOR[here]
    }
    assert not above, f"{name} imports {', '.join(sorted(above))}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert [" > ".join(circle) for circle in circles(IMPORTS)] == []


def test_circles_are_seen() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"b"}})) == [["b", "c", "b"]]


def test_the_library_does_not_know_snakemake() -> None:
    """`swapset plan` starts it as a program."""
    pattern = re.compile(r"^\s*(?:import|from) snakemake\b", re.M)
    assert [name for name, path in FILES.items() if pattern.search(path.read_text())] == []


def test_what_the_snakefile_imports_is_light() -> None:
    """Every job on a cluster reads the Snakefile again."""
    texts = [(ROOT / "Snakefile").read_text(encoding="utf-8")]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk")]
    modules = set(re.findall(r"^from (swapset[\w.]*) import", "\n".join(texts), re.M))
    modules |= {name for name in FILES if room(name) in ("build", "config")}
    assert "swapset.build.workflow" in modules
    code = f"import sys, {', '.join(sorted(modules))}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(done.stdout.split())
