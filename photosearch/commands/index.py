"""`photosearch index`: find, decode, encode and record photos, with a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from photosearch.commands import faces
from photosearch.commands.ending import Ending
from photosearch.commands.opening import nice_option, open_library, setting_option, settings_of
from photosearch.commands.output import (
    WAITING_FOR_POWER,
    counted,
    not_connected,
    of_other_kinds,
    shown,
)
from photosearch.nice import lower_priority

if TYPE_CHECKING:
    from photosearch.library import Library


@click.command("index")
@click.argument("folders", nargs=-1, metavar="[FOLDER]...")
@setting_option("--workers", "workers")
@nice_option
@click.option(
    "--retry",
    is_flag=True,
    help="Try the files listed as problems again, also those that have not changed.",
)
@click.option(
    "--wait",
    is_flag=True,
    help="Wait while another process changes the library, instead of failing.",
)
@click.option(
    "--on",
    metavar="CLUSTER",
    help="Read, decode and encode on all machines of a Ray cluster: ray, or ray://HOST:PORT.",
)
@click.pass_context
def command(
    ctx: click.Context,
    folders: tuple[str, ...],
    workers: int | None,
    nice: bool | None,
    retry: bool,
    wait: bool,
    on: str | None,
) -> None:
    """Index the photos in FOLDER and below; only new and changed files are read.

    FOLDER may be at an address, as in s3://bucket/photos: its photos are fetched to be indexed, and
    only small pictures of them are kept. Passwords and keys are never part of it.

    Without FOLDER, all folders that were indexed before are looked through again.

    While another model is to come into use, see `photosearch models`, all known folders are looked
    through, and every photo is encoded by it too.

    Files that cannot be read are listed with the reason, and the rest is indexed. Ctrl-C stops and
    keeps what is done; the next run goes on from there. Ctrl-C again stops at once.
    """
    from photosearch.indexing.scan import resolve_roots
    from photosearch.library import Library

    if not Library.exists(ctx.obj.library):
        # A mistyped folder should not leave an empty library behind.
        resolve_roots(folders)
        if not folders:
            raise click.UsageError("No folder is known yet; name a FOLDER to index.")
    with Ending() as ending, open_library(ctx) as library:
        nice = settings_of(ctx, nice=nice).nice
        run(library, folders, ending, workers=workers, nice=nice, retry=retry, wait=wait, on=on)
        faces.run_after_index(library, ending.asked)


def run(
    library: Library,
    folders: Sequence[str],
    ending: Ending,
    *,
    workers: int | None = None,
    nice: bool | None = None,
    retry: bool = False,
    wait: bool = False,
    on: str | None = None,
) -> None:
    """Index with a progress bar, until `ending` is asked for, and tell what was done."""
    from tqdm import tqdm

    from photosearch.indexing.events import (
        Absent,
        Failed,
        Finished,
        Held,
        Indexed,
        Kept,
        OnBattery,
        Paired,
        Rebuilding,
        Recognised,
        Reencoded,
        Started,
        Switched,
    )

    drive = library.network_drive
    if drive is not None:
        click.echo(
            f"{shown(str(library.folder))} is on a network drive ({drive}), which makes everything "
            "slower; a library folder on a disk of this machine is better, and the photos may be "
            "on the network all the same.",
            err=True,
        )
    # `disable=None` draws the bar on a terminal only.
    bar = tqdm(unit=" photos", desc="Scanning", smoothing=0.1, file=sys.stderr, disable=None)
    if nice:
        lower_priority()
    outcome: Switched | Kept | None = None
    finished: Finished | None = None
    try:
        # Closed before the library is, for it may have something left to record.
        begun = library.index(
            folders, workers=workers, retry=retry, wait=wait, nice=nice, on=on, stop=ending.asked
        )
        with bar, closing(begun) as events:
            for event in events:
                ending.waiting = isinstance(event, Held)
                if isinstance(event, Held):
                    bar.write(f"Waiting for {shown(event.holder)} to end.", file=sys.stderr)
                elif isinstance(event, OnBattery):
                    bar.write(WAITING_FOR_POWER, file=sys.stderr)
                elif isinstance(event, Started):
                    bar.reset(event.total - event.unchanged - event.problems)
                    bar.set_description("Indexing")
                elif isinstance(event, Rebuilding):
                    bar.reset(event.total)
                    bar.set_description(f"Encoding by {event.model}")
                elif isinstance(event, (Indexed, Recognised, Paired, Reencoded)):
                    bar.update(len(event.paths))
                elif isinstance(event, Absent):
                    bar.write(
                        f"{shown(event.folder)}: {not_connected(event.hidden)}", file=sys.stderr
                    )
                elif isinstance(event, Failed):
                    bar.write(f"skipped {shown(event.path)}: {event.reason}", file=sys.stderr)
                    bar.update(1)
                elif isinstance(event, (Switched, Kept)):
                    outcome = event
                elif isinstance(event, Finished):
                    finished = event
        if finished is None:
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        held = counted(library.status().photos, "photo")
        click.echo(
            f"Stopped. The library holds {held}; run the same command again to go on.", err=True
        )
        raise
    total = library.status()
    known = f"{finished.recognised} recognised, " if finished.recognised else ""
    if finished.reread:
        known += f"metadata of {finished.reread} read again, "
    click.echo(
        f"Indexed {counted(finished.indexed, 'photo')} in {finished.seconds:.1f} s; "
        f"{known}{finished.unchanged} unchanged, {finished.failed} skipped, "
        f"{finished.missing} gone. "
        f"The library holds {counted(total.photos, 'photo')}."
    )
    if isinstance(outcome, Switched):
        click.echo(f"Searches now use {outcome.model}, in place of {outcome.previous}.")
    if isinstance(outcome, Kept):
        click.echo(
            f"Searches still use {outcome.model}: {counted(outcome.unread, 'photo')} could not be "
            f"reached for {total.next_model}. Run `photosearch index` again, or "
            f"`photosearch models use --now {total.next_model}` to do without."
        )
    if finished.failed:
        click.echo("`photosearch status --problems` lists what was skipped.")
    if finished.problems:
        click.echo(
            f"{counted(finished.problems, 'known problem')} not tried again; "
            "`photosearch index --retry` does."
        )
    if finished.others:
        click.echo(f"{of_other_kinds(finished.others)}.")
