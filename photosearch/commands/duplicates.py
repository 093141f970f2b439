"""`photosearch duplicates`: photos that are there more than once. Nothing is deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.output import counted, write_bytes
from photosearch.commands.showing import check_forms

if TYPE_CHECKING:
    from photosearch.search.duplicates import Duplicates


@click.command("duplicates")
@click.option("--near", is_flag=True, help="Also photos that only look the same.")
@click.option(
    "--similarity",
    type=click.FloatRange(0.5, 1),
    metavar="COSINE",
    help="How alike they must look, up to 1.  [default: 0.97; implies --near]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.option(
    "-0", "null", is_flag=True, help="Print the paths of all but the best of each, NUL-ended."
)
@click.pass_context
def command(
    ctx: click.Context, near: bool, similarity: float | None, as_json: bool, null: bool
) -> None:
    """List photos that are there more than once, the best of each first. Nothing is deleted."""
    check_forms(as_json, null)
    from photosearch.search.stacks import NEAR

    with open_to_read(ctx) as library:
        found = library.duplicates(
            near_too=near or similarity is not None, similarity=similarity or NEAR
        )
    if as_json:
        from photosearch.search.report import report_duplicates

        click.echo(json.dumps(report_duplicates(found), indent=2))
    elif null:
        write_bytes(os.fsencode(photo.path) + b"\0" for each in found for photo in each.photos[1:])
    else:
        write_bytes(_lines(found))
        spare = sum(each.spare_bytes for each in found)
        photos = sum(len(each.photos) - 1 for each in found)
        click.echo(
            f"{counted(photos, 'photo')} could go, which take {spare / 1e6:.1f} MB. "
            "photosearch deletes nothing.",
            err=True,
        )


def _lines(found: list[Duplicates]) -> Iterator[bytes]:
    for number, each in enumerate(found):
        what = "same bytes" if each.kind == "exact" else f"look the same ({each.similarity:.3f})"
        yield b"\n" * bool(number) + what.encode() + b"\n"
        for photo in each.photos:
            size = f"  {photo.width}x{photo.height}  {photo.stamp.size / 1e6:.2f} MB  "
            yield size.encode() + os.fsencode(photo.path) + b"\n"
