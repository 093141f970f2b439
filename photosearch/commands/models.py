"""`photosearch models`: which models there are, which one searches use, and which may go."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from photosearch.commands.opening import open_library, open_to_read, settings_of
from photosearch.commands.output import counted, shown

if TYPE_CHECKING:
    from photosearch.library import Library
    from photosearch.library.models import Model
    from photosearch.pulling.offers import Offer


@click.group("models")
def command() -> None:
    """List the models, and choose the one that searches use.

    Another model never leaves you without search: its vectors are built beside those of the present
    one, which answers until all photos are encoded.
    """


@command.command("list")
@click.option(
    "--available", is_flag=True, help="List all that can be downloaded, and not only the best."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def list_(ctx: click.Context, available: bool, as_json: bool) -> None:
    """List the models that are here, and those that can be downloaded."""
    with _looked_at(ctx) as library:
        models, offers = library.models.all(), library.models.offers()
    if as_json:
        content = {
            "models": [vars(model) for model in models],
            "offered": [_described(offer) for offer in offers],
        }
        click.echo(json.dumps(content, indent=2))
        return
    for model in models:
        mark = "*" if model.active else ">" if model.wanted else " "
        click.echo(f"{mark} {shown(model.id)}")
        click.echo(f"    {_about(model)}")
        click.echo(f"    {counted(model.encoded, 'photo')} encoded{_role(model)}")
    click.echo("\nTo download, with `photosearch models pull NAME`:")
    shortlist = [offer for offer in offers if available or offer.recommended]
    width = max(len(offer.name) for offer in shortlist)
    for offer in shortlist:
        click.echo(f"  {offer.name:{width}}  {', '.join(_facts(offer))}")
    if left := len(offers) - len(shortlist):
        click.echo(f"  and {left} more, which --available lists")


@command.command("show")
@click.argument("model", metavar="MODEL")
@click.pass_context
def show(ctx: click.Context, model: str) -> None:
    """Show what MODEL is, its licence, and its model card.

    MODEL is a name or id that `photosearch models list` shows.
    """
    with _looked_at(ctx) as library:
        offer = next((each for each in library.models.offers() if each.name == model), None)
        if offer is not None and not offer.here:
            _show_offer(offer)
            return
        found = library.models.get(model)
    click.echo(f"Model    {shown(found.id)}")
    click.echo(f"         {_about(found)}")
    click.echo(f"         {counted(found.encoded, 'photo')} encoded{_role(found)}")
    if found.licence is not None:
        click.echo(f"Licence  {shown(found.licence)}")
        click.echo("")
        click.echo("It has no model card." if found.card is None else found.card.rstrip())


@command.command("pull")
@click.argument("name")
@click.option(
    "--accept-license",
    "accepted",
    metavar="LICENCE",
    help="Accept the licence of a model that allows nothing commercial, by its name.",
)
@click.pass_context
def pull(ctx: click.Context, name: str, accepted: str | None) -> None:
    """Download the model called NAME from the Hugging Face hub.

    `photosearch models list` shows the names. Or NAME is the folder of a model bundle, of which a
    copy is made in the library folder.

    What is downloaded is checked against the hub's hashes and made into
    a bundle in the library folder. Most models are used as they are published; those that
    `photosearch models show` says are converted take the trainer (`pip install
    'photosearch[trainer]'`). A download that broke off goes on where it was. Searches change only
    with `photosearch models use`.
    """
    from tqdm import tqdm

    from photosearch.pulling.run import Converting, Downloading, Pulled

    bar = tqdm(unit="B", unit_scale=True, desc=name, file=sys.stderr, disable=None)
    with open_library(ctx) as library:
        events = library.models.pull(name, accept_licence=accepted)
        try:
            with bar, closing(events):
                for event in events:
                    if isinstance(event, Downloading):
                        bar.total = event.total
                        bar.update(event.done - bar.n)
                    elif isinstance(event, Converting):
                        bar.set_description(f"Preparing {event.model}, {event.seconds:.0f} s")
                    elif isinstance(event, Pulled):
                        pulled = event
        except KeyboardInterrupt:
            click.echo("Stopped. Run the same command again to go on.", err=True)
            raise
    what = "Added" if pulled.fresh else "Already here:"
    click.echo(f"{what} {pulled.id}. `photosearch models use {pulled.model}` switches to it.")


@command.command("rm")
@click.argument("model", metavar="MODEL")
@click.option(
    "--keep-vectors",
    is_flag=True,
    help="Keep what it has encoded, so that nothing is encoded again when it is back.",
)
@click.pass_context
def rm(ctx: click.Context, model: str, keep_vectors: bool) -> None:
    """Delete MODEL from the library folder, with the vectors that it made.

    The model that answers searches, the one that is to, and the one that comes with photosearch are
    never deleted. Of a model whose download broke off, what is left is deleted.
    """
    with open_library(ctx) as library:
        removed = library.models.remove(model, keep_vectors=keep_vectors)
    dropped = f", and {counted(removed.vectors, 'vector')} with it" if removed.vectors else ""
    click.echo(
        f"Removed {removed.id}{dropped}; {removed.bytes / 1e6:.1f} MB of disk space are free again."
    )


@command.command("use")
@click.argument("model", metavar="MODEL")
@click.option(
    "--later",
    is_flag=True,
    help="Only note the choice; the next `photosearch index` encodes the photos.",
)
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
    if settings_of(ctx).model is not None:
        raise click.UsageError(
            "--model, PHOTOSEARCH_MODEL or the setting `model` names a model to use whatever is "
            "chosen; leave it out. `photosearch config` tells where it is from."
        )
    from photosearch.commands.ending import Ending
    from photosearch.commands.index import run

    # Nobody else begins to index between the two steps.
    with Ending() as ending, open_library(ctx) as library, library.writing():
        chosen = library.models.use(model, at_once=now)
        if not chosen.active and not later and library.status().folders:
            click.echo(f"Encoding all photos by {chosen.id}.", err=True)
            run(library, (), ending)
            return
    if chosen.active:
        click.echo(f"Searches now use {chosen.id}.")
    else:
        click.echo(f"`photosearch index` encodes all photos by {chosen.id}, and switches to it.")


@contextmanager
def _looked_at(ctx: click.Context) -> Iterator[Library]:
    """The library to read from; to look should not leave an empty one behind."""
    from photosearch.library import Library

    if Library.exists(ctx.obj.library):
        with open_to_read(ctx) as library:
            yield library
    else:
        with TemporaryDirectory() as folder, Library.open(folder, model=ctx.obj.model) as library:
            yield library


def _described(offer: Offer) -> dict[str, Any]:
    return {
        "name": offer.name,
        "maker": offer.maker,
        "licence": offer.licence,
        "research_only": offer.research_only,
        "languages": offer.languages,
        "dim": offer.dim,
        "megabytes": offer.megabytes,
        "speed": offer.speed,
        "imagenet": offer.imagenet,
        "recall": offer.recall,
        "recommended": offer.recommended,
        "converted": offer.converted,
        "page": offer.page,
        "here": offer.here,
    }


def _show_offer(offer: Offer) -> None:
    accept = f" --accept-license {offer.licence}" if offer.research_only else ""
    how = "converted by the trainer" if offer.converted else "used as it is published"
    click.echo(f"Model    {offer.name}, by {offer.maker}")
    click.echo(f"         to download, {', '.join(_facts(offer)[:-1])}; {how}")
    if offer.gmac is not None:
        click.echo(f"         {offer.gmac} G multiply-adds for an image")
    if offer.recall is not None:
        click.echo(
            f"         {offer.recall}% of XM3600's photos found by an English description, the "
            "mean of the first 1, 5 and 10, as immich measured it"
        )
    click.echo(f"Licence  {offer.licence}{', research only' if offer.research_only else ''}")
    click.echo(f"Card     {offer.page}")
    click.echo(f"\n`photosearch models pull {offer.name}{accept}` downloads it.")


def _facts(offer: Offer) -> list[str]:
    """What there is to say of a model that can be downloaded; the licence comes last."""
    known = offer.languages
    facts = [
        None if offer.megabytes is None else f"{offer.megabytes} MB",
        f"{offer.dim} numbers",
        offer.speed,
        "many languages" if known is None else "English" if known == ("en",) else ", ".join(known),
        None if offer.imagenet is None else f"ImageNet {offer.imagenet:.1f}%",
        offer.licence
        + (", research only" if offer.research_only else "")
        + (", here" if offer.here else ""),
    ]
    return [fact for fact in facts if fact is not None]


def _about(model: Model) -> str:
    if model.bytes is None:
        return "not here any more; only its vectors are left"
    return f"{model.kind}, {model.bytes / 1e6:.0f} MB, {model.dim} numbers, {model.licence}"


def _role(model: Model) -> str:
    if model.active:
        return "; answers searches"
    return "; answers searches once all are" if model.wanted else ""
