"""`photosearch ui`: the pages, in a browser."""

from __future__ import annotations

import click

from photosearch.commands.opening import (
    password_file_option,
    secret_in,
    setting_option,
    settings_of,
)


@click.command("ui")
@setting_option("--host", "ui_host")
@setting_option("--port", "ui_port")
@click.option(
    "--open-to-this-machine",
    is_flag=True,
    help="Let all users of this machine in, without the secret in the link.",
)
@password_file_option("--password-file", "password")
@click.option("--no-browser", is_flag=True, help="Do not open a browser; print the address.")
@click.pass_context
def command(
    ctx: click.Context,
    host: str | None,
    port: int | None,
    open_to_this_machine: bool,
    password_file: str | None,
    no_browser: bool,
) -> None:
    """Search in a browser: opens a page that this machine serves to itself.

    Only you can open it, by the link with a secret in it. With --host other machines can connect,
    and must give a password: that of --password-file, the one in PHOTOSEARCH_PASSWORD, or one that
    is made up and printed. The connection is not encrypted.
    """
    from photosearch.commands.ending import Ending
    from photosearch.commands.pages import import_pages

    import_pages()
    from photosearch.serving.forced_exit import end_in_time
    from photosearch.serving.hosts import is_loopback
    from photosearch.ui.server import Server

    path, model = ctx.obj.library, ctx.obj.model
    settings = settings_of(ctx, ui_host=host, ui_port=port)
    password = secret_in(password_file, "--password-file") or settings.password
    with (
        Ending(lambda: end_in_time(0)) as ending,
        Server.bind(
            path,
            model,
            host=settings.ui_host,
            port=settings.ui_port,
            password=password,
            open_to_this_machine=open_to_this_machine,
        ) as server,
    ):
        address = server.address
        if address.password is None:
            click.echo(f"Open {address.link} in a browser; Ctrl-C ends.")
        elif is_loopback(address.host):
            click.echo(f"Open {address.url} in a browser, with the password; Ctrl-C ends.")
        elif password is None:
            click.echo(
                "Other machines can connect. Whoever has this link sees all photos, and so does "
                f"whoever can read the network:\n{address.link}"
            )
        else:
            click.echo(
                f"Other machines can connect at {address.url} with the password that you gave. "
                "The connection is not encrypted."
            )
        if not no_browser:
            launched = address.to_launch(server.folder)
            if launched is not None:
                click.launch(launched)
        server.wait(ending.asked.is_set)
        click.echo("Stopping.", err=True)
