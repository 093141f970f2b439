"""`photosearch-trainer annotate`: what was measured of a bundle, and its card, into the bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trainer.commands import options


@click.command("annotate")
@click.argument("bundle", type=click.Path(exists=True, file_okay=False, path_type=Path))
@options.metrics
@click.option("--card", type=options.FILE, help="Write the model card anew, from this TOML file.")
def command(bundle: Path, metrics: tuple[Path, ...], card: Path | None) -> None:
    """Put figures and a model card into BUNDLE, whose networks and id stay the same.

    The figures take the place of those that are there. What `calibrate` wrote is kept.
    """
    from photosearch.encoders import Bundle
    from trainer.evaluate.report import read_reports
    from trainer.export.bundle import annotate_bundle
    from trainer.export.card import read_card, render_card

    if not metrics and card is None:
        raise click.UsageError("nothing to write; give --metrics, --card, or both")
    opened = Bundle.open(bundle)
    records = opened.manifest["metrics"]
    if metrics:
        measured, records = read_reports(metrics)
        if measured != opened.id:
            raise ValueError(f"--metrics: of {measured}, and {bundle} holds {opened.id}")
    changes: dict[str, Any] = {"metrics": records}
    text = None
    if card is not None:
        about = read_card(card, records).fields
        text = render_card(about)
        changes["provenance"] = about.provenance()
    annotate_bundle(bundle, card=text, **changes)
    click.echo(f"{opened.id}: {len(records)} figures")
