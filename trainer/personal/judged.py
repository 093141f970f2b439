"""A student's calibration by the judgement of its teacher, where nobody has labelled photos."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosearch.encoders import Calibration, Encoder
from trainer.personal.agreement import Vectors
from trainer.relevance.asked import Asked
from trainer.relevance.fit import fit_ratio, with_cutoffs
from trainer.relevance.run import SCALE, Calibrated

BACKGROUND = 512
# Of what hides right answers, as for the bundled model.
_LOST = 0.05
# A photo that shows it lies so many standard deviations above the others, where the teacher has no
# calibration; below the lower one it surely does not.
_SHOWN, _NOT = 3.5, 2.0
# Nor is it sure within so much of a teacher's cut-off, in log odds.
_UNSURE = 1.0
# A text that every third photo shows asks for nothing.
_LARGEST_SHARE = 0.35


def calibrate_by(
    teacher: Encoder,
    theirs: tuple[Vectors, Vectors],
    ours: tuple[Vectors, Vectors],
) -> Calibrated:
    """From the vectors of photos (n, d) and of texts (m, d), by the teacher and by the student.

    Raises `ValueError` when the teacher finds too little among the photos.
    """
    background = np.asarray(ours[0][:BACKGROUND].astype(np.float16), np.float32)
    background /= np.linalg.norm(background, axis=1, keepdims=True)
    photos = slice(len(background) // 2, None)
    shown, unsure = _judged(teacher.calibration, theirs[1], theirs[0][photos])
    share = shown.mean(1)
    asked = np.flatnonzero((shown.sum(1) > 0) & (share <= _LARGEST_SHARE))
    if len(asked) < 20 or shown[asked].sum(1).max() < 2:
        raise ValueError(f"the teacher finds only {len(asked)} of the texts among the photos")
    fitting, setting = (
        Asked("a text", ours[1][rows], ours[0][photos], shown[rows], unsure[rows])
        for rows in (asked[::2], asked[1::2])
    )
    fitted = with_cutoffs(fit_ratio([fitting], background, SCALE), [setting], lost=_LOST)
    about: dict[str, Any] = {
        "judge": teacher.bundle_id,
        "photos": len(ours[0]),
        "texts": len(asked),
    }
    return Calibrated(fitted, _LOST, about)


def _judged(
    known: Calibration | None, texts: Vectors, photos: Vectors
) -> tuple[np.ndarray, np.ndarray]:
    """Which photos each text is shown by, and of which it is not sure: (m, n) each."""
    cosines = texts @ photos.T
    if known is not None:
        needed = known.floor_among(len(photos)) - known.slack
        beyond = known.log_ratio(texts, cosines) - needed
        return beyond >= 0, (beyond < 0) & (beyond > -_UNSURE)
    spread = np.maximum(cosines.std(1, keepdims=True), 1e-6)
    above = (cosines - cosines.mean(1, keepdims=True)) / spread
    return above >= _SHOWN, (above < _SHOWN) & (above > _NOT)
