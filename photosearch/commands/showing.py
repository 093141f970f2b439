"""Hits as lines, JSON, or paths for other programs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from photosearch.commands.output import write_bytes

if TYPE_CHECKING:
    from photosearch.search.hits import Hit, Hits
    from photosearch.search.instead import Instead

Decorated = Callable[..., Any]


def page_options(command: Decorated) -> Decorated:
    """The options of every command that shows hits."""
    for option in (
        click.option(
            "-0", "null", is_flag=True, help="Print paths only, each ended by a NUL, for xargs."
        ),
        click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md."
        ),
        click.option(
            "--collapse", is_flag=True, help="Show copies and bursts once, the best of each."
        ),
        click.option(
            "--offset",
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help="Leave out the first N photos: the pages before.",
        ),
        click.option(
            "-n",
            "limit",
            type=click.IntRange(min=1),
            default=20,
            show_default=True,
            metavar="N",
            help="Show at most N photos.",
        ),
    ):
        command = option(command)
    return command


def locale_option(command: Decorated) -> Decorated:
    """Of commands that read dates."""
    return click.option(
        "--locale",
        metavar="TAG",
        help="Read dates, and words that several languages have, as people do there, as in en-GB, "
        "en-US, de. Default: the system's.",
    )(command)


def check_forms(as_json: bool, null: bool) -> None:
    if as_json and null:
        raise click.UsageError("--json and -0 are two forms of output; give one of them.")


def show(hits: Hits, *, as_json: bool, null: bool, instead: Instead | None = None) -> None:
    """Print hits to standard output; of collapsed ones only the best, except as JSON.

    As JSON `instead` comes along where there are none.
    """
    if as_json:
        from photosearch.search.report import report

        click.echo(json.dumps(report(hits, instead), indent=2))
    elif null:
        write_bytes(os.fsencode(hit.path) + b"\0" for hit in hits)
    else:
        write_bytes(_lines(hits))


def _lines(hits: Hits) -> Iterator[bytes]:
    if not hits.groups:
        yield from map(_line, hits)
    for number, (group, members) in enumerate(hits.groups):
        yield b"\n" * bool(number) + (group.title or "without a date").encode() + b"\n"
        yield from map(_line, members)


def _line(hit: Hit) -> bytes:
    """The score, the path, and how many photos were collapsed into this one."""
    score = b"" if hit.score is None else f"{hit.score:.3f}  ".encode()
    others = f"  (+{len(hit.others)})".encode() if hit.others else b""
    return score + os.fsencode(hit.path) + others + b"\n"
