"""`photosearch models`: which models there are, which one searches use, and which may go."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from photosearch.commands.opening import open_library, open_to_read, settings_of
from photosearch.commands.output import counted, shown
from photosearch.commands.quantise import quantise

if TYPE_CHECKING:
    from photosearch.library import Library
    from photosearch.library.models import Model
    from photosearch.pulling.advice import Advice
    from photosearch.pulling.offers import Offer


@click.group("models")
def command() -> None:
    """List the models, and choose the one that searches use.

    Another model never leaves you without search: its vectors are built beside those of the present
    one, which answers until all photos are encoded.
    """


command.add_command(quantise)


@command.command("list")
@click.option(
    "--available", is_flag=True, help="List all that can be downloaded, and not only the best."
)
@click.option(
    "--language",
    metavar="CODE",
    default="en",
    show_default=True,
    help="The language that you search in, such as de: those that know it come first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def list_(ctx: click.Context, available: bool, language: str, as_json: bool) -> None:
    """List the models that are here, and those that can be downloaded.

    Those come first that suit this machine best: they fit into its memory, know the language, and
    encode the library in a night at the speed that is measured now. Of these the first find most.
    """
    with _looked_at(ctx) as library:
        models, advised = library.models.all(), library.models.advice(_code(language))
    if as_json:
        best = {one.offer.name for one in advised.recommended}
        content = {
            "models": [asdict(model) for model in models],
            "offered": [_described(one) | {"best": one.offer.name in best} for one in advised.all],
        }
        click.echo(json.dumps(content, indent=2))
        return
    for model in models:
        mark = "*" if model.active else ">" if model.wanted else " "
        click.echo(f"{mark} {shown(model.id)}")
        click.echo(f"    {_about(model)}")
        click.echo(f"    {counted(model.encoded, 'photo')} encoded{_role(model)}")
        click.echo(f"    {_cutoffs(model)}")
    click.echo(
        "\nTo download, with `photosearch models pull NAME`, the best for this machine first:"
    )
    shortlist = [one for one in advised.all if available or one.offer.recommended]
    width = max(len(one.offer.name) for one in shortlist)
    for one in shortlist:
        facts = [*_here(one, advised.photos), *_facts(one.offer)]
        mark = "*" if one in advised.recommended else " "
        click.echo(f"{mark} {one.offer.name:{width}}  {', '.join(facts)}")
    if left := len(advised.all) - len(shortlist):
        click.echo(f"  and {left} more, which --available lists")
    if advised.recommended:
        click.echo("* is what is recommended for this machine and library.")


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


@command.command("add")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_context
def add(ctx: click.Context, folder: Path) -> None:
    """Copy the model bundle in FOLDER into the library folder, as from a USB stick.

    FOLDER is that of a bundle, or holds one and no other. On a machine with a network `photosearch
    models pull` makes such a folder, below `models` in the library folder. Searches change only
    with `photosearch models use`.
    """
    from tqdm import tqdm

    from photosearch.pulling.run import Downloading, Pulled

    bar = tqdm(unit="B", unit_scale=True, desc=folder.name, file=sys.stderr, disable=None)
    with open_library(ctx) as library, bar, closing(library.models.add(folder)) as events:
        for event in events:
            if isinstance(event, Downloading):
                bar.total = event.total
                bar.update(event.done - bar.n)
            elif isinstance(event, Pulled):
                added = event
    what = "Added" if added.fresh else "Already here:"
    click.echo(f"{what} {added.id}. `photosearch models use {added.model}` switches to it.")


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
        # It may answer already, for want of another, as after a run that was killed.
        done = chosen.active and (now or not library.models.waiting(chosen.id))
        if not done and not later and library.status().folders:
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


def _code(language: str) -> str:
    """The code of a language, of what may be a locale, as "de-AT"."""
    return re.split("[-_.]", language.strip().lower())[0]


def _described(one: Advice) -> dict[str, Any]:
    offer = one.offer
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
        "seconds": one.seconds,
        "memory": one.memory,
        "disk": one.disk,
        "fits": one.fits,
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


def _here(one: Advice, photos: int) -> list[str]:
    """What an offer would take on this machine."""
    facts = []
    if one.seconds is not None:
        of = f"your {counted(photos, 'photo')}" if photos else "1000 photos"
        facts.append(f"about {_duration(one.seconds)} for {of}")
    if not one.fits and one.memory is not None:
        facts.append(f"needs {one.memory / 1e9:.1f} GB of memory")
    return facts


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def _cutoffs(model: Model) -> str:
    """Whether it says that nothing fits, and by what."""
    found = model.cutoffs
    if found is None:
        return "always finds something: it has no cut-offs"
    if found.source == "model":
        return "says when nothing fits"
    return (
        f"says when nothing fits, by cut-offs fitted on {found.photos} photos of yours, without "
        "labels"
    )


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
