"""`photosearch write-sidecars`: ratings and keywords, in XMP files beside the photos."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from photosearch.commands.opening import open_library
from photosearch.commands.output import counted, shown
from photosearch.commands.photos import Photo

if TYPE_CHECKING:
    from photosearch.sidecars import Sidecar


@click.command("write-sidecars")
@click.argument("places", metavar="[PHOTO|FOLDER]...", type=Photo(), nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Of all photos that you marked.")
@click.option(
    "--naming",
    type=click.Choice(("full", "stem")),
    default="full",
    show_default=True,
    help="New files are IMG.JPG.xmp, as of darktable and digiKam, or IMG.xmp, as of Lightroom.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(
    ctx: click.Context,
    places: tuple[int | str, ...],
    everything: bool,
    naming: Any,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write your ratings and keywords into XMP files beside the photos.

    Of each PHOTO, and of the photos in each FOLDER and below, those are written that you marked
    with `photosearch rate`, `photosearch tag`, or in the page. Nothing is written into a photo. An
    XMP file that is there keeps all else that is in it, and is kept as it was, with "~" behind its
    name, when it is changed for the first time. Exits with 1 when any could not be written.
    """
    from photosearch.library import Library

    if bool(places) is everything:
        raise click.UsageError("Give photos or folders, or --all.")
    if not Library.exists(ctx.obj.library):
        click.echo("Nothing is indexed yet. Make a library: photosearch index FOLDER", err=True)
        sys.exit(1)
    done: list[Sidecar] = []
    with open_library(ctx) as library:
        wanted = None if everything else places
        for one in library.marks.write_sidecars(wanted, naming=naming, dry_run=dry_run):
            done.append(one)
            if one.action == "left":
                click.echo(f"{shown(one.photo)}: {shown(one.reason)}", err=True)
            elif dry_run and one.action != "same" and not as_json:
                click.echo(_line(one))
    if as_json:
        content = {"version": 1, "dry_run": dry_run, "sidecars": [asdict(one) for one in done]}
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(_summary(done, dry_run=dry_run))
    if any(one.action == "left" for one in done):
        sys.exit(1)


def _line(one: Sidecar) -> str:
    parts = []
    if one.stars is not None:
        parts.append(counted(one.stars, "star"))
    if one.keywords is not None:
        parts.append(f"keywords {shown(', '.join(one.keywords)) or 'none'}")
    made = "new" if one.action == "made" else "changed"
    return f"{shown(one.path or one.photo)} ({made}): {'; '.join(parts)}"


def _summary(done: list[Sidecar], *, dry_run: bool) -> str:
    if not done:
        return "None of these photos has a rating or keywords of yours."
    counts = Counter(one.action for one in done)
    made, updated = counted(counts["made"], "sidecar"), counts["updated"]
    did = (
        f"Would make {made} and change {updated}" if dry_run else f"Made {made}, changed {updated}"
    )
    left = f"; {counts['left']} could not be written" if counts["left"] else ""
    return f"{did}; {counts['same']} said so already{left}."
