"""`photosearch serve`: the read-only HTTP API."""

from __future__ import annotations

import click

from photosearch.commands.opening import setting_option, settings_of
from photosearch.errors import UsageError


@click.command("serve")
@setting_option("--host", "serve_host")
@setting_option("--port", "serve_port")
@click.pass_context
def command(ctx: click.Context, host: str | None, port: int | None) -> None:
    """Answer searches of other programs over HTTP, as JSON. Nothing can be changed through it.

    /openapi.json describes it. Only this machine can connect. With --host others can, and must send
    a token: the one in PHOTOSEARCH_TOKEN, or one that is made up and printed.
    """
    from photosearch.api.server import listen, serve
    from photosearch.library import Library

    path, model = ctx.obj.library, ctx.obj.model
    if not Library.exists(path):
        raise UsageError("there is no library yet; index a folder first: photosearch index FOLDER")
    settings = settings_of(ctx, serve_host=host, serve_port=port)
    listener = listen(settings.serve_host, settings.serve_port, settings.token)
    click.echo(f"Answering at {listener.url}/v1/search?q=...; Ctrl-C ends.")
    if listener.made_up:
        click.echo(f"Other machines can connect with this token: {listener.token}")
    serve(listener, path, model)
