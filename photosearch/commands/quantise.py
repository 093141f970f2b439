"""`photosearch models quantise`: a copy of a model with its weights in 8 bits."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from photosearch.commands.opening import open_library

if TYPE_CHECKING:
    from photosearch.quantising.run import Tried


@click.command("quantise")
@click.argument("model", metavar="MODEL")
@click.pass_context
def quantise(ctx: click.Context, model: str) -> None:
    """Make a copy of MODEL with its weights in 8 bits: smaller, and mostly quicker.

    It is compared with MODEL on up to 200 photos of the library, of which there must be 100 at
    least. Each of the two networks is kept in 8 bits where nine of the first ten photos for a text
    stay the same, and where it takes no longer. Searches change only with `photosearch models use`.
    """
    from photosearch.quantising.run import Quantised, Tried, Trying

    with open_library(ctx) as library, closing(library.models.quantise(model)) as events:
        for event in events:
            if isinstance(event, Trying):
                what = "pictures" if event.tower == "image" else "texts"
                click.echo(f"Trying the network of {what} in 8 bits ({event.method}).", err=True)
            elif isinstance(event, Tried):
                click.echo(f"  {_outcome(event)}", err=True)
            elif isinstance(event, Quantised):
                made = event
    click.echo(
        f"{'Made' if made.fresh else 'Already here:'} {made.id}, {made.bytes / 1e6:.0f} MB for "
        f"{made.original_bytes / 1e6:.0f} MB. {made.same:.0%} of the first ten photos for a text "
        f"are the same. `photosearch models use {made.model}` switches to it."
    )


def _outcome(tried: Tried) -> str:
    """What came of a network in 8 bits."""
    found = tried.agreement
    if found is None:
        return "it has nothing to make 8 bits, and stays as it is"
    return (
        f"{'good' if tried.good else 'not good enough'}: {found.same:.1%} of the first ten photos "
        f"are the same, {tried.share:.0%} of the size, {found.quicker:.2f} times as quick"
    )
