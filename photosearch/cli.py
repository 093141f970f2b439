"""The command line: a thin layer over `Library`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from photosearch import __version__
from photosearch.errors import PhotosearchError

if TYPE_CHECKING:
    from photosearch.library import Library


class _Failure(click.ClickException):
    """One of our errors, shown in one line."""

    def __init__(self, error: PhotosearchError) -> None:
        super().__init__(str(error))
        # click declares it a class variable and reads it from the instance
        self.exit_code = error.exit_code  # type: ignore[misc]


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PhotosearchError as error:
            raise _Failure(error) from error
        except KeyboardInterrupt:
            # What a shell gives a program that Ctrl-C ended; click would give 1.
            sys.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="photosearch")
@click.option(
    "--library",
    metavar="PATH",
    type=click.Path(file_okay=False),
    envvar="PHOTOSEARCH_LIBRARY",
    show_envvar=True,
    help="Folder that holds the library.  [default: in your user data folder]",
)
@click.option(
    "--model",
    metavar="PATH",
    type=click.Path(file_okay=False),
    envvar="PHOTOSEARCH_MODEL",
    show_envvar=True,
    help="Folder of a model bundle.  [default: the bundled model]",
)
@click.pass_context
def main(ctx: click.Context, library: str | None, model: str | None) -> None:
    """Find photos on this machine by describing them. Nothing leaves the machine."""
    ctx.obj = (library, model)


def _open(ctx: click.Context, *, readonly: bool = False) -> Library:
    from photosearch.library import Library

    path, model = ctx.obj
    return Library.open(path, model=model, readonly=readonly)


@main.command()
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes that decode pictures.  [default: one a core]",
)
@click.pass_context
def index(ctx: click.Context, folders: tuple[str, ...], workers: int | None) -> None:
    """Index the photos in FOLDER and below; only new and changed files are read.

    Files that cannot be read are listed with the reason, and the rest is indexed. Ctrl-C stops and
    keeps what is done; the next run goes on from there.
    """
    from tqdm import tqdm

    from photosearch.indexing.events import Failed, Finished, Indexed, Started
    from photosearch.indexing.scan import resolve_roots

    # A mistyped folder should not leave an empty library behind.
    roots = resolve_roots(folders)
    with _open(ctx) as library:
        # `disable=None` draws the bar on a terminal only.
        bar = tqdm(unit=" photos", desc="Scanning", smoothing=0.1, file=sys.stderr, disable=None)
        try:
            # Closed before the library is, for it may have something left to record.
            with bar, closing(library.index(roots, workers=workers)) as events:
                for event in events:
                    if isinstance(event, Started):
                        bar.reset(event.total - event.unchanged)
                        bar.set_description("Indexing")
                    elif isinstance(event, Indexed):
                        bar.update(len(event.paths))
                    elif isinstance(event, Failed):
                        bar.write(f"skipped {_shown(event.path)}: {event.reason}", file=sys.stderr)
                        bar.update(1)
                    elif isinstance(event, Finished):
                        finished = event
        except KeyboardInterrupt:
            held = _count(library.status().photos, "photo")
            click.echo(
                f"Stopped. The library holds {held}; run the same command again to go on.", err=True
            )
            raise
        total = library.status()
    click.echo(
        f"Indexed {_count(finished.indexed, 'photo')} in {finished.seconds:.1f} s; "
        f"{finished.unchanged} unchanged, {finished.failed} skipped, {finished.missing} gone. "
        f"The library holds {_count(total.photos, 'photo')}."
    )
    if finished.failed:
        click.echo("`photosearch status --problems` lists what was skipped.")


@main.command()
@click.argument("text", metavar="TEXT")
@click.option(
    "-n",
    "limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Show at most N photos.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.option("-0", "null", is_flag=True, help="Print paths only, each ended by a NUL, for xargs.")
@click.pass_context
def search(ctx: click.Context, text: str, limit: int, as_json: bool, null: bool) -> None:
    """Find the photos that TEXT describes, best first, with their scores.

    Exits with 1 when nothing matches.
    """
    if as_json and null:
        raise click.UsageError("--json and -0 are two forms of output; give one of them.")
    from photosearch.library import Library
    from photosearch.search.nearest import check_query

    # Also where there is nothing to search yet.
    check_query(text, limit)
    hits = []
    waiting = 0
    if Library.exists(ctx.obj[0]):
        with _open_for_search(ctx) as library:
            hits = library.search(text, limit=limit)
            waiting = 0 if hits else library.status().photos
    if as_json:
        click.echo(json.dumps({"query": text, "hits": [vars(hit) for hit in hits]}, indent=2))
    elif null:
        _write(os.fsencode(hit.path) + b"\0" for hit in hits)
    else:
        _write(f"{hit.score:.3f}  ".encode() + os.fsencode(hit.path) + b"\n" for hit in hits)
    if not hits:
        if waiting:
            message = (
                f"None of the {_count(waiting, 'photo')} in the library is encoded by this model "
                "yet. Run `photosearch index` on their folders again."
            )
        else:
            message = (
                "Nothing is indexed yet. Point photosearch at your photos first: "
                "photosearch index FOLDER"
            )
        click.echo(message, err=True)
        sys.exit(1)


def _open_for_search(ctx: click.Context) -> Library:
    """Writable where that is possible, so that the vector file can be kept up to date."""
    from photosearch.errors import LibraryError

    try:
        return _open(ctx)
    except LibraryError:
        return _open(ctx, readonly=True)


@main.command()
@click.option("--problems", is_flag=True, help="List the files that could not be indexed, and why.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def status(ctx: click.Context, problems: bool, as_json: bool) -> None:
    """Show what the library holds."""
    from photosearch.library import Library, default_library_path

    if not Library.exists(ctx.obj[0]):
        place = ctx.obj[0] or default_library_path()
        click.echo(
            f"No library at {_shown(str(place))} yet. Make one: photosearch index FOLDER", err=True
        )
        sys.exit(1)
    with _open_for_search(ctx) as library:
        now = library.status()
    if as_json:
        shown = vars(now) | {
            "problems": [{"path": path, "reason": reason} for path, reason in now.problems]
        }
        click.echo(json.dumps(shown, indent=2))
        return
    click.echo(f"Library   {_shown(now.library)}")
    click.echo(f"Model     {now.model}")
    click.echo(f"Photos    {now.photos}")
    if now.encoded < now.photos + now.missing:
        click.echo(
            f"          {now.photos + now.missing - now.encoded} not yet encoded by this model; "
            "run `photosearch index` again"
        )
    if now.missing:
        click.echo(f"Gone      {now.missing} (hidden until their files are back)")
    click.echo(f"Problems  {len(now.problems)}")
    for folder in now.folders:
        click.echo(f"Folder    {_shown(folder)}")
    if problems:
        for path, reason in now.problems:
            click.echo(f"{_shown(path)}: {reason}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shown(path: str) -> str:
    """A path that fits one line of any terminal, whatever is in its name."""
    text = path.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _write(lines: Iterable[bytes]) -> None:
    """Bytes to standard output: a path may not be text in any encoding."""
    sys.stdout.flush()
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
