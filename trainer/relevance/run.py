"""From labelled photos to a bundle's calibration.

found = calibrate(encoder, captioned=[train], labelled=[photos], validation=[val])
annotate_bundle(folder, calibration=found.record(), background=found.background)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import Calibration, Encoder
from trainer.captioners.wording import with_article
from trainer.relevance.asked import (
    Asked,
    Photos,
    encode_photos,
    label_of,
    labelled,
    named_things,
    whole_captions,
)
from trainer.relevance.fit import fit_ratio, with_cutoffs

# Which of the four parts of the labels fit the ratio, set the cut-offs, and are kept for a test.
FITTING, SETTING, TESTING = (0, 1), (2,), (3,)
# Of cosines in the logarithm of a mean: the logit scale of the bundled model.
SCALE = 30.0


@dataclass(frozen=True)
class Calibrated:
    """A calibration, and what it was fitted on."""

    calibration: Calibration
    lost: float
    fitted_on: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """What bundle.json says of it."""
        one = self.calibration
        return {
            "kind": "background",
            "scale": one.scale,
            "slope": round(one.slope, 4),
            "weight": round(one.weight, 4),
            "offset": round(one.offset, 4),
            "floor": round(one.floor, 4),
            "growth": round(one.growth, 4),
            "sizes": list(one.sizes),
            "gap": one.gap,
            "slack": one.slack,
            "lost": self.lost,
            "fitted_on": self.fitted_on,
        }

    @property
    def background(self) -> NDArray[np.float16]:
        return self.calibration.background.astype(np.float16)


def calibrate(
    encoder: Encoder,
    *,
    captioned: Sequence[Path],
    labelled_photos: Sequence[Path],
    validation: Sequence[Path],
    photos: int = 2000,
    background: int = 512,
    lost: float = 0.1,
    seed: int = 0,
    progress: bool = False,
) -> Calibrated:
    """Fit the ratio on captions and labels, and set the cut-offs on others.

    Args:
        captioned: photos with captions, of which half of the background and `photos` are taken.
        labelled_photos: photos of which those with a label are asked for, and the others give the
            other half of the background. A quarter of the labels is not looked at.
        validation: captioned photos on which the cut-offs are set.
        lost: the share of right answers, which are the best photo, that the floor may hide.

    Raises:
        PhotoTarError: a tar cannot be read.
        ValueError: too few photos, or nothing that could be fitted.
    """
    half = background // 2
    rng = np.random.default_rng(seed)
    first = encode_photos(encoder, captioned, limit=half + photos, progress=progress)
    others = encode_photos(encoder, labelled_photos, progress=progress)
    checking = encode_photos(encoder, validation, progress=progress)
    plain = [row for row, meta in enumerate(others.metas) if label_of(meta) is None]
    if len(first) < 2 * half or len(plain) < half:
        raise ValueError(
            f"a background of {background} photos takes {half} captioned ones of {2 * half} or "
            f"more, and {half} without a label; there are {len(first)} and {len(plain)}"
        )
    chosen = rng.choice(plain, half, replace=False)
    # Through float16, as the bundle will hold them.
    table = np.concatenate([first.vectors[:half], others.vectors[chosen]]).astype(np.float16)
    vectors = table.astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    middle = half + (len(first) - half) // 2
    fitting = [
        whole_captions(encoder, first.take(slice(half, middle)), each=2),
        *_both_ways(lambda way: named_things(encoder, first.take(slice(middle, None)), phrase=way)),
        *_both_ways(lambda way: labelled(encoder, others, parts=FITTING, phrase=way)),
    ]
    setting = [
        whole_captions(encoder, checking, each=2),
        *_both_ways(lambda way: named_things(encoder, checking, phrase=way)),
        *_both_ways(lambda way: labelled(encoder, others, parts=SETTING, phrase=way)),
    ]
    calibration = with_cutoffs(fit_ratio(fitting, vectors, SCALE), setting, lost=lost)
    return Calibrated(
        calibration,
        lost,
        {
            "background": _listed(captioned, half) | _listed(labelled_photos, half),
            "ratio": {one.name: list(one.shown.shape) for one in _each_once(fitting)},
            "cutoffs": {one.name: list(one.shown.shape) for one in _each_once(setting)},
            "validation": [path.name for path in validation],
        },
    )


def _both_ways(make: Callable[[Callable[[str], str]], Asked]) -> list[Asked]:
    """Asked for as "a dog", and as "dog"; people type both."""
    return [make(with_article), make(str)]


def _each_once(sets: Sequence[Asked]) -> list[Asked]:
    return list({one.name: one for one in sets}.values())


def _listed(paths: Sequence[Path], count: int) -> dict[str, int]:
    return {" + ".join(path.name for path in paths): count}


__all__ = ["FITTING", "SETTING", "TESTING", "Calibrated", "Photos", "calibrate"]
