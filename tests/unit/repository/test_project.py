"""Files of an open project: licences, citation, checks; examples and tests that can fail."""

import ast
import doctest
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import swapset

ROOT = next(path for path in Path(__file__).parents if (path / "pyproject.toml").is_file())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


# -- scripts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["benchmarks", "workflow_scripts"])
def test_no_script_hides_a_module_of_python_from_those_beside_it(folder):
    """Python looks beside a script first: `statistics.py` would be what `import statistics` is."""
    names = {path.stem for path in (ROOT / folder).glob("*.py")}
    assert names
    assert not names & sys.stdlib_module_names


# -- licences ----------------------------------------------------------------------------------


ROW = r"^\| `([\w-]+)` \| ([^|]+) \|"


def licences():
    """Return the licences in docs/licences.md by package: of those asked for, and of others."""
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| package .*\n\|-.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    asked, others = (
        {canonicalize_name(name): licence for name, licence in re.findall(ROW, table, re.MULTILINE)}
        for table in tables
    )
    return asked, others


def locked(file):
    """Return the names of the packages in a lock file."""
    return re.findall(r"^([\w.-]+)==", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_package_that_is_asked_for_has_its_licence_in_the_table():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    groups.append(locked("requirements-models.lock"))
    names = {canonicalize_name(Requirement(each).name) for group in groups for each in group}
    asked, others = licences()
    assert names - asked.keys() - others.keys() == set(), "add a row to docs/licences.md"
    assert asked.keys() - names == set(), "no longer asked for: delete the row"


def test_the_table_says_what_the_installed_packages_say():
    seen = set()
    for name, licence in licences()[0].items():
        try:
            said = metadata.metadata(name).get("License-Expression")
        except metadata.PackageNotFoundError:  # yt-dlp, which the lock leaves out
            continue
        if said:
            seen.add(name)
            words = set(re.split(r"[\s()]+", said)) - {""}
            assert words <= set(re.split(r"[\s();]+", licence)), f"{name}: {said}"
    assert {"av", "numpy", "torch"} <= seen


def test_copyleft_in_the_lock_is_named():
    asked, others = licences()
    found = set()
    for name in locked("requirements.lock"):
        facts = metadata.metadata(name)
        lines = [facts.get("License-Expression"), (facts.get("License") or "")[:200]]
        lines += [each for each in facts.get_all("Classifier") or [] if "License ::" in each]
        if re.search(r"GPL|MPL|Mozilla|GNU", " ".join(filter(None, lines))):
            found.add(canonicalize_name(name))
    assert "certifi" in found
    assert found <= asked.keys() | others.keys()


def test_licence_is_mit_wherever_it_is_said():
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")
    assert (PROJECT["license"], PROJECT["license-files"]) == ("MIT", ["LICENSE"])
    assert citation()["license"] == "MIT"


# -- citation ----------------------------------------------------------------------------------


def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_citation_has_what_its_format_requires_and_the_version():
    found = citation()
    assert found["cff-version"] == "1.2.0"
    assert found["version"] == swapset.__version__
    for work in (found, *found["references"]):
        assert {"authors", "title", "type"} <= work.keys()
        for author in work["authors"]:
            assert author.keys() in ({"name"}, {"family-names", "given-names"})
    assert found["message"]


def test_the_chapter_is_cited_as_in_the_report():
    from swapset.report.quoted import SOURCE

    (chapter,) = citation()["references"]
    for author in chapter["authors"]:
        assert f"{author['given-names'][0]}. {author['family-names']}" in SOURCE
    for key in ("title", "collection-title", "year"):
        assert str(chapter[key]) in SOURCE
    assert f"chapter {chapter['section']}" in SOURCE


# -- checks ------------------------------------------------------------------------------------


def recipe(target):
    """Return what a target of the Makefile needs, and the lines that it runs."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    needs, lines = re.search(rf"^{target}: (.*)\n((?:\t.*\n)*)", text, re.MULTILINE).groups()
    return needs, [
        line.strip().replace("$(RUN)", ".venv/bin/python -m") for line in lines.splitlines()
    ]


def test_commits_and_make_are_checked_by_the_same_commands():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (repo,) = yaml.safe_load(text)["repos"]
    assert repo["repo"] == "local"
    assert [hook["entry"] for hook in repo["hooks"]] == recipe("check")[1]
    assert {hook["language"] for hook in repo["hooks"]} == {"system"}
    assert recipe("test") == ("check", [".venv/bin/python -m pytest"])


@pytest.mark.parametrize("there", [True, False])
def test_known_answers_beside_the_checkout_are_used(tmp_path, there):
    checkout, stand_in = tmp_path / "a b" / "checkout", tmp_path / "bin" / "make"
    for folder in (checkout / ".ci", stand_in.parent):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", checkout / ".ci" / "run")
    stand_in.write_text('#!/bin/sh\necho "$PWD|$*|$SWAPSET_GOLDEN"\n')
    stand_in.chmod(0o755)
    golden = tmp_path / "a b" / "shared" / "golden"
    if there:
        golden.mkdir(parents=True)
    own = {name: value for name, value in os.environ.items() if name != "SWAPSET_GOLDEN"}
    own["PATH"] = f"{stand_in.parent}{os.pathsep}{own['PATH']}"
    done = subprocess.run(
        [checkout / ".ci" / "run"],
        env=own,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{checkout}|test|{golden if there else ''}\n"


# -- examples and tests ------------------------------------------------------------------------

EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "swapset").rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


def test_there_are_examples():
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_docstrings_give_what_they_say(name):
    done = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.attempted > 0
    assert done.failed == 0


CHECKS = re.compile(r"assert\w*|raises|check_\w+|fail")
"""Names of functions that end a test where something is wrong."""


def functions():
    """Return every function of the tests with its file."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def called(function):
    """Return the names of all that a function calls, without what they are attributes of."""
    names = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {
        name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "") for name in names
    }


def looks(function):
    """Return whether a function has an assertion of its own or calls one of a library."""
    nodes = list(ast.walk(function))
    if any(isinstance(node, ast.Assert) for node in nodes):
        return True
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    if any(
        word.arg == "check" and word.value.value is True for call in calls for word in call.keywords
    ):
        return True  # subprocess.run(..., check=True)
    return any(CHECKS.fullmatch(name) for name in called(function))


def test_every_test_looks_at_something():
    """By an assertion, or by a function of the tests that makes one."""
    everything = list(functions())
    looking = {node.name for _, node in everything if looks(node)}
    while more := {n.name for _, n in everything if called(n) & looking} - looking:
        looking |= more
    blind = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path, node in everything
        if node.name.startswith("test_") and node.name not in looking
    ]
    assert len(everything) > 1000
    assert blind == []
