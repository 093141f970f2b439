"""`photosearch config`: the settings, where each comes from, and those that are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from photosearch.commands.output import shown

if TYPE_CHECKING:
    from photosearch.settings import Found

_HIDDEN = "(hidden)"


@click.group("config", invoke_without_command=True)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object; see docs/settings.md."
)
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show each setting, its value, and where that comes from.

    An option goes before the environment, that before config.toml in the library folder, and that
    before the default. docs/settings.md lists them all.
    """
    if ctx.invoked_subcommand is not None:
        return
    from photosearch.settings import CONFIG, find

    found = find(ctx.obj.library, model=ctx.obj.model, log_file=ctx.obj.log_file)
    path = found["library"].value / CONFIG
    if as_json:
        settings = {name: _content(each) for name, each in found.items()}
        click.echo(json.dumps({"file": str(path), "settings": settings}, indent=2))
        return
    for name, each in found.items():
        click.echo(f"{name:<15} {shown(_said(each))}  [{shown(_source(each))}]")
    there = "" if path.is_file() else ", which is not there yet"
    click.echo(f"\n`photosearch config set` writes {shown(str(path))}{there}.")


@command.command("set")
@click.argument("name")
@click.argument("value")
@click.pass_context
def set_(ctx: click.Context, name: str, value: str) -> None:
    """Keep VALUE as the setting NAME, in config.toml in the library folder."""
    from photosearch.settings import SETTINGS, library_folder
    from photosearch.settings import file as settings_file

    kept = settings_file.set_(library_folder(ctx.obj.library), name, value)
    setting = SETTINGS[name]
    click.echo(f"{name} is {shown(_text(kept))} from now on.")
    if setting.in_environment():
        click.echo(f"In this terminal {setting.environment} goes before it.", err=True)


@command.command("unset")
@click.argument("name")
@click.pass_context
def unset(ctx: click.Context, name: str) -> None:
    """Take the setting NAME out of config.toml, so that its default holds."""
    from photosearch.settings import file as settings_file
    from photosearch.settings import library_folder

    if settings_file.unset(library_folder(ctx.obj.library), name):
        click.echo(f"{name} is not set any more.")
    else:
        click.echo(f"{name} was not set.")


def _content(found: Found) -> dict[str, Any]:
    value = found.value
    if found.setting.secret and value is not None:
        value = _HIDDEN
    return {
        "value": str(value) if isinstance(value, Path) else value,
        "source": found.source,
        "place": found.place or None,
        "default": found.setting.default_text,
        "environment": found.setting.environment,
        "help": found.setting.help,
    }


def _said(found: Found) -> str:
    if found.value is None or found.source == "default":
        return found.setting.default_text if found.value is None else _text(found.value)
    return _HIDDEN if found.setting.secret else _text(found.value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _source(found: Found) -> str:
    return "default" if found.source == "default" else f"{found.source}: {found.place}"
