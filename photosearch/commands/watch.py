"""`photosearch watch`: index what comes, changes and goes, as it does."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from photosearch.commands import faces
from photosearch.commands.ending import Ending
from photosearch.commands.opening import nice_option, open_library, setting_option, settings_of
from photosearch.commands.output import WAITING_FOR_POWER, counted, not_connected, shown
from photosearch.elsewhere.addresses import is_address
from photosearch.nice import lower_priority

if TYPE_CHECKING:
    from photosearch.indexing.events import Finished as Run


@click.command("watch")
@click.argument("folders", nargs=-1, metavar="[FOLDER]...")
@click.option(
    "--poll",
    is_flag=True,
    help="Look through all folders now and then, rather than wait to be told by the system.",
)
@setting_option("--interval", "watch_interval")
@setting_option("--address-interval", "watch_address_interval")
@setting_option("--quiet", "watch_quiet")
@setting_option("--workers", "workers")
@nice_option
@click.pass_context
def command(
    ctx: click.Context,
    folders: tuple[str, ...],
    poll: bool,
    interval: float | None,
    address_interval: float | None,
    quiet: float | None,
    workers: int | None,
    nice: bool | None,
) -> None:
    """Index FOLDER, and then what comes, changes and goes in it, until Ctrl-C.

    Without FOLDER, all folders that were indexed before are watched. The system tells of changes on
    this machine's disks; folders on network drives are looked through now and then, and addresses
    are listed.
    """
    from photosearch.indexing.events import (
        Absent,
        Failed,
        Finished,
        Held,
        Kept,
        OnBattery,
        Rebuilding,
        Switched,
    )
    from photosearch.indexing.scan import resolve_roots
    from photosearch.library import Library
    from photosearch.watching import Watching

    if not Library.exists(ctx.obj.library):
        # A mistyped folder should not leave an empty library behind.
        resolve_roots(folders)
        if not folders:
            raise click.UsageError("No folder is known yet; name a FOLDER to watch.")
    settings = settings_of(
        ctx,
        watch_interval=interval,
        watch_address_interval=address_interval,
        watch_quiet=quiet,
        nice=nice,
    )
    if settings.nice:
        lower_priority()
    first = True
    with Ending() as ending, open_library(ctx) as library:
        watching = library.watch(
            folders,
            workers=workers,
            poll=poll,
            interval=settings.watch_interval,
            address_interval=settings.watch_address_interval,
            quiet=settings.watch_quiet,
            nice=settings.nice,
            stop=ending.asked,
        )
        try:
            with closing(watching) as events:
                for event in events:
                    ending.waiting = isinstance(event, Held)
                    if isinstance(event, Watching) and event.reason is None:
                        click.echo(f"Watching {shown(event.folder)}")
                    elif isinstance(event, Watching):
                        every = settings.watch_interval
                        if is_address(event.folder):
                            every = settings.watch_address_interval
                        click.echo(
                            f"Looking through {shown(event.folder)} every {every:g} s "
                            f"({event.reason})"
                        )
                    elif isinstance(event, Held):
                        click.echo(f"Waiting for {event.holder}")
                    elif isinstance(event, OnBattery):
                        click.echo(WAITING_FOR_POWER)
                    elif isinstance(event, Absent):
                        click.echo(f"{shown(event.folder)}: {not_connected(event.hidden)}")
                    elif isinstance(event, Failed):
                        click.echo(f"Skipped {shown(event.path)}: {event.reason}")
                    elif isinstance(event, Rebuilding) and event.total:
                        photos = counted(event.total, "photo")
                        click.echo(f"Encoding {photos} by {event.model}")
                    elif isinstance(event, Switched):
                        click.echo(f"Searches now use {event.model}, in place of {event.previous}.")
                    elif isinstance(event, Kept):
                        click.echo(
                            f"Searches still use {event.model}: {counted(event.unread, 'photo')} "
                            "could not be reached for the next model."
                        )
                    elif isinstance(event, Finished):
                        done = _done(event)
                        if done or first:
                            held = counted(library.status().photos, "photo")
                            click.echo(f"Done: {done or 'nothing new'}. The library holds {held}.")
                        faces.run_after_index(library, ending.asked)
                        first = False
                    if ending.asked.is_set():
                        break
        except KeyboardInterrupt:
            pass
        click.echo("Stopped.")


def _done(run: Run) -> str:
    """What a run has done, in words; empty when that is nothing."""
    numbers = {
        "indexed": run.indexed,
        "recognised": run.recognised,
        "read again": run.reread,
        "skipped": run.failed,
        "gone": run.missing,
    }
    return ", ".join(f"{number} {what}" for what, number in numbers.items() if number > 0)
