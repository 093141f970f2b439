"""The kinds of files that are looked for, by their suffix in lower case."""

from __future__ import annotations

from photosearch.indexing.formats import jxl, raw
from photosearch.indexing.heads import FILMS

JPEG = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
HEIF = frozenset({".heic", ".heif", ".hif", ".avif"})
RAW = raw.SUFFIXES
SUFFIXES = (
    JPEG | HEIF | RAW | FILMS | jxl.SUFFIXES | {".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"}
)
