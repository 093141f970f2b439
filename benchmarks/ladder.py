"""The ladder of MobileCLIP's ablation, from plain CLIP to an ensemble, as runs of the trainer.

    materials = Materials(captioned=..., validation=..., classifiers=(a, b), ...)
    prepare(materials, Path("work"))                       # teachers, then reinforced shards
    curves = climb(materials, Path("work"), Budget(seeds=3))
    curves["clip"][0].recall                               # at each evaluation of seed 0

Everything is done by the commands of `photosearch-trainer`, in processes of their own, and stays in
the folder: a benchmark that was cut off goes on where it stopped.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.efficiency import Curve
from benchmarks.timing import cores

Tables = dict[str, dict[str, Any]]
Trainer = Callable[[Sequence[str], Path], None]
"""Runs `photosearch-trainer` with arguments, and writes what it says to a file."""

VIEWS, SYNTHETIC = {"light": 2, "strong": 3}, 2
_AUGMENTATION = {
    "light": ("--crop-scale", "0.9", "1", "--randaugment-ops", "0"),
    "strong": ("--crop-scale", "0.08", "1", "--randaugment-ops", "2", "--magnitude", "9"),
}


@dataclass(frozen=True)
class Rung:
    """One more thing than the rung before. shards: whose views; changes: of keys of the recipe."""

    key: str
    label: str
    shards: str
    changes: Mapping[str, Mapping[str, Any]]


# arXiv 2311.17049, section 5.1. Shards of strong views hold both teachers; "bootstrap" is the name
# of the first.
LADDER = (
    Rung(
        "clip",
        "CLIP",
        "light",
        {"data": {"augmentation": "light"}, "loss": {"lambda": 0.0, "captions": ["real"]}},
    ),
    Rung(
        "captions",
        "+ synthetic captions",
        "light",
        {"data": {"augmentation": "light"}, "loss": {"lambda": 0.0}},
    ),
    Rung("distillation", "+ distillation", "light", {"loss": {"lambda": 1.0}}),
    Rung(
        "augmentation",
        "+ strong augmentation",
        "strong",
        {"loss": {"lambda": 1.0, "teachers": ["bootstrap"]}},
    ),
    Rung("ensemble", "+ ensemble of two teachers", "strong", {"loss": {"lambda": 1.0}}),
)


@dataclass(frozen=True, kw_only=True)
class Student:
    """What is trained: the keys of [model] and [data] that say so, and its rates."""

    model: Mapping[str, Any]
    image_size: int = 96
    rates: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def nano(cls, image_init: Path, text_init: Path) -> Student:
        """MobileCLIP-Nano on a pretrained backbone and a locked text tower.

        The projection between them is new. The early layers, which know edges and textures and
        would cost most, stay as they are, and so do batch statistics.
        """
        early = ("conv_stem.", "bn1.", *(f"blocks.{number}." for number in range(4)))
        return cls(
            model={
                "name": "MobileCLIP-Nano",
                "image_init": str(image_init),
                "text_init": str(text_init),
                "freeze": ["text.", *(f"visual.backbone.{layer}" for layer in early)],
                "freeze_batch_norm": ["visual."],
            },
            rates={"visual.backbone.": 0.3},
        )


@dataclass(frozen=True, kw_only=True)
class Materials:
    """Files: captioned photos to learn from and to validate on, and what the teachers are made of.

    captioner: specification of who writes the synthetic captions, as `reinforce` takes it.
    teaching: captioned photos that the teachers learn from.
    """

    captioned: Path
    teaching: Path
    validation: Path
    classifiers: tuple[Path, Path]
    class_names: Path
    captioner: str
    student: Student


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Images that plain training sees and that the other rungs see; in batches, for each seed.

    The learning rate is the same from `warmup` steps on, so that a point of a curve does not depend
    on how long the run goes on behind it; what is evaluated are averaged weights.
    """

    plain: int = 30_720
    others: int = 15_360
    batch: int = 128
    seeds: int = 3
    learning_rate: float = 1e-3
    warmup: int = 20
    evaluate_steps: int = 8

    def images(self, rung: Rung) -> int:
        return self.plain if rung is LADDER[0] else self.others


def recipe(
    materials: Materials, shards: Path, rung: Rung, seed: int, budget: Budget, *, threads: int = 1
) -> Tables:
    """The recipe of one run; rungs differ in data, loss and length alone."""
    student = materials.student
    tables: Tables = {
        "model": dict(student.model),
        "data": {
            "train": [str(shards / rung.shards / "*.tar")],
            "validation": [str(materials.validation)],
            "image_size": student.image_size,
        },
        "loss": {},
        "optimizer": {
            "learning_rate": budget.learning_rate,
            "weight_decay": 0.05,
            "rates": dict(student.rates),
        },
        "schedule": {"warmup": budget.warmup, "final_rate": budget.learning_rate},
        "run": {
            "steps": budget.images(rung) // budget.batch,
            "batch": budget.batch,
            "precision": "float32",
            "ema": 0.99,
            "seed": seed,
            "workers": 0,
            "threads": threads,
            "log_steps": budget.evaluate_steps,
            "evaluate_steps": budget.evaluate_steps,
            "checkpoint_seconds": 60.0,
        },
    }
    for table, changes in rung.changes.items():
        tables[table] |= changes
    return tables


def write_toml(path: Path, tables: Tables) -> None:
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        for key, value in table.items():
            if not isinstance(value, dict):
                lines.append(f"{key} = {json.dumps(value)}")  # as in TOML, for what stands here
                continue
            items = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items())
            lines.append(f"{key} = {{ {items} }}")
        lines.append("")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def teach_arguments(materials: Materials, work: Path, number: int) -> list[str]:
    """Teacher `number`: the bootstrap teacher on one classifier alone, so that two differ."""
    return [
        "teach",
        *("--captioned", str(materials.teaching), "--validation", str(materials.validation)),
        *("--classifier", str(materials.classifiers[number])),
        *("--class-names", str(materials.class_names), "--views", "1"),
        *("--cache", str(work / f"features-{number}"), "--out", str(work / f"teacher-{number}")),
    ]


def reinforce_arguments(materials: Materials, work: Path, kind: str) -> list[str]:
    """The shards of one kind of views: "light" of the first teacher, "strong" of both."""
    teachers = (0,) if kind == "light" else (0, 1)
    specs = [f"bootstrap:{work / f'teacher-{n}'}:{materials.classifiers[n]}" for n in teachers]
    return [
        *("reinforce", str(materials.captioned), "--captioner", materials.captioner),
        *(word for spec in specs for word in ("--teacher", spec)),
        *("--views", str(VIEWS[kind]), "--synthetic", str(SYNTHETIC), *_AUGMENTATION[kind]),
        *("--quiet", "--out", str(work / "shards" / kind)),
    ]


def run_trainer(arguments: Sequence[str], log: Path) -> None:
    """In a process of its own. Raises `SystemExit` with the end of what it said when it fails."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        done = subprocess.run(
            [sys.executable, "-m", "trainer", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
    if done.returncode:
        said = log.read_text(encoding="utf-8").strip().splitlines()
        raise SystemExit(f"{' '.join(arguments)}\nfailed: {said[-1] if said else ''}\n({log})")


def prepare(
    materials: Materials, work: Path, *, jobs: int | None = None, trainer: Trainer = run_trainer
) -> None:
    """Teach both teachers and reinforce the photos, as far as that has not been done."""
    untaught = [n for n in (0, 1) if not (work / f"teacher-{n}" / "teacher.json").is_file()]
    _side_by_side(
        (
            (teach_arguments(materials, work, number), work / "logs" / f"teach-{number}.txt")
            for number in untaught
        ),
        jobs,
        trainer,
    )
    # Finished shards are found to be so by the command itself.
    _side_by_side(
        (
            (reinforce_arguments(materials, work, kind), work / "logs" / f"reinforce-{kind}.txt")
            for kind in VIEWS
        ),
        jobs,
        trainer,
    )


def climb(
    materials: Materials,
    work: Path,
    budget: Budget,
    *,
    jobs: int | None = None,
    trainer: Trainer = run_trainer,
) -> dict[str, list[Curve]]:
    """Train every rung with every seed; their held-out curves, by the rung's key, seed by seed."""
    # All rungs of one seed before the next: what is there after a stop can be compared.
    runs = [(rung, seed) for seed in range(budget.seeds) for rung in LADDER]
    waiting = []
    for rung, seed in runs:
        folder = run_folder(work, rung, seed)
        tables = recipe(materials, work / "shards", rung, seed, budget)
        path = folder / "recipe.toml"
        known = path.read_text(encoding="utf-8") if path.is_file() else None
        write_toml(path, tables)
        same = known == path.read_text(encoding="utf-8")
        if not (same and (folder / "model.safetensors").is_file()):
            arguments = ["train", str(path), "--out", str(folder)]
            waiting.append((arguments, work / "logs" / f"{rung.key}-{seed}.txt"))
    _side_by_side(waiting, jobs, trainer)
    curves: dict[str, list[Curve]] = {rung.key: [] for rung in LADDER}
    for rung, seed in runs:
        table = run_folder(work, rung, seed) / "validation.csv"
        curves[rung.key].append(read_curve(table, budget.batch))
    return curves


def run_folder(work: Path, rung: Rung, seed: int) -> Path:
    return work / "runs" / f"{rung.key}-{seed}"


def read_curve(table: Path, batch: int) -> Curve:
    """R@10 from text to photo against images seen, from a run's `validation.csv`."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return Curve(
        np.array([int(row["step"]) * batch for row in rows], np.float64),
        np.array([float(row["text_to_photo_r10"]) for row in rows], np.float64),
    )


def _side_by_side(
    commands: Iterable[tuple[list[str], Path]], jobs: int | None, trainer: Trainer
) -> None:
    """One command a core: two small networks train faster beside each other than with threads."""
    with ThreadPoolExecutor(jobs or cores()) as pool:
        for done in [pool.submit(trainer, *command) for command in commands]:
            done.result()
