"""Write configs as commented YAML, and the JSON schema, from the models of the config.

python -m swapset.config.text     rewrites config.yaml and config/config.schema.json
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from swapset.config.demo import DEMO_VALUES
from swapset.config.schema import Config, Section

ROOT = Path(__file__).parents[2]
_WIDTH = 96
_HEADER = """\
All keys of a config with their meaning. Only `clips: demo` is active: the embedded demo, two
animated portraits and two morphs of them, with networks small enough for a laptop.

All other keys are commented out and show their defaults. To set one, delete its `#` and, if it
is indented, also the `#` of its section's line; or write it into a config of your own and add
that by `--configfile`. Values after `# demo:` are those of `clips: demo`; they never apply to
your own clips.

For your own clips, set `clips` and `name`: `swapset init FOLDER` writes a short config.
Written by `python -m swapset.config.text`; a test keeps it equal to the models in the library.
"""


def commented_yaml(values: Mapping[str, Any], header: str) -> str:
    """Return some keys of a config as YAML, each below its description.

    Parameters
    ----------
    values : mapping
        The keys to write, by section. Their order in the text is that of the models.
    header : str
        Text at the top; its indented lines are not wrapped.
    """
    lines = _comment(header, 0) + _active(Config, values, 0)
    return "\n".join(lines) + "\n"


def default_yaml() -> str:
    """Return the text of `config.yaml`, with every key except `clips` commented out."""
    lines = _comment(_HEADER, 0) + _commented_out(Config(), DEMO_VALUES, 0)
    return "\n".join(lines) + "\n"


def _active(model: type[Section], values: Mapping[str, Any], indent: int) -> list[str]:
    """Return the lines of some keys of a section."""
    lines = []
    for name, field in model.model_fields.items():
        if name not in values:
            continue
        lines += [""] * (indent == 0) + _comment(field.description or "", indent)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            lines += [f"{name}:", *_active(field.annotation, values[name], indent + 2)]
        else:
            lines += _entry(name, values[name], indent)
    return lines


def _entry(name: str, value: Any, indent: int) -> list[str]:
    # Lists and the innermost mappings on one line, everything else in blocks.
    flow = None if isinstance(value, list | dict) and value else False
    text = yaml.safe_dump(
        {name: value}, sort_keys=False, width=_WIDTH, default_flow_style=flow, allow_unicode=True
    )
    return [f"{' ' * indent}{line}" for line in text.rstrip().splitlines()]


def _commented_out(section: Section, demo: Mapping[str, Any], indent: int) -> list[str]:
    """Return the lines of all keys of a section, with the demo's values that differ."""
    lines, left = [], " " * indent
    values = section.model_dump(mode="json")
    for name, field in type(section).model_fields.items():
        lines += [""] * (indent == 0) + _comment(field.description or "", indent)
        value = getattr(section, name)
        if isinstance(value, Section):
            lines.append(f"{left}#{name}:")
            lines += _commented_out(value, demo.get(name, {}), indent + 2)
        else:
            mark = "" if name == "clips" else "#"
            line = f"{left}{mark}{name}: {_on_one_line(values[name])}"
            lines += _beside(line, demo[name], left) if name in demo else [line]
    return lines


def _beside(line: str, demo: Any, left: str) -> list[str]:
    """Return the line of a key with the demo's value; each part of a mapping has its own line."""
    if not isinstance(demo, Mapping):
        return [f"{line}  # demo: {_on_one_line(demo)}"]
    parts = [f"{left}#   {name}: {_on_one_line(part)}" for name, part in demo.items()]
    return [line, f"{left}# demo:", *parts]


def _on_one_line(value: Any) -> str:
    dumped = yaml.safe_dump([value], sort_keys=False, width=10_000, default_flow_style=True)
    return dumped.strip()[1:-1]


def _comment(text: str, indent: int) -> list[str]:
    """Return a text as comment lines. Long lines are wrapped, except indented ones."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        wrapped = textwrap.wrap(line, _WIDTH - indent, break_on_hyphens=False)
        lines += [line] if line.startswith(" ") else wrapped or [""]
    return [f"{' ' * indent}# {line}".rstrip() for line in lines]


def schema_text() -> str:
    """Return the JSON schema of a config."""
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


def main() -> None:
    """Rewrite the generated files of the repository."""
    (ROOT / "config.yaml").write_text(default_yaml(), encoding="utf-8")
    (ROOT / "config" / "config.schema.json").write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
