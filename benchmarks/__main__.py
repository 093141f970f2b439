"""`python -m benchmarks [NAME ...]`: the quick benchmarks, or those named, one after another."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

_FIGURES = Path(__file__).parent.parent / "docs" / "benchmarks"
_OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=_FIGURES,
    help="The folder for the table and the plot; docs/benchmarks when left out.",
)


@click.group(
    chain=True,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.pass_context
def main(context: click.Context) -> None:
    """Speed, as ratios to a baseline measured in the same run.

    Without a name it runs the quick ones, `indexing` and `searching`. The others reproduce headline
    experiments of the MobileCLIP paper, take minutes, and write their figures to docs/benchmarks.
    """
    if context.invoked_subcommand is None:
        for quick in (indexing, searching):
            context.invoke(quick)


@main.command()
def indexing() -> None:
    """Photos indexed a second, against two plain ways to do the same."""
    from benchmarks.indexing import run

    click.echo("\nindexing")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder))


@main.command()
def searching() -> None:
    """One search from a cold start, against starting its libraries alone."""
    from benchmarks.searching import run

    click.echo("\nsearching")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder))


@main.command("model-speed")
@click.option("--rounds", type=click.IntRange(min=2), default=9, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="One a core when left out.")
@_OUT
def model_speed(rounds: int, threads: int | None, out: Path) -> None:
    """MobileCLIP's towers against ViT-B/16's, all in ONNX Runtime."""
    from benchmarks.model_speed import run

    click.echo("\nmodel-speed")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder), out, rounds=rounds, threads=threads)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
