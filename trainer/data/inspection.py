"""Photos and captions looked through before anything is learned from them."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from PIL import Image

from trainer.data.photo_tars import PhotoSample, PhotoTarError, decode
from trainer.reinforce.sources import Source, real_captions

# Shorter sides than this show too little to learn from.
_SMALL = 64
_THUMBNAIL = 256


@dataclass
class Found:
    """What was found: counts, what cannot be read and why, and some photos to be shown.

    words: of all captions together. samples: pictures as JPEG with their captions and keys.
    """

    photos: int = 0
    captions: int = 0
    words: int = 0
    uncaptioned: int = 0
    small: int = 0
    repeated: int = 0
    unreadable: list[str] = field(default_factory=list)
    commonest: list[tuple[str, int]] = field(default_factory=list)
    samples: list[tuple[bytes, list[str], str]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """For people, worst last."""
        told = [f"{self.photos:,} photos, {self.captions:,} captions"]
        if self.captions:
            told[0] += f" of {self.words / self.captions:.1f} words on average"
        told += [
            f"{count:,} {what}"
            for count, what in (
                (self.uncaptioned, "photos have no caption"),
                (self.repeated, "photos stand there a second time"),
                (self.small, f"photos are smaller than {_SMALL} pixels"),
            )
            if count
        ]
        told += [f"{count:,} photos have the caption: {text}" for text, count in self.commonest]
        if self.unreadable:
            told.append(f"{len(self.unreadable):,} photos cannot be read, such as")
            told += [f"  {reason}" for reason in self.unreadable[:10]]
        return told


def look_at(sources: Iterable[Source], shown: int = 24, seed: int = 0) -> Found:
    """Decode every photo of `sources`, and keep `shown` of them, drawn at random."""
    draw = random.Random(seed)  # noqa: S311 - drawn the same each time
    found = Found()
    seen: set[bytes] = set()
    texts: Counter[str] = Counter()
    for source in sources:
        for sample in source.samples():
            found.photos += 1
            try:
                picture = decode(sample)
            except PhotoTarError as error:
                found.unreadable.append(str(error))
                continue
            try:
                captions = real_captions(sample)
            except ValueError as error:
                found.unreadable.append(str(error))
                continue
            digest = hashlib.sha256(sample.image_bytes).digest()[:16]
            found.repeated += digest in seen
            seen.add(digest)
            found.captions += len(captions)
            found.words += sum(len(text.split()) for text in captions)
            found.uncaptioned += not captions
            found.small += min(picture.size) < _SMALL
            texts.update(set(captions))
            _keep(found, sample, picture, captions, shown, draw)
    often = max(10, found.photos // 20)
    found.commonest = [(text, count) for text, count in texts.most_common(5) if count > often]
    return found


def _keep(
    found: Found,
    sample: PhotoSample,
    picture: Image.Image,
    captions: list[str],
    shown: int,
    draw: random.Random,
) -> None:
    """A fair sample of all that come, whose number is not known before (algorithm R)."""
    place = draw.randrange(found.photos)
    if len(found.samples) < shown:
        place = len(found.samples)
    elif place >= shown:
        return
    picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=85)
    found.samples[place : place + 1] = [(data.getvalue(), captions, sample.key)]


def page(found: Found, title: str) -> str:
    """What was found, and the photos that were kept with their captions, as one HTML file."""
    told = "".join(f"<li>{html.escape(line.strip())}</li>" for line in found.lines())
    figures = []
    for data, captions, key in found.samples:
        texts = "".join(f"<p>{html.escape(text)}</p>" for text in captions)
        shown = base64.b64encode(data).decode()
        figures.append(
            f'<figure><img alt="{html.escape(captions[0] if captions else key)}" '
            f'src="data:image/jpeg;base64,{shown}"><figcaption><code>{html.escape(key)}</code>'
            f"{texts or '<p><em>no caption</em></p>'}</figcaption></figure>"
        )
    return _PAGE.format(title=html.escape(title), told=told, figures="".join(figures))


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 16px/1.4 system-ui, sans-serif; margin: 2rem; color-scheme: light dark }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 1.5rem }}
figure {{ margin: 0 }} img {{ max-width: 100% }} p {{ margin: .25rem 0; overflow-wrap: anywhere }}
</style>
<h1>{title}</h1><ul>{told}</ul><main>{figures}</main></html>
"""
