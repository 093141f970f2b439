"""`photosearch import`: a library of what `photosearch export` wrote."""

from __future__ import annotations

import click

from photosearch.commands.output import counted, shown


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=True))
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="OLD=NEW",
    help="What lay below the folder OLD there is below NEW here. May be given again; the nearest "
    "folder decides.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Take the place of a library that is here, which is kept beside it; without it that is an "
    "error.",
)
@click.option("--dry-run", is_flag=True, help="Check FILE, say what is in it, and write nothing.")
@click.pass_context
def command(
    ctx: click.Context, file: str, maps: tuple[str, ...], replace: bool, dry_run: bool
) -> None:
    """Make a library of FILE, which `photosearch export` has written.

    Photos that are not where the library says are hidden until they are; they need not be encoded
    again. FILE is checked first, and when something is wrong nothing is changed.
    """
    from photosearch.library import Library

    path, model = ctx.obj.library, ctx.obj.model
    done = Library.import_from(file, path, maps=maps, model=model, replace=replace, dry_run=dry_run)
    did = "Would import" if dry_run else "Imported"
    click.echo(
        f"{did} {counted(done.photos, 'photo')}; {done.found} of them are here now"
        f"{', and the others are hidden until they are' if done.found < done.photos else ''}."
    )
    for old, new in done.folders:
        click.echo(f"Folder    {shown(old)}{f' -> {shown(new)}' if new != old else ''}")
    if done.model is not None:
        click.echo(f"Model     {done.model}")
        if not done.model_here:
            click.echo(
                "          not here, so nothing can be found; `photosearch models use FOLDER` "
                "brings it, or `photosearch index` encodes the photos by another"
            )
    if done.kept is not None:
        click.echo(f"The library that was here is kept as {shown(str(done.kept))}")
