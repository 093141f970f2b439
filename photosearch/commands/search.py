"""`photosearch search`: the photos that fit a query, as lines, JSON or paths."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.output import counted, shown
from photosearch.commands.photos import Photo
from photosearch.commands.showing import check_forms, locale_option, page_options, show
from photosearch.search.filters import Filters, World, filters

if TYPE_CHECKING:
    from photosearch.search.instead import Instead
    from photosearch.search.query import Part

_log = logging.getLogger(__name__)
Decorated = Callable[..., Any]

# What a fact is.
_KINDS = {
    "place": "a place",
    "person": "a person",
    "album": "an album",
    "keyword": "a keyword",
    "camera": "a camera",
    "folder": "a folder",
    "form": "a kind of file",
    "date": "a date",
    "words": "words of file names, captions or text in photos",
}
# The options of filters go to the command by names that no other option has.
_OPTION = "filter_"


def _filters(command: Decorated) -> Decorated:
    """The options that are filters."""
    for one in reversed(filters().values()):
        option = click.option(
            *(f"--{name}" for name in (one.name, *one.aliases)),
            f"{_OPTION}{one.name}",
            metavar=None if one.choices else one.metavar,
            type=click.Choice(one.choices) if one.choices else str,
            multiple=one.repeated,
            help=one.help.en + (" May be repeated." if one.repeated else ""),
        )
        command = option(command)
    return command


@click.command("search")
@click.argument("text", metavar="TEXT", required=False)
@click.option(
    "--sort",
    type=click.Choice(("relevance", "newest", "oldest")),
    default="relevance",
    show_default=True,
    help="Order of the photos; by date those without one come last.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Show also photos that do not look like TEXT."
)
@click.option(
    "--group", type=click.Choice(("day", "event")), help="Keep those of a day or event together."
)
@click.option("--saved", metavar="NAME", help="Run a saved search, with TEXT added to it.")
@click.option("--literal", is_flag=True, help="Take all of TEXT as a description.")
@locale_option
@click.option(
    "--image",
    "images",
    type=Photo(),
    multiple=True,
    metavar="FILE",
    help="Like this picture as well.",
)
@_filters
@page_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    text: str | None,
    limit: int,
    offset: int,
    sort: Any,
    everything: bool,
    group: Any,
    saved: str | None,
    collapse: bool,
    literal: bool,
    locale: str | None,
    images: tuple[int | str, ...],
    as_json: bool,
    null: bool,
    **options: Any,
) -> None:
    """Find the photos that fit TEXT, best first, with their scores.

    TEXT describes them, and may have filters in it: "dogs on a beach -people before:2021". Each
    filter is an option too. Exits with 1 when nothing matches, or nothing looks like TEXT.
    """
    check_forms(as_json, null)
    from photosearch.library import Library
    from photosearch.search.dates.locales import Locale, system_tag
    from photosearch.search.find import check_asked
    from photosearch.search.hits import Hits
    from photosearch.search.parse import parse

    _log.debug("searching for %r", text)
    locale = system_tag() if locale is None else locale
    wanted = Filters.of_box(_given(options))
    asked = wanted != Filters() or bool(images)
    if text is None and saved is None and not asked:
        raise click.UsageError("TEXT is missing; describe the photos, or give a filter.")
    waiting, instead = 0, None
    if Library.exists(ctx.obj.library):
        with open_to_read(ctx) as library:
            if saved is not None:
                text, sort = library.saved.query(saved, text or "", sort)
            hits = library.search(
                text or "",
                limit=limit,
                offset=offset,
                sort=sort,
                group=group,
                collapse=collapse,
                filters=wanted,
                images=images,
                literal=literal,
                everything=everything,
                locale=locale,
            )
            waiting = 0 if hits else library.status().photos
            if waiting and not (literal or offset):
                instead = library.instead(text or "", filters=wanted, images=images, locale=locale)
    else:
        # What asks for nothing, or cannot be understood, is told also where there is nothing yet.
        world = World(locate=lambda _: (0, 0), locale=Locale.of(locale))
        hits = Hits(query=parse(text or "", world, literal=literal))
        wanted.conditions(world)
        check_asked(hits.query.terms or hits.query.conditions or asked or saved)
    show(hits, as_json=as_json, null=null, instead=instead)
    if not as_json:
        _tell_read(hits.query.parts)
    if not hits:
        filtered = asked or bool(hits.query.conditions)
        click.echo(_why_nothing(waiting, filtered, offset, hits.beyond), err=True)
        if instead is not None and (told := _told(instead)):
            click.echo(shown(told), err=True)
        sys.exit(1)


def _given(options: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """The values of each filter that has any, by its name."""
    given = {name.removeprefix(_OPTION): value for name, value in options.items()}
    return {
        name: value if isinstance(value, tuple) else (value,)
        for name, value in given.items()
        if value not in (None, ())
    }


def _tell_read(parts: Iterable[Part]) -> None:
    """What words were taken for: what is known of photos, or English that the model knows."""
    for part in parts:
        if part.kind == "fact":
            click.echo(f'"{shown(part.meaning)}" taken as {_KINDS[part.name]}', err=True)
        if part.readings:
            choices = ", ".join(shown(one.filter) for one in part.readings)
            click.echo(f'"{shown(part.meaning)}" may mean several: type {choices}', err=True)
        if part.read_as:
            click.echo(f'"{shown(part.meaning)}" taken as "{part.read_as}"', err=True)
        if part.warning:
            click.echo(f"{part.warning}.", err=True)


def _told(instead: Instead) -> str:
    """What failed, what is near to it, and what one part fewer finds, in one line."""
    said = [f"Nothing matches {', '.join(instead.failed)}."] if instead.failed else []
    if instead.nearest:
        near = ", ".join(
            f"{one.text} ({one.count}{'' if away is None else f', {away:.0f} km away'})"
            for one in instead.nearest
            for away in (one.kilometres,)
        )
        said.append(f"Nearest: {near}.")
    if instead.fewer:
        said.append(", ".join(f"{one.count} without {one.what}" for one in instead.fewer) + ".")
    return " ".join(said)


def _why_nothing(photos: int, filtered: bool, offset: int, beyond: int) -> str:
    if not photos:
        return (
            "Nothing is indexed yet. Point photosearch at your photos first: "
            "photosearch index FOLDER"
        )
    if offset:
        return f"There are no more photos after the first {offset}."
    if beyond:
        return (
            f"Nothing here looks like that. --all shows the nearest of {counted(beyond, 'photo')}."
        )
    if filtered:
        return f"None of the {counted(photos, 'photo')} in the library meets these filters."
    return (
        f"None of the {counted(photos, 'photo')} in the library is encoded by this model "
        "yet. Run `photosearch index` on their folders again."
    )
