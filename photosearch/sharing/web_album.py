"""A web album: a folder of pages that any browser shows, from a disk or from any server.

    index.html             all photos, small
    pages/0001.html        each, as large as the window
    photos/, thumbnails/   the pictures
    album.css, album.js    how it looks, and keys; without scripts nothing is missing

Nothing in it is fetched from elsewhere, and all links are relative.
"""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from photosearch.serving.shrinking import ShrinkError, Shrinkers, Still
from photosearch.sharing.making import File, reason_of
from photosearch.sharing.naming import Names
from photosearch.sharing.wanted import Shared, Tally

# Longest side of a picture in the grid, in pixels.
_SMALL = 640
_SMALL_QUALITY = 80
_LEFT, _RIGHT = "M15 5l-7 7 7 7", "M9 5l7 7-7 7"
_ALL = "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z"
# What HTML may not hold, not even escaped.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_PARTS = {"album.css": "web_album.css", "album.js": "web_album.js"}


@dataclass(frozen=True, kw_only=True)
class Look:
    """What an album says; `words` are its own, by key, in its `language`."""

    title: str
    language: str
    words: Mapping[str, str]
    captions: bool = True
    dates: bool = True
    places: bool = False

    def say(self, key: str, **values: object) -> str:
        """The text for a key, with {name} replaced; the one for a single thing where there is."""
        single = f"{key}.one"
        one = values.get("count") in ((0, 1) if self.language == "fr" else (1,))
        text = self.words[single if one and single in self.words else key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text


@dataclass(frozen=True)
class _Picture:
    """One photo of an album, and its two files: the large one, and that of the grid."""

    shared: Shared
    name: str
    small: str
    width: int
    height: int


def album_files(
    files: Iterable[File], look: Look, shrinkers: Shrinkers, tally: Tally
) -> Iterator[File]:
    """All files of an album of the photos that `files` are copies of, its pages last.

    A photo of which no picture for the grid can be made is left out and noted in `tally`.
    """
    names, smalls = Names(), Names()
    pictures: list[_Picture] = []
    for file in files:
        assert file.photo is not None
        try:
            data, size = _small(file, shrinkers)
        except (OSError, ShrinkError) as error:
            file.content.close()
            tally.leave_out(file.photo.photo.path, reason_of(error))
            continue
        name = names.free(file.name)
        small = smalls.free(f"{os.path.splitext(name)[0]}.jpg")
        pictures.append(_Picture(file.photo, name, small, *size))
        yield File(f"thumbnails/{small}", io.BytesIO(data), file.mtime_ns)
        yield File(f"photos/{name}", file.content, file.mtime_ns, file.photo)
    # Some may have broken off while they were written.
    lost = {path for path, _ in tally.left_out}
    pictures = [one for one in pictures if one.shared.photo.path not in lost]
    now = time.time_ns()
    for number in range(len(pictures)):
        page = _photo_page(pictures, number, look).encode()
        yield File(f"pages/{_page(number)}", io.BytesIO(page), now)
    for name, source in _PARTS.items():
        part = Path(__file__).with_name(source).read_bytes()
        yield File(name, io.BytesIO(part), now)
    yield File("index.html", io.BytesIO(_index(pictures, look).encode()), now)


def _small(file: File, shrinkers: Shrinkers) -> tuple[bytes, tuple[int, int]]:
    """The picture for the grid, and the size of the large one."""
    from PIL import Image

    assert file.photo is not None
    photo = file.photo.photo
    if file.photo.is_video:
        still = Still(_SMALL, form="JPEG", quality=_SMALL_QUALITY)
        return shrinkers.make(photo.path, still.make).result().data, (photo.width, photo.height)
    # Of our own JPEG, so that the photo is decoded once.
    with _kept(file.content), Image.open(file.content, formats=("JPEG",)) as image:
        size = image.size
        image.draft("RGB", (_SMALL, _SMALL))
        image.thumbnail((_SMALL, _SMALL), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=_SMALL_QUALITY, optimize=True)
    return out.getvalue(), size


@contextmanager
def _kept(file: BinaryIO) -> Iterator[None]:
    """Leaves a file at its beginning."""
    file.seek(0)
    yield
    file.seek(0)


def _page(number: int) -> str:
    return f"{number + 1:04}.html"


def _text(text: str) -> str:
    return escape(_CONTROLS.sub("", text))


def _link(*parts: str) -> str:
    return escape("/".join(quote(part, safe="") for part in parts))


def _head(look: Look, title: str, up: str, more: str = "") -> str:
    return f"""<!doctype html>
<html lang="{_text(look.language)}">
<head>
<meta charset="utf-8">
<title>{_text(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="stylesheet" href="{up}album.css">{more}
<script src="{up}album.js" defer></script>
</head>
"""


def _index(pictures: Sequence[_Picture], look: Look) -> str:
    said = [_text(look.say("webalbum.photos", count=len(pictures)))]
    if look.dates and (span := _span(pictures)):
        said.append(span)
    items = "\n".join(_item(one, number, look) for number, one in enumerate(pictures))
    return f"""{_head(look, look.title, "")}<body class="album">
<header>
<h1>{_text(look.title)}</h1>
<p>{" · ".join(said)}</p>
</header>
<main>
<ul class="grid">
{items}
</ul>
</main>
</body>
</html>
"""


def _item(one: _Picture, number: int, look: Look) -> str:
    # A panorama would fill rows of its own.
    ratio = min(3.0, max(0.5, one.width / max(one.height, 1)))
    play = '<span class="play"></span>' if one.shared.is_video else ""
    # Those in sight at first are there sooner when the browser need not ask where they are.
    lazy = "" if number < 12 else ' loading="lazy"'
    return (
        f'<li style="--ratio: {ratio:.3f}"><a href="pages/{_page(number)}">'
        f'<img src="thumbnails/{_link(one.small)}" alt="{_text(_described(one, look))}"'
        f'{lazy} decoding="async">{play}</a></li>'
    )


def _described(one: _Picture, look: Look) -> str:
    """What stands for a picture where it is not seen."""
    name = (look.captions and one.shared.metadata.caption) or os.path.splitext(one.name)[0]
    return f"{look.say('webalbum.video')}: {name}" if one.shared.is_video else str(name)


def _photo_page(pictures: Sequence[_Picture], number: int, look: Look) -> str:
    one = pictures[number]
    last = number == len(pictures) - 1
    caption = one.shared.metadata.caption if look.captions else None
    hidden = "" if caption else ' class="unseen"'
    said = " · ".join(_facts(one, look))
    told = f"<p>{said}</p>" if said else ""
    following = "" if last else f"../photos/{_link(pictures[number + 1].name)}"
    ahead = f'\n<link rel="prefetch" href="{following}">' if following else ""
    title = f"{_described(one, look)} \u2013 {look.title}"
    step = _step(look, "prev", "webalbum.previous", _LEFT, number - 1, number > 0)
    step += _step(look, "next", "webalbum.next", _RIGHT, number + 1, not last)
    at = _text(look.say("webalbum.of", at=number + 1, count=len(pictures)))
    return f"""{_head(look, title, "../", ahead)}<body class="photo">
<nav>
<a rel="up" href="../index.html" aria-label="{_text(look.say("webalbum.all"))}">{_icon(_ALL)}</a>
<span class="at">{at}</span>
{step}</nav>
<main>{_large(one, number, last, look)}</main>
<footer><h1{hidden}>{_text(caption or _described(one, look))}</h1>{told}</footer>
</body>
</html>
"""


def _step(look: Look, rel: str, key: str, drawn: str, number: int, there: bool) -> str:
    if not there:
        # So that the other one stays where it is.
        return "<span></span>\n"
    label = _text(look.say(key))
    return f'<a rel="{rel}" href="{_page(number)}" aria-label="{label}">{_icon(drawn)}</a>\n'


def _icon(drawn: str) -> str:
    return f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{drawn}"/></svg>'


def _large(one: _Picture, number: int, last: bool, look: Look) -> str:
    source, described = f"../photos/{_link(one.name)}", _text(_described(one, look))
    size = f'width="{one.width}" height="{one.height}"'
    if one.shared.is_video:
        poster = f"../thumbnails/{_link(one.small)}"
        return (
            f'<div class="large"><video src="{source}" poster="{poster}" {size} controls '
            f'playsinline preload="metadata" aria-label="{described}"></video></div>'
        )
    image = f'<img src="{source}" alt="{described}" {size}>'
    if last:
        return f'<div class="large">{image}</div>'
    # The arrow goes there by keyboard, and says so.
    return f'<a class="large" href="{_page(number + 1)}" tabindex="-1">{image}</a>'


def _facts(one: _Picture, look: Look) -> Iterator[str]:
    metadata = one.shared.metadata
    if look.dates and metadata.taken_at:
        yield _time(metadata.taken_at[:16])
    if look.places and metadata.place:
        known = (metadata.place.city, metadata.place.country)
        yield _text(", ".join(part for part in known if part))


def _span(pictures: Sequence[_Picture]) -> str:
    """From when to when, in days."""
    days = sorted(
        one.shared.metadata.taken_at[:10] for one in pictures if one.shared.metadata.taken_at
    )
    if not days:
        return ""
    return " \u2013 ".join(_time(day) for day in dict.fromkeys((days[0], days[-1])))


def _time(when: str) -> str:
    return f'<time datetime="{_text(when)}">{_text(when.replace("T", " "))}</time>'
