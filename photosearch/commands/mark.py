"""`photosearch mark`: which photos are right for a query, and which are wrong."""

from __future__ import annotations

import json

import click

from photosearch.commands.opening import open_library, open_to_read
from photosearch.commands.output import counted, shown
from photosearch.commands.photos import Photo
from photosearch.commands.showing import locale_option
from photosearch.errors import UsageError
from photosearch.library import Library


@click.command("mark")
@click.argument("photos", metavar="[PHOTO]...", type=Photo(), nargs=-1)
@click.option("--right", metavar="TEXT", help="They are what TEXT describes.")
@click.option("--wrong", metavar="TEXT", help="They are not.")
@click.option("--clear", metavar="TEXT", help="Take back what you said of them for TEXT.")
@click.option("--list", "listing", is_flag=True, help="List all marks.")
@locale_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(
    ctx: click.Context,
    photos: tuple[int | str, ...],
    right: str | None,
    wrong: str | None,
    clear: str | None,
    listing: bool,
    locale: str | None,
    as_json: bool,
) -> None:
    """Say that each PHOTO is right for a query, or wrong.

    PHOTO is an id, photo:ID, or a path. Of the query the description counts, and not its filters.
    By itself a mark changes nothing; `photosearch tune` learns from all of them.
    """
    said = [(text, fits) for text, fits in ((right, True), (wrong, False), (clear, None)) if text]
    if listing == bool(photos) or len(said) != (not listing):
        raise click.UsageError("Give photos with --right, --wrong or --clear TEXT, or just --list.")
    if not Library.exists(ctx.obj.library):
        raise UsageError("nothing is indexed yet; make a library: photosearch index FOLDER")
    if listing:
        with open_to_read(ctx) as library:
            marks = library.feedback.all()
            files = {one.id: one.path for one in library.photos.files([m.photo_id for m in marks])}
        lines = [
            {"query": m.query, "photo_id": m.photo_id, "path": files[m.photo_id], "right": m.fits}
            for m in marks
        ]
        if as_json:
            click.echo(json.dumps({"version": 1, "marks": lines}, indent=2))
        for one in () if as_json else lines:
            side = "right" if one["right"] else "wrong"
            click.echo(f"{side}  {shown(str(one['query']))}  {shown(str(one['path']))}")
        return
    from photosearch.search.dates.locales import system_tag

    where = system_tag() if locale is None else locale
    ((text, fits),) = said
    with open_library(ctx) as library:
        query = library.feedback.mark(text, photos, right=fits, locale=where)
        number = library.status().judged
    if as_json:
        click.echo(json.dumps({"version": 1, "query": query, "right": fits, "marks": number}))
        return
    did = {True: "right", False: "wrong", None: "neither"}[fits]
    click.echo(f"Marked {counted(len(photos), 'photo')} as {did} for {shown(query)!r}.")
    click.echo(f"{counted(number, 'mark')} in all; `photosearch tune` learns from them.")
