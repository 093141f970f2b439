"""`photosearch tune`: the model learns from what was marked as right and wrong."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from photosearch.commands.opening import open_library
from photosearch.commands.output import counted
from photosearch.errors import UsageError
from photosearch.library import Library

if TYPE_CHECKING:
    from photosearch.tuning.run import Tuned


@click.command("tune")
@click.option("--dry-run", is_flag=True, help="Only say whether the marks would help.")
@click.option("--revert", is_flag=True, help="Switch off what was learned; the marks stay.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(ctx: click.Context, dry_run: bool, revert: bool, as_json: bool) -> None:
    """Learn from the photos marked as right and wrong how your queries are meant.

    What is learned is a small layer behind the model's text side, with its cut-offs. Each mark is
    first left out and predicted from the others; only if that goes better than without it is the
    layer switched on. The photos' vectors stay as they are, and --revert takes it back.
    """
    if dry_run and revert:
        raise click.UsageError("Give --dry-run or --revert, not both.")
    if not Library.exists(ctx.obj.library):
        raise UsageError("nothing is indexed yet; make a library: photosearch index FOLDER")
    with open_library(ctx) as library:
        if revert:
            was = library.feedback.revert()
            if as_json:
                click.echo(json.dumps({"version": 1, "reverted": was}))
            else:
                click.echo("Switched off." if was else "Nothing was on.")
            return
        found = library.feedback.tune(dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({"version": 1} | asdict(found), indent=2))
    else:
        click.echo("\n".join(_lines(found, dry_run)))


def _lines(found: Tuned, dry_run: bool) -> list[str]:
    queries = "1 query" if found.queries == 1 else f"{found.queries} queries"
    lines = [f"{counted(found.marks, 'mark')} for {queries}, {found.model}"]
    if found.told_before or found.told_after:
        lines += [
            f"Of marks that were left out {found.told_before:.0%} hold without it and "
            f"{found.told_after:.0%} with it (within {found.error:.0%}).",
            f"Of the first photos of searches for other things {found.kept:.0%} stay.",
        ]
    lines.append(f"{found.reason[0].upper()}{found.reason[1:]}.")
    if dry_run:
        lines.append("Nothing was changed.")
    elif found.on:
        lines.append("Switched on; `photosearch tune --revert` switches it off.")
    else:
        lines.append("Not switched on.")
    return lines
