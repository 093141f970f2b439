"""`photosearch forget`: take a folder out of the library; the photos stay."""

from __future__ import annotations

import sys

import click

from index.paths import is_within
from photosearch.commands.opening import open_library
from photosearch.commands.output import counted, shown


@click.command("forget")
@click.argument("folder", metavar="FOLDER")
@click.option("--dry-run", is_flag=True, help="Only say how many photos would be forgotten.")
@click.pass_context
def command(ctx: click.Context, folder: str, dry_run: bool) -> None:
    """Take the photos in FOLDER and below out of the library.

    The files themselves are not touched. It does not ask first: what is dropped comes back when the
    folder is indexed again.
    """
    from photosearch.indexing.spelling import as_recorded
    from photosearch.library import Library

    if not Library.exists(ctx.obj.library):
        click.echo("There is no library yet, and so nothing to forget.", err=True)
        sys.exit(1)
    with open_library(ctx) as library:
        before = library.folders
        number = library.forget(folder, dry_run=dry_run)
        place = as_recorded(folder, before)
        around = [known for known in library.folders if _is_inside(place, known)]
    did = "Would forget" if dry_run else "Forgot"
    click.echo(
        f"{did} {counted(number, 'photo')} below {shown(place)}. The files stay as they are."
    )
    if around:
        click.echo(
            f"It lies in {shown(around[0])}, and the next index run finds it again unless a "
            ".photosearchignore names it."
        )


def _is_inside(path: str, folder: str) -> bool:
    return path != folder and is_within(path, folder)
