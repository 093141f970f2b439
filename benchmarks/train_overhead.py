"""What reinforced training costs a step, against plain CLIP training of the same student.

The paper's claim (arXiv 2311.17049, section 3.1) is that a reinforced data set trains as fast as a
plain one, since what teachers and captioner say was stored before. Measured here with the trainer's
own engine, data and losses, the student being MobileCLIP-S0 by the recipe `mobileclip-s0`.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.tables import figure, fill_page, markdown_table, save_figure, write_text
from benchmarks.teaching_photos import random_teacher, reinforced_shard
from benchmarks.timing import Spread, cores, count, interleave, machine, seconds_a_call
from trainer.data.photo_tars import read_members
from trainer.data.reinforced import from_bfloat16_bits
from trainer.teachers.protocol import Teacher
from trainer.train.loop import Run
from trainer.train.recipe import Recipe, load_recipe
from trainer.train.reinforced import ReinforcedTraining
from trainer.train.shards import Shards
from trainer.train.sources import Epochs
from trainer.train.student import build_student
from trainer.train.task import Share

BATCH = 16
PHOTOS = 32
STORED_TEACHER, PAPER_TEACHER = "ViT-B-32", "ViT-L-14"

_PLAIN = ("loss.lambda=0", 'loss.captions=["real"]', 'data.augmentation="light"')
_VARIANTS: dict[str, tuple[str, ...]] = {
    "plain": _PLAIN,
    "distilled": ('loss.captions=["real"]',),
    "captioned": ("loss.lambda=0",),
    "reinforced": (),
}
LABELS = {
    "plain": "plain CLIP",
    "captioned": "plain CLIP on stored views, and a synthetic caption of each photo",
    "distilled": "reinforced, real captions only",
    "reinforced": "reinforced, as the paper does it",
    "online small": f"reinforced, two {STORED_TEACHER} teachers online",
    "online paper": f"reinforced, the paper's two {PAPER_TEACHER} teachers online",
}


@dataclass(frozen=True)
class Overhead:
    """Seconds (rounds,) of one step of a batch, and of its parts.

    steps: by variant, preparing its batch included. batches: of these, preparing the batch.
    records: parsing what is stored beside the photos of one batch. teachers: one pass of one
    teacher over the pictures and captions of one batch, by its name.
    """

    steps: dict[str, NDArray[np.float64]]
    batches: dict[str, NDArray[np.float64]]
    records: NDArray[np.float64]
    teachers: dict[str, NDArray[np.float64]]

    @property
    def all_steps(self) -> dict[str, NDArray[np.float64]]:
        """By the keys of `LABELS`.

        Plain training is spared what it would not read: its photos stand in the same shards. Where
        teachers are online, each of the two makes one more pass.
        """
        found = dict(self.steps)
        found["plain"] = self.steps["plain"] - self.records
        for key, teacher in (("online small", STORED_TEACHER), ("online paper", PAPER_TEACHER)):
            found[key] = self.steps["reinforced"] + 2 * self.teachers[teacher]
        return {key: found[key] for key in LABELS}


class Engine(Run):
    """The trainer's engine, a step at a time, without its logs and checkpoints."""

    def timed_step(self) -> tuple[float, float]:
        """Seconds of one whole step, and of these for preparing its batch in this process."""
        started = time.perf_counter()
        batch = self.task.batch(self.step, Share())
        prepared = time.perf_counter()
        self._update([batch])
        self.step += 1
        return time.perf_counter() - started, prepared - started


def recipe(shard: Path, variant: str, *, batch: int, overrides: Sequence[str] = ()) -> Recipe:
    """The paper's recipe for MobileCLIP-S0, with the changes that make the variant."""
    # In channels-last memory FastViT's backward pass corrupts memory on some CPUs (torch 2.13).
    plain_memory = "run.channels_last=false"
    small = (f"run.batch={batch}", 'run.precision="float32"', "run.workers=0", plain_memory)
    data = f"data.train=[{json.dumps(str(shard))}]"
    return load_recipe("mobileclip-s0", [data, *small, *_VARIANTS[variant], *overrides])


def run(folder: Path, out: Path, *, rounds: int, threads: int | None = None) -> None:
    """Measure, print the table, and write it with a plot to `out`. Photos go to `folder`."""
    torch.set_num_threads(threads or cores())
    setting = (
        f"{machine()} when it started; PyTorch {torch.__version__}, float32, batches of {BATCH}, "
        f"{count(torch.get_num_threads(), 'thread')}, {rounds} rounds"
    )
    print("  making teachers, and a shard")
    teachers = {name: random_teacher(folder, name) for name in (STORED_TEACHER, PAPER_TEACHER)}
    shard = reinforced_shard(folder, teachers[STORED_TEACHER], PHOTOS)
    measured = measure(shard, teachers, rounds=rounds)
    print(table(measured))
    write_text(out / "train-overhead.md", page(measured, setting))
    plot(measured, out / "train-overhead.svg")


def measure(
    shard: Path,
    teachers: Mapping[str, Teacher],
    *,
    rounds: int,
    batch: int = BATCH,
    overrides: Sequence[str] = (),
) -> Overhead:
    """Train the same student in all ways in turns; `overrides` change all recipes alike."""
    shards = Shards([shard])
    recipes = {name: recipe(shard, name, batch=batch, overrides=overrides) for name in _VARIANTS}
    student = build_student(recipes["reinforced"])
    engines = {
        name: Engine(
            ReinforcedTraining(student, one, Epochs(shards, batch, 0), []),
            one.settings,
            shard.parent,
        )
        for name, one in recipes.items()
    }
    for engine in engines.values():
        engine.timed_step()  # allocates memory, and the optimiser its state
    batches: dict[str, list[float]] = {name: [] for name in engines}

    def step(name: str) -> float:
        seconds, preparing = engines[name].timed_step()
        batches[name].append(preparing)
        return seconds

    samples = [shards.read(number) for number in range(batch)]
    views = [sample.view(0, 224) for sample in samples]
    texts = [text for sample in samples for text in (sample.captions[0], sample.synthetic[0])]

    def teach(teacher: Teacher) -> float:
        started = time.perf_counter()
        teacher.embed_images(views)
        teacher.embed_texts(texts)
        return time.perf_counter() - started

    stored = [data for name, data in read_members(shard) if name.endswith(".npz")][:batch]
    photos = [sample.image_bytes for sample in samples]
    runs: dict[str, Callable[[], float]] = {
        **{name: partial(step, name) for name in engines},
        **{name: partial(teach, teacher) for name, teacher in teachers.items()},
        "records": partial(seconds_a_call, partial(_read_records, photos, stored), at_least=0.1),
    }
    seconds = interleave(runs, rounds=rounds)
    return Overhead(
        {name: seconds[name] for name in engines},
        {name: np.asarray(values) for name, values in batches.items()},
        seconds["records"],
        {name: seconds[name] for name in teachers},
    )


def _read_records(photos: Sequence[bytes], stored: Sequence[bytes]) -> None:
    """What only reinforced training needs of a sample: embeddings, and that the photo is theirs."""
    for photo, record in zip(photos, stored, strict=True):
        hashlib.sha256(photo).hexdigest()
        with np.load(io.BytesIO(record), allow_pickle=False) as arrays:
            for name in ("image_emb", "text_emb"):
                from_bfloat16_bits(arrays[name])


def table(measured: Overhead) -> str:
    """Seconds a step of each way to train, and the ratio to plain CLIP."""
    steps = measured.all_steps
    rows = []
    for key, seconds in steps.items():
        preparing = measured.batches.get(key)
        rows.append(
            (
                LABELS[key],
                f"{Spread.of(seconds):.2f}",
                "" if preparing is None else f"{Spread.of(preparing * 1e3):.0f}",
                f"{Spread.of(seconds / steps['plain']):.2f}",
            )
        )
    head = ("training", "s a step", "of these ms for its batch", "times plain CLIP")
    return markdown_table(head, rows)


def page(measured: Overhead, setting: str) -> str:
    """docs/benchmarks/train-overhead.md."""
    steps = measured.all_steps

    def times(slow: str, fast: str) -> str:
        return f"{Spread.of(steps[slow] / steps[fast]):.2f}"

    return fill_page(
        "train-overhead.md",
        setting=setting,
        table=table(measured),
        distilled=times("distilled", "plain"),
        reinforced=times("reinforced", "plain"),
        distillation=times("reinforced", "captioned"),
        paper=times("online paper", "reinforced"),
        records=f"{Spread.of(measured.records * 1e3):.1f}",
        batch=str(BATCH),
    )


def plot(measured: Overhead, path: Path) -> None:
    """Seconds a step of each way to train; where teachers are online, their share apart."""
    steps = measured.all_steps
    drawn, (axis,) = figure(1, 0.5 * len(steps) + 1, width=8)
    rows = np.arange(len(steps))
    whole = np.array([np.median(seconds) for seconds in steps.values()])
    online = np.array(["online" in key for key in steps])
    own = np.where(online, np.median(steps["reinforced"]), whole)
    axis.barh(rows, own, color="#2f6f9f", label="student, and its batch")
    axis.barh(rows, whole - own, left=own, color="#d9822b", label="teachers")
    for row, (seconds, end) in enumerate(zip(steps.values(), whole, strict=True)):
        ratio = Spread.of(seconds / steps["plain"]).median
        axis.text(end, row, f" {ratio:.2f}x", va="center")
    axis.set_yticks(rows, [LABELS[key] for key in steps])
    axis.set_xlabel("s a step, and times plain CLIP")
    axis.invert_yaxis()
    axis.legend(frameon=False)
    save_figure(drawn, path)
