"""`photosearch ocr`: read the text in photos, so that it can be searched."""

from __future__ import annotations

import sys

import click

from photosearch.commands.opening import open_library
from photosearch.commands.output import counted, shown


@click.command("ocr")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Read the text in photos that were indexed, so that "exact words" finds it.

    Each photo is read once; Ctrl-C stops, and the next run goes on. It needs the extra `ocr`, and
    takes about a second a photo. Nothing is downloaded, and no photo is changed.
    """
    from tqdm import tqdm

    from photosearch.library import Library
    from photosearch.ocr.run import ReadingStarted, TextFailed, TextRead

    if not Library.exists(ctx.obj.library):
        click.echo("There is no library yet; index a folder first.", err=True)
        sys.exit(1)
    read = texts = failed = 0
    with open_library(ctx) as library, tqdm(unit="photo", disable=None, delay=0.5) as bar:
        for event in library.texts.read():
            match event:
                case ReadingStarted(photos):
                    bar.total = photos
                case TextRead(photos):
                    bar.update(len(photos))
                    read += len(photos)
                    texts += sum(bool(text) for _, text in photos)
                case TextFailed(path, reason):
                    bar.update(1)
                    failed += 1
                    bar.write(f"{shown(path)}: {reason}", file=sys.stderr)
    click.echo(
        f"Looked for text in {counted(read, 'photo')} and found some in {texts}; "
        f"{failed} could not be read."
    )
