"""Captions from the objects that a detector finds: "a photo of two dogs and a person"."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from trainer.captioners.wording import GENERIC, TEMPLATES, captions, counted
from trainer.captioners.yolox import Detection, Yolox
from trainer.fingerprint import fingerprint
from trainer.teachers.bootstrap import digest

# More kinds of things than this read as a list, not as a caption.
_KINDS = 4


class DetectorCaptioner:
    """A `Captioner` that names and counts the objects of COCO's 80 classes, the largest first.

    Every other caption leaves the lesser kinds of things out: nobody tells everything. A photo in
    which nothing is found is "a photo".

    Raises `ValueError` when the file is not a YOLOX network trained on COCO.
    """

    def __init__(self, path: Path) -> None:
        self._detector = Yolox(path)
        self._names = coco_phrases()
        if self._detector.classes != len(self._names):
            raise ValueError(
                f"{path}: knows {self._detector.classes} classes, not COCO's {len(self._names)}"
            )
        self.name = "detector"
        self.digest = fingerprint(
            {
                "captioner": self.name,
                "detector": digest(path),
                "thresholds": [self._detector.threshold, self._detector.overlap],
                "words": [TEMPLATES, GENERIC, self._names, _KINDS],
            }
        )

    def caption(
        self,
        images: Sequence[Image.Image],
        metas: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        count: int,
    ) -> list[list[str]]:
        """`count` captions of each RGB picture of any size."""
        return [
            self._captions(self._detector(image), key, count)
            for image, key in zip(images, keys, strict=True)
        ]

    def _captions(self, found: Sequence[Detection], key: str, count: int) -> list[str]:
        things = self._things(found)
        main = things[: max(1, len(things) // 2)]
        return [
            captions(main if number % 2 else things, key, number + 1)[number]
            for number in range(count)
        ]

    def _things(self, found: Sequence[Detection]) -> list[str]:
        areas: dict[int, float] = {}
        counts: dict[int, int] = {}
        for one in found:
            areas[one.label] = areas.get(one.label, 0.0) + one.area
            counts[one.label] = counts.get(one.label, 0) + 1
        largest = sorted(areas, key=lambda label: -areas[label])[:_KINDS]
        return [counted(*self._names[label], counts[label]) for label in largest]


def coco_phrases() -> list[tuple[str, str]]:
    """COCO's 80 classes in their order, each as a phrase for one of it and a word for several."""
    stored = json.loads((Path(__file__).parent / "coco_classes.json").read_text(encoding="utf-8"))
    return [(one, many) for one, many in stored]
