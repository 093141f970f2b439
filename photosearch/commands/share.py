"""`photosearch share`: copies of photos in a folder, in a zip file, or as a web album."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from photosearch.commands.ending import Ending
from photosearch.commands.opening import open_to_read, settings_of
from photosearch.commands.output import counted, shown
from photosearch.commands.photos import Photo
from photosearch.errors import PhotosearchError, UsageError

if TYPE_CHECKING:
    from photosearch.library import Library
    from photosearch.serving.shrinking import Shrinkers
    from photosearch.sharing.order import Order
    from photosearch.sharing.wanted import Shared, Tally, Wanted
    from photosearch.sharing.web_album import Look

# Longest side of a web album's pictures.
_ALBUM_SIDE = 2048
_PATH = click.Path(path_type=Path)


@click.command("share")
@click.argument("photos", metavar="[PHOTO]...", type=Photo(), nargs=-1)
@click.option("--query", metavar="TEXT", help="The photos that a search for TEXT finds.")
@click.option("--album", metavar="NAME", help="The photos of an album, or favourites.")
@click.option(
    "--to", "folder", type=_PATH, metavar="DIR", help="Copy into a folder, made if need be."
)
@click.option("--zip", "archive", type=_PATH, metavar="FILE", help="Write one zip file.")
@click.option(
    "--web-album",
    type=_PATH,
    metavar="DIR",
    help="Make a web album: a new folder of pages that any browser opens, also from a disk.",
)
@click.option("--jpeg", is_flag=True, help="As JPEGs, of any format, as large as they are.")
@click.option(
    "--size",
    type=int,
    metavar="PIXELS",
    help=f"As JPEGs with this longest side; smaller ones stay so. Web album: {_ALBUM_SIDE}.",
)
@click.option(
    "--quality", type=int, default=85, show_default=True, metavar="N", help="Of JPEGs, 1 to 100."
)
@click.option(
    "--keep-position/--no-position",
    default=None,
    help="Say where they were taken, or not. Originals do unless told otherwise, JPEGs do not.",
)
@click.option("--no-details", is_flag=True, help="Leave out date, camera and caption, too.")
@click.option("--title", metavar="TEXT", help="Of a web album. Default: the album's, or the TEXT.")
@click.option("--captions/--no-captions", default=True, help="In a web album. Default: with.")
@click.option("--dates/--no-dates", default=True, help="In a web album. Default: with.")
@click.option("--places/--no-places", default=False, help="In a web album. Default: without.")
@click.option(
    "--language", metavar="CODE", default="en", show_default=True, help="Of a web album's pages."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    photos: tuple[int | str, ...],
    query: str | None,
    album: str | None,
    folder: Path | None,
    archive: Path | None,
    web_album: Path | None,
    jpeg: bool,
    size: int | None,
    quality: int,
    keep_position: bool | None,
    no_details: bool,
    title: str | None,
    language: str,
    as_json: bool,
    **shows: bool,
) -> None:
    """Copy photos for others: PHOTOs, those of a search, or those of an album.

    PHOTO is the id of a photo of the library, photo:ID, or its path. Originals are copied as they
    are, JPEGs made small with --size. Nothing is overwritten, and no photo of the library is
    changed. Exits with 1 when photos had to be left out.
    """
    _one_of({"PHOTO": photos, "--query": query, "--album": album}, "which photos")
    _one_of({"--to": folder, "--zip": archive, "--web-album": web_album}, "where to")
    from photosearch.indexing.limits import limits_by
    from photosearch.serving.shrinking import Shrinkers
    from photosearch.sharing.order import Order
    from photosearch.sharing.wanted import Wanted
    from photosearch.sharing.web_album import Look

    as_jpeg = jpeg or size is not None or web_album is not None
    if web_album is not None and size is None and not jpeg:
        size = _ALBUM_SIDE
    position = keep_position if keep_position is not None else not as_jpeg
    wanted = Wanted(
        jpeg=as_jpeg, side=size, quality=quality, position=position, details=not no_details
    )
    look: Look | None = None
    if web_album is not None:
        words = _words(language)
        title = title or album or query or words["webalbum.title"]
        look = Look(title=title, language=language, words=words, **shows)
    with open_to_read(ctx) as library:
        given = _photos(library, photos, query, album)
        if not given:
            raise PhotosearchError("there are no photos to share; nothing is written")
        place = _place(library, folder, archive, web_album)
        with Ending() as ending:
            order = Order(given, wanted, look, ending.asked.is_set)
            pool = Shrinkers(limits=limits_by(settings_of(ctx), 2))
            try:
                _carry_out(order, pool, place, archive is not None)
            finally:
                pool.close()
    _tell(order.tally, place, wanted, as_json=as_json)
    if ending.asked.is_set():
        sys.exit(130)
    if order.tally.left_out:
        sys.exit(1)


def _one_of(given: dict[str, Any], what: str) -> None:
    """Raises `click.UsageError` where none is given, or several."""
    there = [name for name, value in given.items() if value not in (None, ())]
    names = ", ".join(given)
    if not there:
        raise click.UsageError(f"Say {what}: give one of {names}.")
    if len(there) > 1:
        raise click.UsageError(f"{' and '.join(there)} both say {what}; give one of them.")


def _words(language: str) -> dict[str, str]:
    from photosearch.ui.scripts import texts

    every = texts()
    if language not in every:
        raise UsageError(f"--language {language}: there is none; choose of {', '.join(every)}")
    return every[language]


def _photos(
    library: Library, photos: Iterable[int | str], query: str | None, album: str | None
) -> list[Shared]:
    from photosearch.search.dates.locales import system_tag
    from photosearch.sharing.wanted import MANY, shared

    if query is not None:
        hits = library.search(query, limit=MANY + 1, locale=system_tag())
        return shared(library, [hit.photo_id for hit in hits])
    if album is not None:
        # The favourites have no name of their own.
        every = {one.name or "favourites": one.id for one in reversed(library.albums.all())}
        if album not in every:
            raise UsageError(f"--album {album}: there is none; there are {', '.join(every)}")
        members = library.photos.browse("album", str(every[album]), limit=MANY + 1)
        return shared(library, [one.id for one in members])
    return shared(library, [library.photos.about(one).file.id for one in photos])


def _place(
    library: Library, folder: Path | None, archive: Path | None, web_album: Path | None
) -> Path:
    """Where to write; a folder that is not there is made. Raises `UsageError`."""
    from photosearch.sharing.folder import check_folder, check_outside, indexed_above, is_empty

    if archive is not None:
        if os.path.lexists(archive):
            raise UsageError(f"--zip {shown(str(archive))}: it is there already; choose another")
        return archive.absolute()
    place = folder or web_album
    assert place is not None
    check_outside(place, library.folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        used = web_album is not None and not is_empty(place)
    except OSError as error:
        raise UsageError(f"{shown(str(place))}: {error.strerror or error}") from error
    if used:
        raise UsageError(
            f"--web-album {shown(str(place))}: it is not empty; give a folder of its own"
        )
    place = check_folder(place)
    within = indexed_above(place, library.folders)
    if within is not None:
        click.echo(
            f"{shown(str(place))} is in {shown(within)}, which is indexed: the copies will be "
            "in the library, too.",
            err=True,
        )
    return place


def _carry_out(order: Order, pool: Shrinkers, place: Path, as_zip: bool) -> None:
    """With a progress bar on a terminal."""
    from tqdm import tqdm

    from photosearch.sharing.folder import save_stream

    tally = order.tally
    bar = tqdm(total=tally.total, unit=" photos", file=sys.stderr, disable=None)

    def counted_up(parts: Iterable[Any]) -> Iterable[Any]:
        for part in parts:
            bar.update(tally.done - bar.n)
            yield part

    with bar:
        if as_zip:
            with closing(order.zipped(pool)) as pieces:
                save_stream(counted_up(pieces), place)
        else:
            with closing(order.written(pool, place)) as paths:
                for _ in counted_up(paths):
                    pass


def _tell(tally: Tally, place: Path, wanted: Wanted, *, as_json: bool) -> None:
    if as_json:
        content = {
            "path": str(place),
            "photos": tally.files,
            "bytes": tally.bytes,
            "converted": tally.converted,
            "stopped": tally.done < tally.total,
            "left_out": [{"path": path, "reason": why} for path, why in tally.left_out],
        }
        click.echo(json.dumps(content, indent=2))
        return
    for path, reason in tally.left_out:
        click.echo(f"left out {shown(path)}: {reason}", err=True)
    stopped = "Stopped. " if tally.done < tally.total else ""
    positions = "with positions" if wanted.position else "without positions"
    click.echo(
        f"{stopped}Shared {counted(tally.files, 'photo')} {positions} "
        f"({tally.bytes / 1e6:.1f} MB): {shown(str(place))}"
    )
    if tally.converted:
        click.echo(
            f"{counted(tally.converted, 'photo')} became JPEGs: only so can they be without their "
            "position."
        )
