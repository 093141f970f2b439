"""`photosearch-trainer embed`: the teacher's embeddings of views of photos, stored once."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options


@click.command("embed")
@click.argument("tars", nargs=-1, required=True, type=options.FILE, metavar="TAR...")
@click.option("--teacher", type=options.FOLDER, required=True, help="Folder made by `teach`.")
@options.classifiers
@click.option("--views", type=click.IntRange(min=1), default=1, show_default=True)
@options.cache
@options.out
def command(
    tars: tuple[Path, ...],
    teacher: Path,
    classifiers: tuple[Path, ...],
    views: int,
    cache: Path,
    out: Path,
) -> None:
    """Embed VIEWS views of each photo in the tars: the whole photo first, then random crops.

    Features that are in the cache are not computed again, so an interrupted run goes on.
    """
    from trainer.teachers.bootstrap import BootstrapTeacher
    from trainer.teachers.embeddings import write_embeddings
    from trainer.teachers.features import cache_path, compute_features

    model = BootstrapTeacher.load(teacher)
    model.check_classifiers(classifiers)
    for tar in tars:
        for view in range(views):
            compute_features(tar, classifiers, cache, view=view)
            click.echo(write_embeddings(model, cache_path(cache, tar, view), out))
