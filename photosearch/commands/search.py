"""`photosearch search`: the photos that fit a query, as lines, JSON or paths."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.output import counted, shown
from photosearch.commands.showing import check_forms, locale_option, page_options, show

if TYPE_CHECKING:
    from photosearch.search.query import Part

Decorated = Callable[..., Any]

# One for each filter of the box. Each may be given more than once, where that makes sense.
_FILTERS = (
    ("--before", "before", "DATE", "Only photos taken before DATE, as in 2021, 2021-05, May 2021."),
    ("--after", "after", "DATE", "Only photos taken after DATE, not in it."),
    ("--since", "since", "DATE", "Only photos taken in DATE or after it."),
    ("--until", "until", "DATE", "Only photos taken in DATE or before it."),
    ("--on", "on", "DATE", "Only photos taken in DATE, a day, a month, a season or a year."),
    ("--near", "near", "PLACE", "Only photos taken near PLACE, as in Rome or 41.9,12.5,10km."),
    ("--rating", "rating", "STARS", "Only photos rated so, as in 4 or '>=4'."),
)
_SEVERAL = (
    ("--year", "year", "YEAR", "Only photos of this year, or of years, as in 2019-2021."),
    ("--month", "month", "MONTH", "Only photos of this month, as in may, of any year."),
    ("--in", "place", "PLACE", "Only photos taken in this city, region or country."),
    ("--camera", "camera", "NAME", "Only photos taken with such a camera."),
    ("--lens", "lens", "NAME", "Only photos taken with such a lens."),
    ("--folder", "folder", "FOLDER", "Only photos in such a folder, or below."),
    ("--type", "type", "TYPE", "Only files of this type, as in jpeg, heic, raw, video."),
    ("--keyword", "keyword", "WORD", "Only photos with this keyword, or with one below it."),
    ("--words", "words", "TEXT", "Only photos with TEXT in file name, caption or keywords."),
)
_SHAPES = ("portrait", "landscape", "square", "panorama", "video")


def _filters(command: Decorated) -> Decorated:
    """The options that are filters."""
    for option, name, metavar, text in reversed(_FILTERS + _SEVERAL):
        multiple = (option, name, metavar, text) in _SEVERAL
        more = " May be repeated." if multiple else ""
        command = click.option(option, name, metavar=metavar, multiple=multiple, help=text + more)(
            command
        )
    command = click.option(
        "--is", "shapes", type=click.Choice(_SHAPES), multiple=True, help="Only such photos."
    )(command)
    command = click.option(
        "--date",
        "dated",
        type=click.Choice(("file",)),
        help="Only photos without a date; other date filters then go by that of their file.",
    )(command)
    return click.option(
        "--has",
        type=click.Choice(("gps", "date")),
        multiple=True,
        help="Only photos that say where, or when, they were taken. May be repeated.",
    )(command)


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
@click.option("--image", "images", multiple=True, metavar="FILE", help="Like this picture as well.")
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
    images: tuple[str, ...],
    shapes: tuple[str, ...],
    dated: str | None,
    has: tuple[str, ...],
    as_json: bool,
    null: bool,
    **filters: Any,
) -> None:
    """Find the photos that fit TEXT, best first, with their scores.

    TEXT describes them, and may have filters in it: "dogs on a beach -people before:2021". Each
    filter is an option too. Exits with 1 when nothing matches, or nothing looks like TEXT.
    """
    check_forms(as_json, null)
    from photosearch.library import Library
    from photosearch.search.dates.locales import Locale, system_tag
    from photosearch.search.filters import Filters, World
    from photosearch.search.find import check_asked
    from photosearch.search.hits import Hits
    from photosearch.search.parse import parse

    locale = system_tag() if locale is None else locale
    given = {name: value for name, value in filters.items() if value not in (None, ())}
    wanted = Filters(
        **given,
        shape=[shape for shape in shapes if shape != "video"] or None,
        video=True if "video" in shapes else None,
        has_gps=True if "gps" in has else None,
        has_date=True if "date" in has else None,
        file_date=True if dated else None,
    )
    asked = wanted != Filters() or bool(images)
    if text is None and saved is None and not asked:
        raise click.UsageError("TEXT is missing; describe the photos, or give a filter.")
    waiting = 0
    if Library.exists(ctx.obj[0]):
        with open_to_read(ctx) as library:
            if saved is not None:
                text, sort = library.saved_query(saved, text or "", sort)
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
    else:
        # What asks for nothing, or cannot be understood, is told also where there is nothing yet.
        world = World(locate=lambda _: (0, 0), locale=Locale.of(locale))
        hits = Hits(query=parse(text or "", world, literal=literal))
        wanted.conditions(world)
        check_asked(hits.query.terms or hits.query.conditions or asked or saved)
    show(hits, as_json=as_json, null=null)
    if not as_json:
        _tell_read(hits.query.parts)
    if not hits:
        filtered = asked or bool(hits.query.conditions)
        click.echo(_why_nothing(waiting, filtered, offset, hits.beyond), err=True)
        sys.exit(1)


def _tell_read(parts: Iterable[Part]) -> None:
    """What the model was given in the place of words that it does not know."""
    for part in parts:
        if part.read_as:
            click.echo(f'"{shown(part.meaning)}" taken as "{part.read_as}"', err=True)
        if part.warning:
            click.echo(f"{part.warning}.", err=True)


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
