"""`photosearch serve`: the read-only HTTP API."""

from __future__ import annotations

import os

import click

from photosearch.errors import UsageError

TOKEN = "PHOTOSEARCH_TOKEN"


@click.command("serve")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen at; others than this machine's own need a token.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=7870,
    show_default=True,
    metavar="N",
    help="Port to listen at; 0 for any.",
)
@click.pass_context
def command(ctx: click.Context, host: str, port: int) -> None:
    """Answer searches of other programs over HTTP, as JSON. Nothing can be changed through it.

    /openapi.json describes it. Only this machine can connect. With --host others can, and must send
    a token: the one in PHOTOSEARCH_TOKEN, or one that is made up and printed.
    """
    from photosearch.api.server import listen, serve
    from photosearch.library import Library

    path, model = ctx.obj
    if not Library.exists(path):
        raise UsageError("there is no library yet; index a folder first: photosearch index FOLDER")
    listener = listen(host, port, os.environ.get(TOKEN) or None)
    click.echo(f"Answering at {listener.url}/v1/search?q=...; Ctrl-C ends.")
    if listener.made_up:
        click.echo(f"Other machines can connect with this token: {listener.token}")
    serve(listener, path, model)
