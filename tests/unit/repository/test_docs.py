"""The pages name every rule, their links lead somewhere, and files that are named exist."""

import re
from importlib.util import find_spec

import pytest

from swapset.config.text import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = [
    *(ROOT / name for name in ("Snakefile", "Makefile", "config.yaml", "pyproject.toml")),
    *(
        path
        for folder in ("benchmarks", "config", "profiles", "rules", "swapset", "workflow_scripts")
        for path in sorted((ROOT / folder).rglob("*.*"))
        if path.suffix in (".py", ".smk", ".yaml")
    ),
]
"""Files that are no pages and name files in comments, docstrings and messages."""

FOLDERS = "config|docs|envs|profiles|rules|swapset|tests|workflow_scripts"
FILE = re.compile(rf"`((?:benchmarks|{FOLDERS})/[\w./-]+\.\w+)`")
FOLDER = re.compile(rf"`((?:{FOLDERS})/(?:[\w./-]+/)?)`")
IN_A_ROOM = re.compile(
    rf"`((?:{'|'.join(path.name for path in (ROOT / 'swapset').iterdir())})/[\w./-]+\.py)`"
)
PLAIN = re.compile(r"(?<![\w./])((?:docs|swapset|workflow_scripts)/[\w/]+\.(?:md|py))\b")


def rule_names():
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk"))
    return re.findall(r"^(?:rule|checkpoint) (\w+):", text, re.MULTILINE)


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_rule_has_its_heading_and_its_script():
    found = set().union(*map(anchors, PAGES))
    for name in rule_names():
        assert name in found, f"rule {name} has no heading in docs/"
        assert (ROOT / "workflow_scripts" / f"{name}.py").is_file()
    scripts = {path.stem for path in (ROOT / "workflow_scripts").glob("*.py")}
    assert scripts == set(rule_names())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    text = page.read_text(encoding="utf-8")
    for name in FILE.findall(text):
        assert (ROOT / name).is_file(), name
    for name in FOLDER.findall(text):
        assert (ROOT / name).is_dir(), name
    for name in IN_A_ROOM.findall(text):
        assert (ROOT / "swapset" / name).is_file(), name
    for name in re.findall(r"\btests/[\w./-]+\.py\b", text):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"python -m (swapset[\w.]+)", text):
        assert find_spec(name), name


def test_files_that_code_and_settings_name_exist():
    assert len(OTHERS) > 200
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in OTHERS
        for name in PLAIN.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).is_file()
    ]
    assert missing == []
