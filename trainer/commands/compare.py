"""`photosearch-trainer compare`: what two runs differ in, and what came of it."""

from __future__ import annotations

import json
from pathlib import Path

import click

_RUN = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("compare")
@click.argument("first", type=_RUN)
@click.argument("second", type=_RUN)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG to write, with the curves of both.",
)
def command(first: Path, second: Path, as_json: bool, plot: Path | None) -> None:
    """Say what two runs differ in: settings, data, versions and code; and what came of it.

    FIRST and SECOND are the folders that `train` or `distil` wrote.
    """
    from trainer.train.compared import compared, draw_both

    found = compared(first, second)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        for line in found.lines():
            click.echo(line)
    if plot is not None:
        draw_both(first, second, plot)
