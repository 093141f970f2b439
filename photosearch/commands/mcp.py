"""`photosearch mcp`: tools for assistants."""

from __future__ import annotations

from importlib.util import find_spec

import click

from photosearch.errors import UsageError


@click.command("mcp")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Let an assistant search the photos, by the Model Context Protocol on stdin and stdout.

    It has the tools search, similar, photo and status, and changes nothing. It is started by the
    assistant's program rather than by hand; docs/api.md shows how.
    """
    if find_spec("mcp") is None:
        raise UsageError("this needs the package mcp; install it: pip install 'photosearch[mcp]'")
    from photosearch.api.tools import run
    from photosearch.library import Library

    path, model = ctx.obj.library, ctx.obj.model
    if not Library.exists(path):
        raise UsageError("there is no library yet; index a folder first: photosearch index FOLDER")
    run(path, model)
