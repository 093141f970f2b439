"""`photosearch status`: what the library holds, and what it could not index."""

from __future__ import annotations

import json
import sys

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.output import counted, not_connected, of_other_kinds, shown


@click.command("status")
@click.option("--problems", is_flag=True, help="List the files that could not be indexed, and why.")
@click.option(
    "-v", "--verbose", is_flag=True, help="With --problems, also what the decoders printed of them."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(ctx: click.Context, problems: bool, verbose: bool, as_json: bool) -> None:
    """Show what the library holds."""
    from index.shared.address import called
    from photosearch.library import Library
    from photosearch.settings import library_folder

    if not Library.exists(ctx.obj.library):
        place = called(library_folder(ctx.obj.library))
        click.echo(
            f"No library at {shown(place)} yet. Make one: photosearch index FOLDER", err=True
        )
        sys.exit(1)
    if verbose and not problems:
        raise click.UsageError("-v is for the list of problems; add --problems.")
    with open_to_read(ctx) as library:
        now, folder = library.status(), str(library.folder)
    if as_json:
        content = vars(now) | {
            "cutoffs": None if now.cutoffs is None else vars(now.cutoffs),
            "problems": [
                {"path": path, "reason": reason, "printed": now.printed.get(path, "")}
                for path, reason in now.problems
            ],
        }
        del content["printed"]
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(f"Library   {shown(now.library)}")
    if now.library != folder:
        click.echo(f"          with a copy in {shown(folder)}")
    click.echo(f"Model     {now.model}")
    if now.cutoffs is not None and now.cutoffs.source == "photos":
        click.echo(
            f"          its cut-offs were fitted on {now.cutoffs.photos} photos of yours, without "
            "labels"
        )
    if not now.model_here:
        click.echo(
            "          not here any more, so nothing can be found; `photosearch index` encodes the "
            f"photos by {now.next_model}"
        )
    elif now.next_model is not None:
        click.echo(
            f"Next      {now.next_model}, which has encoded {now.next_encoded} so far; "
            "`photosearch index` goes on"
        )
    if now.tuned:
        click.echo(f"Tuned     on, by {counted(now.tuned, 'mark')}; `photosearch tune --revert`")
    elif now.judged:
        click.echo(f"Tuned     off; {counted(now.judged, 'mark')} to learn from")
    click.echo(f"Photos    {now.photos}")
    if now.model_here and now.encoded < now.photos + now.missing:
        click.echo(
            f"          {now.photos + now.missing - now.encoded} not yet encoded by this model; "
            "run `photosearch index` again"
        )
    if now.missing:
        click.echo(f"Gone      {now.missing} (hidden until their files are back)")
    click.echo(f"Problems  {len(now.problems)}")
    if now.others:
        click.echo(f"Left out  {of_other_kinds(now.others)}")
    for folder in now.folders:
        click.echo(f"Folder    {shown(folder)}")
        if folder in now.not_connected:
            click.echo(f"          {not_connected(now.not_connected[folder])}")
    if problems:
        for path, reason in now.problems:
            click.echo(f"{shown(path)}: {reason}")
            for line in now.printed.get(path, "").splitlines() if verbose else ():
                click.echo(f"    {shown(line)}")
