"""`photosearch models`: which models there are, which one searches use, and which may go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from photosearch.commands.opening import open_library, open_to_read
from photosearch.commands.output import counted, shown

if TYPE_CHECKING:
    from photosearch.library import Library
    from photosearch.models import Model


@click.group("models")
def command() -> None:
    """List the models, and choose the one that searches use.

    Another model never leaves you without search: its vectors are built beside those of the present
    one, which answers until all photos are encoded.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the models that are here, and those of which only vectors are left."""
    with _looked_at(ctx) as library:
        models = library.models()
    if as_json:
        click.echo(json.dumps({"models": [vars(model) for model in models]}, indent=2))
        return
    for model in models:
        mark = "*" if model.active else ">" if model.wanted else " "
        click.echo(f"{mark} {shown(model.id)}")
        click.echo(f"    {_about(model)}")
        click.echo(f"    {counted(model.encoded, 'photo')} encoded{_role(model)}")


@command.command("show")
@click.argument("model", metavar="MODEL")
@click.pass_context
def show(ctx: click.Context, model: str) -> None:
    """Show what MODEL is, its licence, and its model card.

    MODEL is a name or id that `photosearch models list` shows.
    """
    with _looked_at(ctx) as library:
        found = library.model(model)
    click.echo(f"Model    {shown(found.id)}")
    click.echo(f"         {_about(found)}")
    click.echo(f"         {counted(found.encoded, 'photo')} encoded{_role(found)}")
    if found.licence is not None:
        click.echo(f"Licence  {shown(found.licence)}")
        click.echo("")
        click.echo("It has no model card." if found.card is None else found.card.rstrip())


@command.command("rm")
@click.argument("model", metavar="MODEL")
@click.option("--keep-vectors", is_flag=True, help="Keep what it has encoded, for when it is back.")
@click.pass_context
def rm(ctx: click.Context, model: str, keep_vectors: bool) -> None:
    """Delete MODEL from the library folder, with the vectors that it made.

    The model that answers searches, the one that is to, and the one that comes with photosearch are
    never deleted.
    """
    with open_library(ctx) as library:
        removed = library.remove_model(model, keep_vectors=keep_vectors)
    dropped = f", and {counted(removed.vectors, 'vector')} with it" if removed.vectors else ""
    click.echo(
        f"Removed {removed.id}{dropped}; {removed.bytes / 1e6:.1f} MB of disk space are free again."
    )


@command.command("use")
@click.argument("model", metavar="MODEL")
@click.option("--later", is_flag=True, help="Only note it; the next `photosearch index` builds it.")
@click.option(
    "--now", is_flag=True, help="Switch at once, and find only what it has encoded so far."
)
@click.pass_context
def use(ctx: click.Context, model: str, later: bool, now: bool) -> None:
    """Use MODEL for searches, once it has encoded all photos.

    MODEL is a name or id that `photosearch models list` shows, or the folder of a model bundle, of
    which a copy is made in the library folder.

    All photos are encoded by it, beside the vectors that are there; the present model answers
    searches meanwhile, and after Ctrl-C or a crash. `photosearch index` goes on.
    """
    if later and now:
        raise click.UsageError("--later and --now exclude each other; give one of them.")
    if ctx.obj[1]:
        raise click.UsageError(
            "--model, or PHOTOSEARCH_MODEL, names a model to use whatever is chosen; leave it out."
        )
    from photosearch.commands.index import run

    # Nobody else begins to index between the two steps.
    with open_library(ctx) as library, library.writing():
        chosen = library.use_model(model, at_once=now)
        if not chosen.active and not later and library.status().folders:
            click.echo(f"Encoding all photos by {chosen.id}.", err=True)
            run(library, ())
            return
    if chosen.active:
        click.echo(f"Searches now use {chosen.id}.")
    else:
        click.echo(f"`photosearch index` encodes all photos by {chosen.id}, and switches to it.")


@contextmanager
def _looked_at(ctx: click.Context) -> Iterator[Library]:
    """The library to read from; to look should not leave an empty one behind."""
    from photosearch.library import Library

    if Library.exists(ctx.obj[0]):
        with open_to_read(ctx) as library:
            yield library
    else:
        with TemporaryDirectory() as folder, Library.open(folder, model=ctx.obj[1]) as library:
            yield library


def _about(model: Model) -> str:
    if model.bytes is None:
        return "not here any more; only its vectors are left"
    return f"{model.kind}, {model.bytes / 1e6:.0f} MB, {model.dim} numbers, {model.licence}"


def _role(model: Model) -> str:
    if model.active:
        return "; answers searches"
    return "; answers searches once all are" if model.wanted else ""
