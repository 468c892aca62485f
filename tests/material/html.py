"""An HTML page as a browser reads it, for tests."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

VOID = ("img", "meta")


class Page(HTMLParser):
    """Collects what a page holds, and checks that elements are closed in order.

    Attributes
    ----------
    tags : list of str
    attributes : list of (tag, name, value)
    texts : list of str
        Everything between two tags, entities resolved.
    """

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        self.texts.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1:] = [(self.texts or [""])[-1] + data]

    def values(self, name: str) -> list[Any]:
        """Return all values of an attribute, in order."""
        return [value for _, attribute, value in self.attributes if attribute == name]
