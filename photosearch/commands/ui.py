"""`photosearch ui`: the pages, in a browser."""

from __future__ import annotations

import os

import click

PASSWORD = "PHOTOSEARCH_PASSWORD"


@click.command("ui")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen at; others than this machine's own need a password.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port to listen at; 0 for any.  [default: 7860, or the next that is free]",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser; print the address.")
@click.pass_context
def command(ctx: click.Context, host: str, port: int | None, no_browser: bool) -> None:
    """Search in a browser: opens a page that this machine serves to itself.

    Only this machine can connect. With --host others can, and must give a password: the one in
    PHOTOSEARCH_PASSWORD, or one that is made up and printed. The connection is not encrypted.
    """
    from photosearch.commands.ending import Ending
    from photosearch.commands.pages import import_pages

    import_pages()
    from photosearch.ui.server import Server

    path, model = ctx.obj
    password = os.environ.get(PASSWORD) or None
    with (
        Ending() as ending,
        Server.bind(path, model, host=host, port=port, password=password) as server,
    ):
        address = server.address
        if address.password is None:
            click.echo(f"Open {address.url} in a browser; Ctrl-C ends.")
        elif password is None:
            click.echo(
                "Other machines can connect. Whoever has this link sees all photos, and so does "
                f"whoever can read the network:\n{address.link}"
            )
        else:
            click.echo(
                f"Other machines can connect at {address.url} with the password in {PASSWORD}. "
                "The connection is not encrypted."
            )
        if not no_browser:
            click.launch(address.link)
        server.wait(ending.asked.is_set)
        click.echo("Stopping.", err=True)
