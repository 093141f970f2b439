"""What to give in place of commands that are gone, for those who type them all the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class _RetiredError(click.ClickException):
    """A usage error, without the usage of what is not there."""

    exit_code = 2


class Remembering(click.Group):
    """A group that knows commands which it has no more; lists and help leave them out.

    retired: for each, what to do instead, which becomes an error.
    """

    def __init__(self, *args: Any, retired: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._retired = dict(retired or {})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        known = super().get_command(ctx, name)
        return known or (_retired(name, self._retired[name]) if name in self._retired else None)


def _retired(name: str, instead: str) -> click.Command:
    @click.command(name, hidden=True, add_help_option=False)
    @click.argument("ignored", nargs=-1, type=click.UNPROCESSED)
    @click.pass_context
    def command(ctx: click.Context, ignored: tuple[str, ...]) -> None:
        raise _RetiredError(f"`{ctx.command_path}` is gone: {instead}")

    command.context_settings["ignore_unknown_options"] = True
    return command
