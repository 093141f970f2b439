"""`photosearch search`: the photos that a text describes, as lines, JSON or paths."""

from __future__ import annotations

import json
import os
import sys

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.output import counted, write_bytes


@click.command("search")
@click.argument("text", metavar="TEXT")
@click.option(
    "-n",
    "limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Show at most N photos.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.option("-0", "null", is_flag=True, help="Print paths only, each ended by a NUL, for xargs.")
@click.pass_context
def command(ctx: click.Context, text: str, limit: int, as_json: bool, null: bool) -> None:
    """Find the photos that TEXT describes, best first, with their scores.

    Exits with 1 when nothing matches.
    """
    if as_json and null:
        raise click.UsageError("--json and -0 are two forms of output; give one of them.")
    from photosearch.library import Library
    from photosearch.search.nearest import check_query

    # Also where there is nothing to search yet.
    check_query(text, limit)
    hits = []
    waiting = 0
    if Library.exists(ctx.obj[0]):
        with open_to_read(ctx) as library:
            hits = library.search(text, limit=limit)
            waiting = 0 if hits else library.status().photos
    if as_json:
        click.echo(json.dumps({"query": text, "hits": [vars(hit) for hit in hits]}, indent=2))
    elif null:
        write_bytes(os.fsencode(hit.path) + b"\0" for hit in hits)
    else:
        write_bytes(f"{hit.score:.3f}  ".encode() + os.fsencode(hit.path) + b"\n" for hit in hits)
    if not hits:
        if waiting:
            message = (
                f"None of the {counted(waiting, 'photo')} in the library is encoded by this model "
                "yet. Run `photosearch index` on their folders again."
            )
        else:
            message = (
                "Nothing is indexed yet. Point photosearch at your photos first: "
                "photosearch index FOLDER"
            )
        click.echo(message, err=True)
        sys.exit(1)
