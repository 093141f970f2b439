"""ICC profiles of colours that a file names by numbers only: code points, primaries, a gamma."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# The chromaticities (x, y) of white, red, green and blue.
Primaries = tuple[tuple[float, float], ...]

_D65, _C, _DCI = (0.3127, 0.329), (0.31, 0.316), (0.314, 0.351)
_REC_709: Primaries = (_D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
_ADOBE: Primaries = (_D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
_P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
# ITU-T H.273, ColourPrimaries and TransferCharacteristics.
_PRIMARIES: dict[int, Primaries] = {
    1: _REC_709,
    4: (_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: (_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: (_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    8: (_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (_D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    11: (_DCI, *_P3),
    12: (_D65, *_P3),
    22: (_D65, (0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}
# Unspecified is what sRGB's are; and what cameras and browsers mean by the curves of television is
# sRGB's as well.
_UNSPECIFIED = 2
_LIKE_SRGB = frozenset({1, 2, 6, 13, 14, 15})
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
_PQ, _HLG = 16, 18
# Of an SDR white in nits: what PQ's codes are measured by (ITU-R BT.2408).
_WHITE = 203.0
_ENTRIES = 1024
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)

_Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@lru_cache(maxsize=32)
def of_codes(primaries: int, transfer: int) -> bytes | None:
    """The profile of these code points of ITU-T H.273; None of sRGB, and of what is not known."""
    if primaries == _UNSPECIFIED:
        primaries = 1
    known = _PRIMARIES.get(primaries)
    if known is None or (primaries == 1 and transfer in _LIKE_SRGB):
        return None
    return of_primaries(known, transfer)


@lru_cache(maxsize=32)
def of_primaries(primaries: Primaries, transfer: int) -> bytes | None:
    """The profile of these primaries with a curve of ITU-T H.273, None where that is not known."""
    curve = _curve(transfer)
    return None if curve is None else _profile(primaries, curve)


@lru_cache(maxsize=32)
def of_gamma(gamma: float, primaries: Primaries | None = None) -> bytes | None:
    """The profile of pixels that are light to the power of 1 / `gamma`; sRGB's primaries unless
    given. None of primaries that can be no colours.
    """
    try:
        return _profile(primaries or _REC_709, lambda codes: codes**gamma)
    except (np.linalg.LinAlgError, ZeroDivisionError, FloatingPointError, struct.error):
        return None


@lru_cache(maxsize=1)
def adobe_rgb() -> bytes:
    """Adobe RGB (1998), which many cameras name in EXIF and embed no profile of."""
    return _profile(_ADOBE, lambda codes: codes ** (563 / 256))


def _curve(transfer: int) -> _Curve | None:
    if transfer in _LIKE_SRGB:
        return _srgb
    if transfer in _GAMMAS:
        gamma = _GAMMAS[transfer]
        return lambda codes: codes**gamma
    return {_PQ: _pq, _HLG: _hlg}.get(transfer)


def _srgb(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def _pq(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084, its brightest lights brought below white."""
    power = codes ** (1 / 78.84375)
    light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return _rolled_off(10_000 / _WHITE * light ** (1 / 0.1593017578125))


def _hlg(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """ARIB STD-B67 on a display of 1000 nits, whose white for graphics is at the code 0.75."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12)
    return _rolled_off(1000 / _WHITE * scene**1.2)


def _rolled_off(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light, of which 1 is white, with what is brighter than a knee bent to end at 1."""
    knee, brightest = 0.8, float(light.max())
    over = np.maximum(light - knee, 0)
    # By Reinhard's curve, which begins in the direction of the straight part.
    room, most = 1 - knee, brightest - knee
    bent = over * (1 + over * (1 / room - 1 / most) / most) / (1 + over / room) if most > 0 else 0
    return np.where(light <= knee, light, np.minimum(knee + bent, 1.0))


def _profile(primaries: Primaries, curve: _Curve) -> bytes:
    """An ICC v2 profile of a matrix and one curve."""
    colourants = _to_d50(primaries)
    codes = np.linspace(0, 1, _ENTRIES)
    steps = np.rint(np.clip(curve(codes), 0, 1) * 65535).astype(">u2")
    tone = b"curv" + bytes(4) + struct.pack(">I", _ENTRIES) + steps.tobytes()
    name = b"photosearch\0"
    tags = [
        (b"desc", b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(78)),
        (b"cprt", b"text" + bytes(4) + b"CC0\0"),
        (b"wtpt", _xyz(_D50)),
        *zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, colourants.T), strict=True),
        *((name, tone) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    table, body = struct.pack(">I", len(tags)), b""
    first = 128 + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}
    for name, content in tags:
        if content not in places:  # the three curves are one
            places[content] = first + len(body)
            body += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, places[content], len(content))
    head = bytearray(128)
    head[8:24] = bytes((2, 0x40, 0, 0)) + b"mntrRGB XYZ "
    head[36:40] = b"acsp"
    head[68:80] = _xyz(_D50)[8:]
    head[0:4] = struct.pack(">I", 128 + len(table) + len(body))
    return bytes(head) + table + body


def _xyz(values: Sequence[float] | NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _to_d50(primaries: Primaries) -> NDArray[np.float64]:
    """From RGB to XYZ under D50, (3, 3), as the profile connection space has it."""
    white, *colours = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in primaries)
    matrix = np.stack(colours, axis=1)
    matrix = matrix * np.linalg.solve(matrix, white)
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted: NDArray[np.float64] = np.linalg.solve(_BRADFORD, scale[:, None] * (_BRADFORD @ matrix))
    return adapted
