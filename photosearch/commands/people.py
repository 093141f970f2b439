"""`photosearch people`: who is in the photos, and what you say of these people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import click

from photosearch.commands import faces
from photosearch.commands.opening import open_library, open_to_read
from photosearch.commands.output import counted, shown

if TYPE_CHECKING:
    from photosearch.browsing.people import Person
    from photosearch.library import Library

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _json_option(command: _Command) -> _Command:
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md."
    )(command)


@click.group("people")
def command() -> None:
    """Who is in the photos, by the names that other programs wrote into them.

    What you say here of people is kept in the library. No photo is touched.
    """


@command.command("list")
@click.option("--all", "everybody", is_flag=True, help="Also those who are hidden.")
@_json_option
@click.pass_context
def list_(ctx: click.Context, everybody: bool, as_json: bool) -> None:
    """List them, those who are in most photos first."""
    with open_to_read(ctx) as library:
        people = [one for one in library.people.all() if everybody or not one.hidden]
    if as_json:
        _print_json(people)
        return
    for one in people:
        click.echo(_line(one))
    if not people:
        click.echo("No photo says who is in it.", err=True)


@command.command("rename")
@click.argument("name", metavar="NAME")
@click.argument("new", metavar="NEW")
@_json_option
@click.pass_context
def rename(ctx: click.Context, name: str, new: str, as_json: bool) -> None:
    """Show NAME as NEW; both names find them."""
    _edit(ctx, as_json, lambda it: it.people.rename(name, new).name)


@command.command("merge")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--into", required=True, metavar="NAME", help="Who they are, by the name to show.")
@_json_option
@click.pass_context
def merge(ctx: click.Context, names: tuple[str, ...], into: str, as_json: bool) -> None:
    """Make each NAME the same person as another, found by all their names."""
    _edit(ctx, as_json, lambda it: it.people.merge(names, into).name)


@command.command("split")
@click.argument("name", metavar="NAME")
@click.argument("other", metavar="OTHER")
@_json_option
@click.pass_context
def split(ctx: click.Context, name: str, other: str, as_json: bool) -> None:
    """Take the name OTHER from NAME: who is called so in photos is somebody else."""
    _edit(ctx, as_json, lambda it: it.people.split(name, other).name or name)


@command.command("alias")
@click.argument("name", metavar="NAME")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@_json_option
@click.pass_context
def alias(ctx: click.Context, name: str, others: tuple[str, ...], as_json: bool) -> None:
    """Find NAME by each OTHER name, too, as in: alias "Anna Berger" Grandma."""
    _edit(ctx, as_json, lambda it: it.people.add_names(name, others).name)


@command.command("group")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option(
    "--in", "above", metavar="GROUP", help='The group, as in Family or "Family|Grandparents".'
)
@click.option("--none", "no_group", is_flag=True, help="Into no group.")
@_json_option
@click.pass_context
def group(
    ctx: click.Context, names: tuple[str, ...], above: str | None, no_group: bool, as_json: bool
) -> None:
    """Put each NAME into a group, which person: finds, too.

    With neither option into that which the photos say.
    """
    if no_group and above is not None:
        raise click.UsageError("Give either --in GROUP or --none.")
    wanted = "" if no_group else above
    _edit(ctx, as_json, lambda it: it.people.group(names, wanted).name, *names)


@command.command("hide")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@_json_option
@click.pass_context
def hide(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Leave each NAME out of lists; a search finds them as ever."""
    _edit(ctx, as_json, lambda it: it.people.hide(names).name, *names)


@command.command("show")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@_json_option
@click.pass_context
def show(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Show each NAME in lists again."""
    _edit(ctx, as_json, lambda it: it.people.hide(names, hidden=False).name, *names)


@command.command("reset")
@click.argument("name", metavar="NAME")
@_json_option
@click.pass_context
def reset(ctx: click.Context, name: str, as_json: bool) -> None:
    """Take back all that you said of NAME: names count as they are in the photos."""
    _edit(ctx, as_json, lambda it: it.people.reset(name).name)


@command.command("name")
@click.argument("group", metavar="GROUP", type=int)
@click.argument("name", metavar="NAME")
@click.pass_context
def name_(ctx: click.Context, group: int, name: str) -> None:
    """Say that the faces of GROUP, a number of `photosearch faces list`, are NAME's."""
    ctx.invoke(faces.name, group=group, name=name)


@command.command("forget")
@click.argument("name", metavar="NAME")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def forget(ctx: click.Context, name: str, yes: bool) -> None:
    """Drop what was found out about NAME's faces; `photosearch faces forget` drops everybody's.

    Names that other programs wrote into photos are still known.
    """
    ctx.invoke(faces.forget, person=name, yes=yes)


def _edit(ctx: click.Context, as_json: bool, edit: Callable[[Library], str], *names: str) -> None:
    """Change the library by `edit`, which gives the name of who is concerned, and tell of them."""
    with open_library(ctx) as library:
        changed = edit(library)
        people = [library.people.get(name) for name in ([changed] if changed else names)]
    if as_json:
        _print_json(list(dict.fromkeys(people)))
        return
    for one in dict.fromkeys(people):
        click.echo(_line(one))


def _print_json(people: list[Person]) -> None:
    content = {"version": 1, "people": [asdict(one) for one in people]}
    click.echo(json.dumps(content, indent=2))


def _line(one: Person) -> str:
    """Such as "Family > Anna Berger: 12 photos; also Anna, Grandma; hidden"."""
    told = [f"{' > '.join((*one.above, one.name))}: {counted(one.count, 'photo')}"]
    others = [name for name in one.names if name != one.name]
    if others:
        told.append(f"also {', '.join(others)}")
    if one.hidden:
        told.append("hidden")
    return shown("; ".join(told))
