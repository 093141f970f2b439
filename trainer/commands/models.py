"""`photosearch-trainer models`: the family, built and measured."""

from __future__ import annotations

import dataclasses
import json

import click


@click.command("models")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array of exact counts.")
def command(as_json: bool) -> None:
    """List the models that can be trained.

    Parameters are those of the image and the text tower, in millions, and GMAC the multiply-adds
    of one image in convolutions and linear layers, in thousands of millions. Both are counted on
    the network as deployed, with its normalisations folded.
    """
    from trainer.models.config import model_names
    from trainer.models.summary import ModelSummary, summary_of

    def order(summary: ModelSummary) -> tuple[str, int, int]:
        return summary.source, summary.image_parameters, summary.text_parameters

    summaries = sorted(map(summary_of, model_names()), key=order)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(summary) for summary in summaries], indent=2))
        return
    rows = [("name", "image tower", "text tower", "dim", "px", "M img+txt", "GMAC", "source")]
    rows += [
        (
            summary.name,
            summary.image_tower,
            summary.text_tower,
            str(summary.dim),
            str(summary.image_px),
            f"{summary.image_parameters / 1e6:.1f}+{summary.text_parameters / 1e6:.1f}",
            f"{summary.image_macs / 1e9:.1f}",
            summary.source,
        )
        for summary in summaries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numbers = {rows[0].index(heading) for heading in ("dim", "px", "M img+txt", "GMAC")}
    for row in rows:
        cells = (
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        click.echo("  ".join(cells).rstrip())
