"""`photosearch-trainer personal`: a small model taught by a large one on one's own photos."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options


@click.command("personal")
@click.argument("library", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--teacher",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="BUNDLE",
    help="Folder of the bundle to learn from.",
)
@click.option(
    "--student",
    type=click.Choice(["nano", "s0"]),
    default="nano",
    show_default=True,
    help="MobileCLIP-Nano or -S0, in the teacher's space.",
)
@click.option(
    "--photos", type=click.IntRange(min=1), help="Learn from so many photos.  [default: all]"
)
@click.option(
    "--texts",
    type=options.FILE,
    multiple=True,
    help="More texts to learn, one a line, plain or gzipped; repeat it for several.",
)
@click.option(
    "--views",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Augmented views of each photo.",
)
@click.option("--text-steps", type=click.IntRange(min=1), default=4000, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), default=2000, show_default=True)
@click.option("--batch-size", type=click.IntRange(min=2), default=64, show_default=True)
@click.option(
    "--languages",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Learn English words that so many other languages have one for; fewer are more words.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes in which the teacher looks at photos.",
)
@click.option("--threads", type=click.IntRange(min=1), help="Cores to train on.  [default: all]")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Another value for a key of the recipe `personal`, as for `train`.",
)
@options.out
def command(
    library: Path,
    teacher: Path,
    student: str,
    photos: int | None,
    texts: tuple[Path, ...],
    views: int,
    text_steps: int,
    steps: int,
    batch_size: int,
    languages: int,
    workers: int,
    threads: int | None,
    overrides: tuple[str, ...],
    out: Path,
) -> None:
    """Teach a small model what a large one knows of the photos in LIBRARY.

    The photos are read where they lie, and need no captions: the teacher chooses them from a bank
    of texts, with the keywords, people, places and saved searches of the library. A tenth of the
    photos and texts is held out, and measured on. The folder --out gets small copies of the photos
    while it learns, and the bundle.

    A run that was stopped, or killed, goes on when the same command is given again.
    """
    from trainer.personal.run import Wanted, make_personal

    wanted = Wanted(
        library=library,
        teacher=teacher,
        out=out,
        student=student,
        photos=photos,
        texts=texts,
        views=views,
        workers=workers,
        threads=threads,
        text_steps=text_steps,
        steps=steps,
        batch=batch_size,
        languages=languages,
        overrides=overrides,
    )
    made = make_personal(wanted, click.echo)
    before, after = made.before, made.after
    click.echo(
        f"cosine with the teacher: images {before['image_cosine']:.3f} -> {after.image:.3f}, "
        f"texts {after.text:.3f}"
    )
    click.echo(
        f"of the teacher's first ten photos among the student's: "
        f"{before['found_of_teachers_ten']:.1%} -> {after.found:.1%} (chance {after.chance:.1%}); "
        f"its first photo: {before['teachers_first_in_ten']:.1%} -> {after.best:.1%}"
    )
    if made.uncalibrated:
        click.echo(f"Not calibrated: {made.uncalibrated}.", err=True)
    click.echo(
        f"Learned from {made.photos} photos. To search with it:\n"
        f"  photosearch --library {library} models use {made.bundle}"
    )
