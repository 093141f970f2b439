"""`photosearch-trainer finetune`: a finished model learns on from pictures with captions."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options

_INPUT = click.Path(exists=True, path_type=Path)


@click.command("finetune")
@click.argument("inputs", nargs=-1, required=True, type=_INPUT, metavar="FOLDER...")
@click.option(
    "--captions", type=options.FILE, help="CSV, JSON, JSON lines or COCO captions of the folder."
)
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A bundle of the bundled model's kind to start from.  [default: the bundled model]",
)
@click.option("--model", help="In place of --bundle: a model of the family, such as MobileCLIP-S0.")
@click.option(
    "--weights",
    type=options.FILE,
    help="Its weights, in the layout of open_clip or Apple; without --model what `weights` wrote.",
)
@click.option("--licence", help="That of --weights, which goes over to the new bundle.")
@click.option("--name", default="finetuned", show_default=True, help="Name of the new bundle.")
@click.option("--epochs", type=click.IntRange(1), default=5, show_default=True)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Another value for a key of the recipe `finetune`; repeat it for several.",
)
@options.out
def command(
    inputs: tuple[Path, ...],
    captions: Path | None,
    bundle: Path | None,
    model: str | None,
    weights: Path | None,
    licence: str | None,
    name: str,
    epochs: int,
    overrides: tuple[str, ...],
    out: Path,
) -> None:
    """Let a model learn on from pictures with captions, and write a bundle that searches.

    FOLDER is all that `check` looks through: a folder of pictures with captions in a file or beside
    them, photo tars, or a data set that Hugging Face's library has saved to disk. Of the bundled
    model the image tower's head learns; of other models both towers.

    A tenth of the pictures is held out, and what is found among them before and after is said: a
    model that finds less than before is written, too, with a warning. The same command goes on
    where it was ended.
    """
    if model is not None and (bundle is not None or weights is None or licence is None):
        raise click.UsageError("--model goes with --weights and --licence, and not with --bundle")
    if model is None and licence is not None:
        raise click.UsageError("--licence goes with --model")

    from photosearch.encoders import bundled_path
    from trainer.finetune.run import Wanted, finetune
    from trainer.finetune.start import Start, from_bundle, from_weights

    start: Start
    if model is not None and weights is not None and licence is not None:
        start = from_weights(model, weights, licence)
    else:
        start = from_bundle(bundle or bundled_path(), weights)
    wanted = Wanted(inputs, captions, out, name, epochs, overrides)
    tuned = finetune(wanted, start, click.echo)
    if tuned.worse:
        click.echo(
            f"Warning: it finds less of the held-out photos than before ({tuned.after:.1%} instead "
            f"of {tuned.before:.1%} among the first ten). More pictures, fewer --epochs or a lower "
            "--set optimizer.learning_rate may help; until then keep the model that you have.",
            err=True,
        )
    click.echo(
        f"{tuned.bundle}: to search with it, photosearch --model {tuned.bundle} index PHOTOS"
    )
