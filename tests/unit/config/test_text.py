"""The files that are generated from the config's models are what the models say."""

import json
import re

import pytest
import yaml

from swapset.build.build import Build
from swapset.cli.plan import _extend
from swapset.config.demo import DEMO_VALUES
from swapset.config.schema import Config, Section, load
from swapset.config.text import ROOT, commented_yaml, default_yaml, schema_text

REFRESH = "run: python -m swapset.config.text"
OWN = {"clips": "clips.csv"}
COMMENTED_OUT = re.compile(r"^( *)#(?=[^\s#])", re.MULTILINE)
"""The mark before a key; in comments a space follows it."""


def places(section=Config, *above):
    """Return the way to every key, sections without their own."""
    found = []
    for name, field in section.model_fields.items():
        inner = isinstance(field.annotation, type) and issubclass(field.annotation, Section)
        found += places(field.annotation, *above, name) if inner else [(*above, name)]
    return found


PLACES = [place for place in places() if place != ("clips",)]


def uncommented(place):
    """Return `config.yaml` with one key uncommented, and the section that it is in."""
    lines, at = default_yaml().splitlines(), 0
    for depth, name in enumerate(place):
        mark = f"{'  ' * depth}#{name}:"
        at = next(n for n in range(at, len(lines)) if lines[n].startswith(mark))
        lines[at] = lines[at].replace("#", "", 1)
    return "\n".join(lines)


def at(values, place):
    for name in place:
        values = values[name]
    return values


def test_the_repository_has_the_generated_files():
    assert (ROOT / "config.yaml").read_text(encoding="utf-8") == default_yaml(), REFRESH
    schema = (ROOT / "config" / "config.schema.json").read_text(encoding="utf-8")
    assert schema == schema_text(), REFRESH


def test_only_the_demo_is_active_in_the_default_config():
    assert yaml.safe_load(default_yaml()) == {"clips": "demo"}


def test_all_keys_uncommented_at_once_are_the_defaults():
    text = COMMENTED_OUT.sub(r"\1", default_yaml())
    values = yaml.safe_load(text)
    assert all(name for *above, name in PLACES if name in at(values, above))
    assert values == Config().model_dump(mode="json")
    assert load(values | OWN) == load(OWN)
    assert load(values | {"clips": None}) == load({"clips": None})


def test_every_key_has_a_comment_above_it():
    lines = default_yaml().splitlines()
    keys = [n for n, line in enumerate(lines) if re.match(r" *#?[a-z_]+:", line)]
    assert len(keys) == 1 + len(PLACES) + len({place[0] for place in PLACES if len(place) > 1})
    for n in keys:
        assert re.match(r" *# \S", lines[n - 1]), lines[n]


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_one_key_uncommented_is_named(place):
    values = yaml.safe_load(uncommented(place))
    default = at(load(OWN).model_dump(mode="json"), place)
    assert at(values, place) == default
    assert values.keys() == {"clips", place[0]}
    assert load(values | OWN) == load(OWN)
    # With the demo's clips the default takes the place of the demo's value, and of no other;
    # without entries it takes none of the demo's away.
    config, demo = (load(named).model_dump(mode="json") for named in (values, {}))
    assert at(config, place) == (at(demo, place) if default == {} else default)
    at(config, place[:-1])[place[-1]] = at(demo, place)
    assert config == demo


def test_what_is_said_of_the_demo_is_what_it_has():
    said = {}
    section, key, parts = "", "", None
    for line in default_yaml().splitlines():
        if parts is not None and (part := re.match(r" *#   (\S+: .*)", line)):
            parts |= yaml.safe_load(part[1])
            continue
        parts = None
        if top := re.match(r"#?([a-z_]+):", line):
            section = key = top[1]
        elif inner := re.match(r"  #([a-z_]+):", line):
            key = inner[1]
        own = said if section == key else said.setdefault(section, {})
        if re.fullmatch(r" *# demo:", line):
            parts = own[key] = {}
        elif beside := re.search(r"  # demo: (.+)", line):
            own[key] = yaml.safe_load(beside[1])
    assert {name: value for name, value in said.items() if value != {}} == DEMO_VALUES


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"name": "a.b", "clips": "/long path/" + "with spaces " * 20 + "/Zoë's clips.csv"},
        {
            "swaps_per_clip": "all",
            "clips_root": "/ä b",
            "device": "cuda:1",
            "compressions": ["original"],
        },
        {"recipes": {"mine": {"base": "celebdf", "mask": "hull"}}, "methods": ["mine"]},
        {"pairs": [["id0", "id1"], ["id0", "id2"]], "training": {"threads": 7}},
    ],
)
def test_what_is_written_reads_back(values):
    text = commented_yaml(values, "A header\n\nof two paragraphs\n  and a line")
    assert (yaml.safe_load(text) or {}) == values
    assert text.startswith("# A header\n#\n# of two paragraphs\n#   and a line\n")


def test_the_schema_knows_every_key_and_no_other():
    schema = json.loads(schema_text())
    assert set(schema["properties"]) == set(Config.model_fields)
    assert schema["additionalProperties"] is False


def test_the_ablation_is_the_demos():
    own = yaml.safe_load((ROOT / "config" / "ablation.yaml").read_text(encoding="utf-8"))
    config, demo = load(yaml.safe_load(default_yaml()) | own), load({})
    assert config.clips == "demo"
    assert config.recipe("celebdf") == demo.recipe("celebdf")
    assert config.recipe("celebdf-hull").width == demo.recipe("celebdf").width
    for section in ("align", "training", "detection", "landmark_breaker"):
        assert getattr(config, section) == getattr(demo, section)


def test_the_papers_scale_has_the_defaults_and_5639_fakes(tmp_path):
    own = yaml.safe_load((ROOT / "config" / "celebdf.yaml").read_text(encoding="utf-8"))
    manifest = tmp_path / "clips.csv"
    lines = [f"id{s}_{n:04d},id{s},id{s}_{n:04d}.mp4,x" for s in range(59) for n in range(10)]
    manifest.write_text("\n".join(["clip,subject,path,licence", *lines]))
    for line in lines:
        (tmp_path / line.split(",")[2]).touch()
    merged = yaml.safe_load(default_yaml())
    _extend(merged, {**own, "clips": str(manifest)})
    build = Build(merged)
    assert len(build.swaps) == 5639
    changed = build.config.model_dump(exclude={"name", "clips", "methods", "swaps_per_clip"})
    defaults = load(OWN).model_dump(include=set(changed))
    defaults["training"]["keep"] = "bfloat16"
    assert changed == defaults
