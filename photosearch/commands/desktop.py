"""`photosearch desktop`: the pages in a window of their own."""

from __future__ import annotations

import click


@click.command("desktop")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Search in a window of its own, which ends everything when it is closed.

    With pywebview installed it is the system's own; otherwise a browser's without its bars, or a
    tab of your browser. Started a second time, the window that is open comes forward.
    """
    from photosearch.commands.pages import import_pages

    import_pages()
    from photosearch.desktop.app import run

    if not run(ctx.obj.library, ctx.obj.model):
        click.echo("The window is open already.")
