"""What the commands that mark photos share: the library, and what they print."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from photosearch.commands.opening import open_library
from photosearch.library import Library


def mark_photos(
    ctx: click.Context, photos: Sequence[int | str], change: Callable[[Library], None]
) -> list[dict[str, Any]]:
    """Change the marks of photos; what `photosearch show --json` says of each then."""
    from photosearch.described import described

    if not Library.exists(ctx.obj.library):
        click.echo("Nothing is indexed yet. Make a library: photosearch index FOLDER", err=True)
        sys.exit(1)
    with open_library(ctx) as library:
        change(library)
        every = {one.file.id: one for one in map(library.photos.about, photos)}
        return [described(one, library.texts.of(number)) for number, one in every.items()]


def print_json(photos: list[dict[str, Any]]) -> None:
    click.echo(json.dumps({"version": 1, "photos": photos}, indent=2))
