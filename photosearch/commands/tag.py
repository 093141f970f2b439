"""`photosearch tag`: keywords of the user's own."""

from __future__ import annotations

import click

from photosearch.commands.marking import mark_photos, print_json
from photosearch.commands.output import counted
from photosearch.commands.photos import photos_argument
from photosearch.library import Library


@click.command("tag")
@photos_argument
@click.option("--add", multiple=True, metavar="KEYWORD", help="Put this keyword on them.")
@click.option(
    "--remove", multiple=True, metavar="KEYWORD", help="Take it off, and what stands below it."
)
@click.option(
    "--clear", is_flag=True, help="First take back all that you added and removed before."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(
    ctx: click.Context,
    photos: tuple[int | str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    clear: bool,
    as_json: bool,
) -> None:
    """Add keywords to each PHOTO, which is an id, photo:ID, or a path, or remove some.

    "Places|Rome" is Rome in Places. They are kept in the library, beside those that the file has,
    and found by keyword:. The file is not touched; see `photosearch write-sidecars`.
    """
    if not (add or remove or clear):
        raise click.UsageError("Give a keyword, as in --add beach, or --clear.")

    def change(library: Library) -> None:
        if clear:
            library.marks.clear_keywords(photos)
        library.marks.tag(photos, add=add, remove=remove)

    marked = mark_photos(ctx, photos, change)
    if as_json:
        print_json(marked)
    else:
        click.echo(f"Changed the keywords of {counted(len(marked), 'photo')}.")
