"""`photosearch-trainer distil text|projection`: first weights for MobileCLIP-Nano's towers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import click

from trainer.commands import options
from trainer.commands.retired import Remembering

_SHARED = (
    click.option("--steps", type=click.IntRange(min=1), required=True),
    click.option("--batch-size", type=click.IntRange(min=2), required=True),
    click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), required=True),
    click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16"]),
        default="auto",
        show_default=True,
        help="What it computes in; auto measures both at the start and takes the faster one.",
    ),
    click.option("--threads", type=click.IntRange(min=1), help="Cores to use.  [default: all]"),
    options.out,
)


def _shared(function: Any) -> Any:
    for option in reversed(_SHARED):
        function = option(function)
    return function


_RETIRED = {
    "image": "`train nano-image` does it, on shards of `reinforce`; a model.safetensors that it "
    "wrote is taken as model.image_init"
}


@click.group("distil", cls=Remembering, retired=_RETIRED)
def command() -> None:
    """Give the towers of MobileCLIP-Nano their first weights.

    A run writes a checkpoint every two minutes; the same command goes on from the last one, with
    the same result as a run that was never stopped. torchrun starts it in several processes.
    """


@command.command("text")
@click.option("--corpus", type=options.FOLDER, required=True, help="Folder made by `corpus`.")
@options.sentence_encoder
@_shared
def text(
    corpus: Path,
    sentence_encoder: str | None,
    steps: int,
    batch_size: int,
    learning_rate: float,
    precision: Literal["auto", "float32", "bfloat16"],
    threads: int | None,
    out: Path,
) -> None:
    """Train the text tower towards the sentence encoder, on every text of a corpus."""
    import numpy as np
    import torch

    from photosearch.encoders.tokenizer import token_texts
    from trainer.data.corpus import Corpus
    from trainer.lock import locked
    from trainer.models.config import load_config
    from trainer.models.family import build_text_tower
    from trainer.models.mct import TextRepMixer
    from trainer.models.token_init import seed_token_table
    from trainer.models.tokens import tokenizer_of
    from trainer.teachers.sentence import SentenceEncoder
    from trainer.teachers.text_cache import cached_embeddings
    from trainer.train.loop import has_checkpoint
    from trainer.train.short import run_task, short_settings
    from trainer.train.text import TextDistillation

    texts = Corpus.load(corpus).lists()
    targets = {
        name: cached_embeddings(lines, corpus / f"{name}.npy") for name, lines in texts.items()
    }
    config = load_config("MobileCLIP-Nano")
    torch.manual_seed(0)
    tower = build_text_tower(config.text, config.dim)
    assert isinstance(tower, TextRepMixer)
    # Other processes of torchrun begin with the first one's weights.
    if not has_checkpoint(out) and os.environ.get("RANK", "0") == "0":
        encoder = SentenceEncoder(sentence_encoder)
        with locked(out):  # the run holds it then
            seeds = cached_embeddings(token_texts(), out / "tokens.npy", encoder)
        seed_token_table(tower.token_embedding, np.asarray(seeds))
    task = TextDistillation(
        tower,
        tokenizer_of(config.text),
        texts["texts"],
        targets["texts"],
        {
            "nouns": (texts["held_out_nouns"], targets["held_out_nouns"]),
            "sentences": (texts["held_out_sentences"], targets["held_out_sentences"]),
        },
        batch_size=batch_size,
    )
    settings = short_settings(
        steps, batch_size, learning_rate, precision, threads, warmup=300, weight_decay=0.01
    )
    run_task(task, settings, out, click.echo)


@command.command("projection")
@click.option(
    "--photos", type=options.FILE, multiple=True, required=True, help="Photo tar to train on."
)
@options.classifiers
@click.option(
    "--warm-start",
    type=options.FILE,
    required=True,
    help="The one of the classifiers that the backbone starts as.",
)
@click.option("--teacher", type=options.FOLDER, required=True, help="Folder made by `teach`.")
@click.option(
    "--views",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Views of each photo: the whole photo, then random crops.",
)
@options.cache
@click.option(
    "--validation", type=options.FILE, required=True, help="Captioned photo tar to measure on."
)
@options.sentence_encoder
@_shared
def projection(
    photos: tuple[Path, ...],
    classifiers: tuple[Path, ...],
    warm_start: Path,
    teacher: Path,
    views: int,
    cache: Path,
    validation: Path,
    sentence_encoder: str | None,
    steps: int,
    batch_size: int,
    learning_rate: float,
    precision: Literal["auto", "float32", "bfloat16"],
    threads: int | None,
    out: Path,
) -> None:
    """Train the projection of a warm-started image tower on cached features, in a minute or two.

    What the classifiers see in each view is computed once, unless `teach` has done so.
    """
    import numpy as np
    import torch

    from trainer.models.config import load_config
    from trainer.models.nano_image import NanoImageTower
    from trainer.teachers.bootstrap import BootstrapTeacher, digest
    from trainer.teachers.classifier import TfliteClassifier
    from trainer.teachers.features import compute_features
    from trainer.teachers.sentence import SentenceEncoder
    from trainer.train.projection import ProjectionDistillation, pairs
    from trainer.train.short import run_task, short_settings

    digests = [digest(path) for path in classifiers]
    if digest(warm_start) not in digests:
        raise ValueError(f"{warm_start}: is none of the classifiers; their features are cached")
    model = BootstrapTeacher.load(teacher)
    model.check_classifiers(classifiers)
    widths = [TfliteClassifier(path).feature_dim for path in classifiers]
    place = digests.index(digest(warm_start))
    columns = slice(sum(widths[:place]), sum(widths[: place + 1]))
    held = compute_features(validation, classifiers, cache)
    if not any(held.captions):
        raise ValueError(f"{validation}: has no captions to measure with")
    captions = SentenceEncoder(sentence_encoder).grouped(held.captions)
    seen = [
        compute_features(tar, classifiers, cache, view=view)
        for tar in photos
        for view in range(views)
    ]
    config = load_config("MobileCLIP-Nano")
    torch.manual_seed(0)
    tower = NanoImageTower(
        config.image.tower, dim=config.dim, hidden=config.image.hidden or config.dim
    )
    task = ProjectionDistillation(
        tower.projection,
        *pairs(seen, model, columns),
        (
            *pairs([held], model, columns),
            np.concatenate(captions),
            np.repeat(np.arange(len(captions)), [len(group) for group in captions]),
        ),
        batch_size=batch_size,
    )
    settings = short_settings(steps, batch_size, learning_rate, precision, threads, warmup=100)
    run_task(task, settings, out, click.echo)
