"""`photosearch faces`: faces in photos, which are looked for only when asked."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import click

from index import InUseError
from photosearch.commands.opening import open_library, open_to_read
from photosearch.commands.output import counted, shown
from photosearch.commands.photos import photos_argument
from photosearch.errors import LibraryError

if TYPE_CHECKING:
    from index.catalogue.face_answers import FaceAnswer
    from index.catalogue.faces import FaceGroup, FaceSeen
    from photosearch.library import Library


@click.group("faces")
def command() -> None:
    """Faces in photos. Nothing is looked for, and nothing kept, until you run `find` or `on`.

    What is found is kept in the library, leaves this machine by no export unless you ask for it,
    and is dropped by `forget`. No photo is touched.
    """


@command.command("find")
@click.pass_context
def find(ctx: click.Context) -> None:
    """Look for faces in the photos that were indexed, and group those that look like one person.

    Each photo is looked at once; Ctrl-C stops, and the next run goes on. Nothing is downloaded.
    """
    from photosearch.library import Library

    if not Library.exists(ctx.obj.library):
        click.echo("There is no library yet; index a folder first.", err=True)
        sys.exit(1)
    with open_library(ctx) as library:
        run(library)


def run(library: Library, stop: threading.Event | None = None, *, quiet: bool = False) -> None:
    """Look for faces with a progress bar until `stop` is set, and tell what was found.

    With `quiet` nothing is told where there was nothing to look at.
    """
    from tqdm import tqdm

    from photosearch.faces.run import FacesFailed, FacesFound, FacesGrouped, FacesStarted

    seen = faces = failed = grouped = 0
    bar = tqdm(unit="photo", desc="Faces", disable=None, delay=0.5)
    with bar, closing(library.faces.find()) as events:
        for event in events:
            match event:
                case FacesStarted(photos):
                    bar.total = photos
                case FacesFound(found):
                    bar.update(len(found))
                    seen += len(found)
                    faces += sum(count for _, count in found)
                case FacesFailed(path, reason):
                    bar.update(1)
                    failed += 1
                    bar.write(f"{shown(path)}: {reason}", file=sys.stderr)
                case FacesGrouped(count):
                    grouped = count
            if stop is not None and stop.is_set():
                break
    if quiet and not seen + failed:
        return
    click.echo(
        f"Looked at {counted(seen, 'photo')} and found {counted(faces, 'face')}; "
        f"{grouped} came into groups, and {counted(failed, 'photo')} could not be read."
    )


def run_after_index(library: Library, stop: threading.Event) -> None:
    """As `run`, where that is wanted behind each index run; when another process has come in
    between, it is left for later, since that run is done.
    """
    if not library.faces.wanted:
        return
    try:
        run(library, stop, quiet=True)
    except LibraryError as error:
        if not isinstance(error.__cause__, InUseError):
            raise
        click.echo(f"The next run looks for faces: {error}", err=True)


@command.command("on")
@click.pass_context
def on(ctx: click.Context) -> None:
    """Look for faces after each index run from now on, as the setting `faces` says."""
    with open_library(ctx) as library:
        library.faces.switch(True)
    click.echo("Faces are looked for after each index run; `photosearch faces find` begins now.")


@command.command("off")
@click.pass_context
def off(ctx: click.Context) -> None:
    """Look for faces only when asked to. What was found is kept; `forget` drops it."""
    with open_library(ctx) as library:
        library.faces.switch(False)
    click.echo("Faces are only looked for when you run `photosearch faces find`.")


@command.command("list")
@click.option("--all", "everybody", is_flag=True, help="Also those that are hidden.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def list_(ctx: click.Context, everybody: bool, as_json: bool) -> None:
    """List the groups, those in most photos first."""
    with open_to_read(ctx) as library:
        groups = [one for one in library.faces.groups() if everybody or not one.hidden]
    if as_json:
        click.echo(json.dumps({"version": 1, "groups": [asdict(one) for one in groups]}, indent=2))
        return
    for one in groups:
        click.echo(_line(one))
    if not groups:
        click.echo("No faces are known. Look for them: photosearch faces find", err=True)


@command.command("name")
@click.argument("group", metavar="GROUP", type=int)
@click.argument("name", metavar="NAME")
@click.pass_context
def name(ctx: click.Context, group: int, name: str) -> None:
    """Say that the faces of GROUP, a number, are NAME's; several groups may be one person's."""
    with open_library(ctx) as library:
        library.faces.name(group, name)


@command.command("questions")
@click.option(
    "--limit", type=click.IntRange(1), default=10, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def questions(ctx: click.Context, limit: int, as_json: bool) -> None:
    """Ask which groups are the same person, those first whose answer is worth most."""
    with open_to_read(ctx) as library:
        found = library.faces.asked(limit)
    asked, shown_faces = found.questions, found.faces
    names = {id_: one.name for id_, one in found.groups.items()}
    if as_json:
        told = [
            {
                "group": _side(one.group, names, shown_faces),
                "other": _side(one.other, names, shown_faces),
                "photos": one.photos,
                "likely": one.likely,
            }
            for one in asked
        ]
        click.echo(json.dumps({"version": 1, "questions": told, "all": found.every}, indent=2))
        return
    for one in asked:
        first, second = (
            f"{group} ({names[group] or 'nobody yet'}, photo:{shown_faces[group][0].photo})"
            for group in (one.group, one.other)
        )
        click.echo(
            shown(f"{first} and {second}: the same? A yes {_effect(names[one.group], one.photos)}.")
        )
    if asked:
        click.echo("Answer: photosearch faces answer GROUP OTHER yes|no|unsure", err=True)
    else:
        click.echo("There is nothing to ask.", err=True)


@command.command("answer")
@click.argument("group", metavar="GROUP", type=int)
@click.argument("other", metavar="OTHER", type=int)
@click.argument("answer", type=click.Choice(["yes", "no", "unsure", "undo"]))
@click.pass_context
def answer(ctx: click.Context, group: int, other: int, answer: str) -> None:
    """Say whether the groups GROUP and OTHER are the same person; `undo` takes that back.

    A yes puts the faces of OTHER into GROUP.
    """
    with open_library(ctx) as library:
        if answer == "undo":
            library.faces.take_back(group, other)
        else:
            library.faces.answer(group, other, cast("FaceAnswer", answer))


@command.command("not")
@photos_argument
@click.argument("name", metavar="NAME")
@click.pass_context
def refuse(ctx: click.Context, photos: tuple[int | str, ...], name: str) -> None:
    """Say that no face in each PHOTO is NAME's.

    Of several photos the faces become a group of their own: somebody else.
    """
    with open_library(ctx) as library:
        library.faces.refuse(photos, name)


@command.command("hide")
@click.argument("group", metavar="GROUP", type=int)
@click.option("--show", is_flag=True, help="Show it in lists again.")
@click.pass_context
def hide(ctx: click.Context, group: int, show: bool) -> None:
    """Leave GROUP, a number, out of lists, as that of a stranger."""
    with open_library(ctx) as library:
        library.faces.hide(group, not show)


@command.command("forget")
@click.option("--person", metavar="NAME", help="Only the faces of NAME, in full.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def forget(ctx: click.Context, person: str | None, yes: bool) -> None:
    """Drop all that was found out about faces, the names of groups as well, and look for no more.

    Names that other programs wrote into photos are still known.
    """
    with open_library(ctx) as library:
        faces = library.faces
        name = None if person is None else library.people.get(person).name
        if not yes:
            whose = "all faces, and whose they are" if name is None else f"all faces of {name}"
            click.confirm(shown(f"Forget {whose}?"), abort=True)
        forgotten = faces.forget() if name is None else faces.forget_person(name)
        still = faces.ordered if name is None and faces.wanted else None
    whose = "" if name is None else f" of {name}"
    click.echo(shown(f"Forgot {counted(forgotten, 'face')}{whose}."))
    if still:
        click.echo(f"{still} is set: the next index run looks for faces again. Unset it.", err=True)


def _effect(name: str | None, photos: int) -> str:
    if name is None:
        return f"joins {counted(photos, 'photo')}"
    return f"names {counted(photos, 'photo')}"


def _side(
    group: int, names: Mapping[int, str | None], faces: Mapping[int, list[FaceSeen]]
) -> dict[str, Any]:
    return {"id": group, "name": names[group], "faces": [asdict(one) for one in faces[group]]}


def _line(one: FaceGroup) -> str:
    told = f"{one.id}: {one.name or 'nobody yet'}, {counted(one.count, 'photo')}, photo:{one.photo}"
    return shown(told + ("; hidden" if one.hidden else ""))
