"""Captions out of a bank of texts: those that a bundle finds nearest to the photo.

captioner = BankCaptioner(Path("bundle"), Path("names.txt"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from photosearch.encoders import open_encoder
from trainer.data.corpus import read_lines
from trainer.fingerprint import fingerprint

_AT_ONCE = 256


class BankCaptioner:
    """A `Captioner` whose captions are lines of a file.

    What fits any photo is no caption of one: where the bundle is calibrated, a text's similarity
    counts as far as it goes beyond that to ordinary photos.

    Raises `ValueError` for a file without texts; `BundleError`.
    """

    def __init__(self, folder: Path, file: Path) -> None:
        self._texts = read_lines(file)
        if not self._texts:
            raise ValueError(f"{file}: holds no texts; write one a line")
        self._encoder = open_encoder(folder)
        parts = range(0, len(self._texts), _AT_ONCE)
        rows = [self._encoder.encode_texts(self._texts[at : at + _AT_ONCE]) for at in parts]
        self._rows = np.concatenate(rows)
        known = self._encoder.calibration
        self._usual = 0.0 if known is None else known.fit_of_background(self._rows)
        self.name = "bank"
        self.digest = fingerprint(
            {"captioner": self.name, "bundle": self._encoder.bundle_id, "texts": self._texts}
        )

    def caption(
        self,
        images: Sequence[Image.Image],
        metas: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        count: int,
    ) -> list[list[str]]:
        """The `count` nearest texts of each RGB picture, the nearest first."""
        if not images:
            return []
        fits = self._encoder.encode_images(list(images)) @ self._rows.T - self._usual
        best = np.argsort(-fits, axis=1, kind="stable")
        order = [row[np.arange(count) % len(row)] for row in best]
        return [[self._texts[place] for place in row] for row in order]
