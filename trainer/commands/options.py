"""Options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

captioned = click.option(
    "--captioned", type=FILE, multiple=True, required=True, help="Photo tar with captions."
)
class_names = click.option(
    "--class-names", type=FILE, required=True, help="JSON list of the classifiers' class names."
)
classifiers = click.option(
    "--classifier",
    "classifiers",
    type=FILE,
    multiple=True,
    required=True,
    help="Frozen image classifier, a .tflite file; repeat for an ensemble.",
)
sentence_encoder = click.option(
    "--sentence-encoder",
    help="Folder or hub name of a sentence encoder.  [default: the installed all-MiniLM-L6-v2]",
)
device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="What the sentence encoder is computed on; CUDA where there is any.",
)
cache = click.option(
    "--cache", type=FOLDER, required=True, help="Folder for what the teachers computed."
)
wordnet = click.option(
    "--wordnet",
    type=FOLDER,
    default=Path("/usr/share/wordnet"),
    show_default=True,
    help="Folder of the WordNet files.",
)
metrics = click.option(
    "--metrics",
    type=FILE,
    multiple=True,
    help="JSON written by `evaluate`, for the card and the bundle; repeat it for several.",
)
out = click.option("--out", type=FOLDER, required=True, help="Folder for the result.")


def alone_in_out(command: Callable[..., None]) -> Callable[..., None]:
    """Let `command` hold the folder of its option --out while it runs."""

    @wraps(command)
    def holding(**options: Any) -> None:
        from trainer.lock import locked

        with locked(options["out"]):
            command(**options)

    return holding
