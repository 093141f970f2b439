"""`photosearch bench`: how fast indexing and searching are on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photosearch.commands.output import counted

if TYPE_CHECKING:
    from photosearch.bench.measure import Indexing, Searching


@click.command("bench")
@click.argument("folder", required=False, metavar="[FOLDER]", type=click.Path(path_type=Path))
@click.option(
    "--photos",
    type=click.IntRange(min=2),
    default=60,
    show_default=True,
    metavar="N",
    help="Index at most N photos, spread over all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(ctx: click.Context, folder: Path | None, photos: int, as_json: bool) -> None:
    """Measure how fast photos are indexed and found here.

    Some photos of FOLDER, or of the library, are indexed into a library that is thrown away, and
    the library is searched. It takes less than a minute, and changes neither photos nor library.
    """
    from photosearch.bench.measure import measure
    from photosearch.settings import library_folder

    path, model = ctx.obj.library, ctx.obj.model
    report = measure(library_folder(path), model, folder, photos)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
        return
    lines = [("Machine", report.machine), ("Model", report.model)]
    lines += [("Indexing", line) for line in _indexing(report.indexing)]
    lines += [("Search", line) for line in _searching(report.searching)]
    shown = ""
    for name, line in lines:
        click.echo(f"{'' if name == shown else name:<10}{line}")
        shown = name


def _indexing(found: Indexing | None) -> list[str]:
    if found is None:
        return ["not measured: fewer than two of the photos can be read"]
    what = "pictures drawn for it" if found.drawn else "of your photos"
    lines = [
        f"{found.photos_per_second:.1f} photos a second",
        f"{found.photos} {what}, on average {found.megapixels:.1f} megapixels and "
        f"{found.megabytes:.1f} MB",
        f"{found.start_seconds:.1f} s for the first one, with start-up",
    ]
    if found.cpu_ms_per_photo:
        lines.append(
            f"{found.cpu_ms_per_photo:.0f} ms of processor time a photo, {found.cores:.1f} cores "
            "busy"
        )
    return [*lines, *_memory(found.peak_mb)]


def _searching(found: Searching | None) -> list[str]:
    if found is None:
        return ["not measured: nothing is indexed yet"]
    return [
        f"{found.cold_seconds:.2f} s as a command, in {counted(found.photos, 'photo')}",
        f"{found.warm_ms:.1f} ms in a running program, {found.warm_ms_p95:.1f} ms at most for 95 "
        "of 100",
        f"{found.recall:.1%} of the ten best photos are found, against comparing all",
        *_memory(found.cold_peak_mb),
    ]


def _memory(megabytes: float) -> list[str]:
    return [f"{megabytes:.0f} MB of memory at most"] if megabytes else []
