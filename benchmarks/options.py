"""The options that several benchmarks take, and where they measure."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

_FIGURES = Path(__file__).parent.parent / "docs" / "benchmarks"

Option = Callable[[Any], Any]

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
THREADS = click.option("--threads", type=click.IntRange(min=1), help="One a core when left out.")
OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=_FIGURES,
    help="The folder for the table and the plot; docs/benchmarks when left out.",
)


def tars(name: str, what: str) -> Option:
    """Tars of photos, one of which at least has to be given."""
    return click.option(name, type=FILE, multiple=True, required=True, help=what)


TEST = tars("--test", "Captioned photo tar.")
CAPTIONED = tars("--captioned", "Captioned photo tar.")
LABELLED = tars("--labelled", "Photo tar with labels.")


def work(what: str, *, required: bool = False) -> Option:
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option("--work", type=kind, required=required, help=what)


def count(name: str, default: int, *, least: int = 1) -> Option:
    kind = click.IntRange(min=least)
    return click.option(name, type=kind, default=default, show_default=True)


def rclip(what: str) -> Option:
    told = f"The program `rclip` of an environment that has rclip 3.3{what}."
    return click.option("--rclip", "program", type=FILE, help=told)


def bundle(what: str = "A bundle.") -> Option:
    """The folder of a bundle, which is the bundled one when left out."""
    return click.option(
        "--bundle",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        callback=_or_bundled,
        help=f"{what}  [default: the bundled one]",
    )


def _or_bundled(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path:
    from photosearch.encoders import bundled_path

    return value or bundled_path()


@contextmanager
def measuring(name: str, work: Path | None = None) -> Iterator[Path]:
    """Say what is measured; the folder for it, which goes afterwards unless `work` is given."""
    click.echo(f"\n{name}")
    if work is not None:
        yield work.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        yield Path(folder).absolute()
