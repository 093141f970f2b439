"""`photosearch-trainer concepts`: more things that a bundle sees than its classifiers name."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("concepts")
@click.argument("bundle", type=_FOLDER)
@options.captioned
@click.option(
    "--labelled",
    type=options.FILE,
    multiple=True,
    required=True,
    help="Photo tar with labels; repeat it for several.",
)
@click.option(
    "--gate",
    type=options.FILE,
    multiple=True,
    required=True,
    metavar="TAR",
    help="Captioned photos: refuse concepts with which less is found on them.",
)
@click.option(
    "--share",
    type=click.FloatRange(min=0, min_open=True),
    default=0.4,
    show_default=True,
    help="How much a concept that is certain adds, where the vector so far counts 1.",
)
@click.option(
    "--least",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Photos that a label must have to become a concept.",
)
@click.option("--card", type=options.FILE, required=True, help="Its model card, as TOML or JSON.")
@options.cache
@options.out
def command(
    bundle: Path,
    captioned: tuple[Path, ...],
    labelled: tuple[Path, ...],
    gate: tuple[Path, ...],
    share: float,
    least: int,
    card: Path,
    cache: Path,
    out: Path,
) -> None:
    """Add concepts to the image network of BUNDLE, learned from labels; all else stays as it is.

    A linear classifier on the features that the network has already says how sure each concept
    is, and one that is more likely than not adds the place of its name among texts. Captioned
    photos show what has none of them; what they name often becomes no concept. The bundle is
    another one: photos are encoded anew, and it has to be evaluated and calibrated again.
    """
    from trainer.concepts.run import add_concepts

    report = add_concepts(
        bundle,
        out,
        captioned=captioned,
        labelled=labelled,
        gate=gate,
        share=share,
        least=least,
        card=card,
        cache=cache,
    )
    tars = " + ".join(path.name for path in gate)
    click.echo(
        f"{len(report.names)} concepts: {', '.join(report.names)}\n"
        f"R@10 on {tars}: {100 * report.after:.2f}%, without them {100 * report.before:.2f}%\n"
        f"{report.bundle.id}"
    )
