"""`photosearch-trainer heads`: teach an image tower whose classifiers stay as they are."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options


@click.command("heads")
@click.option("--model", default="MobileCLIP-Small", show_default=True, help="Its configuration.")
@click.option(
    "--classifier",
    "classifiers",
    type=options.FILE,
    multiple=True,
    required=True,
    help="Weights of each classifier of the model's image tower, in their order.",
)
@options.class_names
@options.captioned
@click.option(
    "--photos",
    type=options.FILE,
    multiple=True,
    help="Photo tar without captions, to learn from what the heads make of it; repeatable.",
)
@click.option(
    "--calibration",
    type=options.FILE,
    multiple=True,
    required=True,
    help="Photo tar to see the ranges of 8-bit activations on; give `export` the same.",
)
@click.option("--validation", type=options.FILE, help="Photo tar with captions to measure on.")
@options.sentence_encoder
@click.option("--views", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--seeds", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--merge-epochs", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--share", type=click.FloatRange(min=0), default=0.5, show_default=True)
@options.cache
@options.out
@options.alone_in_out
def command(
    model: str,
    classifiers: tuple[Path, ...],
    class_names: Path,
    captioned: tuple[Path, ...],
    photos: tuple[Path, ...],
    calibration: tuple[Path, ...],
    validation: Path | None,
    sentence_encoder: str | None,
    views: int,
    seeds: int,
    epochs: int,
    merge_epochs: int,
    share: float,
    cache: Path,
    out: Path,
) -> None:
    """Join frozen classifiers to the space of a sentence encoder: an image tower in minutes.

    The classifiers are put in 8 bits first, as `export --int8-image` does, and the heads learn on
    what they see so. SEEDS heads learn beside the captions; one head then learns to give their
    mean on all photos. The classes' names become the concepts of the tower. Views that are in the
    cache are not looked at again.
    """
    import numpy as np
    import torch

    from trainer.data.corpus import read_class_names
    from trainer.data.photo_tars import read_photos
    from trainer.evaluate.retrieval import retrieval
    from trainer.models.concept_image import ConceptImageTower, load_classifier
    from trainer.models.config import load_config
    from trainer.models.family import build_image_tower
    from trainer.models.state import read_state, write_state
    from trainer.teachers.head import HeadRecipe
    from trainer.teachers.sentence import SentenceEncoder
    from trainer.train.heads import Watcher, merge_heads, teach_heads

    config = load_config(model)
    tower = build_image_tower(config.image, config.dim)
    if not isinstance(tower, ConceptImageTower):
        raise ValueError(f"{model}: its image tower has no concepts, so it has no heads to teach")
    if len(classifiers) != len(tower.classifiers):
        raise ValueError(f"{model}: takes {len(tower.classifiers)} of --classifier")
    for network, path in zip(tower.classifiers, classifiers, strict=True):
        load_classifier(network, read_state(path), str(path))
    names = read_class_names(class_names)
    if len(names) != tower.classes:
        raise ValueError(f"{class_names}: {len(names)} names, and {tower.classes} classes")
    # Before they are looked at, which takes minutes.
    for tar in captioned:
        if not all(photo.meta.get("captions") for photo in read_photos(tar)):
            raise ValueError(f"{tar}: one of the photos has no captions")
    encoder = SentenceEncoder(sentence_encoder)
    concepts = encoder(names)  # as people type them; "a photo of a" is nearer to captions
    with torch.no_grad():
        tower.concepts.copy_(torch.from_numpy(concepts))
        tower.share.fill_(share)

    watcher = Watcher(tower.eval(), config.image, calibration, cache)
    seen = [watcher.see(captioned, view) for view in range(views)]
    assert config.image.hidden is not None
    heads = teach_heads(
        seen,
        encoder.grouped(seen[0].captions),
        concepts,
        seeds=seeds,
        recipe=HeadRecipe(
            hidden=config.image.hidden, dropout=0.6, epochs=epochs, mean_caption_weight=0.25
        ),
    )
    others = [watcher.see(photos, view) for view in range(views)] if photos else []
    tower.head = merge_heads(
        heads, [*seen, *others], concepts, hidden=config.image.hidden, epochs=merge_epochs
    )
    write_state(tower.state_dict(), out / "image.safetensors")
    if validation is not None:
        held_out = watcher.see((validation,), 0)
        groups = encoder.grouped(held_out.captions)
        owners = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        with torch.inference_mode():
            rows = tower.place(
                torch.from_numpy(held_out.features.astype(np.float32)),
                torch.from_numpy(held_out.probabilities.astype(np.float32)),
            ).numpy()
        found = retrieval(rows, np.concatenate(groups), owners).text_to_photo
        click.echo(f"{validation.name}, gallery of {found.gallery}: {found.recalls()}")
