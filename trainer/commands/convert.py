"""`photosearch-trainer convert`: weights from one layout to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trainer.commands import options


@click.command("convert")
@click.argument("source", metavar="IN", type=options.FILE)
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--model", required=True, help="Its configuration, such as MobileCLIP-S0.")
@click.option(
    "--to",
    "layout",
    type=click.Choice(["apple", "openclip", "ours"]),
    required=True,
    help="Layout to write.",
)
@click.option("--replace", is_flag=True, help="Replace an OUT that is already there.")
def command(source: Path, target: Path, model: str, layout: Any, replace: bool) -> None:
    """Write the weights in the file IN as the file OUT, in another layout.

    IN may be in any of the layouts: that of open_clip, that of Apple's own repository, or ours,
    which differs from open_clip's only where open_clip lacks the text tower. OUT is written as
    safetensors if it ends in .safetensors, and as PyTorch's own format if it ends in .pt.

    Converted weights keep their licence, and the preprocessing that they were trained with.
    """
    from trainer.models.checkpoints import detect_layout, from_ours, to_ours
    from trainer.models.state import read_state, write_state

    if target.exists() and not replace:
        raise ValueError(f"{target}: already there; give another OUT, or --replace")
    state = read_state(source)
    try:
        found = detect_layout(state)
        converted = from_ours(to_ours(state, model, found), model, layout)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    write_state(converted, target)
    click.echo(f"{target}: {model}, {len(converted)} tensors, from layout {found} to {layout}")
