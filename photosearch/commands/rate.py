"""`photosearch rate`: stars of the user's own."""

from __future__ import annotations

import click

from photosearch.commands.marking import mark_photos, print_json
from photosearch.commands.output import counted
from photosearch.commands.photos import photos_argument


@click.command("rate")
@photos_argument
@click.option(
    "--stars", type=click.IntRange(0, 5), metavar="N", help="Give them 1 to 5 stars, or 0 for none."
)
@click.option("--clear", is_flag=True, help="Take your stars back; those of the files count again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(
    ctx: click.Context,
    photos: tuple[int | str, ...],
    stars: int | None,
    clear: bool,
    as_json: bool,
) -> None:
    """Rate each PHOTO, which is an id, photo:ID, or a path.

    The stars are kept in the library, go before those that the file has, and are found by rating:.
    The file is not touched; see `photosearch write-sidecars`.
    """
    if (stars is None) is not clear:
        raise click.UsageError("Give the stars, as in --stars 4, or --clear.")
    marked = mark_photos(ctx, photos, lambda library: library.marks.rate(photos, stars))
    if as_json:
        print_json(marked)
    elif clear:
        click.echo(f"Took your stars back from {counted(len(marked), 'photo')}.")
    else:
        click.echo(f"Gave {counted(len(marked), 'photo')} {counted(stars or 0, 'star')}.")
