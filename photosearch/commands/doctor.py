"""`photosearch doctor`: what is wrong with the library, and mending it."""

from __future__ import annotations

import json
import sys

import click

from photosearch.commands.output import shown


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Mend what can be; without it nothing is changed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(ctx: click.Context, repair: bool, as_json: bool) -> None:
    """Check the library: its model, its catalogue, its vectors, and the photos on disk.

    No photo is opened or changed. Exits with 1 when something wrong remains.
    """
    from photosearch.library import Library
    from photosearch.plugins.loading import tell_to

    tell_to(None)  # it is among the findings
    path, model = ctx.obj.library, ctx.obj.model
    findings = []
    for finding in Library.examine(path, model=model, repair=repair):
        findings.append(finding)
        if not as_json:
            click.echo(f"{finding.state.upper():<6} {finding.about}: {shown(finding.text)}.")
            if finding.advice:
                click.echo(f"       {shown(finding.advice)}.")
    wrong = sum(finding.state == "wrong" for finding in findings)
    if as_json:
        listed = [vars(finding) for finding in findings]
        click.echo(json.dumps({"sound": not wrong, "findings": listed}, indent=2))
    else:
        click.echo("Nothing is wrong." if not wrong else f"{wrong} wrong.")
    if wrong:
        sys.exit(1)
