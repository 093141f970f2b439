"""Queries of which it is known which photos answer them, from captions and from labels.

photos = encode_photos(encoder, [Path("val.tar")])
asked = named_things(encoder, photos)
asked.shown[q, n]                   # whether photo n shows what query q asks for
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from photosearch.encoders import Encoder
from trainer.captioners.labels import labels
from trainer.captioners.wording import with_article
from trainer.data.photo_tars import PhotoSample, decode
from trainer.evaluate.captioned import batches, captions_of, distinct_photos

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

# A thing is asked for when this many photos show it, and not when every third does.
_FEWEST, _LARGEST_SHARE = 3, 0.35
# How often a caption set must name a thing for the photo to show it; once is doubtful.
_CAPTIONS = 2


@dataclass(frozen=True)
class Photos:
    """Unit vectors (n, d) of photos, and what stands beside each."""

    vectors: Floats
    metas: Sequence[Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.metas)

    def take(self, rows: Sequence[int] | slice) -> Photos:
        numbers = range(len(self))[rows] if isinstance(rows, slice) else rows
        return Photos(self.vectors[list(numbers)], [self.metas[row] for row in numbers])


@dataclass(frozen=True)
class Asked:
    """Queries (q, d) of photos (n, d), as unit vectors.

    shown: (q, n), whether the photo shows it. unsure: (q, n), photos that count neither way.
    """

    name: str
    texts: Floats
    images: Floats
    shown: Bools
    unsure: Bools

    @property
    def cosines(self) -> Floats:
        return self.texts @ self.images.T


def encode_photos(
    encoder: Encoder,
    tars: Sequence[Path],
    *,
    limit: int | None = None,
    batch: int = 64,
    progress: bool = False,
) -> Photos:
    """Encode the photos of `tars`, at most the first `limit`.

    Raises `PhotoTarError` for a tar that is damaged, or a photo that comes twice.
    """
    found = encode_samples(
        encoder, islice(distinct_photos(tars), limit), batch=batch, progress=progress
    )
    if not found.metas:
        raise ValueError(f"{' + '.join(map(str, tars))}: holds no photos")
    return found


def encode_samples(
    encoder: Encoder, samples: Iterable[PhotoSample], *, batch: int = 64, progress: bool = False
) -> Photos:
    """Encode photos that have been read.

    Raises `PhotoTarError` for one that is damaged, or has captions that say nothing.
    """
    vectors, metas = [np.empty((0, encoder.dim), np.float32)], []
    with tqdm(unit="photo", desc="encoding", disable=not progress) as bar:
        for group in batches(iter(samples), batch):
            # A photo's captions are checked while the tar that it came from can be named.
            for sample in group:
                if "captions" in sample.meta:
                    captions_of(sample)
            vectors.append(encoder.encode_images([decode(sample) for sample in group]))
            metas += [sample.meta for sample in group]
            bar.update(len(group))
    return Photos(np.concatenate(vectors), metas)


def whole_captions(encoder: Encoder, photos: Photos, *, each: int) -> Asked:
    """The first `each` captions of every photo, which that photo alone answers."""
    texts = [text for meta in photos.metas for text in _captions(meta)[:each]]
    owners = np.repeat(
        np.arange(len(photos)), [len(_captions(meta)[:each]) for meta in photos.metas]
    )
    shown = owners[:, None] == np.arange(len(photos))
    return _asked("a whole caption", encoder, texts, photos, shown, np.zeros_like(shown))


def named_things(
    encoder: Encoder, photos: Photos, *, phrase: Callable[[str], str] = with_article
) -> Asked:
    """Things, as "a dog", that two captions of a photo name; one caption leaves it open."""
    counts = [_words(_captions(meta)) for meta in photos.metas]
    asked, shown, unsure = [], [], []
    for thing in things():
        named = np.array([count[thing] for count in counts])
        sure = named >= _CAPTIONS
        if _FEWEST <= sure.sum() <= _LARGEST_SHARE * len(photos):
            asked.append(phrase(thing))
            shown.append(sure)
            unsure.append((named > 0) & ~sure)
    if not asked:
        raise ValueError("the captions name none of the things that are asked for often enough")
    return _asked("a thing", encoder, asked, photos, np.array(shown), np.array(unsure))


def labelled(
    encoder: Encoder,
    photos: Photos,
    *,
    parts: Sequence[int],
    phrase: Callable[[str], str] = with_article,
) -> Asked:
    """Labels of those of the four `parts`, as "a violin", among the photos that have one of them.

    Each label belongs to one of the four, whatever the photos, so a part can be kept for a test.
    """
    named = [label_of(meta) for meta in photos.metas]
    rows = [row for row, name in enumerate(named) if name and part_of(name) in parts]
    mine = [named[row] or "" for row in rows]
    counts = Counter(mine)
    asked = sorted(name for name, count in counts.items() if count > 1)
    if not asked:
        raise ValueError("the photos have no labels that two of them share")
    # "car" is shown by a "police car", and "police car" may be by what is called a "car".
    shown = np.array([[_within(name, label) for label in mine] for name in asked])
    unsure = np.array([[_within(label, name) for label in mine] for name in asked]) & ~shown
    chosen = photos.take(rows)
    return _asked("a label", encoder, [phrase(name) for name in asked], chosen, shown, unsure)


def label_of(meta: Mapping[str, Any]) -> str | None:
    """The label of a photo, in small letters; None when it has none that says something."""
    found = labels(meta)
    return found[0].lower() if found else None


def part_of(label: str) -> int:
    """Which of the four parts a label belongs to."""
    return hashlib.sha256(label.encode()).digest()[0] % 4


def things() -> list[str]:
    """What photos are asked for, one word each."""
    return files("trainer.relevance").joinpath("things.txt").read_text("utf-8").split()


def _asked(
    name: str, encoder: Encoder, texts: Sequence[str], photos: Photos, shown: Bools, unsure: Bools
) -> Asked:
    return Asked(name, encoder.encode_texts(texts), photos.vectors, shown, unsure)


def _captions(meta: Mapping[str, Any]) -> list[str]:
    return list(meta.get("captions", ()))


def _words(captions: Sequence[str]) -> Counter[str]:
    """In how many of the captions each word stands, in the singular."""
    return Counter(
        word
        for text in captions
        for word in {_singular(found) for found in re.findall("[a-z]+", text.lower())}
    )


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word


def _within(name: str, label: str) -> bool:
    """Whether all words of `name` are among those of `label`."""
    return {_singular(w) for w in name.split()} <= {_singular(w) for w in label.split()}
