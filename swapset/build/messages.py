"""Shorten Snakemake's error messages: ours are one line, without the place in the Snakefile."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from swapset import errors

MARK = "swapset: "
"""Beginning of the messages that are ours."""
_OWN = {name for name in vars(errors) if name.endswith("Error")}
_IN_A_RULE = re.compile(r"\nError:\n {2}(\w+): (.*?)\nWildcards:\n", re.S)
_AT_THE_START = re.compile(rf"^\w+ in file .*?:\n{MARK}(.*?)((\n {{2}}File \".*)*)$", re.S)


class OneLine(logging.Filter):
    """Shortens records of errors that are `SwapsetError`; other records pass as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; it is never dropped."""
        if record.levelno >= logging.ERROR and isinstance(record.msg, str):
            record.msg = next(_shortened(record.msg), record.msg)
        return True


def _shortened(message: str) -> Iterator[str]:
    """Yield the message of a `SwapsetError` in an error message of Snakemake, if it has one."""
    if at_the_start := _AT_THE_START.search(message):
        yield MARK + at_the_start[1]
    in_a_rule = _IN_A_RULE.search(message)
    if in_a_rule and in_a_rule[1] in _OWN:
        yield MARK + in_a_rule[2]
