"""`photosearch-trainer evaluate`: what a bundle can do, measured on the files that are shipped."""

from __future__ import annotations

import json
from pathlib import Path

import click

from trainer.commands import options

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command("evaluate")
@click.argument("bundle", metavar="MODEL", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--captioned",
    type=options.FILE,
    multiple=True,
    metavar="TAR",
    help='Photos with {"captions": [...]}; repeat it for the shards of one test set.',
)
@click.option(
    "--calibration",
    is_flag=True,
    help="On the captioned photos: does the best score tell whether anything fits the query?",
)
@click.option(
    "--zero-shot",
    "folders",
    type=_FOLDER,
    multiple=True,
    metavar="DIR",
    help="Pictures as DIR/CLASS/*.jpg, classified by the names of the classes.",
)
@click.option(
    "--class-names",
    type=options.FILE,
    metavar="JSON",
    help="Names for the folders of --zero-shot: an object from folder to name.",
)
@click.option(
    "--clip-benchmark",
    "benchmark",
    type=_FOLDER,
    metavar="DIR",
    help="Data sets in clip_benchmark's form, as DIR/wds_NAME; the 38 of DataComp among them.",
)
@click.option(
    "--text-agreement",
    "lines",
    type=options.FILE,
    metavar="FILE",
    help="One text a line, plain or .gz: compare the text tower with the sentence encoder on it.",
)
@options.sentence_encoder
@click.option(
    "--image-agreement",
    "photos",
    type=options.FILE,
    multiple=True,
    metavar="TAR",
    help="Photos, with or without captions: compare the bundle with --teacher on them.",
)
@click.option("--teacher", metavar="SPEC", help="As for `reinforce`, such as bootstrap:DIR:FILES.")
@click.option("--speed", is_flag=True, help="Time both towers in ONNX Runtime.")
@click.option(
    "--torch",
    "weights",
    type=(options.FILE, options.FILE),
    metavar="IMAGE TEXT",
    help="With --speed: time these weights of --model in PyTorch too.",
)
@click.option(
    "--model",
    help="Its configuration, for --torch and for weights that do not say it.  [default: "
    "MobileCLIP-Nano with --torch]",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="For weights: what they are computed on.",
)
@click.option("--threads", type=click.IntRange(1), help="For --speed.  [default: all cores]")
@click.option("--repeats", type=click.IntRange(2), default=20, show_default=True)
@click.option("--json", "json_file", type=_OUTPUT, help="Also write the figures as JSON.")
@click.option("--markdown", "markdown_file", type=_OUTPUT, help="Also write the tables.")
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    bundle: Path,
    captioned: tuple[Path, ...],
    calibration: bool,
    folders: tuple[Path, ...],
    class_names: Path | None,
    benchmark: Path | None,
    lines: Path | None,
    sentence_encoder: str | None,
    photos: tuple[Path, ...],
    teacher: str | None,
    speed: bool,
    weights: tuple[Path, Path] | None,
    model: str | None,
    device: str,
    threads: int | None,
    repeats: int,
    json_file: Path | None,
    markdown_file: Path | None,
    batch: int,
    quiet: bool,
) -> None:
    """Measure a model: retrieval, zero-shot, calibration, agreement and speed.

    MODEL is a bundle, the folder of a run of `train`, or a file of weights. Weights are computed by
    PyTorch, in float32.

    Each figure stands with the number of candidates it is ranked among, its 95% interval and what
    chance would reach. All --captioned tars of one call make one gallery.
    """
    if not (captioned or folders or benchmark or lines or photos or speed):
        raise click.UsageError(
            "nothing to measure; give --captioned, --zero-shot, --clip-benchmark, "
            "--text-agreement, --image-agreement or --speed"
        )
    for given, name, needed, wanting in (
        (calibration, "--calibration", captioned, "--captioned"),
        (class_names, "--class-names", folders, "--zero-shot"),
        (photos, "--image-agreement", teacher, "--teacher"),
        (teacher, "--teacher", photos, "--image-agreement"),
        (weights, "--torch", speed, "--speed"),
    ):
        if given and not needed:
            raise click.UsageError(f"{name} goes with {wanting}")

    from photosearch.encoders import open_encoder
    from photosearch.encoders.encoder import Encoder
    from trainer.evaluate.report import Report

    encoder: Encoder
    if (bundle / "bundle.json").exists():
        if device == "cuda":
            raise click.UsageError("--device goes with weights; a bundle runs in ONNX Runtime")
        encoder = open_encoder(bundle)
    elif speed:
        raise click.UsageError("--speed goes with a bundle")
    else:
        from trainer.evaluate.towers import open_towers

        encoder = open_towers(bundle, model=model, device=device)
    report = Report(encoder.bundle_id)
    progress = not quiet
    if captioned:
        from trainer.evaluate.captioned import measure_captioned

        report.add(captioned, measure_captioned(encoder, captioned, calibration, batch, progress))
    for folder in folders:
        from trainer.evaluate.zero_shot import measure_folder

        measures = measure_folder(encoder, folder, class_names, batch, progress)
        report.add([folder, *([class_names] if class_names else [])], measures)
    if benchmark is not None:
        from trainer.evaluate.clip_benchmark import measure_sets

        sets, measures, report.ran = measure_sets(encoder, benchmark, batch, progress)
        report.add(sets, measures)
    if lines is not None:
        from trainer.evaluate.agreement import text_agreement

        measure = text_agreement(encoder, lines, sentence_encoder, batch, progress)
        report.add([lines], [measure])
    if teacher is not None:
        from trainer.evaluate.agreement import image_agreement
        from trainer.teachers.open import open_teacher

        opened = open_teacher(teacher)
        report.add(photos, image_agreement(encoder, opened, photos, batch, progress))
    if speed:
        from trainer.evaluate.speed import measure_bundle

        report.speed = measure_bundle(bundle, model or "MobileCLIP-Nano", weights, threads, repeats)
    tables = report.markdown()
    click.echo(f"Model {encoder.bundle_id}\n\n{tables}", nl=False)
    if markdown_file is not None:
        markdown_file.write_text(tables, encoding="utf-8")
    if json_file is not None:
        json_file.write_text(json.dumps(report.record(), indent=2) + "\n", encoding="utf-8")
