"""`python -m benchmarks [NAME ...]`: the quick benchmarks, or those named, one after another."""

from __future__ import annotations

import tempfile
from dataclasses import replace
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
@click.option(
    "--photos",
    type=click.IntRange(min=1000),
    multiple=True,
    help="How many, several times; 10,000, 100,000 and a million without.",
)
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the vectors, which are kept; a million take 0.8 GB, and their index 1 GB.",
)
@_OUT
def scale(photos: tuple[int, ...], work: Path | None, out: Path) -> None:
    """How building, searching, memory and disk grow with the photos, with and without filters."""
    from benchmarks.scale import SIZES, run

    click.echo("\nscale")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run((work or Path(folder)).absolute(), out, sizes=sorted(photos) or SIZES)


@main.command()
@click.option("--photos", type=click.IntRange(min=1000), default=100_000, show_default=True)
def pages(photos: int) -> None:
    """The page in a browser: first paint, letter to results, memory."""
    from benchmarks.page_speed import run

    click.echo("\npages")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder), photos=photos)


@main.command()
@click.option("--photos", type=click.IntRange(min=1000), default=100_000, show_default=True)
@click.option(
    "--grid",
    type=click.IntRange(min=100),
    default=3000,
    show_default=True,
    help="Photos that the grid of search results has shown when it is measured.",
)
def timeline(photos: int, grid: int) -> None:
    """The timeline in a browser: frames while it is scrolled, beside the grid of search results."""
    from benchmarks.timeline import run

    click.echo("\ntimeline")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(Path(folder), photos=photos, grid=grid)


@main.command()
@click.option("--photos", type=click.IntRange(min=1000), default=100_000, show_default=True)
def suggesting(photos: int) -> None:
    """What is suggested below the box, from a letter on."""
    from benchmarks.suggesting import run

    click.echo("\nsuggesting")
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


@main.command()
@click.option("--photos", type=click.IntRange(min=1000), default=1_000_000, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=3), default=30.0, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the library is made, or was made before.",
)
@_OUT
def serving(photos: int, seconds: float, workers: int, work: Path | None, out: Path) -> None:
    """200 people who search over HTTP, and what each search costs the server."""
    from benchmarks.serving import run

    click.echo("\nserving")
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        run(work or Path(folder), out, photos, seconds, workers)


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
@click.option("--captioned", type=_FILE, multiple=True, required=True, help="Photos to learn from.")
@click.option("--labelled", type=_FILE, multiple=True, help="Photos with labels to learn from.")
@click.option("--validation", type=_FILE, required=True, help="Captioned photos to measure on.")
@click.option(
    "--zero-shot",
    type=_FILE,
    multiple=True,
    required=True,
    help="Photos with labels to measure on.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    required=True,
    help="As `reinforce` takes it; repeat it for an ensemble.",
)
@click.option("--captioner", required=True, help="Who writes the synthetic captions, as there.")
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for shards and runs; the same one goes on after a stop.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--subset",
    "subsets",
    type=(click.IntRange(min=2), click.IntRange(min=128)),
    multiple=True,
    metavar="PHOTOS IMAGES",
    help="Photos to learn from, and images that a run of them sees; repeat it, ascending.",
)
@click.option("--views", type=click.IntRange(min=1), default=10, show_default=True)
@click.option(
    "--crop-scale",
    type=(float, float),
    default=(0.08, 1.0),
    show_default=True,
    metavar="MIN MAX",
    help="Share of a photo that a stored view shows.",
)
@click.option("--randaugment-ops", type=click.IntRange(min=0), default=2, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes side by side; one a core.")
@_OUT
def learning_efficiency(
    captioned: tuple[Path, ...],
    labelled: tuple[Path, ...],
    validation: Path,
    zero_shot: tuple[Path, ...],
    teachers: tuple[str, ...],
    captioner: str,
    work: Path,
    seeds: int,
    subsets: tuple[tuple[int, int], ...],
    views: int,
    crop_scale: tuple[float, float],
    randaugment_ops: int,
    jobs: int | None,
    out: Path,
) -> None:
    """Images that reinforced training needs, against plain CLIP training of the same student."""
    from benchmarks.arms import Budget, Materials
    from benchmarks.learning_efficiency import run

    materials = Materials(
        captioned=captioned,
        labelled=labelled,
        validation=validation,
        zero_shot=zero_shot,
        teachers=teachers,
        captioner=captioner,
    )
    budget = Budget(
        seeds=seeds, views=views, crop_scale=crop_scale, randaugment_ops=randaugment_ops
    )
    if subsets:
        sizes, images = zip(*subsets, strict=True)
        if list(sizes) != sorted(set(sizes)):
            raise click.UsageError("give --subset with more photos each time")
        budget = replace(budget, sizes=sizes, images=images)
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


@main.command()
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A calibrated bundle.  [default: the bundled one]",
)
@click.option(
    "--other",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Another calibrated bundle, whose numbers are carried over.",
)
@click.option("--test", type=_FILE, multiple=True, required=True, help="Captioned photo tar.")
@click.option("--labelled", type=_FILE, multiple=True, required=True, help="Photo tar with labels.")
@click.option("--photos", type=click.IntRange(min=100), help="At most so many of a labelled tar.")
@_OUT
def calibrating(
    bundle: Path | None,
    other: Path,
    test: tuple[Path, ...],
    labelled: tuple[Path, ...],
    photos: int | None,
    out: Path,
) -> None:
    """Cut-offs fitted without labels, against those fitted on labelled photos."""
    from benchmarks.calibrating import run
    from photosearch.encoders import bundled_path

    click.echo("\ncalibrating")
    run(bundle or bundled_path(), other, out, test=test, photos=labelled, limit=photos)


@main.command()
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A bundle.  [default: the bundled one]",
)
@click.option("--labelled", type=_FILE, multiple=True, required=True, help="Photo tar with labels.")
@click.option("--captioned", type=_FILE, multiple=True, required=True, help="Captioned photo tar.")
@_OUT
def languages(
    bundle: Path | None, labelled: tuple[Path, ...], captioned: tuple[Path, ...], out: Path
) -> None:
    """What words and captions of other languages find, against English ones."""
    from benchmarks.languages import run
    from photosearch.encoders import bundled_path

    click.echo("\nlanguages")
    run(bundle or bundled_path(), out, labelled=labelled, captioned=captioned)


@main.command()
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A bundle.  [default: the bundled one]",
)
@click.option("--captioned", type=_FILE, multiple=True, required=True, help="Captioned photo tar.")
@click.option(
    "--unseen",
    type=_FILE,
    multiple=True,
    required=True,
    help="Photo tar with the photos that the short searches ask for.",
)
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for libraries; the same one takes those that are there.",
)
@_OUT
def finding(
    bundle: Path | None,
    captioned: tuple[Path, ...],
    unseen: tuple[Path, ...],
    work: Path,
    out: Path,
) -> None:
    """What a search shows of photos that are described, cut-offs and all."""
    from benchmarks.finding import run
    from photosearch.encoders import bundled_path

    click.echo("\nfinding")
    run(bundle or bundled_path(), work.resolve(), out, captioned=captioned, unseen=unseen)


@main.command()
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A bundle.  [default: the bundled one]",
)
@click.option("--labelled", type=_FILE, multiple=True, required=True, help="Photo tar with labels.")
@click.option("--names", type=_FILE, required=True, help="ImageNet's names, as a JSON list.")
@_OUT
def classes(bundle: Path | None, labelled: tuple[Path, ...], names: Path, out: Path) -> None:
    """How often a photo's class is the nearest of ImageNet's thousand names."""
    from benchmarks.classes import run
    from photosearch.encoders import bundled_path

    click.echo("\nclasses")
    run(bundle or bundled_path(), out, labelled=labelled, names=names)


@main.command()
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A bundle.  [default: the bundled one]",
)
@click.option("--captioned", type=_FILE, multiple=True, required=True, help="Captioned photo tar.")
@click.option("--trials", type=click.IntRange(min=1), default=20, show_default=True)
def tuning(bundle: Path | None, captioned: tuple[Path, ...], trials: int) -> None:
    """What marks of right and wrong photos bring, simulated by captions."""
    from benchmarks.tuning import run
    from photosearch.encoders import bundled_path

    click.echo("\ntuning")
    run(bundle or bundled_path(), captioned, trials=trials)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
