"""`photosearch saved`: searches under a name."""

from __future__ import annotations

import json
from typing import Any

import click

from photosearch.commands.opening import open_library, open_to_read


@click.group("saved")
def command() -> None:
    """Searches under a name; run one with `photosearch search --saved NAME`."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the saved searches."""
    with open_to_read(ctx) as library:
        saved = library.saved.all()
    if as_json:
        click.echo(json.dumps({"version": 1, "searches": [vars(each) for each in saved]}, indent=2))
        return
    for each in saved:
        order = "" if each.sort == "relevance" else f"  ({each.sort} first)"
        click.echo(f"{each.name}: {each.text}{order}")


@command.command("add")
@click.argument("name", metavar="NAME")
@click.argument("text", metavar="TEXT")
@click.option(
    "--sort",
    type=click.Choice(("relevance", "newest", "oldest")),
    default="relevance",
    show_default=True,
    help="Order of the photos.",
)
@click.pass_context
def add(ctx: click.Context, name: str, text: str, sort: Any) -> None:
    """Save TEXT, with its filters, as NAME; another of that name is replaced."""
    with open_library(ctx) as library:
        library.saved.add(name, text, sort=sort)


@command.command("remove")
@click.argument("name", metavar="NAME")
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Forget the saved search NAME."""
    with open_library(ctx) as library:
        library.saved.remove(name)
