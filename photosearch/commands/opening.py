"""Opening the library that the options before the command name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from photosearch.errors import LibraryError

if TYPE_CHECKING:
    from photosearch.library import Library


def open_library(ctx: click.Context, *, readonly: bool = False) -> Library:
    """The library of `--library`, with the model of `--model`; made unless `readonly`."""
    from photosearch.library import Library

    path, model = ctx.obj
    return Library.open(path, model=model, readonly=readonly)


def open_to_read(ctx: click.Context) -> Library:
    """Writable where that is possible, so that the vector file can be kept up to date."""
    try:
        return open_library(ctx)
    except LibraryError:
        return open_library(ctx, readonly=True)
