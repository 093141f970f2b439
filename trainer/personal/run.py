"""A student taught on a library's photos: each step leaves files, and is passed over when they are
there, so that a run that was killed goes on.

    photos.json  bank.json      what is learned from; fixed when the run begins
    text/                       the text tower's run
    shards/                     small copies of the photos, and what the teacher says of them
    held-out.npz                the teacher's vectors of photos and texts that are held out
    train/                      the image tower's run, with the curve in validation.csv
    bundle/                     the model
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from photosearch.encoders import Bundle, open_encoder
from trainer.data.corpus import read_lines
from trainer.data.photo_tars import decode
from trainer.data.reinforced import read_reinforced
from trainer.export.bundle import annotate_bundle
from trainer.lock import locked
from trainer.models.config import ModelConfig
from trainer.models.family import build_text_tower
from trainer.models.tokens import tokenizer_of
from trainer.personal.agreement import Agreement, TeacherAgreement, Vectors, agreement
from trainer.personal.bank import Bank, make_bank
from trainer.personal.judged import calibrate_by
from trainer.personal.library import LibraryPhoto, read_library
from trainer.personal.shrunk import shards_of, shrunk_photos
from trainer.personal.student import export_student, write_student
from trainer.reinforce.augment import AugmentSettings
from trainer.reinforce.networks import open_networks
from trainer.reinforce.run import ShardJob, reinforce
from trainer.reinforce.shard import Reinforcement
from trainer.teachers.bundle import BundleTeacher
from trainer.teachers.text_cache import cached_embeddings
from trainer.train.log import Table
from trainer.train.loop import Run, has_checkpoint
from trainer.train.processes import joined
from trainer.train.recipe import Recipe, load_recipe
from trainer.train.reinforced import ReinforcedTraining
from trainer.train.settings import differences
from trainer.train.short import run_task, short_settings
from trainer.train.sources import open_source
from trainer.train.student import build_student, load_first_weights, student_config
from trainer.train.text import TextDistillation

# Of the photos a tenth is held out, and no more than so many; and so many of the texts.
_HELD_OUT, _MOST_HELD_OUT, _HELD_TEXTS = 10, 500, 500
_FEWEST = 120
_SHARD = 500
_AT_ONCE = 64
# Photos and texts that the calibration is fitted on.
_CALIBRATED, _ASKED = 2000, 1000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to make: see `photosearch-trainer personal --help`."""

    library: Path
    teacher: Path
    out: Path
    student: str = "nano"
    photos: int | None = None
    texts: tuple[Path, ...] = ()
    views: int = 3
    workers: int = 1
    threads: int | None = None
    text_steps: int = 4000
    steps: int = 2000
    batch: int = 64
    languages: int = 4
    overrides: tuple[str, ...] = ()

    def decisive(self) -> dict[str, Any]:
        """What a run that goes on must have been begun with."""
        names = ("student", "photos", "views", "text_steps", "steps", "batch", "overrides")
        about = {name: getattr(self, name) for name in names}
        about["overrides"] = list(self.overrides)
        about |= {"library": str(self.library.resolve()), "languages": self.languages}
        return {key: value for key, value in about.items() if value is not None}


@dataclass(frozen=True)
class Made:
    """The bundle, how far it agrees with its teacher before and after it learned, and why it has no
    calibration, if it has none."""

    bundle: Path
    photos: int
    before: dict[str, float]
    after: Agreement
    uncalibrated: str | None


def make_personal(wanted: Wanted, echo: Callable[[str], None]) -> Made:
    """All steps. Raises `ValueError` and `PhotosearchError` that say what to do."""
    with locked(wanted.out):
        return _make(wanted, echo)


def _make(wanted: Wanted, echo: Callable[[str], None]) -> Made:
    teacher = BundleTeacher(wanted.teacher)
    photos, bank = _begin(wanted, teacher.digest)
    held = photos[: min(len(photos) // _HELD_OUT, _MOST_HELD_OUT)]
    learned = photos[len(held) :]
    config = write_student(wanted.out, wanted.student, teacher.dim)

    echo(f"1/5 The text tower learns {len(bank.texts):,} texts")
    targets = _teach_texts(wanted, config, teacher, bank, echo)
    echo(f"2/5 The teacher looks at {len(learned):,} photos")
    _reinforce(wanted, learned, bank)
    asked = bank.held_out[:_HELD_TEXTS]
    theirs = _held_out(wanted.out / "held-out.npz", teacher, held, asked)
    echo("3/5 The image tower learns what it said")
    recipe = _recipe(wanted, targets)
    weights = _train(wanted, recipe, held, asked, theirs, echo)
    rows = Table(wanted.out / "train" / "validation.csv").rows()
    before, after = rows[0], rows[-1]
    echo("4/5 The model is exported and checked")
    bundle = wanted.out / "bundle"
    export_student(
        student_config(recipe),  # at the size of pictures that it has learned with
        weights,
        bundle,
        Bundle.open(wanted.teacher),
        photos=len(learned),
        texts=len(bank.texts),
        before={name: value for name, value in before.items() if name != "step"},
        after={name: value for name, value in after.items() if name != "step"},
    )
    echo("5/5 It is calibrated and compared with its teacher")
    why = _calibrate(bundle, wanted.teacher, wanted.out / "shards", bank)
    student = open_encoder(bundle)
    pictures = [decode(sample) for sample in shrunk_photos(held)]
    ours = _encoded(student.encode_images, pictures), _encoded(student.encode_texts, list(asked))
    return Made(bundle, len(learned), before, agreement(ours, theirs), why)


def _begin(wanted: Wanted, teacher: str) -> tuple[tuple[LibraryPhoto, ...], Bank]:
    """What is learned from, as it was when the run began: the library may have grown since."""
    file = wanted.out / "run.json"
    now = {"teacher": teacher, **wanted.decisive()}
    if file.is_file():
        begun = json.loads(file.read_text("utf-8"))
        changed = differences(begun["wanted"], json.loads(json.dumps(now)))
        if changed:
            raise ValueError(
                f"{wanted.out}: was begun otherwise ({', '.join(changed[:3])}); give the same "
                "options, or another --out folder"
            )
        fixed = (tuple(begun["bank"][name]) for name in ("names", "texts", "held_out"))
        return tuple(LibraryPhoto(*one) for one in begun["photos"]), Bank(*fixed)
    contents = read_library(wanted.library, wanted.photos)
    if len(contents.photos) < _FEWEST:
        raise ValueError(
            f"{wanted.library}: {len(contents.photos)} photos are too few to learn from; it takes "
            f"{_FEWEST}, and thousands to learn well"
        )
    more = [line for path in wanted.texts for line in read_lines(path)]
    bank = make_bank(contents.words, contents.searches, more, wanted.languages)
    photos = [[one.path, one.digest] for one in contents.photos]
    begun = {"wanted": now, "photos": photos, "bank": asdict(bank)}
    _write(file, json.dumps(begun).encode("utf-8", "surrogatepass"))
    return contents.photos, bank


class _Texts:
    """The teacher's text tower, as a cache of embeddings asks for one."""

    def __init__(self, teacher: BundleTeacher) -> None:
        self._teacher = teacher

    def __call__(self, texts: Sequence[str]) -> Vectors:
        return _encoded(self._teacher.embed_texts, list(texts))

    def digest(self) -> str:
        return self._teacher.digest


def _teach_texts(
    wanted: Wanted,
    config: ModelConfig,
    teacher: BundleTeacher,
    bank: Bank,
    echo: Callable[[str], None],
) -> Path:
    """Train the text tower; where the teacher's vectors of the bank are."""
    import torch

    folder = wanted.out / "text"
    file = folder / "bank.npy"
    targets = cached_embeddings(bank.texts, file, _Texts(teacher))
    held = cached_embeddings(bank.held_out, folder / "held-out.npy", _Texts(teacher))
    if (folder / "model.safetensors").is_file():
        return file
    torch.manual_seed(0)
    task = TextDistillation(
        build_text_tower(config.text, config.dim),
        tokenizer_of(config.text),
        bank.texts,
        targets,
        {"held_out": (list(bank.held_out), held)},
        batch_size=min(256, len(bank.texts)),
    )
    batch = task.batch_size
    settings = short_settings(
        wanted.text_steps, batch, 1e-3, "auto", wanted.threads, warmup=300, weight_decay=0.01
    )
    run_task(task, settings, folder, echo)
    return file


def _reinforce(wanted: Wanted, photos: Sequence[LibraryPhoto], bank: Bank) -> None:
    names = wanted.out / "names.txt"
    _write(names, "".join(f"{text}\n" for text in bank.names).encode())
    teacher = wanted.teacher.resolve()
    job = ShardJob(
        (wanted.out / "shards").resolve(),
        Reinforcement(
            augmentation=AugmentSettings(
                crop_scale=(0.3, 1.0), randaugment_ops=1, magnitude=9, whole_first=True
            ),
            views=wanted.views,
            synthetic=2,
            view_size=256,
        ),
        partial(open_networks, [f"bundle:{teacher}"], f"bank:{names.resolve()}:{teacher}"),
    )
    reinforce(
        job,
        shards_of(photos, _SHARD),
        workers=wanted.workers,
        source_lines=["A private library of photosearch; do not pass these files on."],
        progress=True,
    )


def _held_out(
    file: Path, teacher: BundleTeacher, photos: Sequence[LibraryPhoto], texts: Sequence[str]
) -> tuple[Vectors, Vectors]:
    """The teacher's vectors of the held-out photos and texts."""
    if not file.is_file():
        pictures = [decode(sample) for sample in shrunk_photos(photos)]
        images = _encoded(teacher.embed_images, pictures)
        beside = file.with_name(f".{file.name}.part.npz")
        np.savez(beside, images=images, texts=_encoded(teacher.embed_texts, list(texts)))
        beside.replace(file)
    with np.load(file, allow_pickle=False) as stored:
        return stored["images"], stored["texts"]


def _recipe(wanted: Wanted, bank: Path) -> Recipe:
    out = wanted.out
    own = [
        f"model.name={json.dumps(str(out / f'personal-{wanted.student}.json'))}",
        f"model.text_init={json.dumps(str(out / 'text' / 'model.safetensors'))}",
        f"data.train={json.dumps([str(out / 'shards' / '*.tar')])}",
        f"loss.bank_file={json.dumps(str(bank))}",
        f"run.steps={wanted.steps}",
        f"run.batch={wanted.batch}",
        f"schedule.warmup={min(100, wanted.steps // 10)}",
        f"run.evaluate_steps={max(1, wanted.steps // 8)}",
    ]
    if wanted.threads is not None:
        own.append(f"run.threads={wanted.threads}")
    recipe = load_recipe("personal", [*own, *wanted.overrides])
    recipe.check_files()
    return recipe


def _train(
    wanted: Wanted,
    recipe: Recipe,
    held: Sequence[LibraryPhoto],
    texts: Sequence[str],
    theirs: tuple[Vectors, Vectors],
    echo: Callable[[str], None],
) -> Path:
    """Train the image tower; its weights with those of the text tower."""
    folder = wanted.out / "train"
    if (folder / "model.safetensors").is_file():
        return folder / "model.safetensors"
    with joined(recipe.run.device) as processes:
        source, _ = open_source(recipe)
        model = build_student(recipe)
        fresh = not has_checkpoint(folder)
        if fresh:
            load_first_weights(model, recipe)
        seen_at = student_config(recipe)
        validation = TeacherAgreement(list(shrunk_photos(held)), list(texts), theirs, seen_at)
        task = ReinforcedTraining(model, recipe, source, [validation])
        if fresh:
            task.calibrate_norms()
        about = recipe.about() | {"shards": {"sha256": source.digest}}
        run = Run(task, recipe.settings, folder, processes, about)
        echo(f"validation: {validation.summary}")
        if run.resume():
            echo(f"going on from step {run.step}")
        run.train()
        return run.model_file


def _calibrate(bundle: Path, teacher: Path, shards: Path, bank: Bank) -> str | None:
    """Calibrate the student; why that cannot be done, if it cannot."""
    known, student = open_encoder(teacher), open_encoder(bundle)
    theirs, ours = [], []
    samples = islice(read_reinforced(*sorted(shards.glob("*.tar"))), _CALIBRATED)
    while batch := list(islice(samples, _AT_ONCE)):
        # The first view is the whole photo, which the teacher has seen.
        theirs += [sample.image_embeddings[0] for sample in batch]
        ours.append(student.encode_images([sample.picture() for sample in batch]))
    asked = list(bank.names[:_ASKED])
    seen = np.stack(theirs)
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    try:
        found = calibrate_by(
            known,
            (seen, _encoded(known.encode_texts, asked)),
            (np.concatenate(ours), _encoded(student.encode_texts, asked)),
        )
    except ValueError as error:
        return str(error)
    annotate_bundle(bundle, background=found.background, calibration=found.record())
    return None


def _encoded(encode: Callable[[Any], Vectors], items: Sequence[Any]) -> Vectors:
    parts = range(0, len(items), _AT_ONCE)
    return np.concatenate([np.asarray(encode(items[at : at + _AT_ONCE])) for at in parts])


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
