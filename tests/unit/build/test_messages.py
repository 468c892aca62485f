"""Our errors are one line on the screen, others stay whole."""

from __future__ import annotations

import logging

import pytest

from swapset.build.messages import OneLine

IN_A_RULE = """InputFunctionException in rule score in file "/a b/rules/detection.smk", line 58:
Error:
  ConfigError: detectors: 'X' is not allowed: it learns from c23 videos; leave it out
Wildcards:
  detector=X
  fold=0
Traceback:
  File "/a b/rules/detection.smk", line 61, in <lambda>"""
AT_THE_START = """WorkflowError in file "/a b/Snakefile", line 66:
swapset: clips.csv, line 3: no licence
seed: 'x' is not allowed
  File "/a b/Snakefile", line 66, in <module>"""
OTHER = """InputFunctionException in rule ingest in file "/a/rules/clips.smk", line 47:
Error:
  KeyError: 'id99'
Wildcards:
  subject=id99"""


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            IN_A_RULE,
            "swapset: detectors: 'X' is not allowed: it learns from c23 videos; leave it out",
        ),
        (AT_THE_START, "swapset: clips.csv, line 3: no licence\nseed: 'x' is not allowed"),
        (OTHER, OTHER),
        ("Complete log(s): a", "Complete log(s): a"),
    ],
)
@pytest.mark.parametrize("level", [logging.ERROR, logging.INFO])
def test_messages(message: str, shown: str, level: int) -> None:
    record = logging.LogRecord("snakemake", level, "x.py", 1, message, None, None)
    assert OneLine().filter(record)
    assert record.getMessage() == (shown if level == logging.ERROR else message)
