"""`photosearch serve`: the read-only HTTP API."""

from __future__ import annotations

import re

import click

from photosearch.commands.opening import (
    password_file_option,
    secret_in,
    setting_option,
    settings_of,
)
from photosearch.commands.output import shown
from photosearch.errors import UsageError


@click.command("serve")
@setting_option("--host", "serve_host")
@setting_option("--port", "serve_port")
@click.option(
    "--open-to-this-machine",
    is_flag=True,
    help="Answer all users of this machine, without a token.",
)
@password_file_option("--token-file", "token")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Searches that are answered at the same time.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="Answer to this name as well, as that of a proxy in front; repeat it for several.",
)
@click.option(
    "--prefix",
    default="",
    metavar="PATH",
    help="The path below which a proxy has the API, as in /photos.",
)
@click.option(
    "--metrics", is_flag=True, help="Count requests, for Prometheus, at /metrics: an extra."
)
@click.option(
    "--log-requests",
    is_flag=True,
    help="Write a line to the log for each request: its route and status, not what was asked.",
)
@click.option(
    "--read-only",
    "readonly",
    is_flag=True,
    help="Change nothing in the library folder, as where that is a replica or mounted read-only.",
)
@click.pass_context
def command(
    ctx: click.Context,
    host: str | None,
    port: int | None,
    open_to_this_machine: bool,
    token_file: str | None,
    workers: int,
    names: tuple[str, ...],
    prefix: str,
    metrics: bool,
    log_requests: bool,
    readonly: bool,
) -> None:
    """Answer searches of other programs over HTTP, as JSON. Nothing can be changed through it.

    /openapi.json describes it. Only this machine can connect, or others with --host. Programs have
    to send a token: that of --token-file, the one in PHOTOSEARCH_TOKEN, or the one in the library's
    folder, which only you can read. Where other machines can connect it is made up and printed.
    """
    from photosearch.api.server import Serving, listen, serve
    from photosearch.library import Library
    from photosearch.serving.hosts import is_loopback
    from photosearch.serving.own_secret import API, own_secret

    prefix = prefix.rstrip("/")
    if prefix and not re.fullmatch(r"(/[\w.~-]+)+", prefix, re.ASCII):
        raise UsageError(f"--prefix {prefix}: is no path; give one such as /photos")
    path, model = ctx.obj.library, ctx.obj.model
    if readonly and ctx.obj.guard is not None:
        ctx.obj.guard.spare_library()
    if not Library.exists(path):
        raise UsageError("there is no library yet; index a folder first: photosearch index FOLDER")
    settings = settings_of(ctx, serve_host=host, serve_port=port)
    token = secret_in(token_file, "--token-file") or settings.token
    in_folder = token is None and not open_to_this_machine and is_loopback(settings.serve_host)
    if in_folder:
        token = own_secret(settings.library, API, keep=not readonly)
    listener = listen(settings.serve_host, settings.serve_port, token)
    click.echo(f"Answering at {listener.url}/v1/search?q=...; Ctrl-C ends.")
    if in_folder:
        kept = settings.library / API
        where = f"the token in {shown(str(kept))}" if kept.is_file() else f"this token: {token}"
        click.echo(f"Programs send {where}")
    if listener.made_up:
        click.echo(f"Other machines can connect with this token: {listener.token}")
    how = Serving(workers, names, prefix, metrics, log_requests, readonly)
    serve(listener, path, model, how)
