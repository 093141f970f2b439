"""`photosearch-trainer teach`: train the bootstrap teacher."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options


@click.command("teach")
@options.captioned
@click.option(
    "--validation", type=options.FILE, help="Photo tar with captions to measure the teacher on."
)
@click.option(
    "--labelled",
    type=options.FILE,
    multiple=True,
    help="Photo tar of which some photos have a label that says what they show; repeatable.",
)
@options.classifiers
@options.class_names
@options.sentence_encoder
@click.option("--views", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--seeds", type=click.IntRange(min=1), default=2, show_default=True)
@options.cache
@options.out
@options.alone_in_out
def command(
    captioned: tuple[Path, ...],
    validation: Path | None,
    labelled: tuple[Path, ...],
    classifiers: tuple[Path, ...],
    class_names: Path,
    sentence_encoder: str | None,
    views: int,
    seeds: int,
    cache: Path,
    out: Path,
) -> None:
    """Join frozen classifiers to the space of a frozen sentence encoder.

    A small head learns, on captioned photos, to place the classifiers' features beside the
    captions; the teacher is the mean of several heads and of ConSE. Each photo is seen in
    2 * VIEWS forms, half of them crops and half of them degraded to a low resolution. Labels widen
    what it knows beyond the captions; those that name no thing ("train", "images") are passed over.
    """
    import numpy as np

    from trainer.data.corpus import read_class_names
    from trainer.evaluate.retrieval import retrieval
    from trainer.teachers.bootstrap import BootstrapTeacher
    from trainer.teachers.classifier import TfliteClassifier
    from trainer.teachers.conse import PROMPT, conse
    from trainer.teachers.features import ViewFeatures, compute_features, join
    from trainer.teachers.labelled import LabelledPhotos
    from trainer.teachers.sentence import SentenceEncoder

    def features(tars: tuple[Path, ...], view: int, degrade: bool = False) -> ViewFeatures:
        return join(
            [compute_features(tar, classifiers, cache, view=view, degrade=degrade) for tar in tars]
        )

    names = read_class_names(class_names)
    for path in classifiers:
        if (classes := TfliteClassifier(path).classes) != len(names):
            raise ValueError(f"{class_names}: {len(names)} names, but {path} has {classes} classes")
    numbers = range(2 * views)
    seen = [features(captioned, n, degrade=bool(n % 2)) for n in numbers]
    for key, texts in zip(seen[0].keys, seen[0].captions, strict=True):
        if not texts:
            raise ValueError(f"--captioned: photo {key} has no captions")
    encoder = SentenceEncoder(sentence_encoder)
    captions = encoder.grouped(seen[0].captions)
    class_embeddings = encoder([PROMPT.format(name) for name in names])
    known = None
    if labelled:
        seen_labelled = features(labelled, 0)
        prior = conse(seen_labelled.probabilities, class_embeddings)
        known = LabelledPhotos.select(labelled, seen_labelled.features, prior, encoder)
    teacher = BootstrapTeacher.train(
        [view.features for view in seen],
        [view.probabilities for view in seen],
        captions,
        class_embeddings,
        classifiers=classifiers,
        sentence_encoder=encoder.name,
        seeds=seeds,
        labelled=known,
    )
    teacher.save(out)
    if validation is not None:
        held_out = features((validation,), 0)
        images = teacher.embed(held_out.features, held_out.probabilities)
        groups = encoder.grouped(held_out.captions)
        owners = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        found = retrieval(images, np.concatenate(groups), owners).text_to_photo
        click.echo(f"{validation.name}, gallery of {found.gallery}: {found.recalls()}")
