"""The workflow's own rules of style, read from its files; nothing is run but the linter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from material.running import ROOT, snakemake

NEEDED = ("message", "log", "benchmark", "params", "resources", "conda", "script")
FILES = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]


def _rules() -> dict[str, str]:
    """Return the text of every rule, by name; only targets (no output) are left out."""
    found: dict[str, str] = {}
    for path in FILES:
        parts = re.split(r"^(?:rule|checkpoint) (\w+):\n", path.read_text(), flags=re.M)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            assert name not in found, f"{name} stands twice"
            found[name] = re.split(r"^\S", text, maxsplit=1, flags=re.M)[0]
    return {name: text for name, text in found.items() if _directive("output", text)}


def _directive(name: str, text: str) -> re.Match[str] | None:
    return re.search(rf"^    {name}:", text, re.M)


RULES = _rules()


def test_scripts_are_named_like_their_rules() -> None:
    assert {path.stem for path in (ROOT / "workflow_scripts").glob("*.py")} == set(RULES)
    for name, text in RULES.items():
        assert f'"../workflow_scripts/{name}.py"' in text


@pytest.mark.parametrize("name", RULES)
def test_rule_has_all_directives(name: str) -> None:
    missing = [part for part in NEEDED if not _directive(part, RULES[name])]
    assert not missing
    assert "mem_mb=" in RULES[name]
    assert "runtime=" in RULES[name]


@pytest.mark.parametrize("name", RULES)
def test_rule_depends_on_its_code(name: str) -> None:
    if name != "fetch":  # what was downloaded is not downloaded again for a change of ours
        assert re.search(rf'code=(lambda w: )?build\.code\(\s*"{name}"', RULES[name])


def test_every_rule_file_is_included() -> None:
    included = re.findall(r'^include: "rules/(\w+)\.smk"', FILES[0].read_text(), re.M)
    assert sorted(included) == [path.stem for path in FILES[1:]]


def test_scripts_are_wiring_only() -> None:
    for path in (ROOT / "workflow_scripts").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 60, path
        assert 'if __name__ == "__main__":' in path.read_text(), path


def test_library_does_not_know_snakemake() -> None:
    for path in (ROOT / "swapset").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(), re.M), path


def test_linter_is_content(tmp_path: Path) -> None:
    files = ("--snakefile", ROOT / "Snakefile", "--configfile", ROOT / "config.yaml")
    done = snakemake(tmp_path, *files, "--lint")
    assert done.code == 0, done.output
    assert "your workflow is in a good condition" in done.output


PROFILES = sorted((ROOT / "profiles").glob("*/config.yaml"))
CLUSTERS = [path for path in PROFILES if path.parent.name != "default"]


def _derived() -> dict[str, str]:
    """Return the rules that are made of others, `use rule X as Y`, with their text."""
    text = "".join(path.read_text() for path in FILES)
    return dict(re.findall(r"^use rule \w+ as (\w+) with:\n((?:    .*\n|\n)*)", text, re.M))


def _of(pairs: list[str]) -> dict[str, str]:
    return dict(pair.split("=") for pair in pairs)


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda path: path.parent.name)
def test_profile_names_rules_that_exist(path: Path) -> None:
    """Snakemake takes a misspelt rule without a word."""
    profile, known = yaml.safe_load(path.read_text()), {*RULES, *_derived()}
    named = {*profile["set-resources"], *_of(profile["groups"])}
    assert named <= known
    assert set(_of(profile["group-components"])) == set(_of(profile["groups"]).values())


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda path: path.parent.name)
def test_profile_asks_for_a_gpu_wherever_one_is_used(path: Path) -> None:
    own = {name for name, text in RULES.items() if "gpu=" in text}
    parts = re.findall(
        r"^use rule (\w+) as (\w+)", "".join(path.read_text() for path in FILES), re.M
    )
    wanted = own | {name for base, name in parts if base in own}
    profile = yaml.safe_load(path.read_text())["set-resources"]
    assert {name for name, values in profile.items() if values.get("gpu")} == wanted


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda path: path.parent.name)
def test_profile_keeps_what_the_default_one_says(path: Path) -> None:
    default, own = (
        yaml.safe_load(p.read_text()) for p in (ROOT / "profiles/default/config.yaml", path)
    )
    for key in ("rerun-triggers", "rerun-incomplete", "nolock", "quiet"):
        assert own[key] == default[key]


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda path: path.parent.name)
def test_members_of_a_group_take_turns(path: Path) -> None:
    """A group asks for what one of them needs, not for as many cores and GPUs as they are."""
    profile = yaml.safe_load(path.read_text())
    limits = _of(profile["resources"])
    assert set(limits.values()) == {"1"}
    assert _of(profile["set-resource-scopes"]) == dict.fromkeys(limits, "local")
    for rule in _of(profile["groups"]):
        assert len(limits.keys() & profile["set-resources"][rule]) == 1, rule


def test_pods_with_a_gpu_have_limits() -> None:
    """Kubernetes gives GPUs by limits, which the plugin sets where `scale` is 0."""
    profile = yaml.safe_load((ROOT / "profiles/kubernetes/config.yaml").read_text())
    for name, values in profile["set-resources"].items():
        if values.get("gpu"):
            assert (values["gpu_manufacturer"], values["scale"]) == ("nvidia", 0), name


def test_slurm_tells_trainings_before_their_time_is_up() -> None:
    """All rules whose scripts keep a checkpoint, and no others."""
    texts = RULES | _derived()
    keeps = {name for name, text in texts.items() if re.search(r"^ +checkpoint=", text, re.M)}
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())["set-resources"]
    told = {name for name, values in profile.items() if "slurm_extra" in values}
    assert told == keeps
