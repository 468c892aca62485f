"""The commented YAML and the JSON schema of a config, written from its models.

python -m swapset.config.text     rewrites config.yaml and config/config.schema.json
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from swapset.config.schema import DEMO, Config, Section

ROOT = Path(__file__).parents[2]
_WIDTH = 96
_HEADER = """\
The default build: the embedded demo, two portraits brought to life and two morphs of them, with
networks small enough for a laptop. Every key of a config is here.
For your own clips: `swapset init FOLDER` writes a config with the values for real clips.
Written by `python -m swapset.config.text`; a test keeps it equal to the models in the library.
"""


def commented_yaml(values: Mapping[str, Any], header: str) -> str:
    """Return a config as YAML, every key with its description above it.

    Parameters
    ----------
    values : mapping
        Keys that differ from the models' defaults.
    header : str
        Text at the top.
    """
    lines = _comment(header, 0)
    lines += _section(Config(**values), values, 0)
    return "\n".join(lines) + "\n"


def _section(model: Section, values: Mapping[str, Any], indent: int) -> list[str]:
    lines = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if indent == 0:
            lines.append("")
        lines += _comment(_about(field), indent)
        if isinstance(value, Section):
            lines.append(f"{name}:")
            lines += _section(value, values.get(name, {}), indent + 2)
        else:
            # Of what is set by name, a null is written out: it takes back what another config says.
            only_set = name == "settings"
            written = model.model_dump(mode="json", exclude_unset=only_set)
            lines += _entry(name, written.get(name, value), indent)
    return lines


def _about(field: FieldInfo) -> str:
    return (field.description or "").strip()


def _comment(text: str, indent: int) -> list[str]:
    paragraphs = [textwrap.wrap(line, _WIDTH - indent) or [""] for line in text.splitlines()]
    return [f"{' ' * indent}# {line}".rstrip() for part in paragraphs for line in part]


def _entry(name: str, value: Any, indent: int) -> list[str]:
    if name in ("recipes", "datasets"):  # what is null is left out
        value = {key: _set_fields(fields) for key, fields in value.items()}
    # Lists and the innermost mappings on one line, all else in blocks.
    flow = None if isinstance(value, list | dict) and value else False
    text = yaml.safe_dump(
        {name: value}, sort_keys=False, width=_WIDTH, default_flow_style=flow, allow_unicode=True
    )
    return [f"{' ' * indent}{line}" for line in text.rstrip().splitlines()]


def _set_fields(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recipe.items() if value is not None}


def schema_text() -> str:
    """Return the JSON schema of a config."""
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


def default_yaml() -> str:
    """Return the text of the default `config.yaml`."""
    return commented_yaml(DEMO, _HEADER)


def main() -> None:
    """Rewrite the generated files of the repository."""
    (ROOT / "config.yaml").write_text(default_yaml(), encoding="utf-8")
    (ROOT / "config" / "config.schema.json").write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
