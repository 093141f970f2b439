"""`photosearch-trainer weights`: the weights of the bundled model, to be trained on."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("weights")
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A bundle of the bundled model's kind.  [default: the bundled model]",
)
@click.option("--replace", is_flag=True, help="Replace an OUT that is already there.")
def command(target: Path, bundle: Path | None, replace: bool) -> None:
    """Write the weights in a bundle as the file OUT, safetensors, all of them as float32.

    They have the names that they have in the bundle's graphs, with visual. and text. in front:
    convolutions with their normalisation folded in. `finetune --weights` starts from such a file.
    """
    from photosearch.encoders import bundled_path
    from trainer.finetune.start import trainable_state
    from trainer.models.state import write_state

    if target.exists() and not replace:
        raise ValueError(f"{target}: already there; give another OUT, or --replace")
    state = trainable_state(bundle or bundled_path())
    write_state(state, target)
    count = sum(value.numel() for value in state.values())
    click.echo(f"{target}: {len(state)} tensors, {count / 1e6:.1f} million numbers")
