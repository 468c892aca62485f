"""Convert HDR and wide-gamut pictures to what a screen of BT.709 shows.

BT.2100 defines what light the values of HLG and PQ stand for. What of it should look white is not
in the file: 203 cd/m² by BT.2408, but other software makes 100, or stretches an ordinary picture to
the 1,000 cd/m² of HLG. `white_level` tells them apart by the picture. Light above white is
compressed by the curve of BT.2390.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from swapset.types import Floats, Floats32, Image

Signal = npt.NDArray[np.uint16]
"""Non-linear RGB of a source, (H, W, 3) uint16 in [0, 65535]."""

PQ, HLG = 16, 18
"""Transfer characteristics of HDR (ITU-T H.273, table 3)."""
_LINEAR, _LOG, _LOG_SQRT, _CINEMA = 8, 9, 10, 17
TRANSFERS = {PQ: "PQ", HLG: "HLG", _LINEAR: "linear", _LOG: "log", _LOG_SQRT: "log sqrt"}
TRANSFERS |= {_CINEMA: "SMPTE ST 428"}
"""Transfers that are converted; all others differ from BT.709 by at most 19 of 255, and players
ignore the difference."""

PRIMARIES = {4: "BT.470 M", 8: "film", 9: "BT.2020", 10: "XYZ", 11: "DCI-P3", 12: "P3-D65"}
"""Primaries that are converted (H.273, table 2); all others are near those of BT.709."""
_BT709, _BT2020, _XYZ = 1, 9, 10
_UNKNOWN = (0, 2, 3)
_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
_CHROMATICITIES = {  # x and y of red, green and blue, and of white
    _BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), _C),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    _BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)

_HLG_PEAK = 1000.0  # cd/m² of the screen that BT.2100's system gamma of 1.2 belongs to
_HLG_GAMMA = 1.2
_SDR_GAMMA = 2.4  # BT.1886

_ROWS = 64  # converted at a time, so that they stay in the processor's cache
_FINE, _CURVE = 1 << 14, 1 << 12


@dataclass(frozen=True)
class Light:
    """The meaning of a picture's values as light, where it is unlike BT.709's.

    Attributes
    ----------
    primaries, transfer : int
        Codes of ITU-T H.273.
    """

    primaries: int
    transfer: int

    @property
    def is_hdr(self) -> bool:
        """True if the values stand for absolute light, beyond white."""
        return self.transfer in (PQ, HLG)

    def __str__(self) -> str:
        words = [TRANSFERS.get(self.transfer, ""), PRIMARIES.get(self.primaries, "")]
        return ", ".join(word for word in words if word)


@cache
def light_of(primaries: int, transfer: int) -> Light | None:
    """Return how values with these tags (H.273) stand for light; None if as in BT.709.

    HDR without known primaries has those of BT.2020, the only ones of BT.2100.
    """
    if primaries not in PRIMARIES:
        hidden = transfer in (PQ, HLG) and primaries in _UNKNOWN
        primaries = _BT2020 if hidden else _BT709
    if transfer not in TRANSFERS and primaries not in PRIMARIES:
        return None
    return Light(primaries, transfer)


@dataclass(frozen=True)
class White:
    """The light that is shown as white.

    Attributes
    ----------
    level : float
        Light that becomes white, in cd/m².
    peak : float
        The brightest light of the picture, in cd/m²; it becomes white too if it is more.
    """

    level: float
    peak: float


_USUAL = 203.0  # BT.2408
_DARK = 20.0  # cd/m²; a picture with less (a fade) does not tell its white


def white_level(light: Floats32, peak: float) -> tuple[White, bool]:
    """Choose the light of an HDR picture that is shown as white, and tell whether it is certain.

    A picture in which nothing is brighter than 100 cd/m² was made from an ordinary one with this
    white, likewise 203. One that is brighter than 350 in a quarter of its pixels was stretched to
    1,000: of 14 talking heads stretched in this way, the least bright is in 31 %.

    Parameters
    ----------
    light : (n,) float32
        The largest of R, G and B of some pixels, in cd/m².
    peak : float
        The brightest light that the file can hold by its metadata, in cd/m².
    """
    brightest = float(np.percentile(light, 99.9))
    for level in (100.0, _USUAL):
        if brightest <= level * 1.15:  # lossy compression overshoots
            return White(level, level), brightest > _DARK
    if float(np.mean(light > 350)) > 0.25:
        return White(_HLG_PEAK, max(peak, _HLG_PEAK)), True
    return White(_USUAL, max(peak, _USUAL)), True


def to_bt709(signal: Signal, light: Light, white: White | None = None) -> Image:
    """Convert a picture to RGB of BT.709, as `swapset.media.colour` stores it.

    Parameters
    ----------
    signal : (H, W, 3) uint16
        Non-linear RGB in [0, 65535].
    light : Light
        What the values stand for.
    white : White, optional
        For HDR: what is shown as white.

    Returns
    -------
    (H, W, 3) uint8
        RGB in [0, 255].

    References
    ----------
    ITU-R BT.2100-2, tables 4 and 5; BT.2390-10, section 5.4.1; BT.1886; BT.2087.
    """
    out = np.empty(signal.shape, np.uint8)
    gamut = primaries_matrix(light.primaries).astype(np.float32)
    shown, levels = None if white is None else _compression(white), _stored()
    for start in range(0, len(signal), _ROWS):
        part = linear(signal[start : start + _ROWS], light)
        change = gamut / np.float32(white.level if white else 1)
        part = np.asarray(cv2.transform(part, change), np.float32)
        if shown is not None and white is not None:
            scale = _CURVE * np.sqrt(white.level / max(white.peak, white.level))
            place = np.sqrt(np.maximum(largest_of(part), 0)) * np.float32(scale)
            part *= np.take(shown, np.minimum(place, _CURVE).astype(np.uint16))[..., None]
        np.clip(part, 0, 1, out=part)
        np.sqrt(part, out=part)
        part *= _FINE - 1
        out[start : start + _ROWS] = np.take(levels, np.rint(part).astype(np.uint16))
    return out


def largest_of(part: Floats32) -> Floats32:
    """Return the largest of R, G and B of each pixel, (H, W) float32."""
    return np.maximum(np.maximum(part[..., 0], part[..., 1]), part[..., 2])


def linear(signal: Signal, light: Light) -> Floats32:
    """Return the light of a picture, (H, W, 3) float32: in cd/m² for HDR, else 1 = white."""
    return np.take(_curve(light.transfer), signal)


@cache
def primaries_matrix(primaries: int) -> Floats:
    """Return the 3x3 matrix from linear RGB of these primaries to linear RGB of BT.709."""
    return np.linalg.inv(_to_xyz(_BT709)) @ _to_xyz(primaries)


def _to_xyz(primaries: int) -> Floats:
    """Return the matrix from linear RGB to CIE XYZ, adapted to white D65 by Bradford's method."""
    if primaries == _XYZ:
        return np.eye(3)
    chromaticities = _CHROMATICITIES[primaries]
    columns = np.array([_xyz(*each) for each in chromaticities[:3]]).T
    white, aim = _xyz(*chromaticities[3]), _xyz(*_D65)
    matrix = columns * np.linalg.solve(columns, white)
    change = (_BRADFORD @ aim) / (_BRADFORD @ white)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(change) @ _BRADFORD @ matrix)


def _xyz(x: float, y: float) -> Floats:
    return np.array([x / y, 1, (1 - x - y) / y])


@cache
def _curve(transfer: int) -> Floats32:
    """Return the light of each of 65,536 signal values: in cd/m² for HDR, else 1 = white.

    For HLG, BT.2100 applies the system gamma to luminance; ffmpeg's zscale, and therefore most
    conversions, to each colour, and so does this. Skin is redder by about 2 %.
    """
    signal = np.linspace(0, 1, 1 << 16)
    if transfer == PQ:
        light = pq_to_light(signal)
    elif transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
        light = _HLG_PEAK * scene**_HLG_GAMMA
    elif transfer == _LINEAR:
        light = signal
    elif transfer in (_LOG, _LOG_SQRT):
        light = np.where(signal > 0, 10 ** ((signal - 1) * (2 if transfer == _LOG else 2.5)), 0)
    elif transfer == _CINEMA:
        light = signal**2.6 * 52.37 / 48
    else:
        light = signal**_SDR_GAMMA
    return light.astype(np.float32)


@cache
def _stored() -> npt.NDArray[np.uint8]:
    """Return the BT.709 value of each square root of light, on a scale of 0 to `_FINE` - 1."""
    root = np.linspace(0, 1, _FINE)
    return np.rint(255 * root ** (2 / _SDR_GAMMA)).astype(np.uint8)


@cache
def _compression(white: White) -> Floats32:
    """Return the factor for each square root of light, on a scale of 0 (none) to `_CURVE` (peak).

    The curve of BT.2390 (its knee without a change of black), applied to the largest of R, G and
    B, so that hues stay.
    """
    light = np.linspace(0, 1, _CURVE + 1) ** 2 * max(white.peak, white.level)
    if white.peak <= white.level:
        shown = np.minimum(light, white.level)
    else:
        top = light_to_pq(white.peak)
        most = float(light_to_pq(white.level) / top)
        knee = 1.5 * most - 0.5
        value = light_to_pq(light) / top
        t = (value - knee) / (1 - knee)
        spline = (
            (2 * t**3 - 3 * t**2 + 1) * knee
            + (t**3 - 2 * t**2 + t) * (1 - knee)
            + (-2 * t**3 + 3 * t**2) * most
        )
        shown = pq_to_light(np.where(value < knee, value, spline) * top)
    factors = np.ones(_CURVE + 1)
    np.divide(shown, light, out=factors, where=light > 0)
    return factors.astype(np.float32)


def pq_to_light(signal: Floats) -> Floats:
    """Return the light in cd/m² of PQ values in [0, 1], (n,) float64."""
    m1, m2, c1, c2, c3 = _PQ
    power = signal ** (1 / m2)
    return np.asarray(10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1))


def light_to_pq(light: Floats | float) -> Floats:
    """Return the PQ values in [0, 1] of light in cd/m², (n,) float64."""
    m1, m2, c1, c2, c3 = _PQ
    power = (np.asarray(light) / 10_000) ** m1
    return np.asarray(((c1 + c2 * power) / (1 + c3 * power)) ** m2)


_PQ = (1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128)
"""Constants m1, m2, c1, c2 and c3 of SMPTE ST 2084."""
