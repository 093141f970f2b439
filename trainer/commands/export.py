"""`photosearch-trainer export`: from two finished training runs to a model bundle."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from trainer.commands import options


@click.command("export")
@click.option("--model", default="MobileCLIP-Nano", show_default=True, help="Its configuration.")
@click.option("--image", type=options.FILE, required=True, help="model.pt of the image tower.")
@click.option("--text", type=options.FILE, required=True, help="model.pt of the text tower.")
@click.option("--card", type=options.FILE, required=True, help="What the model card says, as TOML.")
@click.option(
    "--metrics",
    type=options.FILE,
    multiple=True,
    help="JSON written by `evaluate`, for the card and the bundle; repeat it for several.",
)
@click.option("--replace", is_flag=True, help="Replace a bundle that is already there.")
@options.out
def command(
    model: str,
    image: Path,
    text: Path,
    card: Path,
    metrics: tuple[Path, ...],
    replace: bool,
    out: Path,
) -> None:
    """Write a model bundle, after checking it against PyTorch.

    The token table is stored in 8 bits a number. Evaluate the bundle, then export it again with
    --metrics: the weights, and so the bundle's id, stay the same.
    """
    import torch

    from trainer.evaluate.measures import Measure
    from trainer.export.bundle import export_bundle
    from trainer.export.card import CardFields, DataSource, TeacherModel, render_card
    from trainer.models.config import load_config
    from trainer.models.family import build_from

    config = load_config(model)
    towers = build_from(config)
    towers.visual.load_state_dict(torch.load(image, weights_only=True))
    towers.text.load_state_dict(torch.load(text, weights_only=True))
    reports = [_read_report(path) for path in metrics]
    measured = {str(report["bundle"]) for report in reports}
    if len(measured) > 1:
        raise ValueError(f"--metrics: of different bundles, {' and '.join(sorted(measured))}")
    records = [record for report in reports for record in report["metrics"]]
    said = tomllib.loads(card.read_text(encoding="utf-8"))
    logit_scale = said.pop("logit_scale")
    try:
        about = CardFields(
            **(
                said
                | {
                    "data": [DataSource(**source) for source in said["data"]],
                    "teachers": [TeacherModel(**teacher) for teacher in said["teachers"]],
                    "measures": [Measure.from_record(record) for record in records],
                }
            )
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{card}: {error}") from None
    fields = {
        "name": about.name,
        "version": about.version,
        "architecture": config.name,
        "embedding_dim": config.dim,
        "image": {
            "size": config.image.size,
            "resize": config.image.resize,
            "crop": config.image.crop,
            "interpolation": config.image.interpolation,
            "mean": list(config.image.mean),
            "std": list(config.image.std),
        },
        "text": {"context_length": config.text.context_length, "tokenizer": "clip-bpe"},
        "logit_scale": logit_scale,
        "calibration": None,
        "licence": about.licence.partition("\n")[0],
        "provenance": {"training": list(about.training), "data": said["data"]},
        "metrics": records,
    }
    report = export_bundle(
        towers.visual,
        towers.text,
        out,
        fields=fields,
        card=render_card(about),
        embedding_storage="int8",
        expect_id=measured.pop() if measured else None,
        replace=replace,
    )
    click.echo(report.summary())


def _read_report(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return {"bundle": report["bundle"], "metrics": list(report["metrics"])}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not written by `evaluate --json` ({error!r})") from None
