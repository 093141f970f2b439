"""`photosearch show`: what is known of one photo."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.output import shown
from photosearch.commands.photos import photo_argument

if TYPE_CHECKING:
    from index import Metadata
    from photosearch.about import About

_SOURCES = {
    "sidecar": "by the XMP file beside it",
    "takeout": "by Google Takeout",
    "exif": "by the camera",
    "gps": "by satellites",
    "xmp": "by XMP",
    "iptc": "by IPTC",
    "name": "by the file's name",
    "clock": "by the video's clock; its time zone is not known",
    "modified": "when it was last edited",
    "folder": "by its folder's name",
}


@click.command("show")
@photo_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(ctx: click.Context, photo: int | str, as_json: bool) -> None:
    """Show what is known of PHOTO: its id, photo:ID, or its path."""
    from photosearch.library import Library

    if not Library.exists(ctx.obj.library):
        click.echo("Nothing is indexed yet. Make a library: photosearch index FOLDER", err=True)
        sys.exit(1)
    with open_to_read(ctx) as library:
        found = library.photos.about(photo)
        text = library.texts.of(found.file.id)
    if as_json:
        click.echo(json.dumps(_content(found, text), indent=2))
        return
    for name, value in _lines(found):
        click.echo(f"{name:<10}{shown(value)}")


def _content(about: About, text: str | None) -> dict[str, Any]:
    """As everywhere, with what is read of the file now.

    What the photo says of itself is also beside the rest, where it was at first, and so is `size`.
    """
    from photosearch.described import described

    content = described(about, text)
    content |= {"size": content["bytes"], "video_inside": about.video_inside}
    return content | asdict(about.metadata)


def _lines(about: About) -> Iterator[tuple[str, str]]:
    file, known = about.file, about.metadata
    yield "Photo", file.path + (" (gone)" if file.missing else "")
    for companion in about.companions:
        yield "With", companion
    if (inside := about.video_inside) is not None:
        yield "With", f"a video inside, {inside / 1e6:.1f} MB"
    size = f"{file.stamp.size / 1e6:.1f} MB"
    yield "Picture", f"{file.format}, {file.width} x {file.height}, {size}"
    if known.taken_at is not None:
        source = _SOURCES.get(known.taken_source or "", known.taken_source)
        yield "Taken", f"{known.taken_at.replace('T', ' ')}{_offset(known)} ({source})"
    elif about.file_date is not None:
        changed = about.file_date
        yield "File date", f"{changed.replace('T', ' ')} (the photo itself has no date)"
    if known.place is not None:
        names = (known.place.city, known.place.region, known.place.country)
        yield "Place", ", ".join(name for name in names if name)
    if known.latitude is not None and known.longitude is not None:
        yield "Position", f"{known.latitude:.6f}, {known.longitude:.6f}"
    for name, value in (
        ("Camera", known.camera),
        ("Lens", known.lens),
        ("Exposure", _exposure(known)),
        ("Rating", known.rating and ("rejected" if known.rating < 0 else "*" * known.rating)),
        ("Caption", known.caption and " ".join(known.caption.split())),
        # Of a path its levels are there, too.
        ("Keywords", ", ".join(word for word in known.keywords if "|" not in word)),
    ):
        if value:
            yield name, value


def _offset(known: Metadata) -> str:
    if known.taken_offset_minutes is None:
        return ""
    return f" {timezone(timedelta(minutes=known.taken_offset_minutes))}"


def _exposure(known: Metadata) -> str:
    parts = []
    if known.exposure_time is not None:
        seconds = known.exposure_time
        parts.append(f"1/{1 / seconds:.0f} s" if seconds < 0.3 else f"{seconds:g} s")
    if known.f_number is not None:
        parts.append(f"f/{known.f_number:g}")
    if known.iso is not None:
        parts.append(f"ISO {known.iso}")
    if known.focal_length is not None:
        parts.append(f"{known.focal_length:g} mm")
    return ", ".join(parts)
