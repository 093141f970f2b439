"""`photosearch plugins`: what other packages add, and what of it is not used."""

from __future__ import annotations

import json

import click

from photosearch.commands.output import shown


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
def command(as_json: bool) -> None:
    """List what installed packages add: formats, filters, languages and models.

    Of what is not used, the reason is told. See docs/plugins.md.
    """
    from photosearch.plugins.announced import ENVIRONMENT, switched_off
    from photosearch.plugins.listing import plugins
    from photosearch.plugins.loading import tell_to

    tell_to(None)  # it stands in the list
    found = plugins()
    if as_json:
        listed = [vars(one) for one in found]
        click.echo(json.dumps({"switched_off": switched_off(), "plugins": listed}, indent=2))
        return
    for one in found:
        mark = "-" if one.problem else "+"
        click.echo(f"{mark} {shown(f'{one.package} {one.version}')}: {shown(one.adds or one.name)}")
        if one.problem:
            click.echo(f"    not used: {shown(one.problem)}")
    if switched_off():
        click.echo(f"Plugins are switched off by {ENVIRONMENT}.")
    elif not found:
        click.echo("No installed package adds anything to photosearch.")
