"""The base of all sections of the page, and the templates that show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATES = Environment(
    loader=PackageLoader(__package__),
    # Always, whatever a template's name ends with: names, reasons and licences come from strangers.
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
"""The files in `templates/`. Every value that they show is escaped."""


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes
    ----------
    name : str
        Its template is `templates/<name>.html.j2`, which shows its other attributes; links to it
        end with `#<name>`.
    title : str
        Its heading, also in the table of contents.
    """

    name: ClassVar[str]
    title: ClassVar[str]


def render(template: str, **values: Any) -> str:
    """Return a template's text.

    Parameters
    ----------
    template : str
        Its name without `.html.j2`.
    **values
        What it shows.

    Raises
    ------
    jinja2.UndefinedError
        If it shows a value that is not given.
    """
    return TEMPLATES.get_template(f"{template}.html.j2").render(values)
