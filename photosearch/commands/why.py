"""`photosearch why`: what in a photo fits a query, and which part of the query."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photosearch.commands.opening import open_to_read
from photosearch.commands.output import shown
from photosearch.commands.photos import photo_argument
from photosearch.commands.showing import locale_option

if TYPE_CHECKING:
    from photosearch.search.why import Fitting, Why

_SHADES = " .:-=+*#%@"


@click.command("why")
@photo_argument
@click.argument("text", metavar="TEXT")
@click.option("--literal", is_flag=True, help="Take all of TEXT as a description.")
@locale_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the photo, dimmed where nothing counts, to FILE, a new .png or .jpg.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; see docs/cli.md.")
@click.pass_context
def command(
    ctx: click.Context,
    photo: int | str,
    text: str,
    literal: bool,
    locale: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Tell why PHOTO fits TEXT: what each term adds, and where in the picture it shows.

    PHOTO is the id of a photo of the library, photo:ID, or the path of any picture. In the map the
    parts that count most are darkest: without them the photo would fit less.
    """
    if out is not None and out.exists():
        raise click.UsageError(f"--out: {shown(str(out))} is there already; name a new file.")
    if out is not None and out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise click.UsageError(f"--out: {shown(str(out))} is no .png or .jpg; name one.")
    from photosearch.search.dates.locales import system_tag

    where = system_tag() if locale is None else locale
    with open_to_read(ctx) as library:
        why = library.photos.why(photo, text, literal=literal, locale=where)
    if out is not None:
        from photosearch.search.overlay import write_overlay

        write_overlay(why, out)
    if as_json:
        found = asdict(why) | {"grid": [[round(float(x), 4) for x in row] for row in why.grid]}
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo("\n".join(_lines(why)))


def _place(one: Fitting) -> str:
    """Where the face is, by its middle."""
    if one.area is None:
        return ""
    left, top, width, height = one.area
    return f": the face {left + width / 2:.0%} from the left, {top + height / 2:.0%} from the top"


def _lines(why: Why) -> list[str]:
    lines = [shown(why.path), f"{why.score:6.3f}  in all{_verdict(why)}", ""]
    for share in why.terms:
        times = "" if share.weight == 1 else f", {share.weight:g} times {share.cosine:.3f}"
        lines.append(f"{share.adds:+6.3f}  {shown(share.term)}{times}")
        lines += [f"        {fall:+6.3f}  by {shown(word)}" for word, fall in share.words]
    for one in why.people:
        lines.append(f"        {shown(one.name)} is in it{_place(one)}")
    lines.append("")
    for row in why.heat:
        lines.append("    " + "".join(2 * _SHADES[int(x * (len(_SHADES) - 1))] for x in row))
    return lines


def _verdict(why: Why) -> str:
    if why.cutoff is None:
        return ""
    found = "found" if why.score >= why.cutoff else "not found"
    return f", {found}: {why.cutoff:.3f} is needed"
