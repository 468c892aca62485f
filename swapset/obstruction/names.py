"""Names of the attacks. Light to import."""

from __future__ import annotations

CLEAN = "none"
"""No noise at all: what attacks are compared with."""

BREAKER = "lb"
"""The chapter's own attack, Landmark Breaker."""

ROBUST = "lb-robust"
"""The one that follows several extractors."""

EVEN = "lb-robust-ssim"
"""The same with its noise scaled to the SSIM_I of Landmark Breaker's on the same extractors."""

DLIB = "dlib"
"""dlib's 68-point model, which no attack follows and every one is measured on."""

ATTACKS: dict[str, str] = {
    CLEAN: "base:NoNoise",
    "base1": "fgsm:Base1",
    "base2": "fgsm:Base2",
    "lb": "landmark_breaker:LandmarkBreaker",
    "lb-trans": "landmark_breaker:LBTrans",
    "lb-mix": "landmark_breaker:LBMix",
    ROBUST: "robust:LBRobust",
    EVEN: "robust:LBRobust",
}
"""Module and class, in the order of tables 4.6 and 4.7 of the chapter."""

ON_VIDEOS = [name for name in ATTACKS if name not in ("base1", EVEN)]
"""Attacks that go on from a frame's noise to the next frame's: a single step cannot, and what is
only scaled is no attack of its own."""
