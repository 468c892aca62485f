"""Names of the attacks. Light to import."""

from __future__ import annotations

CLEAN = "none"
"""No noise at all: what attacks are compared with."""

ATTACKS: dict[str, str] = {
    CLEAN: "attack:NoNoise",
    "base1": "fgsm:Base1",
    "base2": "fgsm:Base2",
    "lb": "breaker:LandmarkBreaker",
    "lb-trans": "breaker:LBTrans",
    "lb-mix": "breaker:LBMix",
    "lb-robust": "robust:LBRobust",
}
"""Module and class, in the order of tables 4.6 and 4.7 of the chapter."""
