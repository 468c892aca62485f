"""Names of the landmark extractors. Light to import."""

from __future__ import annotations

EXTRACTORS: dict[str, str] = {
    "fan": "fan:FAN",
    "hrnet": "hrnet:HRNet",
    "avs-san": "avs_san:AVSSAN",
}
"""Module and class, in the order of table 4.5 of the chapter."""
