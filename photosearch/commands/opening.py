"""The options before the command, those that are settings, and the library that they name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct

from photosearch.errors import UsageError
from photosearch.settings import SETTINGS, Setting, Settings, read
from photosearch.settings.values import HiddenValueError, Number

if TYPE_CHECKING:
    from photosearch.boundary import Guard
    from photosearch.library import Library

Command = TypeVar("Command", bound=Callable[..., Any] | click.Command)


class Options(Struct, frozen=True):
    """The options before the command, which each command has as `ctx.obj`; None if not given.

    guard: what holds the log of this run.
    """

    library: str | None = None
    model: str | None = None
    log_file: str | None = None
    log_format: str | None = None
    guard: Guard | None = None


def settings_of(ctx: click.Context, **options: Any) -> Settings:
    """The settings, with those `options` of the command that were given. Raises `UsageError`."""
    given = ctx.obj
    before = {"log_file": given.log_file, "log_format": given.log_format}
    return read(given.library, model=given.model, **before, **options)


class _Value(click.ParamType[Any]):
    """What may be given for a setting."""

    def __init__(self, setting: Setting) -> None:
        self._kind = setting.kind
        self.name = setting.kind.metavar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._kind.parse(value)
        except HiddenValueError as error:
            self.fail(f"{error}.", param, ctx)
        except ValueError as error:
            self.fail(f"{error}, and not {value!r}.", param, ctx)


def setting_option(option: str, name: str, *names: str) -> Callable[[Command], Command]:
    """The `option` that gives the setting `name` for one command; None when it is left out."""
    setting = SETTINGS[name]
    notes = [f"env var: {setting.environment}", f"default: {setting.default_text}"]
    if isinstance(setting.kind, Number):
        notes.append(setting.kind.limits())
    return click.option(
        option,
        *names,
        metavar=setting.kind.metavar,
        type=_Value(setting),
        help=f"{setting.help}  [{'; '.join(notes)}]",
    )


nice_option = click.option(
    "--nice/--no-nice",
    default=None,
    help=f"{SETTINGS['nice'].help}  [env var: {SETTINGS['nice'].environment}]",
)


def open_library(ctx: click.Context) -> Library:
    """The library of `--library`, with the model of `--model`; made if need be."""
    from photosearch.library import Library

    return Library.open(ctx.obj.library, model=ctx.obj.model)


def open_to_read(ctx: click.Context) -> Library:
    """Writable where that is possible, so that the vector file can be kept up to date."""
    from photosearch.library import Library

    return Library.open_to_read(ctx.obj.library, model=ctx.obj.model)


def password_file_option(option: str, noun: str) -> Callable[[Command], Command]:
    """The `option` that names the file with a password, or whatever the `noun` is."""
    return click.option(
        option,
        metavar="FILE",
        help=f"Take the {noun} from the first line of FILE; - asks for it.",
    )


def secret_in(file: str | None, option: str) -> str | None:
    """What the `option` that `password_file_option` makes stands for; None when it is left out.

    Raises `UsageError`.
    """
    if file is None:
        return None
    if file == "-":
        # Nobody sees what is typed; without a terminal it is read like a file.
        is_asked = sys.stdin.isatty()
        secret = click.prompt("Password", hide_input=True) if is_asked else sys.stdin.readline()
    else:
        try:
            with open(file, encoding="utf-8") as opened:
                secret = opened.readline()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not text"
            raise UsageError(f"{option} {file}: cannot be read ({reason})") from None
    secret = secret.rstrip("\r\n")
    if not secret:
        raise UsageError(f"{option} {file}: its first line is empty; put the secret there")
    return str(secret)
