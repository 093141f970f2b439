"""Captions from the label that stands with a photo."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from trainer.captioners.wording import GENERIC, TEMPLATES, captions, with_article
from trainer.fingerprint import fingerprint

# What folders are called for the sake of a data set's order, not of what is in its photos.
MEANINGLESS = frozenset(
    {"all", "background", "data", "dataset", "default", "google", "misc", "none", "normal"}
    | {"image", "images", "img", "imgs", "photo", "photos", "picture", "pictures"}
    | {"test", "testing", "train", "training", "val", "valid", "validation"}
    | {"other", "others", "unknown", "unlabeled", "unlabelled"}
)


class LabelCaptioner:
    """A `Captioner` that puts `meta["label"]`, a string or a list of them, into templates.

    A label says nothing when it holds only words of `MEANINGLESS`, is a bare number, or is the
    name of the source (`meta["source"]`). A photo without a label that says something is "a photo".
    """

    def __init__(self) -> None:
        self.name = "labels"
        self.digest = fingerprint(
            {"captioner": self.name, "words": [TEMPLATES, GENERIC, sorted(MEANINGLESS)]}
        )

    def caption(
        self,
        images: Sequence[Image.Image],
        metas: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        count: int,
    ) -> list[list[str]]:
        """`count` captions of each photo; only `metas` and `keys` matter."""
        return [
            captions([with_article(name) for name in labels(meta)], key, count)
            for meta, key in zip(metas, keys, strict=True)
        ]


def labels(meta: Mapping[str, Any]) -> list[str]:
    """What the labels of a photo say, as words: "Red-Bell-Pepper" is "red bell pepper"."""
    found = meta.get("label") or []
    named = [found] if isinstance(found, str) else found
    source = _letters(str(meta.get("source", "")))
    texts = [_words(name) for name in named if isinstance(name, str) and _letters(name) != source]
    return [text for text in dict.fromkeys(texts) if text]


def _letters(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower())


def _words(label: str) -> str:
    text = re.sub(r"[_\s]+", " ", label).strip()
    parts = text.split("-")
    # A file name, unlike "three-toed sloth" or "T-shirt".
    if len(parts) > 1 and all(part[:1].isupper() and len(part) > 1 for part in parts):
        text = " ".join(parts).lower()
    # A class number in front, as in "007.bat", and what is said of any folder of photos behind.
    text = re.sub(r"^\d+[. ]+", "", text)
    text = re.sub(r" (images|photos|pictures)$", "", text)
    said = [word for word in text.lower().split() if word not in MEANINGLESS]
    return text if said and not text.isdigit() else ""
