"""`photosearch-trainer check`: look through photos and captions before a run."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options

_INPUT = click.Path(exists=True, path_type=Path)


@click.command("check")
@click.argument("inputs", nargs=-1, required=True, type=_INPUT, metavar="INPUT...")
@click.option(
    "--captions", type=options.FILE, help="CSV, JSON, JSON lines or COCO captions of the folder."
)
@click.option(
    "--page",
    "page_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="HTML file to write, with some of the photos and their captions.",
)
@click.option("--shown", type=click.IntRange(min=1), default=24, show_default=True)
def command(
    inputs: tuple[Path, ...], captions: Path | None, page_file: Path | None, shown: int
) -> None:
    """Count photos and captions, and find what cannot be read, before anything learns from them.

    INPUT is a photo tar, a folder of pictures, or a data set that Hugging Face's library has saved
    to disk: all that `reinforce` takes. Every photo is decoded. Ends with 1 when one cannot be.
    """
    from tqdm import tqdm

    from trainer.data.inspection import look_at, page
    from trainer.reinforce.sources import open_sources

    sources = open_sources(inputs, captions, samples_per_shard=1000)
    found = look_at(tqdm(sources, unit="shard", disable=None), shown)
    for line in found.lines():
        click.echo(line)
    if not found.photos:
        raise ValueError(f"{inputs[0]}: holds no photos")
    if page_file is not None:
        page_file.write_text(page(found, ", ".join(each.name for each in inputs)), "utf-8")
        click.echo(f"some of them: {page_file}")
    if found.unreadable:
        raise click.exceptions.Exit(1)
