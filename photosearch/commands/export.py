"""`photosearch export`: the library in one file, for another machine or as a backup."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.output import counted, shown


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=True))
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace FILE when it is there already; without it that is an error.",
)
@click.option(
    "--with-models", is_flag=True, help="Also write the models that have encoded the photos."
)
@click.option("--with-faces", is_flag=True, help="Also write what was found out about faces.")
@click.pass_context
def command(
    ctx: click.Context, file: str, overwrite: bool, with_models: bool, with_faces: bool
) -> None:
    """Write the library to FILE: all that is known of the photos, and their vectors.

    The photos themselves are not in it. `photosearch import FILE` makes a library of it, on
    another machine too.
    """
    from photosearch.library import Library

    if not Library.exists(ctx.obj.library):
        click.echo("There is no library yet, and so nothing to export.", err=True)
        sys.exit(1)
    with open_to_read(ctx) as library:
        done = library.export(
            file, overwrite=overwrite, with_models=with_models, with_faces=with_faces
        )
    click.echo(
        f"Exported {counted(done.photos, 'photo')} to {shown(str(Path(file)))} "
        f"({done.bytes / 1e6:.1f} MB)."
    )
    for name in done.models:
        click.echo(f"The model {name} is in it.")
