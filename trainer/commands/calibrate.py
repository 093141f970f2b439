"""`photosearch-trainer calibrate`: let a bundle say when nothing fits a query."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("calibrate")
@click.argument("bundle", type=_FOLDER)
@options.captioned
@click.option(
    "--labelled",
    type=options.FILE,
    multiple=True,
    required=True,
    help="Photo tar, a label with some of the photos; repeat it for several.",
)
@click.option(
    "--validation",
    type=options.FILE,
    multiple=True,
    required=True,
    help="Captioned photo tar on which the cut-offs are set.",
)
@click.option(
    "--photos",
    type=click.IntRange(min=4),
    default=2000,
    show_default=True,
    help="Captioned photos to fit on.",
)
@click.option(
    "--background",
    type=click.IntRange(min=2),
    default=512,
    show_default=True,
    help="Photos whose vectors go into the bundle.",
)
@click.option(
    "--lost",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.1,
    show_default=True,
    help="Share of right answers that the cut-off may hide.",
)
@click.option("--card", type=options.FILE, help="Write the model card anew, from this TOML file.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    bundle: Path,
    captioned: tuple[Path, ...],
    labelled: tuple[Path, ...],
    validation: tuple[Path, ...],
    photos: int,
    background: int,
    lost: float,
    card: Path | None,
    quiet: bool,
) -> None:
    """Fit which cosines mean that a photo shows what was asked for, and write it into BUNDLE.

    The networks and the bundle's id stay the same, so no photo is encoded again. A quarter of the
    labels is left for a test. Export drops the calibration, so calibrate last.
    """
    from photosearch.encoders import Bundle, open_encoder
    from trainer.export.bundle import annotate_bundle
    from trainer.export.card import read_card, render_card
    from trainer.relevance.run import calibrate

    text, said = None, {}
    if card is not None:
        about = read_card(card, Bundle.open(bundle).manifest["metrics"]).fields
        text, said = render_card(about), {"provenance": about.provenance()}
    found = calibrate(
        open_encoder(bundle),
        captioned=captioned,
        labelled_photos=labelled,
        validation=validation,
        photos=photos,
        background=background,
        lost=lost,
        progress=not quiet,
    )
    annotate_bundle(
        bundle, card=text, background=found.background, calibration=found.record(), **said
    )
    one = found.calibration
    click.echo(
        f"log ratio = {one.slope:.2f} cosine - {one.weight:.2f} background + {one.offset:.2f}; "
        f"at least {one.floor:.2f} for the best, {one.slack:.2f} less and at most {one.gap:.2f} "
        "of cosine below it for others"
    )
