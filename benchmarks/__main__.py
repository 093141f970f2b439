"""`python -m benchmarks [NAME ...]`: the quick benchmarks, or those named, one after another."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

_FIGURES = Path(__file__).parent.parent / "docs" / "benchmarks"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_THREADS = click.option("--threads", type=click.IntRange(min=1), help="One a core when left out.")
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

    Without a name it runs the quick ones, `indexing` and `searching`. The others take minutes, and
    write their figures to docs/benchmarks: `pipeline`, `rescan` and `vectors` measure photosearch,
    the rest its models and their training.
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


@main.command()
@click.option(
    "--rclip",
    "program",
    type=_FILE,
    required=True,
    help="The program `rclip` of an environment that has rclip 3.3.",
)
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the photos, which are kept and taken as they are the next time.",
)
@click.option("--photos", type=click.IntRange(min=2), default=300, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@_OUT
def pipeline(program: Path, work: Path | None, photos: int, rounds: int, out: Path) -> None:
    """Photos indexed a second, against rclip on the same photos."""
    from benchmarks.pipeline import run

    click.echo("\npipeline")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        place = (work or Path(folder)).absolute()
        run(place, out, program.absolute(), photos=photos, rounds=rounds)


@main.command()
@click.option("--files", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=2), default=7, show_default=True)
@_OUT
def rescan(files: int, rounds: int, out: Path) -> None:
    """Looking through files that have not changed."""
    from benchmarks.rescan import run

    click.echo("\nrescan")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder), out, files=files, rounds=rounds)


@main.command()
@click.option(
    "--rclip",
    "program",
    type=_FILE,
    help="The program `rclip` of an environment that has rclip 3.3; left out of it without.",
)
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the libraries, which are kept and taken as they are the next time.",
)
@click.option("--rounds", type=click.IntRange(min=2), default=7, show_default=True)
@_OUT
def vectors(program: Path | None, work: Path | None, rounds: int, out: Path) -> None:
    """Search in 100,000 and in a million photos, exact and in clusters, and rclip's."""
    from benchmarks.vectors import CROSSOVER, SIZES, run

    click.echo("\nvectors")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(
            (work or Path(folder)).absolute(),
            out,
            None if program is None else program.absolute(),
            sizes=SIZES,
            crossover=CROSSOVER,
            rounds=rounds,
        )


@main.command()
@click.option("--photos", type=click.IntRange(min=1000), default=100_000, show_default=True)
def pages(photos: int) -> None:
    """The page in a browser: first paint, letter to results, memory."""
    from benchmarks.page_speed import run

    click.echo("\npages")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder), photos=photos)


@main.command("model-speed")
@click.option("--rounds", type=click.IntRange(min=2), default=9, show_default=True)
@_THREADS
@_OUT
def model_speed(rounds: int, threads: int | None, out: Path) -> None:
    """MobileCLIP's towers against ViT-B/16's, all in ONNX Runtime."""
    from benchmarks.model_speed import run

    click.echo("\nmodel-speed")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder), out, rounds=rounds, threads=threads)


@main.command("warm-search")
@click.option("--photos", type=click.IntRange(min=100), default=100_000, show_default=True)
@click.option("--searches", type=click.IntRange(min=2), default=100, show_default=True)
@_OUT
def warm_search(photos: int, searches: int, out: Path) -> None:
    """Searches in an open library, from the text to the hits."""
    from benchmarks.warm_search import run

    click.echo("\nwarm-search")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder), out, photos=photos, searches=searches)


@main.command("train-overhead")
@click.option("--rounds", type=click.IntRange(min=2), default=5, show_default=True)
@_THREADS
@_OUT
def train_overhead(rounds: int, threads: int | None, out: Path) -> None:
    """A step of reinforced training against one of plain CLIP training."""
    from benchmarks.train_overhead import run

    click.echo("\ntrain-overhead")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder), out, rounds=rounds, threads=threads)


@main.command("learning-efficiency")
@click.option("--captioned", type=_FILE, required=True, help="Photo tar with captions to learn.")
@click.option(
    "--teaching",
    type=_FILE,
    help="Photo tar with captions that the teachers learn from.  [default: --captioned]",
)
@click.option("--validation", type=_FILE, required=True, help="Photo tar to validate on.")
@click.option(
    "--classifier",
    "classifiers",
    type=_FILE,
    multiple=True,
    required=True,
    help="Frozen image classifier, a .tflite file; give two, one for each teacher.",
)
@click.option("--class-names", type=_FILE, required=True, help="Names of their classes, as JSON.")
@click.option("--text-init", type=_FILE, required=True, help="Weights of the locked text tower.")
@click.option(
    "--image-init",
    type=_FILE,
    help="MobileNetV2 as .tflite that the image tower starts from.  [default: last --classifier]",
)
@click.option(
    "--captioner",
    help="Who writes the synthetic captions, as `reinforce` takes it.  [default: the classifiers]",
)
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for teachers, shards and runs; the same one goes on after a stop.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--images",
    type=click.IntRange(min=128),
    default=30_720,
    show_default=True,
    help="Images that plain training sees.",
)
@click.option(
    "--reinforced-images",
    type=click.IntRange(min=128),
    default=15_360,
    show_default=True,
    help="Images that the other rungs see.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes side by side; one a core.")
@_OUT
def learning_efficiency(
    captioned: Path,
    teaching: Path | None,
    validation: Path,
    classifiers: tuple[Path, ...],
    class_names: Path,
    text_init: Path,
    image_init: Path | None,
    captioner: str | None,
    work: Path,
    seeds: int,
    images: int,
    reinforced_images: int,
    jobs: int | None,
    out: Path,
) -> None:
    """Images that reinforced training needs, against plain CLIP training of the same student."""
    from benchmarks.ladder import Budget, Materials, Student
    from benchmarks.learning_efficiency import run

    if len(classifiers) != 2:
        raise click.UsageError("give --classifier twice: there are two teachers")
    first, second = classifiers
    files = ",".join(map(str, classifiers))
    materials = Materials(
        captioned=captioned,
        teaching=teaching or captioned,
        validation=validation,
        classifiers=(first, second),
        class_names=class_names,
        captioner=captioner or f"classifier:{class_names}:{files}",
        student=Student.nano(image_init or second, text_init),
    )
    budget = Budget(plain=images, others=reinforced_images, seeds=seeds)
    click.echo("\nlearning-efficiency")
    run(materials, work.resolve(), out, budget=budget, jobs=jobs)


@main.command()
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A calibrated bundle.  [default: the bundled one]",
)
@click.option("--test", type=_FILE, multiple=True, required=True, help="Captioned photo tar.")
@click.option(
    "--validation",
    type=_FILE,
    multiple=True,
    required=True,
    help="Captioned photo tar on which flat cut-offs are set.",
)
@click.option("--labelled", type=_FILE, multiple=True, required=True, help="Photo tar with labels.")
@_OUT
def relevance(
    bundle: Path | None,
    test: tuple[Path, ...],
    validation: tuple[Path, ...],
    labelled: tuple[Path, ...],
    out: Path,
) -> None:
    """Whether a search can say that nothing fits, against one flat cosine."""
    from benchmarks.relevance import run
    from photosearch.encoders import bundled_path

    click.echo("\nrelevance")
    run(bundle or bundled_path(), out, test=test, validation=validation, photos=labelled)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
