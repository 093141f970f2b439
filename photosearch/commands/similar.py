"""`photosearch similar`: the photos that look most like one."""

from __future__ import annotations

import sys

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.photos import photo_argument
from photosearch.commands.showing import check_forms, page_options, show


@click.command("similar")
@photo_argument
@page_options
@click.pass_context
def command(
    ctx: click.Context,
    photo: int | str,
    limit: int,
    offset: int,
    collapse: bool,
    as_json: bool,
    null: bool,
) -> None:
    """Find the photos that look most like PHOTO, without itself.

    PHOTO is the id of a photo of the library, photo:ID, or the path of any picture. Exits with 1
    when there are none.
    """
    check_forms(as_json, null)
    with open_to_read(ctx) as library:
        hits = library.photos.similar(
            photo,
            limit=limit,
            offset=offset,
            collapse=collapse,
        )
    show(hits, as_json=as_json, null=null)
    if not hits:
        click.echo("There are no other photos to compare it with.", err=True)
        sys.exit(1)
