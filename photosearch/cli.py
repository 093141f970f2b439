"""The command line: each subcommand is a module of `photosearch.commands`, imported when used."""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from photosearch import __version__
from photosearch.errors import PhotosearchError

# In the order in which a user meets them.
_COMMANDS = (
    "index",
    "watch",
    "search",
    "why",
    "similar",
    "duplicates",
    "saved",
    "ocr",
    "serve",
    "mcp",
    "show",
    "status",
    "bench",
    "forget",
    "models",
    "ui",
    "desktop",
    "doctor",
    "export",
    "import",
)


class _Failure(click.ClickException):
    """One of our errors, shown in one line."""

    def __init__(self, error: PhotosearchError) -> None:
        # A query shows where in it the trouble begins.
        pointer = getattr(error, "pointer", None)
        super().__init__(f"{error}\n{pointer}" if pointer else str(error))
        # click declares it a class variable and reads it from the instance
        self.exit_code = error.exit_code  # type: ignore[misc]


class _Lazy(click.Group):
    """Imports a subcommand only when it runs or is described: a search should start at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        # A module cannot be named `import`; it is `import_`.
        module = f"{name}_" if iskeyword(name) else name
        command: click.Command = import_module(f"photosearch.commands.{module}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PhotosearchError as error:
            raise _Failure(error) from error
        except KeyboardInterrupt:
            # What a shell gives a program that Ctrl-C ended; click would give 1.
            sys.exit(130)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="photosearch")
@click.option(
    "--library",
    metavar="PATH",
    type=click.Path(file_okay=False),
    envvar="PHOTOSEARCH_LIBRARY",
    show_envvar=True,
    help="Folder that holds the library.  [default: in your user data folder]",
)
@click.option(
    "--model",
    metavar="PATH",
    type=click.Path(file_okay=False),
    envvar="PHOTOSEARCH_MODEL",
    show_envvar=True,
    help="Folder of a model bundle.  [default: what `models use` chose, or the bundled one]",
)
@click.pass_context
def main(ctx: click.Context, library: str | None, model: str | None) -> None:
    """Find photos on this machine by describing them. Nothing leaves the machine."""
    ctx.obj = (library, model)
