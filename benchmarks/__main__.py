"""`python -m benchmarks [NAME ...]`: the quick benchmarks, or those named, one after another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from benchmarks import options
from benchmarks.not_there import NotThereError
from benchmarks.options import measuring


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except NotThereError as error:
            raise click.UsageError(str(error)) from None


@click.group(
    cls=_Commands,
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

    with measuring("indexing") as place:
        run(place)


@main.command()
def searching() -> None:
    """One search from a cold start, against starting its libraries alone."""
    from benchmarks.searching import run

    with measuring("searching") as place:
        run(place)


@main.command()
@options.rclip("; without it only decoding alone is measured beside, and no page is written")
@options.work("Folder for the photos, which are kept and taken as they are the next time.")
@options.count("--photos", 300, least=2)
@options.count("--rounds", 3)
@options.OUT
def pipeline(program: Path | None, work: Path | None, photos: int, rounds: int, out: Path) -> None:
    """Photos indexed a second, against rclip and decoding alone on the same photos."""
    from benchmarks.pipeline import run

    with measuring("pipeline", work) as place:
        named = None if program is None else program.absolute()
        run(place, out, named, photos=photos, rounds=rounds)


@main.command()
@options.count("--files", 100_000)
@options.count("--rounds", 7, least=2)
@options.OUT
def rescan(files: int, rounds: int, out: Path) -> None:
    """Looking through files that have not changed."""
    from benchmarks.rescan import run

    with measuring("rescan") as place:
        run(place, out, files=files, rounds=rounds)


@main.command()
@options.rclip("; left out of it without")
@options.work("Folder for the libraries, which are kept and taken as they are the next time.")
@options.count("--rounds", 7, least=2)
@options.OUT
def vectors(program: Path | None, work: Path | None, rounds: int, out: Path) -> None:
    """Search in 100,000 and in a million photos, exact and in clusters, and rclip's."""
    from benchmarks.vectors import CROSSOVER, SIZES, run

    with measuring("vectors", work) as place:
        run(
            place,
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
@options.work(
    "Folder for the vectors, which are kept; a million take 0.8 GB, and their index 1 GB."
)
@options.OUT
def scale(photos: tuple[int, ...], work: Path | None, out: Path) -> None:
    """How building, searching, memory and disk grow with the photos, with and without filters."""
    from benchmarks.scale import SIZES, run

    with measuring("scale", work) as place:
        run(place, out, sizes=sorted(photos) or SIZES)


@main.command()
@options.count("--photos", 100_000, least=1000)
def pages(photos: int) -> None:
    """The page in a browser: first paint, letter to results, memory."""
    from benchmarks.page_speed import run

    with measuring("pages") as place:
        run(place, photos=photos)


@main.command()
@options.count("--photos", 100_000, least=1000)
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

    with measuring("timeline") as place:
        run(place, photos=photos, grid=grid)


@main.command()
@options.count("--photos", 100_000, least=1000)
def suggesting(photos: int) -> None:
    """What is suggested below the box, from a letter on."""
    from benchmarks.suggesting import run

    with measuring("suggesting") as place:
        run(place, photos=photos)


@main.command("model-speed")
@options.count("--rounds", 9, least=2)
@options.THREADS
@options.OUT
def model_speed(rounds: int, threads: int | None, out: Path) -> None:
    """MobileCLIP's towers against ViT-B/16's, all in ONNX Runtime."""
    from benchmarks.model_speed import run

    with measuring("model-speed") as place:
        run(place, out, rounds=rounds, threads=threads)


@main.command("warm-search")
@options.count("--photos", 100_000, least=100)
@options.count("--searches", 100, least=2)
@options.OUT
def warm_search(photos: int, searches: int, out: Path) -> None:
    """Searches in an open library, from the text to the hits."""
    from benchmarks.warm_search import run

    with measuring("warm-search") as place:
        run(place, out, photos=photos, searches=searches)


@main.command()
@options.count("--photos", 1_000_000, least=1000)
@click.option("--seconds", type=click.FloatRange(min=3), default=30.0, show_default=True)
@options.count("--workers", 2)
@options.work("Where the library is made, or was made before.")
@options.OUT
def serving(photos: int, seconds: float, workers: int, work: Path | None, out: Path) -> None:
    """200 people who search over HTTP, and what each search costs the server."""
    from benchmarks.serving import run

    with measuring("serving", work) as place:
        run(place, out, photos, seconds, workers)


@main.command("train-overhead")
@options.count("--rounds", 5, least=2)
@options.THREADS
@options.OUT
def train_overhead(rounds: int, threads: int | None, out: Path) -> None:
    """A step of reinforced training against one of plain CLIP training."""
    from benchmarks.train_overhead import run

    with measuring("train-overhead") as place:
        run(place, out, rounds=rounds, threads=threads)


@main.command("learning-efficiency")
@options.tars("--captioned", "Photos to learn from.")
@click.option(
    "--labelled", type=options.FILE, multiple=True, help="Photos with labels to learn from."
)
@click.option(
    "--validation", type=options.FILE, required=True, help="Captioned photos to measure on."
)
@options.tars("--zero-shot", "Photos with labels to measure on.")
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    required=True,
    help="As `reinforce` takes it; repeat it for an ensemble.",
)
@click.option("--captioner", required=True, help="Who writes the synthetic captions, as there.")
@options.work("Folder for shards and runs; the same one goes on after a stop.", required=True)
@options.count("--seeds", 3)
@click.option(
    "--subset",
    "subsets",
    type=(click.IntRange(min=2), click.IntRange(min=128)),
    multiple=True,
    metavar="PHOTOS IMAGES",
    help="Photos to learn from, and images that a run of them sees; repeat it, ascending.",
)
@options.count("--views", 10)
@click.option(
    "--crop-scale",
    type=(float, float),
    default=(0.08, 1.0),
    show_default=True,
    metavar="MIN MAX",
    help="Share of a photo that a stored view shows.",
)
@options.count("--randaugment-ops", 2, least=0)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes side by side; one a core.")
@options.OUT
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
@options.bundle("A calibrated bundle.")
@options.TEST
@options.tars("--validation", "Captioned photo tar on which flat cut-offs are set.")
@options.LABELLED
@options.OUT
def relevance(
    bundle: Path,
    test: tuple[Path, ...],
    validation: tuple[Path, ...],
    labelled: tuple[Path, ...],
    out: Path,
) -> None:
    """Whether a search can say that nothing fits, against one flat cosine."""
    from benchmarks.relevance import run

    click.echo("\nrelevance")
    run(bundle, out, test=test, validation=validation, photos=labelled)


@main.command()
@options.bundle("A calibrated bundle.")
@click.option(
    "--other",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Another calibrated bundle, whose numbers are carried over.",
)
@options.TEST
@options.LABELLED
@click.option("--photos", type=click.IntRange(min=100), help="At most so many of a labelled tar.")
@options.OUT
def calibrating(
    bundle: Path,
    other: Path,
    test: tuple[Path, ...],
    labelled: tuple[Path, ...],
    photos: int | None,
    out: Path,
) -> None:
    """Cut-offs fitted without labels, against those fitted on labelled photos."""
    from benchmarks.calibrating import run

    click.echo("\ncalibrating")
    run(bundle, other, out, test=test, photos=labelled, limit=photos)


@main.command()
@options.bundle()
@options.LABELLED
@options.CAPTIONED
@options.OUT
def languages(
    bundle: Path, labelled: tuple[Path, ...], captioned: tuple[Path, ...], out: Path
) -> None:
    """What words and captions of other languages find, against English ones."""
    from benchmarks.languages import run

    click.echo("\nlanguages")
    run(bundle, out, labelled=labelled, captioned=captioned)


@main.command()
@options.bundle()
@options.CAPTIONED
@options.tars("--unseen", "Photo tar with the photos that the short searches ask for.")
@options.work("Folder for libraries; the same one takes those that are there.", required=True)
@options.OUT
def finding(
    bundle: Path,
    captioned: tuple[Path, ...],
    unseen: tuple[Path, ...],
    work: Path,
    out: Path,
) -> None:
    """What a search shows of photos that are described, cut-offs and all."""
    from benchmarks.finding import run

    click.echo("\nfinding")
    run(bundle, work.resolve(), out, captioned=captioned, unseen=unseen)


@main.command()
@options.bundle()
@options.LABELLED
@click.option("--names", type=options.FILE, required=True, help="ImageNet's names, as a JSON list.")
@options.OUT
def classes(bundle: Path, labelled: tuple[Path, ...], names: Path, out: Path) -> None:
    """How often a photo's class is the nearest of ImageNet's thousand names."""
    from benchmarks.classes import run

    click.echo("\nclasses")
    run(bundle, out, labelled=labelled, names=names)


@main.command()
@options.bundle()
@options.CAPTIONED
@options.count("--trials", 20)
def tuning(bundle: Path, captioned: tuple[Path, ...], trials: int) -> None:
    """What marks of right and wrong photos bring, simulated by captions."""
    from benchmarks.tuning import run

    click.echo("\ntuning")
    run(bundle, captioned, trials=trials)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
