"""The base of all sections of the page, and the templates that render them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATES = Environment(
    loader=PackageLoader(__package__),
    # For all templates: names, reasons and licences are untrusted text.
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
"""The files in `templates/`. All values are escaped."""


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes
    ----------
    name : str
        Its template is `templates/<name>.html.j2`, which renders its other attributes; links to it
        end with `#<name>`.
    title : str
        Its heading, also in the table of contents.
    """

    name: ClassVar[str]
    title: ClassVar[str]


def render(template: str, **values: Any) -> str:
    """Render a template.

    Parameters
    ----------
    template : str
        Its name without `.html.j2`.
    **values
        The values that it uses.

    Raises
    ------
    jinja2.UndefinedError
        If a value that it uses is missing.
    """
    return TEMPLATES.get_template(f"{template}.html.j2").render(values)
