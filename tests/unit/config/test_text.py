"""The files that are generated from the config's models are what the models say."""

import json

import pytest
import yaml

from swapset.build.build import Build
from swapset.config.schema import DEMO, Config, load
from swapset.config.text import ROOT, commented_yaml, default_yaml, schema_text

REFRESH = "run: python -m swapset.config.text"


def test_the_repository_has_the_generated_files():
    assert (ROOT / "config.yaml").read_text(encoding="utf-8") == default_yaml(), REFRESH
    schema = (ROOT / "config" / "config.schema.json").read_text(encoding="utf-8")
    assert schema == schema_text(), REFRESH


def test_every_key_is_in_the_default_config_with_a_comment():
    lines = default_yaml().splitlines()
    for name in Config.model_fields:
        [at] = [i for i, line in enumerate(lines) if line.startswith(f"{name}:")]
        assert lines[at - 1].startswith("# "), name


def test_the_default_config_is_the_demo():
    assert load(yaml.safe_load(default_yaml())) == load(DEMO)


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
    text = commented_yaml(values, "A header\n\nof two paragraphs")
    assert load(yaml.safe_load(text)) == load(values)
    assert text.startswith("# A header\n#\n# of two")


def test_the_schema_knows_every_key_and_no_other():
    schema = json.loads(schema_text())
    assert set(schema["properties"]) == set(Config.model_fields)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("preset", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_presets_are_valid_and_inherit_nothing_small_from_the_demo(preset, tmp_path):
    own = yaml.safe_load(preset.read_text(encoding="utf-8"))
    merged = _merge(yaml.safe_load(default_yaml()), own)
    config = load(merged)
    if config.clips == "demo":
        return
    manifest = tmp_path / "clips.csv"
    lines = [f"id{s}_{n:04d},id{s},id{s}_{n:04d}.mp4,x" for s in range(59) for n in range(10)]
    manifest.write_text("\n".join(["clip,subject,path,licence", *lines]))
    for line in lines:
        (tmp_path / line.split(",")[2]).touch()
    build = Build({**merged, "clips": str(manifest), "subjects": None})
    assert build.notices == []
    for section in ("align", "detection", "landmark_breaker"):
        assert getattr(build.config, section) == getattr(load({}), section)
    if preset.name == "celebdf.yaml":
        assert len(build.swaps) == 5639
        assert build.config.recipe("celebdf") == load({}).recipe("celebdf")


def _merge(base, own):
    """Merge as Snakemake merges config files."""
    merged = dict(base)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merge(base[key], value) if both else value
    return merged
