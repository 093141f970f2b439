"""`photosearch duplicates`: photos that are there more than once. Nothing is deleted."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.output import counted, write_bytes
from photosearch.commands.showing import check_forms

if TYPE_CHECKING:
    from photosearch.search.duplicates import Duplicates, Told


@click.command("duplicates")
@click.option("--near", is_flag=True, help="Also photos that only look the same.")
@click.option(
    "--similarity",
    type=click.FloatRange(0.5, 1),
    metavar="COSINE",
    help="How alike their vectors must be before pictures are compared, up to 1."
    "  [default: 0.97; implies --near]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.option(
    "-0", "null", is_flag=True, help="Print the paths of all but the best of each, NUL-ended."
)
@click.pass_context
def command(
    ctx: click.Context, near: bool, similarity: float | None, as_json: bool, null: bool
) -> None:
    """List photos that are there more than once, the best of each first. Nothing is deleted.

    Copies are compared byte by byte before they are listed. With -0 photos that only look the same
    are listed only if --near is given, too.
    """
    check_forms(as_json, null)
    if null and similarity is not None and not near:
        raise click.UsageError(
            "-0 with --similarity lists photos that are no copies; add --near to say so."
        )
    from photosearch.looks import NEAR

    with open_to_read(ctx) as library:
        told = library.photos.duplicates(
            near_too=near or similarity is not None, similarity=similarity or NEAR
        )
        if as_json:
            from photosearch.search.report import report_duplicates

            click.echo(json.dumps(report_duplicates(told), indent=2))
            return
        listing = _Listing(told)
        if null:
            # As soon as it is known: files may change at any time.
            for each in listing:
                write_bytes(os.fsencode(photo.path) + b"\0" for photo in each.photos[1:])
        else:
            for number, each in enumerate(listing):
                write_bytes(_lines(each, first=not number))
            click.echo(
                f"{counted(listing.photos, 'photo')} could go, which take "
                f"{listing.spare_bytes / 1e6:.1f} MB. photosearch deletes nothing.",
                err=True,
            )
    if listing.left_out:
        from photosearch.search.ondisk import LINK, SAME_FILE

        said = ", ".join(f"{reason} ({n})" for reason, n in listing.reasons.most_common())
        click.echo(f"{counted(listing.left_out, 'photo')} left out: {said}.", err=True)
        if set(listing.reasons) - {SAME_FILE, LINK}:
            click.echo("`photosearch index` brings the library up to date.", err=True)


class _Listing:
    """The groups of what is told, and a count of these and of the rest."""

    def __init__(self, told: Iterator[Told]) -> None:
        self._told = told
        self.photos = self.spare_bytes = 0
        self.reasons: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Duplicates]:
        from photosearch.search.duplicates import Duplicates

        for each in self._told:
            if isinstance(each, Duplicates):
                self.photos += len(each.photos) - 1
                self.spare_bytes += each.spare_bytes
                yield each
            else:
                self.reasons[each.reason] += 1

    @property
    def left_out(self) -> int:
        return self.reasons.total()


def _lines(each: Duplicates, *, first: bool) -> Iterator[bytes]:
    what = "same bytes" if each.kind == "exact" else f"look the same ({each.similarity:.3f})"
    yield b"\n" * (not first) + what.encode() + b"\n"
    for photo in each.photos:
        size = f"  {photo.width}x{photo.height}  {photo.stamp.size / 1e6:.2f} MB  "
        yield size.encode() + os.fsencode(photo.path) + b"\n"
