"""From pictures with captions and a model to a bundle that has learned from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from photosearch.encoders import Encoder, open_encoder
from trainer.evaluate.captioned import encode_captioned
from trainer.evaluate.retrieval import Retrieval, retrieval
from trainer.export.card import CardFields, DataSource, TeacherModel, render_card
from trainer.finetune.photos import Photos, prepare
from trainer.finetune.start import Start
from trainer.lock import locked
from trainer.models.state import read_state
from trainer.train.loop import Run
from trainer.train.processes import joined
from trainer.train.recipe import Recipe, load_recipe
from trainer.train.reinforced import ReinforcedTraining
from trainer.train.sources import open_source
from trainer.train.student import freeze
from trainer.train.validation import Retrieval as HeldOut


@dataclass(frozen=True)
class Wanted:
    """What to learn from, how, and where to. epochs: how often each photo is seen."""

    inputs: Sequence[Path]
    captions: Path | None
    out: Path
    name: str
    epochs: int
    overrides: Sequence[str]


@dataclass(frozen=True)
class Tuned:
    """The bundle, and R@10 of photos for the held-out captions before and after."""

    bundle: Path
    before: float
    after: float

    @property
    def worse(self) -> bool:
        return self.after < self.before


def finetune(wanted: Wanted, start: Start, echo: Callable[[str], None]) -> Tuned:
    """Train `start` on captioned pictures, and write the bundle `wanted.out`/bundle.

    What the networks found among the held-out pictures before and after is said, and stands in the
    card and in finetune.json. The same call goes on where a run was ended.

    Raises `ValueError`, `PhotoTarError`, `BundleError`, `ExportError` and `StoppedError`.
    """
    with locked(wanted.out):
        return _finetune(wanted, start, echo)


def _finetune(wanted: Wanted, start: Start, echo: Callable[[str], None]) -> Tuned:
    size = start.config.image.size
    photos = prepare(wanted.inputs, wanted.captions, wanted.out / "photos", size + size // 8)
    echo(photos.summary)
    recipe = _recipe(wanted, start, photos)
    with start.encoder() as encoder:
        before = _found(encoder, photos.held)
    with joined(recipe.run.device) as processes:
        if processes.count > 1:
            raise ValueError("finetune runs in one process; for several make a recipe for `train`")
        source, _ = open_source(recipe)
        freeze(start.model, recipe)
        validation = HeldOut([photos.held], start.config, size)
        task = ReinforcedTraining(start.model, recipe, source, [validation])
        about = recipe.about() | {"shards": {"sha256": source.digest}, "start": start.name}
        run = Run(task, recipe.settings, wanted.out / "train", processes, about)
        if run.resume():
            echo(f"going on from step {run.step}")
        run.train()
    start.model.cpu().load_state_dict(read_state(run.model_file))
    bundle = wanted.out / "bundle"
    fields = {"name": wanted.name, "version": "1", "licence": start.licence, "metrics": []}
    # With the figures of the finished networks it is written a second time, below.
    card = _card(wanted, start, photos, recipe, before, before)
    start.write(bundle, fields | {"provenance": card.provenance()}, render_card(card))
    after = _found(open_encoder(bundle), photos.held)
    return _told(wanted, start, photos, recipe, (before, after), echo)


def _told(
    wanted: Wanted,
    start: Start,
    photos: Photos,
    recipe: Recipe,
    measured: tuple[Retrieval, Retrieval],
    echo: Callable[[str], None],
) -> Tuned:
    """Say what came of it, in the card, in a file and to people."""
    from trainer.export.bundle import annotate_bundle

    before, after = measured
    bundle = wanted.out / "bundle"
    card = _card(wanted, start, photos, recipe, before, after)
    annotate_bundle(bundle, card=render_card(card), provenance=card.provenance())
    figures = {
        f"{name} {one}": {"before": _value(before, name, one), "after": _value(after, name, one)}
        for name in ("text_to_photo", "photo_to_text")
        for one in ("R@1", "R@10")
    }
    about = {
        "start": start.name,
        "photos": photos.learned_from,
        "held_out": photos.held_out,
        "figures": figures,
    }
    (wanted.out / "finetune.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    chance = min(1.0, 10 / photos.held_out)
    for name, pair in figures.items():
        told = name.replace("_", " ")
        echo(f"{told}: {pair['before']:.1%} before, {pair['after']:.1%} after")
    echo(f"among {photos.held_out:,} held-out photos, of which chance finds {chance:.1%} by R@10")
    wanted_figure = figures["text_to_photo R@10"]
    return Tuned(bundle, wanted_figure["before"], wanted_figure["after"])


def _recipe(wanted: Wanted, start: Start, photos: Photos) -> Recipe:
    batch = next((one for one in (64, 32, 16, 8) if one * 4 <= photos.learned_from), 4)
    own = [
        f"model.name={start.config.name}",
        f"model.freeze={json.dumps(list(start.frozen))}",
        f"data.train={json.dumps([str(shard) for shard in photos.shards])}",
        f"run.batch={batch}",
    ]
    # Another batch may be asked for.
    asked = load_recipe("finetune", [*own, *wanted.overrides])
    if asked.loss.contrastive != "softmax":
        raise ValueError(
            "loss.contrastive: finetune goes on with the softmax that its start was made with; for "
            f"{asked.loss.contrastive} make a recipe for `train`"
        )
    batch = asked.run.batch
    steps = max(1, wanted.epochs * photos.learned_from // batch)
    own += [f"run.steps={steps}", f"run.evaluate_steps={max(1, steps // 5)}"]
    own += [f"schedule.warmup={steps // 10}"]
    return load_recipe("finetune", [*own, *wanted.overrides])


def _found(encoder: Encoder, held: Path) -> Retrieval:
    data = encode_captioned(encoder, [held])
    return retrieval(data.images, data.texts, data.owners, ks=(1, 10), resamples=1)


def _value(found: Retrieval, direction: str, figure: str) -> float:
    one = found.text_to_photo if direction == "text_to_photo" else found.photo_to_text
    return float(one.figure(figure).value)


def _card(
    wanted: Wanted,
    start: Start,
    photos: Photos,
    recipe: Recipe,
    before: Retrieval,
    after: Retrieval,
) -> CardFields:
    seen = recipe.run.steps * recipe.run.batch
    first, last = (_value(one, "text_to_photo", "R@10") for one in (before, after))
    return CardFields(
        name=wanted.name,
        version="1",
        summary=f"{start.name}, fine-tuned on one collection of pictures with captions.",
        details={
            "Embedding": f"{start.config.dim} numbers, unit norm",
            "Image input": f"{start.config.image.size} x {start.config.image.size} RGB",
        },
        intended_use=["Finding photos like those that it was fine-tuned on."],
        not_for=["Decisions about people."],
        training=[
            f"From {start.name}, with the contrastive loss of CLIP on {photos.learned_from:,} "
            f"photos and their captions; {seen:,} photos seen.",
            f"Of {photos.held_out:,} photos held out, the captions found theirs among the first "
            f"ten in {first:.1%} before and {last:.1%} after.",
        ],
        data=[DataSource("Own pictures", f"{photos.learned_from:,} photos", "training", "own")],
        teachers=[TeacherModel(start.name, "first weights", start.licence)],
        weaknesses=["It may know less than before of what these pictures do not show."],
        licence=start.licence,
    )
