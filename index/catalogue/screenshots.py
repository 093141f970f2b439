"""Which photos are screenshots, as told by the names that systems give them."""

from __future__ import annotations

import os
import re
import unicodedata

# What systems and programs begin a name with, in the languages they speak; spaces, underscores and
# hyphens between the words are left out, as are accents.
_BEGINNINGS = (
    "screenshot", "screencapture", "screengrab", "screencap", "bildschirmfoto",
    "bildschirmausdruck", "captureecran", "capturedecran", "capturadepantalla", "capturadetela",
    "capturadeecra", "schermata", "istantaneaschermo", "schermafbeelding", "schermafdruk",
    "skarmavbild", "skarmbild", "skarmdump", "skjermbilde", "skjermdump", "skaermbillede",
    "skærmbillede", "zrzutekranu", "nayttokuva", "snimekobrazovky", "kepernyokep",
    "ekrangoruntusu", "ekranresmi", "снимокэкрана", "скриншот", "знімокекрана",
    "スクリーンショット", "截屏", "截图", "截圖", "屏幕截图", "屏幕快照", "螢幕截圖", "螢幕快照",
    "스크린샷",
)  # fmt: skip
# Folders that systems keep them in.
_FOLDERS = frozenset(
    ("screenshots", "screenshot", "bildschirmfotos", "capturesdecran", "capturasdepantalla")
)
_BETWEEN = re.compile(r"[\s._'’\-]+")
_ACCENTS = range(0x300, 0x370)
# iPhones write photos as HEIC or JPEG, and nothing but what their screen shows as PNG.
_IPHONE = re.compile(r"img_\d{4,5}\.png", re.IGNORECASE)


def is_screenshot(path: str) -> bool:
    """Whether a file at `path` is called as screenshots are, or lies in a folder of them."""
    folder, name = os.path.split(path.replace("\\", "/"))
    if _IPHONE.fullmatch(name):
        return True
    return _plain(name).startswith(_BEGINNINGS) or _plain(os.path.basename(folder)) in _FOLDERS


def _plain(name: str) -> str:
    if not name.isascii():
        apart = unicodedata.normalize("NFKD", name)
        # Japanese and Korean letters are put together again, which the list above has as one.
        name = unicodedata.normalize("NFC", "".join(c for c in apart if ord(c) not in _ACCENTS))
    return _BETWEEN.sub("", name).lower()
