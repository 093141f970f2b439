"""Fits cut-offs for a model that brings none, on the photos that it has encoded.

Nothing is decoded for it: the vectors of the photos are there, and only the bank of texts is
encoded.
"""

from __future__ import annotations

import logging
import threading
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from index import Catalogue
from photosearch.calibrating.carried import carried
from photosearch.calibrating.own import OwnCalibrations
from photosearch.encoders import Encoder, bundled_path, open_encoder
from photosearch.errors import BundleError

# Photos of fewer say too little of what is usual, and of more no more.
FEWEST, _MOST = 200, 4000
# With so many times as many photos it is fitted again.
_GROWN = 2
# Texts between two looks whether it is to end.
_TEXTS = 16
_log = logging.getLogger(__name__)


def bank() -> list[str]:
    """Descriptions in English of what photos often show."""
    return files(__package__).joinpath("texts.txt").read_text("utf-8").splitlines()


def is_due(catalogue: Catalogue, encoder: Encoder, own: OwnCalibrations) -> bool:
    """Whether the model brings no calibration, and one can be fitted now that is better than what
    there is."""
    if not catalogue.keeps_files or encoder.calibration is not None:
        return False
    if encoder.languages is not None and "en" not in encoder.languages:
        return False
    photos = catalogue.embedding_count(encoder.bundle_id)
    fitted = own.photos(encoder.bundle_id)
    return photos >= FEWEST and (not fitted or (fitted < _MOST and photos >= _GROWN * fitted))


def fit(
    catalogue: Catalogue,
    encoder: Encoder,
    own: OwnCalibrations,
    stop: threading.Event | None = None,
) -> bool:
    """Fit that of the model `encoder`, and keep it; whether there is one then.

    The calibration of the model that comes with photosearch is carried to it. When `stop` is set
    nothing is kept.
    """
    try:
        bundled = open_encoder(bundled_path())
        known = bundled.calibration
        if known is None:
            return False
        texts = bank()
        before, now = (_encoded(each, texts, stop) for each in (bundled, encoder))
    except BundleError:
        _log.debug("cut-offs cannot be fitted", exc_info=True)
        return False
    if before is None or now is None:
        return False
    photos = catalogue.embedding_count(encoder.bundle_id)
    found = carried(known, before, _vectors(catalogue, encoder.bundle_id, photos), now)
    if found is None:
        _log.info("%s does not tell the photos apart, so it gets no cut-offs", encoder.bundle_id)
        return False
    try:
        own.keep(encoder.bundle_id, found, photos)
    except OSError:
        _log.warning("the cut-offs of %s cannot be kept", encoder.bundle_id, exc_info=True)
        return False
    _log.info("cut-offs for %s are fitted on %d photos", encoder.bundle_id, photos)
    return True


def _encoded(
    encoder: Encoder, texts: list[str], stop: threading.Event | None
) -> NDArray[np.float32] | None:
    """Vectors of the texts; None when it was to end before."""
    parts = []
    for start in range(0, len(texts), _TEXTS):
        if stop is not None and stop.is_set():
            return None
        parts.append(encoder.encode_texts(texts[start : start + _TEXTS]))
    return np.concatenate(parts)


def _vectors(catalogue: Catalogue, bundle_id: str, photos: int) -> NDArray[np.float16]:
    """Those of photos that are spread over the library."""
    every = max(1, photos // _MOST)
    found = [vectors for _, vectors in catalogue.embedding_batches(bundle_id, every=every)]
    return np.concatenate(found)
