"""`photosearch-trainer export`: from finished training runs to a model bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainer.commands import options

if TYPE_CHECKING:
    from torch import nn

    from trainer.export.bundle import Precision
    from trainer.export.card import CardFields
    from trainer.models.family import Clip


@click.command("export")
@click.option(
    "--model",
    help="Its configuration.  [default: that of the run, or MobileCLIP-Nano]",
)
@click.option(
    "--run",
    "run_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of a run of `train`: its weights, and what the card leaves out under training and "
    "details.",
)
@click.option("--weights", type=options.FILE, help="Both towers in one .safetensors or .pt file.")
@click.option("--image", type=options.FILE, help="Weights of the image tower alone.")
@click.option("--text", type=options.FILE, help="Weights of the text tower alone.")
@click.option(
    "--sentence-encoder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="For a model whose text tower is one: the folder that its tokenizer and, without --text, "
    "its weights are in.  [default: the installed all-MiniLM-L6-v2]",
)
@click.option(
    "--pretrained",
    metavar="SPEC",
    help="In place of --model and weights: a model of open_clip, as MODEL:TAG, MODEL:FILE, "
    "hf-hub:OWNER/NAME or local-dir:FOLDER.",
)
@click.option(
    "--card", type=options.FILE, required=True, help="What the model card says, as TOML or JSON."
)
@options.metrics
@click.option(
    "--gate",
    type=options.FILE,
    multiple=True,
    metavar="TAR",
    help="Captioned photos: refuse a bundle that finds less on them than its towers in PyTorch.",
)
@click.option(
    "--int8-text",
    is_flag=True,
    help="Compute the text tower in 8 bits, if R@10 on the gate drops by less than 0.5 points.",
)
@click.option(
    "--int8-image",
    type=options.FILE,
    multiple=True,
    metavar="TAR",
    help="Compute the image tower's convolutions in 8 bits, by their ranges on these photos.",
)
@click.option(
    "--float16",
    is_flag=True,
    help="Store large weights as float16, in half the space; with --int8-text the image tower's.",
)
@click.option("--coreml", is_flag=True, help="Write Core ML packages too; checked on a Mac only.")
@click.option("--replace", "replacing", is_flag=True, help="Replace a bundle already there.")
@options.out
def command(
    model: str | None,
    run_folder: Path | None,
    weights: Path | None,
    image: Path | None,
    text: Path | None,
    sentence_encoder: Path | None,
    pretrained: str | None,
    card: Path,
    metrics: tuple[Path, ...],
    gate: tuple[Path, ...],
    int8_text: bool,
    int8_image: tuple[Path, ...],
    float16: bool,
    coreml: bool,
    replacing: bool,
    out: Path,
) -> None:
    """Write a model bundle, after checking it against PyTorch.

    The weights come from a run (--run), as one file (--weights; any checkpoint will do), as one for
    each tower (--image and --text), or from open_clip (--pretrained). A text tower that is a
    sentence encoder needs no --text. The token table is stored in 8 bits a number. Evaluate the
    bundle, then `annotate` it with what was measured, or export it again with --metrics: the
    bundle's id stays the same.
    """
    known_of: dict[str, Any] = {}
    batch: int | None = None
    if run_folder is not None:
        from trainer.export.run_card import told_by
        from trainer.train.record import read_record

        record = read_record(run_folder)
        known_of = told_by(record)
        batch = record["settings"]["run"]["batch"]
        model = model or record["settings"]["model"]["name"]
        # Other weights of it may be given, such as the best.
        weights = weights or run_folder / "model.safetensors"
    model = model or "MobileCLIP-Nano"
    sources = (bool(weights), bool(image or text), bool(pretrained))
    ready = not pretrained and _reads_sentences(model)
    if sum(sources) != 1 or bool(image) != bool(text or (image and ready)):
        raise click.UsageError(
            "give --run, or either --weights, or both --image and --text, or --pretrained"
        )
    if sentence_encoder and not ready:
        raise click.UsageError(
            "--sentence-encoder is for a model whose text tower is one, such as MobileCLIP-Small"
        )
    if int8_text and not gate:
        raise click.UsageError("--int8-text needs --gate, captioned photos to measure it on")

    if int8_image and not gate:
        raise click.UsageError("--int8-image needs --gate, captioned photos to measure it on")

    from trainer.evaluate.report import read_reports
    from trainer.export import export_bundle
    from trainer.export.card import read_card, render_card

    measured, records = read_reports(metrics)
    said = read_card(card, records, known_of)
    about = said.fields
    rendered = render_card(about)
    if pretrained is not None:
        visual, tower, known = _open_pretrained(pretrained)
        tokenizer = None
    else:
        visual, tower, known, tokenizer = _build(model, weights, image, text, sentence_encoder)
    fields = known | _said(about)
    if said.logit_scale is not None:
        fields["logit_scale"] = said.logit_scale
    if fields["logit_scale"] is None:
        raise ValueError(f"{card}: says nothing under 'logit_scale', and the weights hold none")
    if (bias := fields.pop("logit_bias", None)) is not None:
        from photosearch.encoders.calibration import sigmoid_calibration

        seen = {} if batch is None else {"batch": batch}
        fields["calibration"] = sigmoid_calibration(fields["logit_scale"], bias, **seen)
    storage: Precision = "float16" if float16 else "float32"
    report = export_bundle(
        visual,
        tower,
        out,
        fields=fields | {"metrics": records},
        card=rendered,
        tokenizer=tokenizer,
        image_storage=storage,
        text_storage="float32" if int8_text else storage,
        embedding_storage="int8",
        int8_text=int8_text,
        int8_image=int8_image,
        gate=gate,
        coreml=coreml,
        expect_id=measured,
        replace=replacing,
    )
    click.echo(report.summary())


def _open_pretrained(spec: str) -> tuple[nn.Module, nn.Module, dict[str, Any]]:
    from trainer.export.pretrained import open_towers

    towers = open_towers(spec)
    return towers.image, towers.text, towers.fields()


def _reads_sentences(model: str) -> bool:
    from trainer.models.config import load_config, model_names

    return model in model_names() and load_config(model).text.tower == "sentence"


def _build(
    model: str,
    weights: Path | None,
    image: Path | None,
    text: Path | None,
    sentence_encoder: Path | None,
) -> tuple[nn.Module, nn.Module, dict[str, Any], Path | None]:
    """The towers of a configuration with the weights of the files, what is known of them, and the
    file of their tokenizer, if it is not CLIP's."""
    from trainer.export.facts import facts_of
    from trainer.models.config import load_config
    from trainer.models.family import build_from
    from trainer.models.tokens import tokenizer_file

    config = load_config(model)
    towers = build_from(config)
    scale = _load(towers, weights, image, text, sentence_encoder)
    bias = towers.logit_bias
    return (
        towers.visual,
        towers.text,
        {
            **facts_of(config),
            "logit_scale": scale,
            "logit_bias": None if bias is None else float(bias.detach()),
        },
        tokenizer_file(config.text, sentence_encoder),
    )


def _load(
    towers: Clip,
    weights: Path | None,
    image: Path | None,
    text: Path | None,
    sentence_encoder: Path | None,
) -> float | None:
    """Fill `towers` from the files; return the factor on cosines that one file for both holds."""
    from trainer.models.checkpoints import load_into
    from trainer.models.sentence_tower import SentenceTower, load_sentence_encoder
    from trainer.models.state import read_state
    from trainer.teachers.sentence import packaged_encoder

    if weights is not None:
        load_into(towers, weights)
        return float(towers.logit_scale.detach().exp())
    for tower, path in ((towers.visual, image), (towers.text, text)):
        if path is None and isinstance(tower, SentenceTower):
            load_sentence_encoder(tower, sentence_encoder or packaged_encoder())
            continue
        assert path is not None  # one of them alone is a usage error
        try:
            tower.load_state_dict(read_state(path))
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:300]
            raise ValueError(f"{path}: not the weights of this tower: {reason}") from None
    return None


def _said(about: CardFields) -> dict[str, Any]:
    """What the card says, for bundle.json."""
    return {
        "name": about.name,
        "version": about.version,
        "calibration": None,
        "licence": about.licence.partition("\n")[0],
        "provenance": about.provenance(),
        **({"languages": list(about.languages)} if about.languages else {}),
    }
