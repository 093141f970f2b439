"""`photosearch-trainer distil image|text`: train Nano's towers towards their teachers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import click

from trainer.commands import options

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


@click.group("distil")
def command() -> None:
    """Train a tower of MobileCLIP-Nano towards its teacher.

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
@options.cache
@click.option(
    "--embeddings", type=options.FOLDER, required=True, help="Folder made by `embed` for them."
)
@click.option(
    "--validation", type=options.FILE, required=True, help="Captioned photo tar to measure on."
)
@options.sentence_encoder
@_shared
def projection(
    photos: tuple[Path, ...],
    classifiers: tuple[Path, ...],
    warm_start: Path,
    cache: Path,
    embeddings: Path,
    validation: Path,
    sentence_encoder: str | None,
    steps: int,
    batch_size: int,
    learning_rate: float,
    precision: Literal["auto", "float32", "bfloat16"],
    threads: int | None,
    out: Path,
) -> None:
    """Train the projection of a warm-started image tower on cached features, in a minute or two."""
    import numpy as np
    import torch

    from trainer.models.config import load_config
    from trainer.models.nano_image import NanoImageTower
    from trainer.teachers.bootstrap import digest
    from trainer.teachers.classifier import TfliteClassifier
    from trainer.teachers.features import ViewFeatures
    from trainer.teachers.sentence import SentenceEncoder
    from trainer.train.projection import ProjectionDistillation, load_pairs
    from trainer.train.short import run_task, short_settings

    digests = [digest(path) for path in classifiers]
    if digest(warm_start) not in digests:
        raise ValueError(f"{warm_start}: is none of the classifiers; their features are cached")
    widths = [TfliteClassifier(path).feature_dim for path in classifiers]
    place = digests.index(digest(warm_start))
    columns = slice(sum(widths[:place]), sum(widths[: place + 1]))
    embedded = [file for tar in photos for file in sorted(embeddings.glob(f"{tar.stem}.*.npz"))]
    if not embedded:
        raise ValueError(f"{embeddings}: no embeddings of these photos; run `embed` on them")
    held_name = f"{validation.stem}.view0.npz"
    held = ViewFeatures.load(cache / held_name)
    captions = SentenceEncoder(sentence_encoder).grouped(held.captions)
    _, goals = load_pairs([(cache / held_name, embeddings / held_name)], columns)
    config = load_config("MobileCLIP-Nano")
    torch.manual_seed(0)
    tower = NanoImageTower(
        config.image.tower, dim=config.dim, hidden=config.image.hidden or config.dim
    )
    task = ProjectionDistillation(
        tower.projection,
        *load_pairs([(cache / file.name, file) for file in embedded], columns),
        (
            held.features[:, columns],
            goals,
            np.concatenate(captions),
            np.repeat(np.arange(len(captions)), [len(group) for group in captions]),
        ),
        batch_size=batch_size,
    )
    settings = short_settings(steps, batch_size, learning_rate, precision, threads, warmup=100)
    run_task(task, settings, out, click.echo)


@command.command("image")
@click.option(
    "--photos", type=options.FILE, multiple=True, required=True, help="Photo tar to train on."
)
@click.option(
    "--embeddings", type=options.FOLDER, required=True, help="Folder made by `embed` for them."
)
@click.option(
    "--validation", type=options.FILE, required=True, help="Captioned photo tar to measure on."
)
@click.option("--corpus", type=options.FOLDER, required=True, help="Folder made by `corpus`.")
@options.sentence_encoder
@click.option(
    "--backbone",
    type=click.Choice(["mobilenetv2_100", "mobilenetv4_conv_small", "fastvit_slim"]),
    default="mobilenetv2_100",
    show_default=True,
)
@click.option(
    "--warm-start",
    type=options.FILE,
    help="Classifier (.tflite) of the backbone's architecture to start from.",
)
@click.option(
    "--projection",
    type=options.FILE,
    help="model.safetensors of a run of `distil projection` to start from.",
)
@click.option("--image-size", type=click.IntRange(min=32), default=192, show_default=True)
@click.option("--backbone-rate", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--workers", type=click.IntRange(min=0), default=1, show_default=True)
@_shared
def image(
    photos: tuple[Path, ...],
    embeddings: Path,
    validation: Path,
    corpus: Path,
    sentence_encoder: str | None,
    backbone: str,
    warm_start: Path | None,
    projection: Path | None,
    image_size: int,
    backbone_rate: float,
    workers: int,
    steps: int,
    batch_size: int,
    learning_rate: float,
    precision: Literal["auto", "float32", "bfloat16"],
    threads: int | None,
    out: Path,
) -> None:
    """Train the image tower towards the teacher's embeddings of stored views.

    With --warm-start the backbone begins as that classifier, and with --projection on top of it
    what `distil projection` taught; both are only read when the run begins.
    """
    import torch

    from trainer.data.corpus import Corpus
    from trainer.models.config import load_config
    from trainer.models.nano_image import NanoImageTower, load_projection
    from trainer.models.warm_start import calibrate_norms
    from trainer.models.warm_start import warm_start as start_warm
    from trainer.teachers.sentence import SentenceEncoder
    from trainer.teachers.text_cache import cached_embeddings
    from trainer.train.image import HeldOut, ImageDistillation, ReinforcedPhotos, to_tensor
    from trainer.train.short import run_task, short_settings
    from trainer.train.task import Share

    config = load_config("MobileCLIP-Nano")
    stored = {tar: sorted(embeddings.glob(f"{tar.stem}.*.npz")) for tar in photos}
    for tar, files in stored.items():
        if not files:
            raise ValueError(f"{embeddings}: no embeddings of {tar.name}; run `embed` on it")
    torch.manual_seed(0)
    tower = NanoImageTower(backbone, dim=config.dim, hidden=config.image.hidden or config.dim)
    if warm_start is not None:
        start_warm(tower.backbone, warm_start)
        tower.freeze_norms = True
    if projection is not None:
        load_projection(tower, projection)
    bank = cached_embeddings(Corpus.load(corpus).texts, corpus / "texts.npy")
    task = ImageDistillation(
        tower,
        ReinforcedPhotos.load(stored),
        bank,
        HeldOut.load(
            validation,
            embeddings / f"{validation.stem}.view0.npz",
            SentenceEncoder(sentence_encoder),
            config.image.size,
        ),
        image_size=image_size,
        batch_size=batch_size,
    )
    if warm_start is not None:
        batches = (task.batch(step, Share()).inputs for step in range(8))
        calibrate_norms(tower.backbone, map(to_tensor, batches))
    settings = short_settings(
        steps,
        batch_size,
        learning_rate,
        precision,
        threads,
        warmup=200,
        workers=workers,
        channels_last=True,
        rates={"backbone.": backbone_rate},
    )
    run_task(task, settings, out, click.echo)
