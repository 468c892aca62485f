"""A wrong key or value is refused in one line that names the key, the value and what is allowed."""

from pathlib import Path

import pytest

from swapset.config.schema import load
from swapset.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sead": 1}, ["sead: unknown key", "seed"]),
        ({"ingest": {"fsp": 30}}, ["ingest.fsp: unknown key", "max_seconds"]),
        ({"recipes": {"celebdf": {"widht": 8}}}, ["recipes.celebdf.widht: unknown key", "width"]),
        ({"ingest": {"fps": 0}}, ["ingest.fps: 0 is not allowed", "greater than or equal to 1"]),
        ({"ingest": 30}, ["ingest: 30 is not allowed"]),
        ({"seed": -1}, ["seed: -1", "greater than or equal to 0"]),
        ({"seed": "one"}, ["seed: 'one'"]),
        ({"device": "gpu"}, ["device: 'gpu'", "auto, cpu, cuda or cuda:N"]),
        ({"name": "../up"}, ["name: '../up'", "letters, digits"]),
        ({"name": ""}, ["name: ''"]),
        ({"swaps_per_clip": 0}, ["swaps_per_clip: 0", "greater than 0", "'all'"]),
        ({"swaps_per_clip": "some"}, ["swaps_per_clip: 'some'", "'all'"]),
        ({"pairs": "none"}, ["pairs: 'none'", "'all'"]),
        ({"pairs": ["id0", "id1"]}, ["pairs: ['id0', 'id1']", "write [[id0, id1]]"]),
        ({"pairs": [["id0", "id1"], ["id2"]]}, ["pairs: ", "write [[id0, id1]]"]),
        ({"compressions": ["c23"]}, ["compressions: ['c23']", "'original' is missing"]),
        ({"compressions": ["original", "c50"]}, ["compressions.1: 'c50'", "'c40'"]),
        ({"methods": []}, ["methods: []"]),
        ({"methods": ["celebdf", "celebdf"]}, ["methods", "listed twice"]),
        ({"methods": "celebdf"}, ["methods: 'celebdf'", "write [celebdf]"]),
        ({"methods": ["deepfake"]}, ["methods: 'deepfake' is not allowed", "celebdf, deepfacelab"]),
        ({"recipes": {"mine": {"mask": "hull"}}}, ["recipes.mine: a new recipe needs 'base'"]),
        ({"recipes": {"real": {"base": "celebdf"}}}, ["'real' is not allowed as a name"]),
        ({"recipes": {"Mine": {"base": "celebdf"}}}, ["recipes: 'Mine' is not allowed as"]),
        (
            {"recipes": {"a": {"base": "b"}, "b": {"base": "a"}}},
            ["bases form a circle", "a -> b"],
        ),
        ({"recipes": {"a": {"base": "c"}}}, ["recipes.c", "base"]),
        ({"recipes": {"celebdf": {"resolution": 100}}}, ["recipes.celebdf.resolution: 100", "128"]),
        ({"recipes": {"celebdf": {"width": 1}}}, ["recipes.celebdf.width: 1"]),
        ({"align": {"context": 1.0}}, ["recipes.celebdf.context", "raise align.context"]),
        ({"video": {"codec": "vp9"}}, ["video.codec: 'vp9'", "'mpeg4' or 'h264'"]),
        ({"video": {"quality": 40}}, ["video.quality: 40", "31"]),
        ({"strict": "perhaps"}, ["strict: 'perhaps'"]),
        (
            {"detection": {"settings": {"Meso4": {"protocol": "deepfakebench"}}}},
            ["detection.settings.Meso4", "set `weights`, or leave it out"],
        ),
        (
            {"detection": {"settings": {"Meso4": {"protocol": "mine"}}}},
            ["detection.settings.Meso4.protocol: 'mine'", "'deepfakebench'"],
        ),
    ],
)
def test_wrong_values_are_named(values, says):
    with pytest.raises(ConfigError) as caught:
        load(values)
    message = str(caught.value)
    assert "\n" not in message
    for part in says:
        assert part in message
    # No words of the library that checks.
    for word in ("pydantic", "validation error", "value error", "input_type", "constrained"):
        assert word not in message.lower()


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"track": {"predictor": "none.dat"}}, "track.predictor"),
        ({"track": {"cnn_model": "none.dat"}}, "track.cnn_model"),
        ({"track": {"yunet_model": "none.onnx", "detector": "yunet"}}, "track.yunet_model"),
        ({"track": {"centerface_model": "none.onnx"}}, "track.centerface_model"),
        ({"track": {"embedder": "none.dat"}}, "track.embedder"),
        ({"training": {"bases": {"celebdf": "none"}}}, "training.bases.celebdf"),
        (
            {"detection": {"settings": {"Meso4": {"weights": "none.h5"}}}},
            "detection.settings.Meso4.weights",
        ),
        (
            {"landmark_breaker": {"settings": {"hrnet": {"backbone_weights": "none.pth"}}}},
            "landmark_breaker.settings.hrnet.backbone_weights",
        ),
    ],
)
def test_files_that_are_not_there_are_named(values, key):
    with pytest.raises(ConfigError) as caught:
        load(values)
    assert str(caught.value).startswith(f"{key}: no file none")
    assert str(Path.cwd()) in str(caught.value)


def test_weights_in_the_builds_own_results_may_come_yet():
    own = {"settings": {"fan": {"weights": "results/mine/extractors/fan.safetensors"}}}
    load({"name": "mine", "landmark_breaker": own})
    with pytest.raises(ConfigError, match="no file"):
        load({"name": "other", "landmark_breaker": own})


def test_yunet_without_its_file_is_refused():
    with pytest.raises(ConfigError, match=r"track\.yunet_model: null is not allowed with"):
        load({"track": {"detector": "yunet"}})


def test_every_wrong_key_has_its_line():
    with pytest.raises(ConfigError) as caught:
        load({"sead": 1, "ingest": {"fps": 0}, "device": "tpu"})
    keys = [line.partition(":")[0] for line in str(caught.value).splitlines()]
    assert sorted(keys) == ["device", "ingest.fps", "sead"]


def test_values_from_the_command_line_are_understood():
    config = load({"swaps_per_clip": "9.5", "strict": "true", "seed": "7", "clips": "null"})
    assert (config.swaps_per_clip, config.strict, config.seed) == (9.5, True, 7)
    assert config.clips is None


def test_own_recipes_change_only_what_they_say():
    config = load({"recipes": {"hard": {"base": "celebdf", "mask": "hull"}}, "methods": ["hard"]})
    same, own = config.recipe("celebdf").model_dump(), config.recipe("hard").model_dump()
    assert {key for key in own if own[key] != same[key]} == {"mask"}


def test_the_demo_is_valid_and_small():
    demo, real = load({}), load({"clips": "clips.csv"})
    for method in demo.methods:
        assert demo.recipe(method).steps < real.recipe(method).steps
        assert demo.recipe(method).width < real.recipe(method).width


def test_a_config_does_not_change():
    with pytest.raises(ValueError, match="frozen"):
        load({}).seed = 2
