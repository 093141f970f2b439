"""`photosearch-trainer`: each subcommand is a module of `trainer.commands`, imported when used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from photosearch.errors import PhotosearchError
from trainer.commands.retired import Remembering
from trainer.data.photo_tars import PhotoTarError
from trainer.errors import StoppedError

# In the order in which a model is made.
_COMMANDS = (
    "models",
    "corpus",
    "glosses",
    "heads",
    "concepts",
    "teach",
    "check",
    "reinforce",
    "distil",
    "train",
    "compare",
    "personal",
    "finetune",
    "evaluate",
    "export",
    "annotate",
    "calibrate",
    "convert",
    "weights",
)


_RETIRED = {
    "embed": "`distil projection --teacher FOLDER` embeds what it needs by itself, and `reinforce` "
    "what `train` needs",
}


class _Lazy(Remembering):
    """Imports a subcommand only when it runs or is described: torch takes seconds to load."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return super().get_command(ctx, name)
        command: click.Command = import_module(f"trainer.commands.{name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, PhotoTarError, PhotosearchError) as error:
            raise click.ClickException(str(error)) from error
        except StoppedError as error:
            click.echo(str(error), err=True)
            ctx.exit(128 + error.number)


@click.group(cls=_Lazy, retired=_RETIRED, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="photosearch", prog_name="photosearch-trainer")
def main() -> None:
    """Make models for photosearch: teach, distil, evaluate, export.

    docs/trainer.md shows the commands that made the bundled model.
    """
