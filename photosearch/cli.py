"""The command line: each subcommand is a module of `photosearch.commands`, imported when used."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from photosearch import __version__
from photosearch.boundary import Guard, guarded
from photosearch.commands.fetching import tell_of_fetching
from photosearch.commands.opening import Options, setting_option
from photosearch.errors import PhotosearchError
from photosearch.plugins.loading import Plugin, tell_to

# In the order in which a user meets them.
_COMMANDS = (
    "index",
    "watch",
    "search",
    "why",
    "similar",
    "duplicates",
    "saved",
    "rate",
    "tag",
    "people",
    "faces",
    "mark",
    "tune",
    "write-sidecars",
    "ocr",
    "serve",
    "mcp",
    "show",
    "status",
    "bench",
    "forget",
    "models",
    "plugins",
    "config",
    "ui",
    "desktop",
    "doctor",
    "share",
    "export",
    "import",
)
_log = logging.getLogger(__name__)


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
        # A module cannot be named `import`, nor have hyphens.
        module = f"{name}_" if iskeyword(name) else name.replace("-", "_")
        command: click.Command = import_module(f"photosearch.commands.{module}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        tell_to(_tell)
        try:
            return super().invoke(ctx)
        except PhotosearchError as error:
            _log.debug("the command failed", exc_info=True)
            raise _Failure(error) from error
        except KeyboardInterrupt:
            # What a shell gives a program that Ctrl-C ended; click would give 1.
            sys.exit(130)

    def main(self, *args: Any, **options: Any) -> Any:
        with guarded() as guard:
            return super().main(*args, obj=guard, **options)


def _tell(plugin: Plugin) -> None:
    from photosearch.commands.output import shown

    click.echo(f"{shown(plugin.trouble)}. See `photosearch plugins`.", err=True)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="photosearch")
@setting_option("--library", "library")
@setting_option("--model", "model")
@setting_option("--log-file", "log_file")
@setting_option("--log-format", "log_format")
@click.option(
    "-v",
    "--verbose",
    count=True,
    help="Write what happens to standard error; -vv also details, with names of photos.",
)
@click.pass_context
def main(
    ctx: click.Context, library: Any, model: Any, log_file: Any, log_format: Any, verbose: int
) -> None:
    """Find photos on this machine by describing them. Nothing leaves the machine."""
    guard: Guard = ctx.obj
    guard.start_log(verbose, log_file, library, log_format)
    tell_of_fetching(library)
    ctx.obj = Options(library, model, log_file, log_format, guard)
